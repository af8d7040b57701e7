//! How parts are sent: each attempt from its start to its end.

use super::event::{Now, Put, PutId};
use super::parts::{Parts, Presigned, Sending, State};
use crate::protocol::{ETag, PartNumber};

/// What bytes that left meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Moved {
    /// Nothing that had not left before.
    Nothing,
    /// No attempt had come so far.
    Further,
}

/// An attempt that is over.
#[derive(Debug)]
pub(super) struct Attempt {
    pub number: PartNumber,
    /// What it was made with.
    pub presigned: Presigned,
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
            let put = Put { id, part, url: presigned.url.clone(), headers: presigned.headers.clone() };
            self.slot(number).state = State::Sending(Sending { presigned, sent_bytes: 0, moved_ms: now.ms });
            return Some(put);
        }
        None
    }

    /// Notes that bytes of an attempt have left.
    pub fn progress(&mut self, now: Now, put: PutId, bytes: u64) -> Moved {
        let Some(number) = self.number_of(put) else { return Moved::Nothing };
        let length = self.length(number);
        let slot = self.slot(number);
        let State::Sending(sending) = &mut slot.state else { return Moved::Nothing };
        let more = bytes.min(length).saturating_sub(sending.sent_bytes);
        if more == 0 {
            return Moved::Nothing;
        }
        sending.sent_bytes += more;
        sending.moved_ms = now.ms;
        let is_further = sending.sent_bytes > slot.most_sent_bytes;
        slot.most_sent_bytes = slot.most_sent_bytes.max(sending.sent_bytes);
        self.in_flight_bytes += more;
        self.moved_bytes += more;
        if is_further { Moved::Further } else { Moved::Nothing }
    }

    /// The attempts of which nothing was heard for too long: `stall_ms` while bytes leave, twice that
    /// while the connection is made and while S3 thinks.
    pub fn stalled(&self, now: Now, stall_ms: u64) -> Vec<PutId> {
        self.deadlines(stall_ms).filter(|&(_, deadline_ms)| deadline_ms <= now.ms).map(|(put, _)| put).collect()
    }

    /// When the next attempt will have stalled, unless something is heard of it.
    pub fn stalls_at(&self, stall_ms: u64) -> Option<u64> {
        self.deadlines(stall_ms).map(|(_, deadline_ms)| deadline_ms).min()
    }

    fn deadlines(&self, stall_ms: u64) -> impl Iterator<Item = (PutId, u64)> {
        self.in_flight.iter().filter_map(move |&(put, number)| match &self.slots[number.index()].state {
            State::Sending(sending) => {
                let is_moving = (1..self.length(number)).contains(&sending.sent_bytes);
                let patience_ms = if is_moving { stall_ms } else { stall_ms * 2 };
                Some((put, sending.moved_ms + patience_ms))
            }
            _ => None,
        })
    }

    /// Ends an attempt, however it went. Nothing for one that had been given up.
    pub fn end_put(&mut self, put: PutId) -> Option<Attempt> {
        let at = self.in_flight.iter().position(|&(id, _)| id == put)?;
        let (_, number) = self.in_flight.remove(at);
        let State::Sending(sending) = std::mem::replace(&mut self.slot(number).state, State::Hashed) else {
            return None;
        };
        self.in_flight_bytes -= sending.sent_bytes;
        Some(Attempt { number, presigned: sending.presigned })
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
    pub fn cancel_all(&mut self) -> Vec<PutId> {
        let puts: Vec<_> = self.in_flight.iter().map(|&(put, _)| put).collect();
        for &put in &puts {
            if let Some(Attempt { number, presigned }) = self.end_put(put) {
                self.wait_for_turn(number, Some(presigned));
            }
        }
        puts
    }
}
