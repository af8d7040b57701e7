//! How the engine answers each event: the stages of an upload, from the first call to the last.

use super::event::{Action, Call, Failure, Now, PutId, Retry, Uploaded};
use super::parts::{Hashed, Parts};
use super::retry::{ABORT_BUDGET, CALL_BUDGET, PART_BUDGET, Verdict, backoff_ms, judge_put};
use super::{Engine, HASH_AHEAD, Open, Stage};
use crate::checksum::Sha256Digest;
use crate::plan::{Part, Plan};
use crate::protocol::{
    CompleteUpload, ETag, ErrorCode, PartNumber, PartsSigned, SignParts, UploadCompleted, UploadCreated, UploadKind,
};

impl Engine {
    pub(super) fn begin(&mut self) {
        if !matches!(self.stage, Stage::New) {
            return;
        }
        if self.parts.plan().is_multipart() {
            self.stage = Stage::Creating;
        } else {
            self.stage = Stage::HashingWhole;
            self.outbox.extend(self.parts.start_hash().map(Action::HashPart));
        }
    }

    pub(super) fn part_hashed(&mut self, part: Part, digest: Sha256Digest) {
        if matches!(self.stage, Stage::New | Stage::Completing | Stage::Ending(_) | Stage::Finished) {
            return;
        }
        match self.parts.hashed(part, digest) {
            Hashed::Unexpected => {}
            Hashed::Differs => self.end(ErrorCode::FileChanged.into()),
            Hashed::Accepted if matches!(self.stage, Stage::HashingWhole) => self.stage = Stage::Creating,
            Hashed::Accepted => {}
        }
    }

    pub(super) fn created(&mut self, now: Now, reply: UploadCreated) {
        if !self.create.is_under_way() {
            return;
        }
        self.create.succeed();
        let is_multipart = reply.kind == UploadKind::Multipart;
        let plan = Plan::restore(self.file.size, reply.part_size, is_multipart)
            .filter(|plan| plan.part_count() == reply.part_count);
        self.open = Some(Open {
            token: reply.token,
            key: reply.key,
            max_parts_per_request: (reply.max_parts_per_request as usize).max(1),
        });
        let Some(plan) = plan else {
            self.end(ErrorCode::InvalidReply.into());
            return;
        };
        // The server's threshold may differ from the one that was assumed.
        if plan != self.parts.plan() {
            self.parts = Parts::new(plan);
        }
        if matches!(self.stage, Stage::Creating) {
            self.stage = Stage::Sending;
            self.parts.signed(now, reply.signed.into_iter().collect());
        }
    }

    pub(super) fn advance_parts(&mut self, now: Now) {
        if self.parts.is_all_stored() {
            self.all_stored();
            return;
        }
        self.parts.wake(now);
        while self.parts.in_flight() < self.config.parts_in_flight
            && let Some(put) = self.parts.start_put(now)
        {
            self.outbox.push_back(Action::Put(put));
        }
        let runs_low = self.parts.ready() < self.config.parts_in_flight;
        if runs_low && self.parts.has_unsigned() && self.sign.may_start(now) {
            self.start_signing();
        }
        self.hash_ahead();
    }

    /// Keeps the hashers busy, so far ahead of the PUTs and no further.
    pub(super) fn hash_ahead(&mut self) {
        let ahead = self.config.parts_in_flight * HASH_AHEAD;
        while self.parts.hashing() < self.config.hashers && self.parts.ahead() < ahead {
            match self.parts.start_hash() {
                Some(part) => self.outbox.push_back(Action::HashPart(part)),
                None => break,
            }
        }
    }

    fn start_signing(&mut self) {
        let Some(open) = &self.open else { return };
        let request = SignParts {
            parts: self.parts.start_signing(open.max_parts_per_request),
            bits_per_second: Some(self.bits_per_second()),
        };
        self.sign.start();
        self.outbox.push_back(Action::SignParts { token: open.token.clone(), request });
    }

    /// The measured speed, or the one that the network's kind promises.
    fn bits_per_second(&self) -> u64 {
        let measured = self.meter.bytes_per_second().map(|speed| (speed * 8.0) as u64);
        measured.filter(|&bits| bits > 0).unwrap_or(self.config.network.bits_per_second())
    }

    pub(super) fn signed(&mut self, now: Now, reply: PartsSigned) {
        if !self.sign.is_under_way() {
            return;
        }
        self.sign.succeed();
        if matches!(self.stage, Stage::Sending) {
            self.parts.signed(now, reply.parts);
        }
    }

    pub(super) fn put_done(&mut self, now: Now, put: PutId, etag: Option<String>, checksum: Option<String>) {
        let Some(number) = self.parts.part_of(put) else { return };
        let expected = self.parts.digest(number).map(|digest| digest.to_string());
        if checksum.is_some() && checksum != expected {
            let storage_code = Some("BadDigest".to_owned());
            self.put_failed(now, put, Failure { status: 400, storage_code, ..ErrorCode::Integrity.into() });
            return;
        }
        let etag = etag.and_then(|text| ETag::parse(&text).ok());
        if etag.is_none() && self.parts.plan().is_multipart() {
            // Without it no upload can be completed, and no retry will show it.
            self.end(ErrorCode::ETagHidden.into());
            return;
        }
        self.parts.put_done(put, etag);
    }

    pub(super) fn put_failed(&mut self, now: Now, put: PutId, failure: Failure) {
        let Some(number) = self.parts.part_of(put) else { return };
        let verdict = judge_put(&failure, self.parts.plan().is_multipart());
        match verdict {
            Verdict::AlreadyStored => return self.parts.put_done(put, None),
            Verdict::GiveUp(code) => return self.end(Failure { code, ..failure }),
            Verdict::SendAgain | Verdict::SignAgain | Verdict::HashAgain => {}
        }
        let failures = self.parts.count_failure(number);
        if failures >= PART_BUDGET {
            let code = if verdict == Verdict::HashAgain { ErrorCode::Integrity } else { failure.code };
            return self.end(Failure { code, ..failure });
        }
        let wait_ms = backoff_ms(failures, now.random);
        match verdict {
            Verdict::HashAgain => self.parts.put_needs_hash(put),
            _ => self.parts.put_rests(put, now.ms + wait_ms, verdict == Verdict::SendAgain),
        }
        let wait_ms = if verdict == Verdict::HashAgain { 0 } else { wait_ms };
        self.notice(Some(number), &failure, failures, wait_ms);
    }

    fn notice(&mut self, part: Option<PartNumber>, failure: &Failure, failures: u32, wait_ms: u64) {
        let Failure { code, status, .. } = *failure;
        self.outbox.push_back(Action::Retry(Retry { part, code, status, failures, wait_ms }));
    }

    fn all_stored(&mut self) {
        if self.parts.plan().is_multipart() {
            self.stage = Stage::Completing;
            return;
        }
        let checksum = self.parts.digest(PartNumber::FIRST).map(|digest| digest.to_string());
        let (Some(open), Some(checksum)) = (&self.open, checksum) else { return };
        let uploaded = Uploaded {
            key: open.key.clone(),
            etag: self.parts.first_etag().map(ToString::to_string),
            checksum,
            size: self.file.size.bytes(),
        };
        self.finish(Ok(uploaded));
    }

    pub(super) fn advance_complete(&mut self, now: Now) {
        if !self.complete.may_start(now) {
            return;
        }
        match (&self.open, self.parts.completion()) {
            (Some(open), Some((parts, checksum))) => {
                self.complete.start();
                let request = CompleteUpload { parts, checksum };
                self.outbox.push_back(Action::Complete { token: open.token.clone(), request });
            }
            // Every stored part of a multipart upload has its tag and its digest; see `put_done`.
            _ => self.end(ErrorCode::Internal.into()),
        }
    }

    pub(super) fn completed(&mut self, reply: UploadCompleted) {
        if !matches!(self.stage, Stage::Completing) || !self.complete.is_under_way() {
            return;
        }
        let expected = self.parts.completion().map(|(_, checksum)| checksum.to_string());
        let is_ours = self.open.as_ref().is_some_and(|open| open.key == reply.key);
        if !is_ours || expected.as_ref() != Some(&reply.checksum) || reply.size != self.file.size.bytes() {
            self.end(ErrorCode::Integrity.into());
            return;
        }
        let UploadCompleted { key, etag, checksum, size } = reply;
        self.finish(Ok(Uploaded { key, etag: Some(etag), checksum, size }));
    }

    pub(super) fn call_failed(&mut self, now: Now, call: Call, failure: Failure) {
        let (state, budget) = match call {
            Call::Create => (&mut self.create, CALL_BUDGET),
            Call::Sign => (&mut self.sign, CALL_BUDGET),
            Call::Complete => (&mut self.complete, CALL_BUDGET),
            Call::Abort => (&mut self.abort, ABORT_BUDGET),
        };
        if !state.is_under_way() {
            return;
        }
        let wait_ms = state.fail(now, &failure, budget);
        let failures = state.failures();
        if call == Call::Sign {
            self.parts.signing_failed();
        }
        match (&self.stage, call) {
            // Nothing was opened, so nothing is left behind.
            (Stage::Ending(_), Call::Create) => {
                self.create.succeed();
            }
            (Stage::Ending(_), Call::Abort) if wait_ms.is_none() => self.cleaned_up(),
            (Stage::Ending(_) | Stage::Finished, _) => {}
            (_, _) => match wait_ms {
                Some(wait_ms) => self.notice(None, &failure, failures, wait_ms),
                None => {
                    if call == Call::Create {
                        self.create.succeed();
                    }
                    self.end(failure);
                }
            },
        }
    }

    /// Ends the upload: nothing is sent any more, and what was sent is removed.
    pub(super) fn end(&mut self, reason: Failure) {
        if matches!(self.stage, Stage::Ending(_) | Stage::Finished) {
            return;
        }
        self.outbox.retain(|action| !matches!(action, Action::Put(_) | Action::HashPart(_)));
        self.outbox.extend(self.parts.cancel_all().into_iter().map(Action::CancelPut));
        self.stage = Stage::Ending(reason);
    }

    pub(super) fn advance_abort(&mut self, now: Now) {
        match &self.open {
            // The reply may still bring an upload id that somebody would pay for.
            None if self.create.is_under_way() => {}
            Some(open) if self.parts.plan().is_multipart() => {
                if self.abort.may_start(now) {
                    self.abort.start();
                    self.outbox.push_back(Action::Abort { token: open.token.clone() });
                }
            }
            _ => self.cleaned_up(),
        }
    }

    pub(super) fn cleaned_up(&mut self) {
        if let Stage::Ending(reason) = &self.stage {
            let reason = reason.clone();
            self.finish(Err(reason));
        }
    }

    fn finish(&mut self, outcome: Result<Uploaded, Failure>) {
        self.stage = Stage::Finished;
        self.outbox.push_back(Action::Finished(outcome));
    }
}
