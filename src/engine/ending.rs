//! How an upload ends: stored, failed and removed, failed and kept, or begun anew.

use super::event::{Action, Call, Now};
use super::report::{Failure, Uploaded};
use super::{Calls, Engine, Stage};
use crate::plan::{Plan, SINGLE_PUT_BYTES};
use crate::protocol::ErrorCode;

/// How long S3 has to store what it had received of a PUT that was cut off, in milliseconds.
const LATE_PART_MS: u64 = 1_000;

impl Engine {
    /// Ends the upload: nothing is sent any more, and what was sent is removed, unless it can be gone on
    /// with in a later session.
    pub(super) fn end(&mut self, reason: Failure) {
        if matches!(self.stage, Stage::Ending(_) | Stage::Finished) {
            return;
        }
        self.cancel_puts();
        // The network, the server or the user's sign-in failed, not the file.
        let may_go_on = reason.code.is_retryable() || reason.code == ErrorCode::Unauthorized;
        if matches!(reason.code, ErrorCode::UploadGone | ErrorCode::TokenExpired) {
            self.forget();
            self.finish(Err(reason));
        } else if self.has_remote_parts() && may_go_on && self.config.keeps_records {
            self.finish(Err(reason));
        } else {
            self.stage = Stage::Ending(reason);
            self.discard();
        }
    }

    /// Whether there is an upload id, with parts that somebody pays for.
    fn has_remote_parts(&self) -> bool {
        self.open.is_some() && (self.is_restored || self.parts.plan().is_multipart())
    }

    pub(super) fn cancel_puts(&mut self) {
        let puts = self.parts.cancel_all();
        self.calls.abort_again |= !puts.is_empty();
        self.outbox.extend(puts.into_iter().map(Action::CancelPut));
    }

    /// From now on only the removal is missing, also for a later session.
    pub(super) fn discard(&mut self) {
        if let Some(record) = &mut self.open {
            record.discard = true;
            record.completion = None;
        }
        self.persist();
    }

    pub(super) fn persist(&mut self) {
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

    pub(super) fn advance_abort(&mut self, now: Now) {
        match &self.open {
            // The reply may still bring an upload id that somebody would pay for.
            None if self.calls.create.is_under_way() => {}
            Some(_) if self.has_remote_parts() && self.holds.is_offline() && self.config.keeps_records => {
                self.give_up_removal();
            }
            Some(open) if self.has_remote_parts() => {
                if self.calls.abort.may_start(now) {
                    self.calls.abort.start(now);
                    self.outbox.push(Action::Abort { token: open.token.clone() });
                }
            }
            _ => self.removed(),
        }
    }

    pub(super) fn aborted(&mut self, now: Now) {
        if !self.answered(now, Call::Abort) || !matches!(self.stage, Stage::Ending(_)) {
            return;
        }
        if std::mem::take(&mut self.calls.abort_again) {
            self.calls.abort.wait_until(now.ms + LATE_PART_MS);
        } else {
            self.removed();
        }
    }

    /// Nothing is left behind.
    pub(super) fn removed(&mut self) {
        self.forget();
        self.give_up_removal();
    }

    /// What is left behind is removed in a later session, or by the bucket's lifecycle rule.
    pub(super) fn give_up_removal(&mut self) {
        if let Stage::Ending(reason) = &self.stage {
            let reason = reason.clone();
            self.finish(Err(reason));
        }
    }

    /// S3 or the API doesn't know the upload any more: it is opened anew, once.
    pub(super) fn start_again(&mut self, failure: Failure) {
        if std::mem::replace(&mut self.has_restarted, true) {
            return self.end(failure);
        }
        self.cancel_puts();
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
        self.begin();
        self.notice(None, &failure, 1, 0);
    }

    pub(super) fn finish(&mut self, outcome: Result<Uploaded, Failure>) {
        if outcome.is_ok() {
            self.forget();
        }
        self.stage = Stage::Finished;
        self.outbox.push(Action::Finished(outcome));
    }
}
