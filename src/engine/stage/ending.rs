//! How an upload ends: stored, failed and removed, failed and kept, or begun anew.

use super::Stage;
use crate::engine::Engine;
use crate::engine::action::Action;
use crate::engine::call::{ApiCall, Call, Calls};
use crate::engine::event::Now;
use crate::engine::report::{Failure, Remains, Uploaded};
use crate::plan::{Plan, SINGLE_PUT_BYTES};
use crate::protocol::ErrorCode;

/// How long S3 has to store what it had received of a PUT that was cut off, in milliseconds.
const LATE_PART_MS: u64 = 1_000;

/// Whether an upload that ends with this code is kept for a later session. The network, the server, the sign-in or the
/// choice of the file is to blame, and each may be another next time; the bytes that S3 holds are still good.
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
    /// Ends the upload: nothing more is sent, and what was sent is removed, unless a later session can resume it.
    pub(in crate::engine) fn end(&mut self, now: Now, reason: Failure) {
        if may_be_resumed(reason.code) { self.end_and_keep(now, reason) } else { self.end_and_remove(now, reason) }
    }

    /// Ends the upload, and keeps what was sent where records are kept.
    pub(in crate::engine) fn end_and_keep(&mut self, now: Now, reason: Failure) {
        let keeps = self.config.keeps_records && self.has_remote_parts();
        self.end_upload(now, reason, keeps);
    }

    /// Ends the upload and removes what was sent, whatever the reason.
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

    /// Whether there is an upload id, with parts that cost money.
    pub(in crate::engine) fn has_remote_parts(&self) -> bool {
        self.open.is_some() && (self.is_restored || self.parts.plan().is_multipart())
    }

    /// Cuts off every PUT under way.
    pub(in crate::engine) fn cancel_puts(&mut self, now: Now) {
        self.note_possible_object(self.parts.may_have_arrived(now));
        let puts = self.parts.cancel_all(now);
        self.calls.abort_again |= !puts.is_empty();
        self.outbox.extend(puts.into_iter().map(Action::CancelPut));
    }

    /// From now on only the removal is missing, also for a later session. What may have completed the upload is kept, so
    /// that it can say what it does not know.
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
            // The reply may still bring an upload id that costs money.
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

    /// No part is left behind. If S3 may have joined them before, it is asked once more: it answers a repeated completion
    /// as the first.
    pub(in crate::engine) fn removed(&mut self) {
        self.forget();
        if self.may_have_object() && self.has_remote_parts() && self.completion.is_some() {
            self.calls.is_checking_completion = true;
            self.calls.complete.skip_backoff();
        } else {
            self.conclude(true);
        }
    }

    /// What is left behind is removed in a later session, or by the bucket's lifecycle rule.
    pub(in crate::engine) fn give_up_removal(&mut self) {
        self.conclude(false);
    }

    /// Ends with the reason for which the upload was removed.
    pub(in crate::engine) fn conclude(&mut self, is_removed: bool) {
        if let Stage::Ending(reason) = &self.stage {
            let reason = reason.clone();
            self.fail(reason, is_removed);
        }
    }

    /// Whether S3 may have an object of this upload although no answer has said so.
    fn may_have_object(&self) -> bool {
        self.calls.may_be_complete || self.may_have_stored
    }

    /// Notes that S3 may have received the whole of a PUT whose answer does not come. A part is no object.
    pub(in crate::engine) fn note_possible_object(&mut self, may_be_whole: bool) {
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

    /// S3 or the API doesn't know the upload any more: it is opened anew, once.
    pub(in crate::engine) fn start_again(&mut self, now: Now, failure: Failure) {
        // The token of a single PUT is good for minutes, and a pause may last for hours.
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
