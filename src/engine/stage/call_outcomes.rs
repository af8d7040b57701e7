//! Handles the outcome of each API call, and requests fresh credentials.

use super::Stage;
use crate::engine::Engine;
use crate::engine::action::Action;
use crate::engine::call::{Call, CallState};
use crate::engine::event::Now;
use crate::engine::report::Failure;
use crate::engine::retry::{ABORT_BUDGET, backoff_ms, retry_after_ms};
use crate::protocol::ErrorCode;

impl Engine {
    /// Marks a call as answered. Returns whether the call was in flight.
    pub(in crate::engine) fn answered(&mut self, now: Now, call: Call) -> bool {
        let state = self.calls.of(call);
        if !state.is_under_way() {
            return false;
        }
        self.calls.turnaround_ms = now.ms.saturating_sub(state.started_ms());
        self.calls.of(call).settle();
        self.calls.has_refreshed = false;
        self.patience.api_worked();
        self.holds.succeeded();
        true
    }

    pub(in crate::engine) fn call_failed(&mut self, now: Now, call: Call, failure: Failure) {
        if !self.calls.of(call).is_under_way() {
            return;
        }
        if call == Call::Sign && std::mem::take(&mut self.calls.sign_is_stale) {
            // The call was for an upload id that was given up, so its failure does not matter.
            return self.calls.sign.settle();
        }
        if matches!(call, Call::Create | Call::Sign) {
            self.parts.signing_failed();
        }
        if call == Call::Complete && failure.code.is_retryable() {
            self.calls.may_be_complete = true;
        }
        if call == Call::Complete && failure.code == ErrorCode::AlreadyComplete {
            self.calls.complete.settle();
            self.was_completed();
        } else if self.is_stale(call) {
            self.calls.of(call).settle();
        } else if failure.code == ErrorCode::Unauthorized && !self.calls.has_refreshed {
            self.calls.of(call).wait_for_credentials();
            self.refresh_credentials();
        } else if failure.code.is_retryable() {
            self.call_lost(now, call, failure);
        } else {
            self.calls.of(call).settle();
            self.call_refused(now, call, failure);
        }
    }

    /// Returns whether the outcome of the call no longer matters, because the upload is ending.
    fn is_stale(&self, call: Call) -> bool {
        match (&self.stage, call) {
            (Stage::Ending(_), Call::Abort) => false,
            (Stage::Ending(_), Call::Complete) => !self.calls.is_checking_completion,
            (Stage::Ending(_), _) => true,
            _ => false,
        }
    }

    fn refresh_credentials(&mut self) {
        if !self.calls.is_refreshing {
            self.calls.is_refreshing = true;
            self.outbox.push(Action::RefreshCredentials);
        }
    }

    /// Lets the calls that wait for credentials continue. If the request for credentials has failed and a call has
    /// waited, ends the upload or gives up its removal.
    pub(in crate::engine) fn credentials(&mut self, now: Now, outcome: Result<(), Failure>) {
        if !std::mem::take(&mut self.calls.is_refreshing) {
            return;
        }
        self.calls.has_refreshed = true;
        let waited = self.calls.all().into_iter().filter(|call| call.is_waiting_for_credentials()).count();
        self.calls.all().into_iter().for_each(CallState::take_credentials);
        if let Err(failure) = outcome
            && waited > 0
        {
            match self.stage {
                Stage::Ending(_) => self.give_up_removal(),
                _ => self.end(now, failure),
            }
        }
    }

    /// Handles a retryable failure of a call. Schedules a retry, or ends the upload after too many failures.
    fn call_lost(&mut self, now: Now, call: Call, failure: Failure) {
        let is_ending = matches!(self.stage, Stage::Ending(_));
        if self.holds.is_offline() && failure.status == 0 && !is_ending {
            // Failures without a network do not count.
            self.calls.of(call).fail_uncounted();
            return self.report_retry(None, &failure, 1, 0);
        }
        let failures = self.calls.of(call).fail();
        let is_over = if is_ending { failures >= ABORT_BUDGET } else { self.patience.ends_call(&failure, failures) };
        if is_over {
            self.calls.of(call).settle();
            return if is_ending { self.conclude(self.calls.is_checking_completion) } else { self.end(now, failure) };
        }
        if self.may_be_unauthorized(&failure) {
            self.refresh_credentials();
        }
        let rest_ms = retry_after_ms(&failure);
        let wait_ms = backoff_ms(failures, now.random).max(rest_ms);
        self.calls.of(call).wait_until(now.ms + wait_ms, now.ms + rest_ms);
        if !is_ending {
            self.report_retry(None, &failure, failures, wait_ms);
        }
    }

    /// Returns whether expired credentials may be the cause of the failure, and no fresh ones were requested yet.
    /// Browsers report a gateway's 401 without CORS headers as a network error. A gateway's login page is an unexpected
    /// answer. If the API has never worked, the cause is probably another.
    fn may_be_unauthorized(&self, failure: &Failure) -> bool {
        matches!(failure.code, ErrorCode::Network | ErrorCode::UnexpectedAnswer)
            && self.patience.api_works()
            && !self.calls.has_refreshed
    }

    /// Handles a failure of a call that is not retryable.
    fn call_refused(&mut self, now: Now, call: Call, failure: Failure) {
        let is_gone = matches!(failure.code, ErrorCode::UploadGone | ErrorCode::TokenExpired);
        match (&self.stage, call) {
            (Stage::Ending(_), Call::Complete) => self.conclude(true),
            (Stage::Ending(_), _) if is_gone => self.removed(),
            (Stage::Ending(_), _) => self.give_up_removal(),
            // S3 may have joined the parts, and only the answer was lost. If the upload started again, it would make a
            // second object.
            (_, Call::Complete) if self.calls.may_be_complete => self.end(now, failure),
            (_, Call::Complete) if failure.code == ErrorCode::PartsRefused => self.parts_refused(now, failure),
            _ if is_gone => self.start_again(now, failure),
            _ => self.end(now, failure),
        }
    }

    pub(in crate::engine) fn online(&mut self) {
        self.holds.go_online();
        self.skip_backoff();
    }

    /// Ends the backoff of all parts and calls, because the network may be back.
    pub(in crate::engine) fn skip_backoff(&mut self) {
        self.parts.wake_all();
        self.calls.all().into_iter().for_each(CallState::skip_backoff);
    }
}
