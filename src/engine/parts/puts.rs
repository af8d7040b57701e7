//! How parts are sent: each attempt from its start to its end.

use super::{Parts, Presigned, Sending, Slot, State};
use crate::engine::action::{Put, PutId};
use crate::engine::event::Now;
use crate::engine::stall::Silence;
use crate::protocol::{ETag, PartNumber};

/// Of a PUT that lacks no more than this, in bytes, the rest may have left since the last news of it: what a link of
/// 100 Mbit/s carries in the 50 ms between two progress events, and some.
const MAY_HAVE_LEFT_BYTES: u64 = 1 << 20;

/// A browser that tells of progress at all has done so after this, in milliseconds.
const FIRST_NEWS_MS: u64 = 1_000;

/// No link is faster, in bytes per millisecond: 10 Gbit/s.
const FASTEST_BYTES_PER_MS: u64 = 1_250_000;

/// What bytes that left meant.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) enum Moved {
    /// Nothing that had not left before.
    Nothing,
    /// No attempt had come so far.
    Further,
}

/// An attempt that is over.
#[derive(Debug)]
pub(in crate::engine) struct Attempt {
    pub number: PartNumber,
    /// What it was made with.
    pub presigned: Presigned,
    /// When it was started.
    pub started_ms: u64,
    /// How many bytes of all parts had left with its last one; 0 if that was not seen to leave.
    pub left_bytes: u64,
    /// Whether S3 may have received all of it.
    pub may_be_whole: bool,
}

impl Sending {
    /// Whether all bytes of the part, so many, may have left.
    fn may_be_whole(&self, now: Now, length: u64) -> bool {
        let is_untold = self.sent_bytes == 0 && now.ms >= self.started_ms + FIRST_NEWS_MS;
        is_untold || self.sent_bytes + MAY_HAVE_LEFT_BYTES >= length
    }

    /// Whether all bytes of the part, so many, may have arrived although its answer was lost: a browser that has told
    /// nothing may have had no time to.
    fn may_have_arrived(&self, now: Now, length: u64) -> bool {
        let is_untold = self.sent_bytes == 0 && (now.ms - self.started_ms) * FASTEST_BYTES_PER_MS >= length;
        is_untold || self.may_be_whole(now, length)
    }
}

impl Parts {
    /// The next part whose URL is still good; parts whose URL has expired are signed again.
    pub fn start_put(&mut self, now: Now) -> Option<Put> {
        while let Some(number) = self.ready.pop_first() {
            let part = self.plan().part(number)?;
            let State::Ready(presigned) = self.slot(number).state.clone() else { continue };
            if presigned.usable_until_ms < now.ms {
                self.wait_for_turn(number, None);
                continue;
            }
            let id = PutId(self.next_put);
            self.next_put += 1;
            self.in_flight.push((id, number));
            self.moved_ms = now.ms;
            let put = Put { id, part, url: presigned.url.clone(), headers: presigned.headers.clone() };
            self.slot(number).state = State::Sending(Sending {
                presigned,
                sent_bytes: 0,
                left_bytes: 0,
                started_ms: now.ms,
                moved_ms: now.ms,
                spared: 0,
                rival_ms: None,
            });
            return Some(put);
        }
        None
    }

    /// S3 has stored an attempt that was started at `started_ms`. It has shared the link with those that have been silent
    /// since, or that fell silent no more than `stall_ms` before it: they have the link for themselves from now on.
    pub fn rival_is_stored(&mut self, now: Now, started_ms: u64, stall_ms: u64) {
        for &(_, number) in &self.in_flight {
            if let State::Sending(sending) = &mut self.slots[number.index()].state
                && started_ms <= sending.moved_ms + stall_ms
            {
                sending.rival_ms = Some(now.ms);
            }
        }
    }

    /// Notes that bytes of an attempt have left.
    pub fn progress(&mut self, now: Now, put: PutId, bytes: u64) -> Moved {
        let Some(number) = self.number_of(put) else { return Moved::Nothing };
        let (length, moved_bytes) = (self.length(number), self.moved_bytes);
        let slot = self.slot(number);
        let State::Sending(sending) = &mut slot.state else { return Moved::Nothing };
        let more = bytes.min(length).saturating_sub(sending.sent_bytes);
        if more == 0 {
            return Moved::Nothing;
        }
        sending.sent_bytes += more;
        sending.moved_ms = now.ms;
        if sending.sent_bytes == length {
            sending.left_bytes = moved_bytes + more;
        }
        let is_further = sending.sent_bytes > slot.most_sent_bytes;
        slot.most_sent_bytes = slot.most_sent_bytes.max(sending.sent_bytes);
        self.moved_ms = now.ms;
        self.in_flight_bytes += more;
        self.moved_bytes += more;
        if is_further { Moved::Further } else { Moved::Nothing }
    }

    /// The lengths of the parts under way, in bytes.
    pub fn bytes_under_way(&self) -> u64 {
        self.in_flight.iter().map(|&(_, number)| self.length(number)).sum()
    }

    /// The attempts that were silent for too long.
    pub fn stalled(&self, now: Now, silence: Silence) -> Vec<PutId> {
        let mut stalled = Vec::new();
        for &(put, number) in &self.in_flight {
            if self.deadline_ms(number, silence).is_some_and(|deadline_ms| deadline_ms <= now.ms) {
                stalled.push(put);
            }
        }
        stalled
    }

    /// When the next attempt will have been silent for too long, unless something is heard of it.
    pub fn stalls_at(&self, silence: Silence) -> Option<u64> {
        let deadlines = self.in_flight.iter().filter_map(|&(_, number)| self.deadline_ms(number, silence));
        deadlines.min()
    }

    fn deadline_ms(&self, number: PartNumber, silence: Silence) -> Option<u64> {
        let Slot { state: State::Sending(sending), timeouts, .. } = &self.slots[number.index()] else { return None };
        // As long as S3 has confirmed nothing, bytes of one part that leave show that the link carries them all.
        Some(match silence.bytes_per_second {
            None => self.moved_ms + silence.limit_ms(timeouts + sending.spared),
            Some(_) => {
                let alone_ms =
                    sending.rival_ms.map_or(0, |rival_ms| rival_ms + silence.transfer_ms(self.length(number)));
                alone_ms.max(sending.moved_ms + silence.limit_ms(*timeouts))
            }
        })
    }

    fn under_way(&self) -> impl Iterator<Item = (PutId, PartNumber, &Sending)> {
        self.in_flight.iter().filter_map(|&(put, number)| match &self.slots[number.index()].state {
            State::Sending(sending) => Some((put, number, sending)),
            _ => None,
        })
    }

    /// Gives the attempt that has come furthest more time, of equals the first. Returns which; nothing if it has had as much
    /// as the slowest link would need.
    pub fn spare_furthest(&mut self, silence: Silence) -> Option<PutId> {
        let (mut put, mut number, mut most_bytes) = (None, PartNumber::FIRST, 0);
        for (id, part, sending) in self.under_way() {
            if put.is_none() || sending.sent_bytes > most_bytes {
                (put, number, most_bytes) = (Some(id), part, sending.sent_bytes);
            }
        }
        let slot = self.slot(number);
        let State::Sending(sending) = &mut slot.state else { return None };
        let blind = Silence { bytes_per_second: None, ..silence };
        let had_ms = blind.limit_ms(slot.timeouts + sending.spared);
        sending.spared += 1;
        put.filter(|_| had_ms < blind.limit_ms(slot.timeouts + sending.spared))
    }

    /// Counts that a part was silent for too long. Returns whether a link of 64 kbit/s would have answered.
    pub fn count_timeout(&mut self, put: PutId, silence: Silence) -> bool {
        let Some(number) = self.number_of(put) else { return false };
        let slot = self.slot(number);
        slot.timeouts += 1;
        silence.limit_ms(slot.timeouts - 1) >= silence.longest_ms()
    }

    /// Whether S3 may have received all bytes of a PUT under way, at the speed of the fastest link.
    pub fn may_have_arrived(&self, now: Now) -> bool {
        self.under_way().any(|(_, number, sending)| sending.may_have_arrived(now, self.length(number)))
    }

    /// Whether S3 has probably received all bytes of a PUT under way, or soon will.
    pub fn may_be_whole(&self, now: Now) -> bool {
        self.under_way().any(|(_, number, sending)| sending.may_be_whole(now, self.length(number)))
    }

    /// The name of the next attempt.
    pub fn next_put(&self) -> PutId {
        PutId(self.next_put)
    }

    /// Ends an attempt, however it went. Nothing for one that had been given up.
    pub fn end_put(&mut self, now: Now, put: PutId) -> Option<Attempt> {
        let at = self.in_flight.iter().position(|&(id, _)| id == put)?;
        let (_, number) = self.in_flight.remove(at);
        let length = self.length(number);
        let State::Sending(sending) = std::mem::replace(&mut self.slot(number).state, State::Hashed) else {
            return None;
        };
        self.in_flight_bytes -= sending.sent_bytes;
        let may_be_whole = sending.may_have_arrived(now, length);
        let Sending { presigned, started_ms, left_bytes, .. } = sending;
        Some(Attempt { number, presigned, started_ms, left_bytes, may_be_whole })
    }

    /// Whether an answer to an attempt is still to come.
    pub fn is_in_flight(&self, put: PutId) -> bool {
        self.number_of(put).is_some()
    }

    fn number_of(&self, put: PutId) -> Option<PartNumber> {
        self.in_flight.iter().find(|&&(id, _)| id == put).map(|&(_, number)| number)
    }

    /// S3 has the part. Says its length in bytes.
    pub fn put_done(&mut self, number: PartNumber, etag: Option<ETag>) -> u64 {
        let length = self.length(number);
        let slot = self.slot(number);
        slot.state = State::Stored { etag };
        slot.timeouts = 0;
        // The browser need not have told of every byte.
        let untold = length - slot.most_sent_bytes.min(length);
        self.moved_bytes += untold;
        self.stored += 1;
        self.stored_bytes += length;
        length
    }

    /// Counts an attempt that failed; says how many have.
    pub fn count_failure(&mut self, number: PartNumber) -> u32 {
        let slot = self.slot(number);
        slot.failures += 1;
        slot.failures
    }

    /// Counts an attempt that was refused; says how many were.
    pub fn count_refusal(&mut self, number: PartNumber) -> u32 {
        let slot = self.slot(number);
        slot.refusals += 1;
        slot.refusals
    }

    /// The part rests, then is sent again: with this URL, or with a new one.
    pub fn rest(&mut self, number: PartNumber, until_ms: u64, presigned: Option<Presigned>) {
        self.slot(number).state = State::Resting { presigned };
        self.resting.insert((until_ms, number));
    }

    /// Gives up every attempt under way and says which they were. The parts wait for their next turn.
    pub fn cancel_all(&mut self, now: Now) -> Vec<PutId> {
        let puts: Vec<_> = self.in_flight.iter().map(|&(put, _)| put).collect();
        for &put in &puts {
            if let Some(Attempt { number, presigned, .. }) = self.end_put(now, put) {
                self.wait_for_turn(number, Some(presigned));
            }
        }
        puts
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::ChecksumAlgorithm;
    use crate::plan::Plan;
    use crate::protocol::{FileSize, Headers, SignedPart};

    #[test]
    fn an_attempt_is_spared_until_it_has_had_the_time_of_the_slowest_link() {
        let now = Now { ms: 0, random: 0 };
        let plan = Plan::new(FileSize::new(1).expect("in range"), 1);
        let mut parts = Parts::new(plan, ChecksumAlgorithm::None);
        assert!(parts.skip_hash());
        let (number, url) = (PartNumber::FIRST, String::new());
        let signed = SignedPart { number, url, headers: Headers::default(), expires_in_seconds: 60 };
        parts.signed(0, vec![signed]);
        let put = parts.start_put(now).expect("it has a URL").id;
        // Limits are 45 s, 315 s and 1,355 s, whatever speed was measured before.
        let bytes_per_second = Some(1_000_000);
        let silence = Silence { stall_ms: 30_000, bytes_in_flight: 8 << 20, bytes_per_second, is_untold: false };
        let spared: Vec<_> = (0..3).map(|_| parts.spare_furthest(silence)).collect();
        assert_eq!(spared, [Some(put), Some(put), None]);
        let mut parts = Parts::new(plan, ChecksumAlgorithm::None);
        assert_eq!(parts.spare_furthest(silence), None, "none is under way");
    }
}
