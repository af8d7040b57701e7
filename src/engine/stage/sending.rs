//! Sends the parts: chooses the parts to hash, sign and send next.

use super::Stage;
use crate::checksum::{ChecksumAlgorithm, PartChecksum};
use crate::engine::Engine;
use crate::engine::action::Action;
use crate::engine::call::{ApiCall, Call};
use crate::engine::event::Now;
use crate::engine::parts::Hashed;
use crate::engine::report::Failure;
use crate::engine::retry::reads_again_after_ms;
use crate::plan::Part;
use crate::protocol::{ErrorCode, PartsSigned, SignParts};

/// Minimum lead of hashing over sending, in parts for each PUT that may be in flight. With this lead, one signing call
/// requests several URLs.
const HASH_AHEAD: u32 = 3;

/// Lead of hashing over sending, in seconds at the measured speed. It is half of the server's default minimum lifetime
/// of a URL, so that URLs do not expire unused. It is limited so that a cancelled upload has not read the whole file.
const HASH_AHEAD_SECONDS: f64 = 30.0;

impl Engine {
    pub(in crate::engine) fn part_hashed(&mut self, now: Now, part: Part, checksum: PartChecksum) {
        if matches!(self.stage, Stage::New | Stage::Completing | Stage::Ending(_) | Stage::Finished) {
            return;
        }
        match self.parts.hashed(part, checksum) {
            Hashed::Unexpected | Hashed::Accepted => {}
            Hashed::Differs => self.end_and_remove(now, ErrorCode::FileChanged.into()),
            Hashed::IsAnother => self.end(now, ErrorCode::WrongFile.into()),
            Hashed::IsCorrupted => self.corrupted(now, part.number),
        }
    }

    /// Handles a part that could not be read.
    pub(in crate::engine) fn hash_failed(&mut self, now: Now, part: Part, failure: Failure) {
        if !self.parts.is_hashing(part) {
            return;
        }
        let failures = self.parts.count_read_failure(part.number);
        match reads_again_after_ms(failure.code, failures) {
            Some(after_ms) => {
                self.report_retry(Some(part.number), &failure, failures, after_ms.into());
                self.outbox.push(Action::HashPart { part, after_ms });
            }
            None => self.end(now, failure),
        }
    }

    pub(in crate::engine) fn advance_parts(&mut self, now: Now) {
        self.end_stalled(now);
        if !matches!(self.stage, Stage::Sending) {
            return;
        }
        if self.parts.is_all_stored() {
            return self.all_stored();
        }
        self.parts.wake(now);
        // Must come before sending: if this is another file, its parts must not be added to the stored parts.
        if !self.parts.is_compared() {
            return self.hash_ahead();
        }
        self.start_puts(now);
        self.hash_ahead();
        if self.wants_urls() && self.holds.may_call(now) && self.calls.sign.may_start(now) {
            self.start_signing(now);
        }
    }

    fn start_puts(&mut self, now: Now) {
        let limit = self.congestion.limit().min(self.share.connections);
        while self.holds.may_put(now) && self.parts.in_flight() < limit {
            let was_at_rest = self.parts.in_flight() == 0;
            let Some(put) = self.parts.start_put(now, self.lane()) else { break };
            if was_at_rest {
                self.congestion.started_from_rest(now.ms);
            }
            self.outbox.push(Action::Put(put));
        }
    }

    /// Returns whether it is time for a signing call. Parts must wait for URLs, and the parts that have URLs must last
    /// for at most twice the duration of the last call. A later call signs more parts, so fewer calls are needed. So
    /// the call waits until a whole window of parts can be signed. While no part has a URL, it only waits for as many
    /// parts as there are free connections, and at least for half of the window. It does not wait if no PUT is in
    /// flight or no part is being hashed.
    pub(in crate::engine) fn wants_urls(&self) -> bool {
        let part_bytes = self.parts.plan().part_bytes().max(1) as f64;
        let parts_per_ms = self.meter.bytes_per_second().unwrap_or(0.0) / part_bytes / 1_000.0;
        let meanwhile = (parts_per_ms * (2 * self.calls.turnaround_ms) as f64) as u32 + 1;
        let limit = self.congestion.limit();
        let (unsigned, ready, in_flight) = (self.parts.unsigned(), self.parts.ready(), self.parts.in_flight());
        let idle = limit.min(self.share.connections).saturating_sub(in_flight);
        let worth = if ready == 0 { idle.max(limit / 2) } else { limit };
        let is_worth_it = unsigned >= worth || in_flight == 0 || self.parts.hashing() == 0;
        unsigned > 0 && is_worth_it && ready <= meanwhile.min(limit)
    }

    /// Keeps the hashers busy: first with the parts in S3's list, then with parts to send, up to the lead of
    /// [`Self::parts_ahead`], then with parts whose PUTs have already started.
    pub(in crate::engine) fn hash_ahead(&mut self) {
        if self.holds.is_paused() {
            return;
        }
        let ahead = self.parts_ahead();
        if self.parts.sends_unhashed() {
            while self.parts.ahead() < ahead && self.parts.skip_hash() {}
        }
        if self.config.algorithm == ChecksumAlgorithm::None {
            return;
        }
        // One hasher until the upload is open, so that hashing does not delay the call that opens it.
        let is_open = matches!(self.stage, Stage::Listing | Stage::Sending);
        let hashers = if is_open { self.config.hashers } else { 1 };
        while self.parts.reading() < hashers {
            let next = match self.parts.start_compare() {
                None if self.parts.ahead() < ahead => self.parts.start_hash(),
                next => next,
            };
            let Some(part) = next.or_else(|| self.parts.start_verify()) else { break };
            self.outbox.push(Action::HashPart { part, after_ms: 0 });
        }
    }

    /// Returns the maximum number of parts that are being hashed, wait for a URL or wait for their PUT.
    fn parts_ahead(&self) -> u32 {
        let window = self.congestion.limit();
        let batch = self.open.as_ref().map_or(0, |open| open.max_parts_per_request);
        let speed = self.meter.bytes_per_second().unwrap_or(0.0);
        let parts = speed * HASH_AHEAD_SECONDS / self.parts.plan().part_bytes().max(1) as f64;
        (parts as u32).min(batch + 2 * window).max(window * HASH_AHEAD)
    }

    fn start_signing(&mut self, now: Now) {
        let Some(open) = &self.open else { return };
        let request = SignParts {
            parts: self.parts.start_signing(open.max_parts_per_request as usize),
            bits_per_second: Some(self.bits_per_second()),
            lane: self.lane(),
        };
        self.asked_lane = request.lane;
        self.calls.sign.start(now);
        self.outbox.push(Action::Call(ApiCall::Sign { token: open.token.clone(), request }));
    }

    /// Returns the measured speed in bit/s, or the assumed speed of the network link while no speed is known.
    fn bits_per_second(&self) -> u64 {
        let measured = self.meter.bytes_per_second().map(|speed| (speed * 8.0) as u64);
        measured.unwrap_or(self.config.network.bits_per_second())
    }

    pub(in crate::engine) fn signed(&mut self, now: Now, reply: PartsSigned) {
        let asked_ms = self.calls.sign.started_ms();
        if !self.answered(now, Call::Sign) || std::mem::take(&mut self.calls.sign_is_stale) {
            return;
        }
        if matches!(self.stage, Stage::Sending) {
            self.parts.signed(asked_ms, self.asked_lane, reply.parts);
        }
    }
}
