//! The attempts to send the parts, each from its start to its end.

use super::{Parts, Presigned, Sending, Slot, State};
use crate::engine::action::{Put, PutId};
use crate::engine::event::Now;
use crate::engine::stall_limit::Silence;
use crate::protocol::{ETag, PartNumber};

/// Maximum number of bytes that leave the browser after the last progress event of a PUT. A link of 100 Mbit/s carries
/// 625 kB in the 50 ms between two progress events. The value adds a margin.
const MAY_HAVE_LEFT_BYTES: u64 = 1 << 20;

/// Maximum time until the first progress event of a PUT, in milliseconds. If no progress event has come by then, the
/// browser reports no progress at all.
const FIRST_PROGRESS_MS: u64 = 1_000;

/// Speed of the fastest link, in bytes per millisecond: 10 Gbit/s.
const FASTEST_BYTES_PER_MS: u64 = 1_250_000;

/// Whether a progress event reported bytes that no attempt to send the part had sent before.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) enum Moved {
    /// No new bytes.
    NoNewBytes,
    /// More bytes than any earlier attempt had sent.
    NewBytes,
}

/// An attempt that has ended.
#[derive(Debug)]
pub(in crate::engine) struct Attempt {
    pub number: PartNumber,
    /// Presigned URL and headers of the attempt.
    pub presigned: Presigned,
    /// Start of the attempt, in milliseconds of [`Now::ms`].
    pub started_ms: u64,
    /// Bytes of all parts that this session had sent when the last byte of the attempt left; 0 if no progress event
    /// reported the last byte.
    pub left_bytes: u64,
    /// Whether S3 may have received all bytes of the part.
    pub may_be_whole: bool,
}

impl Sending {
    /// Returns whether all `length` bytes of the part may have left the browser.
    fn may_be_whole(&self, now: Now, length: u64) -> bool {
        let is_unreported = self.sent_bytes == 0 && now.ms >= self.started_ms + FIRST_PROGRESS_MS;
        is_unreported || self.sent_bytes + MAY_HAVE_LEFT_BYTES >= length
    }

    /// Returns whether S3 may have received all `length` bytes of the part. On a fast link all bytes may arrive before
    /// the first progress event.
    fn may_have_arrived(&self, now: Now, length: u64) -> bool {
        let is_unreported = self.sent_bytes == 0 && (now.ms - self.started_ms) * FASTEST_BYTES_PER_MS >= length;
        is_unreported || self.may_be_whole(now, length)
    }
}

impl Parts {
    /// Starts a PUT of the next part that has a usable URL for this lane. Queues parts to be signed again if their URL
    /// has expired or is for another lane.
    pub fn start_put(&mut self, now: Now, lane: u32) -> Option<Put> {
        while let Some(number) = self.ready.pop_first() {
            let part = self.plan().part(number)?;
            let State::Ready(presigned) = self.slot(number).state.clone() else { continue };
            if presigned.usable_until_ms < now.ms || presigned.lane != lane {
                self.wait_for_turn(number, None);
                continue;
            }
            let id = PutId(self.next_put);
            self.next_put += 1;
            self.in_flight.push((id, number));
            self.verify(number);
            self.progress_ms = now.ms;
            let put = Put {
                id,
                part,
                lane,
                url: presigned.url.clone(),
                headers: presigned.headers.clone(),
                is_verified_after: self.verifies_after(),
            };
            self.slot(number).state = State::Sending(Sending {
                presigned,
                sent_bytes: 0,
                left_bytes: 0,
                started_ms: now.ms,
                progress_ms: now.ms,
                extensions: 0,
                peer_stored_ms: None,
            });
            return Some(put);
        }
        None
    }

    /// Records that S3 has stored the part of an attempt that was started at `started_ms`. A PUT in flight has shared
    /// the link with this attempt if the PUT made its last progress after `started_ms`, or at most `stall_ms` earlier.
    /// The attempt leaves its share of the link to such PUTs, so their deadlines move.
    pub fn peer_stored(&mut self, now: Now, started_ms: u64, stall_ms: u64) {
        for &(_, number) in &self.in_flight {
            if let State::Sending(sending) = &mut self.slots[number.index()].state
                && started_ms <= sending.progress_ms + stall_ms
            {
                sending.peer_stored_ms = Some(now.ms);
            }
        }
    }

    /// Records that `bytes` bytes of an attempt have been sent so far.
    pub fn progress(&mut self, now: Now, put: PutId, bytes: u64) -> Moved {
        let Some(number) = self.number_of(put) else { return Moved::NoNewBytes };
        let (length, total_sent_bytes) = (self.length(number), self.total_sent_bytes);
        let slot = self.slot(number);
        let State::Sending(sending) = &mut slot.state else { return Moved::NoNewBytes };
        let more = bytes.min(length).saturating_sub(sending.sent_bytes);
        if more == 0 {
            return Moved::NoNewBytes;
        }
        sending.sent_bytes += more;
        sending.progress_ms = now.ms;
        if sending.sent_bytes == length {
            sending.left_bytes = total_sent_bytes + more;
        }
        let is_further = sending.sent_bytes > slot.most_sent_bytes;
        slot.most_sent_bytes = slot.most_sent_bytes.max(sending.sent_bytes);
        self.progress_ms = now.ms;
        self.in_flight_bytes += more;
        self.total_sent_bytes += more;
        if is_further { Moved::NewBytes } else { Moved::NoNewBytes }
    }

    /// Returns the total length of the parts in flight, in bytes.
    pub fn bytes_under_way(&self) -> u64 {
        self.in_flight.iter().map(|&(_, number)| self.length(number)).sum()
    }

    /// Returns the attempts that have stalled.
    pub fn stalled(&self, now: Now, silence: Silence) -> Vec<PutId> {
        let mut stalled = Vec::new();
        for &(put, number) in &self.in_flight {
            if self.deadline_ms(number, silence).is_some_and(|deadline_ms| deadline_ms <= now.ms) {
                stalled.push(put);
            }
        }
        stalled
    }

    /// Returns the earliest deadline of the attempts in flight, in milliseconds of [`Now::ms`]. An attempt that makes
    /// no progress until its deadline has stalled.
    pub fn stalls_at(&self, silence: Silence) -> Option<u64> {
        let deadlines = self.in_flight.iter().filter_map(|&(_, number)| self.deadline_ms(number, silence));
        deadlines.min()
    }

    fn deadline_ms(&self, number: PartNumber, silence: Silence) -> Option<u64> {
        let Slot { state: State::Sending(sending), timeouts, .. } = &self.slots[number.index()] else { return None };
        // While no speed is known, progress of any part shows that the link works for all parts.
        Some(match silence.bytes_per_second {
            None => self.progress_ms + silence.limit_ms(timeouts + sending.extensions),
            Some(_) => {
                let alone_ms = sending
                    .peer_stored_ms
                    .map_or(0, |peer_stored_ms| peer_stored_ms + silence.transfer_ms(self.length(number)));
                alone_ms.max(sending.progress_ms + silence.limit_ms(*timeouts))
            }
        })
    }

    /// Returns a PUT in flight that has sent no bytes and uses another lane than `lane`.
    pub fn unsent_on_other_lane(&self, lane: u32) -> Option<PutId> {
        let is_unsent = |sending: &Sending| sending.presigned.lane != lane && sending.sent_bytes == 0;
        self.under_way().find(|(_, _, sending)| is_unsent(sending)).map(|(put, ..)| put)
    }

    fn under_way(&self) -> impl Iterator<Item = (PutId, PartNumber, &Sending)> {
        self.in_flight.iter().filter_map(|&(put, number)| match &self.slots[number.index()].state {
            State::Sending(sending) => Some((put, number, sending)),
            _ => None,
        })
    }

    /// Extends the deadline of the attempt that has sent the most bytes. If several attempts have sent the same number,
    /// takes the earliest. Returns the attempt, or `None` if the attempt has already had the maximum time.
    pub fn extend_furthest(&mut self, silence: Silence) -> Option<PutId> {
        let (mut put, mut number, mut most_bytes) = (None, PartNumber::FIRST, 0);
        for (id, part, sending) in self.under_way() {
            if put.is_none() || sending.sent_bytes > most_bytes {
                (put, number, most_bytes) = (Some(id), part, sending.sent_bytes);
            }
        }
        let slot = self.slot(number);
        let State::Sending(sending) = &mut slot.state else { return None };
        let blind = Silence { bytes_per_second: None, ..silence };
        let had_ms = blind.limit_ms(slot.timeouts + sending.extensions);
        sending.extensions += 1;
        put.filter(|_| had_ms < blind.limit_ms(slot.timeouts + sending.extensions))
    }

    /// Counts a stall of a part. Returns whether S3 would have answered by now even over a link of 64 kbit/s, the
    /// slowest supported link.
    pub fn count_timeout(&mut self, put: PutId, silence: Silence) -> bool {
        let Some(number) = self.number_of(put) else { return false };
        let slot = self.slot(number);
        slot.timeouts += 1;
        silence.limit_ms(slot.timeouts - 1) >= silence.longest_ms()
    }

    /// Returns whether S3 may have received all bytes of any PUT in flight. Assumes the fastest link.
    pub fn may_have_arrived(&self, now: Now) -> bool {
        self.under_way().any(|(_, number, sending)| sending.may_have_arrived(now, self.length(number)))
    }

    /// Returns whether all bytes of any PUT in flight may have left the browser.
    pub fn may_be_whole(&self, now: Now) -> bool {
        self.under_way().any(|(_, number, sending)| sending.may_be_whole(now, self.length(number)))
    }

    /// Returns the id of the next attempt.
    pub fn next_put(&self) -> PutId {
        PutId(self.next_put)
    }

    /// Ends an attempt, for any outcome. Returns `None` if the attempt is not in flight.
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

    /// Returns whether the attempt is in flight.
    pub fn is_in_flight(&self, put: PutId) -> bool {
        self.number_of(put).is_some()
    }

    fn number_of(&self, put: PutId) -> Option<PartNumber> {
        self.in_flight.iter().find(|&&(id, _)| id == put).map(|&(_, number)| number)
    }

    /// Records that S3 has stored the part. `checksum` is S3's checksum of the part, or `None` if it is unknown.
    /// Returns the length of the part in bytes.
    pub fn put_done(&mut self, number: PartNumber, etag: Option<ETag>, checksum: Option<String>) -> u64 {
        let length = self.length(number);
        self.is_to_be_verified(number, checksum);
        let slot = self.slot(number);
        slot.state = State::Stored { etag };
        slot.timeouts = 0;
        // Progress events may not have reported every byte.
        let unreported_bytes = length - slot.most_sent_bytes.min(length);
        self.total_sent_bytes += unreported_bytes;
        self.stored += 1;
        self.stored_bytes += length;
        length
    }

    /// Counts a failed attempt. Returns the number of failed attempts of this part.
    pub fn count_failure(&mut self, number: PartNumber) -> u32 {
        let slot = self.slot(number);
        slot.failures += 1;
        slot.failures
    }

    /// Counts a refused attempt. Returns the number of refused attempts of this part.
    pub fn count_refusal(&mut self, number: PartNumber) -> u32 {
        let slot = self.slot(number);
        slot.refusals += 1;
        slot.refusals
    }

    /// Lets the part wait until `until_ms`, in milliseconds of [`Now::ms`], before its next attempt. The attempt uses
    /// `presigned`, or a new URL if `presigned` is `None`.
    pub fn rest(&mut self, number: PartNumber, until_ms: u64, presigned: Option<Presigned>) {
        self.slot(number).state = State::Resting { presigned };
        self.resting.insert((until_ms, number));
    }

    /// Ends every attempt in flight and returns their ids. The parts are ready to be sent again.
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
    fn each_attempt_gets_more_time_up_to_that_of_the_slowest_link() {
        let now = Now { ms: 0, random: 0 };
        let plan = Plan::new(FileSize::new(1).expect("in range"), 1);
        let mut parts = Parts::new(plan, ChecksumAlgorithm::None);
        assert!(parts.skip_hash());
        let (number, url) = (PartNumber::FIRST, String::new());
        let signed = SignedPart { number, url, headers: Headers::default(), expires_in_seconds: 60 };
        parts.signed(0, 0, vec![signed]);
        let put = parts.start_put(now, 0).expect("it has a URL").id;
        // The limits are 45 s, 315 s and 1,355 s. A speed that was measured before does not change these limits.
        let bytes_per_second = Some(1_000_000);
        let silence = Silence { stall_ms: 30_000, bytes_in_flight: 8 << 20, bytes_per_second, hides_progress: false };
        let spared: Vec<_> = (0..3).map(|_| parts.extend_furthest(silence)).collect();
        assert_eq!(spared, [Some(put), Some(put), None]);
        let mut parts = Parts::new(plan, ChecksumAlgorithm::None);
        assert_eq!(parts.extend_furthest(silence), None, "none is under way");
    }
}
