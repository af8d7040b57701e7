//! The stages of an upload, from the first call to the last, as long as all goes well.

use super::event::{Action, Call, Now, Record};
use super::parts::Hashed;
use super::report::{Failure, Uploaded};
use super::{Engine, Stage};
use crate::checksum::{ChecksumAlgorithm, PartChecksum};
use crate::plan::{Part, Plan};
use crate::protocol::{
    CreateUpload, ErrorCode, PartNumber, PartsListed, PartsSigned, SignParts, UploadCompleted, UploadCreated,
    UploadKind,
};

/// How far ahead of the PUTs parts are hashed at least, in parts for each PUT that may run: far enough
/// that a batch of URLs is worth its call.
const HASH_AHEAD: u32 = 3;

/// How far ahead at most, in seconds of the measured speed: half of the life of the shortest-lived URL, so
/// that a cancelled upload has not read the whole file and no URL waits until it expires.
const HASH_AHEAD_SECONDS: f64 = 30.0;

/// How often in a row a part may take too long to be read.
const UNREAD_BUDGET: u32 = 3;

/// No more parts than these are announced with the upload: what every server signs at once.
const MAX_FIRST_PARTS: usize = 16;

impl Engine {
    pub(super) fn begin(&mut self, now: Now) {
        if !matches!(self.stage, Stage::New) {
            return;
        }
        if let Some(record) = &self.open {
            let fits = Plan::restore(self.file.size, record.part_size, true).is_some();
            let is_unwanted = record.discard;
            self.stage = if record.completion.is_some() { Stage::Completing } else { Stage::Listing };
            if is_unwanted {
                self.end_and_remove(now, ErrorCode::Aborted.into());
            } else if !fits {
                self.end(now, ErrorCode::WrongFile.into());
            }
        } else {
            self.stage = Stage::HashingFirst;
        }
    }

    /// Asks for the upload as soon as there is a part to send.
    pub(super) fn advance_first(&mut self) {
        self.hash_ahead();
        if self.parts.unsigned() > 0 {
            self.stage = Stage::Creating;
        }
    }

    pub(super) fn part_hashed(&mut self, now: Now, part: Part, checksum: PartChecksum) {
        if matches!(self.stage, Stage::New | Stage::Completing | Stage::Ending(_) | Stage::Finished) {
            return;
        }
        match self.parts.hashed(part, checksum) {
            Hashed::Unexpected | Hashed::Accepted => {}
            Hashed::Differs => self.end_and_remove(now, ErrorCode::FileChanged.into()),
            Hashed::IsAnother => self.end(now, ErrorCode::WrongFile.into()),
        }
    }

    /// A part could not be read. If that took too long it is read again; a disk may have been busy.
    pub(super) fn hash_failed(&mut self, now: Now, part: Part, failure: Failure) {
        if !failure.code.is_retryable() {
            return self.end(now, failure);
        }
        let Some(unread) = self.parts.unread(part) else { return };
        if unread >= UNREAD_BUDGET {
            return self.end(now, failure);
        }
        self.notice(Some(part.number), &failure, unread, 0);
    }

    pub(super) fn advance_create(&mut self, now: Now) {
        if self.holds.may_call(now) && self.calls.create.may_start(now) {
            self.calls.create.start(now);
            let parts = self.parts.start_signing(MAX_FIRST_PARTS);
            self.outbox.push(Action::Create(CreateUpload {
                name: self.file.name.clone(),
                content_type: self.file.content_type.clone(),
                size: self.file.size,
                algorithm: self.config.algorithm,
                parts,
                network: self.config.network,
            }));
        }
    }

    pub(super) fn created(&mut self, now: Now, reply: UploadCreated) {
        let asked_ms = self.calls.create.started_ms();
        if !self.answered(now, Call::Create) {
            return;
        }
        let is_multipart = reply.kind == UploadKind::Multipart;
        let plan = Plan::restore(self.file.size, reply.part_size, is_multipart)
            .filter(|plan| plan.part_count() == reply.part_count);
        self.open = Some(Record {
            token: reply.token,
            key: reply.key,
            algorithm: self.config.algorithm,
            part_size: reply.part_size,
            max_parts_per_request: reply.max_parts_per_request.max(1),
            expires_in_seconds: reply.expires_in_seconds,
            completion: None,
            discard: false,
        });
        let Some(plan) = plan else {
            return self.end(now, ErrorCode::InvalidReply.into());
        };
        // The server's threshold may differ from the one that was assumed.
        if plan != self.parts.plan() {
            self.parts.restart(plan);
        }
        if matches!(self.stage, Stage::Creating) {
            self.stage = Stage::Sending;
            self.parts.signed(asked_ms, reply.parts);
            self.persist();
        } else {
            self.discard();
        }
    }

    pub(super) fn advance_list(&mut self, now: Now) {
        if let Some(open) = &self.open
            && self.holds.may_call(now)
            && self.calls.list.may_start(now)
        {
            self.calls.list.start(now);
            self.outbox.push(Action::List { token: open.token.clone(), after: self.listed_until });
        }
    }

    pub(super) fn listed(&mut self, now: Now, reply: PartsListed) {
        if !self.answered(now, Call::List) || !matches!(self.stage, Stage::Listing) {
            return;
        }
        for part in reply.parts {
            self.parts.hold(part);
        }
        match reply.next {
            None => self.stage = Stage::Sending,
            Some(next) if self.listed_until < Some(next) => self.listed_until = Some(next),
            // It would never end.
            Some(_) => self.end(now, ErrorCode::InvalidReply.into()),
        }
    }

    pub(super) fn advance_parts(&mut self, now: Now) {
        self.end_stalled(now);
        if !matches!(self.stage, Stage::Sending) {
            return;
        }
        if self.parts.is_all_stored() {
            return self.all_stored();
        }
        self.parts.wake(now);
        // What S3 holds is compared first: parts of another file must not be added to it.
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
        let limit = self.window.limit().min(self.share.lanes);
        while self.holds.may_put(now) && self.parts.in_flight() < limit {
            let was_at_rest = self.parts.in_flight() == 0;
            let Some(put) = self.parts.start_put(now) else { break };
            if was_at_rest {
                self.window.started_from_rest(now.ms);
            }
            self.outbox.push(Action::Put(put));
        }
    }

    /// Whether parts wait for URLs, and no more are left that have one than are sent while the API answers. The
    /// later it is asked the more parts are hashed by then, and the fewer calls it takes; so a call is worth as many
    /// parts as could be on their way and are not, and never fewer than half of those that may be.
    pub(super) fn wants_urls(&self) -> bool {
        let part_bytes = self.parts.plan().part_bytes().max(1) as f64;
        let parts_per_ms = self.meter.bytes_per_second().unwrap_or(0.0) / part_bytes / 1_000.0;
        let meanwhile = (parts_per_ms * (2 * self.calls.turnaround_ms) as f64) as u32 + 1;
        let limit = self.window.limit();
        let (unsigned, ready, in_flight) = (self.parts.unsigned(), self.parts.ready(), self.parts.in_flight());
        let idle = limit.min(self.share.lanes).saturating_sub(in_flight);
        let worth = if ready == 0 { idle.max(limit / 2) } else { limit };
        let is_worth_it = unsigned >= worth || in_flight == 0 || self.parts.hashing() == 0;
        unsigned > 0 && is_worth_it && ready <= meanwhile.min(limit)
    }

    /// Keeps the hashers busy, first with what S3 holds already, then so far ahead of the PUTs and no further.
    pub(super) fn hash_ahead(&mut self) {
        if self.holds.is_paused() {
            return;
        }
        let ahead = self.parts_ahead();
        if self.config.algorithm == ChecksumAlgorithm::None {
            while self.parts.ahead() < ahead && self.parts.skip_hash() {}
            return;
        }
        // Until the upload is open nothing stands in the way of the call that opens it.
        let is_open = matches!(self.stage, Stage::Listing | Stage::Sending);
        let hashers = if is_open { self.config.hashers } else { 1 };
        while self.parts.hashing() < hashers {
            let next = match self.parts.start_compare() {
                None if self.parts.ahead() < ahead => self.parts.start_hash(),
                next => next,
            };
            let Some(part) = next else { break };
            self.outbox.push(Action::HashPart(part));
        }
    }

    /// How many parts may be hashed and not yet on their way.
    fn parts_ahead(&self) -> u32 {
        let window = self.window.limit();
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
        };
        self.calls.sign.start(now);
        self.outbox.push(Action::SignParts { token: open.token.clone(), request });
    }

    /// The measured speed, or the one that the network's kind promises.
    fn bits_per_second(&self) -> u64 {
        let measured = self.meter.bytes_per_second().map(|speed| (speed * 8.0) as u64);
        measured.unwrap_or(self.config.network.bits_per_second())
    }

    pub(super) fn signed(&mut self, now: Now, reply: PartsSigned) {
        let asked_ms = self.calls.sign.started_ms();
        if !self.answered(now, Call::Sign) || std::mem::take(&mut self.calls.sign_is_stale) {
            return;
        }
        if matches!(self.stage, Stage::Sending) {
            self.parts.signed(asked_ms, reply.parts);
        }
    }

    fn all_stored(&mut self) {
        if self.parts.plan().is_multipart() {
            self.completion = self.parts.completion();
            if let Some(open) = &mut self.open {
                open.completion.clone_from(&self.completion);
            }
            // If this session ends before S3 has answered, the next one can ask again.
            self.persist();
            self.stage = Stage::Completing;
            return;
        }
        let checksum = self.parts.checksum(PartNumber::FIRST).map(|checksum| checksum.to_text());
        let Some(open) = &self.open else { return };
        let uploaded = Uploaded {
            key: open.key.clone(),
            etag: self.parts.first_etag().map(|etag| etag.as_str().to_owned()),
            checksum,
            size: self.file.size.bytes(),
        };
        self.finish(Ok(uploaded));
    }

    pub(super) fn advance_complete(&mut self, now: Now) {
        let may_call = self.holds.may_call(now) || self.calls.asks_outcome;
        if !may_call || !self.calls.complete.may_start(now) {
            return;
        }
        match (&self.open, &self.completion) {
            (Some(open), Some(completion)) => {
                self.calls.complete.start(now);
                self.outbox.push(Action::Complete { token: open.token.clone(), request: completion.clone() });
            }
            // Every stored part of a multipart upload has its tag and its digest; see `put_done`.
            _ => self.end(now, ErrorCode::Internal.into()),
        }
    }

    /// The key has an object already. Nobody but this upload can have made it, and S3 made it only after it
    /// had checked the digest that was sent along.
    pub(super) fn was_completed(&mut self) {
        let (Some(open), Some(completion)) = (&self.open, &self.completion) else { return };
        let (key, checksum) = (open.key.clone(), completion.checksum.map(|checksum| checksum.to_text()));
        self.finish(Ok(Uploaded { key, etag: None, checksum, size: self.file.size.bytes() }));
    }

    pub(super) fn completed(&mut self, now: Now, reply: UploadCompleted) {
        let is_ours = self.open.as_ref().is_some_and(|open| open.key == reply.key);
        if !is_ours {
            // A cache or a service worker has answered with what belongs to another call.
            let failure = Failure::unexpected(Call::Complete.success_status(), None);
            return self.call_failed(now, Call::Complete, failure);
        }
        if !self.answered(now, Call::Complete) {
            return;
        }
        let expected = self.completion.as_ref().and_then(|completion| completion.checksum);
        let expected = expected.map(|checksum| checksum.to_text());
        if expected != reply.checksum || reply.size != self.file.size.bytes() {
            // There is an object, and it is not the file. To ask again would bring no other answer.
            self.calls.may_be_complete = true;
            self.completion = None;
            return match self.stage {
                Stage::Ending(_) => self.conclude(true),
                _ => self.end(now, ErrorCode::Integrity.into()),
            };
        }
        let UploadCompleted { key, etag, checksum, size } = reply;
        self.finish(Ok(Uploaded { key, etag: Some(etag), checksum, size }));
    }
}
