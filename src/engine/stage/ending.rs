//! Ends an upload: it is stored, or it has failed and its parts are removed or kept. Also starts an upload again, with
//! a new upload id.

use super::Stage;
use crate::engine::Engine;
use crate::engine::action::Action;
use crate::engine::call::{ApiCall, Call, Calls};
use crate::engine::event::Now;
use crate::engine::report::{Failure, Remains, Uploaded};
use crate::plan::{Plan, SINGLE_PUT_BYTES};
use crate::protocol::ErrorCode;

/// Time before a removal is repeated, in milliseconds. Until then S3 may still store a part whose PUT was cancelled.
const LATE_PART_MS: u64 = 1_000;

/// Returns whether an upload that ends with this code is kept for a later session. The cause is the network, the
/// server, the credentials or the chosen file, and may be gone in a later session. The stored parts remain valid.
fn may_be_resumed(code: ErrorCode) -> bool {
    code.is_retryable()
        || matches!(
            code,
            ErrorCode::Unauthorized
                | ErrorCode::NotYourUpload
                | ErrorCode::TokenInvalid
                | ErrorCode::WrongFile
                | ErrorCode::FileChanged
        )
}

impl Engine {
    /// Ends the upload. Removes the sent parts, unless a later session may be able to resume the upload.
    pub(in crate::engine) fn end(&mut self, now: Now, reason: Failure) {
        if may_be_resumed(reason.code) { self.end_and_keep(now, reason) } else { self.end_and_remove(now, reason) }
    }

    /// Ends the upload. Keeps the sent parts if `keeps_records` is set, and removes them otherwise.
    pub(in crate::engine) fn end_and_keep(&mut self, now: Now, reason: Failure) {
        let keeps = self.config.keeps_records && self.has_remote_parts();
        self.end_upload(now, reason, keeps);
    }

    /// Ends the upload and removes the sent parts, for any reason.
    pub(in crate::engine) fn end_and_remove(&mut self, now: Now, reason: Failure) {
        self.end_upload(now, reason, false);
    }

    fn end_upload(&mut self, now: Now, reason: Failure, keeps: bool) {
        if matches!(self.stage, Stage::Ending(_) | Stage::Finished) {
            return;
        }
        self.cancel_puts(now);
        self.calls.may_be_complete |= self.calls.complete.is_under_way();
        let is_lost = matches!(reason.code, ErrorCode::UploadGone | ErrorCode::TokenExpired);
        if self.is_cancelled() {
            self.stage = Stage::Ending(ErrorCode::Aborted.into());
            self.discard();
        } else if is_lost {
            self.forget();
            self.fail(reason, true);
        } else if keeps {
            self.fail(reason, false);
        } else {
            self.stage = Stage::Ending(reason);
            self.discard();
        }
    }

    /// Returns whether S3 has a multipart upload for this file. Its parts cost money until they are removed.
    pub(in crate::engine) fn has_remote_parts(&self) -> bool {
        self.open.is_some() && (self.is_restored || self.parts.plan().is_multipart())
    }

    /// Cancels every PUT in flight.
    pub(in crate::engine) fn cancel_puts(&mut self, now: Now) {
        self.note_possible_object(self.parts.may_have_arrived(now));
        let puts = self.parts.cancel_all(now);
        self.calls.abort_again |= !puts.is_empty();
        self.outbox.extend(puts.into_iter().map(Action::CancelPut));
    }

    /// Marks the upload for removal, also in the record for a later session. The record keeps a completion that S3 may
    /// have received, so that the later session reports that an object may exist.
    pub(in crate::engine) fn discard(&mut self) {
        if let Some(record) = &mut self.open {
            record.discard = true;
            record.completion = record.completion.take().filter(|_| self.calls.may_be_complete);
        }
        self.persist();
    }

    pub(in crate::engine) fn persist(&mut self) {
        if let Some(record) = &self.open
            && self.config.keeps_records
            && self.has_remote_parts()
        {
            self.outbox.push(Action::Persist(record.clone()));
        }
    }

    fn forget(&mut self) {
        if self.config.keeps_records && self.has_remote_parts() {
            self.outbox.push(Action::Forget);
        }
    }

    pub(in crate::engine) fn advance_abort(&mut self, now: Now) {
        match &self.open {
            // The answer may still contain an upload id. That upload must then be removed.
            None if self.calls.create.is_under_way() => {}
            Some(_) if self.has_remote_parts() && self.holds.is_offline() && self.config.keeps_records => {
                self.give_up_removal();
            }
            Some(_) if self.calls.is_checking_completion => self.advance_complete(now),
            Some(open) if self.has_remote_parts() => {
                if self.calls.abort.may_start(now) {
                    self.calls.abort.start(now);
                    self.outbox.push(Action::Call(ApiCall::Abort { token: open.token.clone() }));
                }
            }
            _ => self.removed(),
        }
    }

    pub(in crate::engine) fn aborted(&mut self, now: Now) {
        if !self.answered(now, Call::Abort) {
            return;
        }
        if std::mem::take(&mut self.calls.abort_again) {
            let until_ms = now.ms + LATE_PART_MS;
            self.calls.abort.wait_until(until_ms, until_ms);
        } else {
            self.removed();
        }
    }

    /// Ends the upload after its parts were removed. If S3 may have joined the parts before, first sends the completion
    /// once more to find out. S3 answers a repeated completion like the first.
    pub(in crate::engine) fn removed(&mut self) {
        self.forget();
        if self.may_have_object() && self.has_remote_parts() && self.completion.is_some() {
            self.calls.is_checking_completion = true;
            self.calls.complete.skip_backoff();
        } else {
            self.conclude(true);
        }
    }

    /// Leaves the removal to a later session, or to the bucket's lifecycle rule.
    pub(in crate::engine) fn give_up_removal(&mut self) {
        self.conclude(false);
    }

    /// Finishes the upload as failed, with the reason of the stage `Ending`. `is_removed` is whether the sent parts
    /// were removed.
    pub(in crate::engine) fn conclude(&mut self, is_removed: bool) {
        if let Stage::Ending(reason) = &self.stage {
            let reason = reason.clone();
            self.fail(reason, is_removed);
        }
    }

    /// Returns whether S3 may have made the object of this upload although no answer has confirmed it.
    fn may_have_object(&self) -> bool {
        self.calls.may_be_complete || self.may_have_stored
    }

    /// Records that a PUT has ended, and that S3 may still store its part. `may_be_whole` is whether S3 may have
    /// received all bytes of the part.
    pub(in crate::engine) fn note_lost_put(&mut self, may_be_whole: bool) {
        self.calls.abort_again = true;
        self.note_possible_object(may_be_whole);
    }

    /// Records that S3 may have made an object, if `may_be_whole` and the PUT was a single PUT. The PUT of a part of a
    /// multipart upload makes no object.
    fn note_possible_object(&mut self, may_be_whole: bool) {
        self.may_have_stored |= may_be_whole && !self.has_remote_parts();
    }

    fn fail(&mut self, reason: Failure, is_removed: bool) {
        let remains = match is_removed || !self.has_remote_parts() {
            _ if self.may_have_object() => Remains::Unknown,
            true => Remains::Nothing,
            false => Remains::Parts,
        };
        self.finish(Err(Failure { remains, ..reason }));
    }

    /// Starts the upload again, because its upload id or its token is no longer valid. The second time ends the upload.
    pub(in crate::engine) fn start_again(&mut self, now: Now, failure: Failure) {
        // The token of a single PUT can expire during a long pause. A restart for this reason does not count.
        let is_due =
            !self.has_remote_parts() && now.ms >= self.token_until_ms && failure.code == ErrorCode::TokenExpired;
        if self.is_cancelled() || (!is_due && std::mem::replace(&mut self.has_restarted, true)) {
            return self.end(now, failure);
        }
        self.cancel_puts(now);
        self.forget();
        self.open = None;
        self.is_restored = false;
        self.completion = None;
        self.parts.restart(Plan::new(self.file.size, SINGLE_PUT_BYTES));
        let sign_is_stale = self.calls.sign.is_under_way();
        if !sign_is_stale {
            self.calls.sign.settle();
        }
        self.calls = Calls { sign: std::mem::take(&mut self.calls.sign), sign_is_stale, ..Calls::default() };
        self.stage = Stage::New;
        self.begin(now);
        self.may_decrease = true;
        self.report_retry(None, &failure, 1, 0);
    }

    pub(in crate::engine) fn finish(&mut self, outcome: Result<Uploaded, Failure>) {
        if outcome.is_ok() {
            self.forget();
        }
        self.stage = Stage::Finished;
        self.outbox.push(Action::Finished(outcome));
    }
}
