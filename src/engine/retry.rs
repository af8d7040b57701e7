//! Retries: whether a failed request is repeated, from which step, and after which backoff.

use super::event::Now;
use super::report::Failure;
use crate::protocol::ErrorCode;

/// Upper end of the first backoff window, in milliseconds. Each further window is twice as wide.
const FIRST_WINDOW_MS: u64 = 500;

/// Maximum width of the backoff window, in milliseconds.
const LAST_WINDOW_MS: u64 = 20_000;

/// Number of consecutive failures of one part or one API call that end the upload before any request of the same kind,
/// PUT or API call, has succeeded. A wrong address or a missing CORS rule looks like a broken network, but does not go
/// away by itself.
const UNPROVEN_BUDGET: u32 = 7;

/// Number of consecutive failures of one part or one API call after which a server error ends the upload, if a request
/// of the same kind, PUT or API call, has succeeded before.
const ANSWERED_BUDGET: u32 = 30;

/// Number of refusals of one part that end the upload. S3 refuses a part because of its signature or its bytes.
pub(super) const REFUSED_BUDGET: u32 = 4;

/// Number of bursts of server errors that end an upload. Each stored part makes up for one burst.
const UPLOAD_BUDGET: u32 = 64;

/// Number of consecutive failures after which the engine leaves the removal to a later session or to the bucket's
/// lifecycle rule.
pub(super) const ABORT_BUDGET: u32 = 4;

/// Length of a streak of failures after which a request without an answer ends the upload, in milliseconds. Any success
/// ends the streak. Time offline or paused does not count. Time asleep counts only up to [`LONGEST_STEP_MS`].
const PATIENCE_MS: u64 = 15 * 60_000;

/// Maximum time between two events that counts toward a streak of failures, in milliseconds. During a streak the engine
/// wakes up every [`LOOK_EVERY_MS`], so the machine was asleep during a longer time.
const LONGEST_STEP_MS: u64 = 2 * 60_000;

/// Time between two wake-ups during a streak of failures, in milliseconds.
const LOOK_EVERY_MS: u64 = 60_000;

/// Maximum `Retry-After` that is respected, in milliseconds.
const LONGEST_RETRY_AFTER_MS: u64 = 5 * 60_000;

/// Returns the backoff after `failures` failures, in milliseconds. Uses exponential backoff with full jitter: draws
/// uniformly from a window that doubles with each failure, up to a limit (AWS Architecture Blog, "Exponential Backoff
/// And Jitter").
pub(super) fn backoff_ms(failures: u32, random: u32) -> u64 {
    let doublings = failures.saturating_sub(1).min(16);
    let window_ms = (FIRST_WINDOW_MS << doublings).min(LAST_WINDOW_MS);
    (window_ms * u64::from(random)) >> 32
}

/// Reaction to a failed PUT.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send the same bytes to the same URL after a backoff.
    SendAgain,
    /// S3 throttles: send no part during the backoff.
    SlowDown,
    /// S3 no longer accepts the URL: request a new one.
    SignAgain,
    /// S3 received other bytes than those that were hashed: read and hash the part again.
    HashAgain,
    /// The file could not be read: send the part again after [`reads_again_after_ms`].
    ReadAgain,
    /// S3 stored the part at an earlier attempt whose answer was lost.
    AlreadyStored,
    /// The answer does not come from S3: send again.
    NotFromS3,
    /// S3 no longer knows the upload id.
    Gone,
    /// No retry helps.
    GiveUp,
}

/// Returns the reaction to a failed PUT, according to S3's answer (S3 API Reference, "Error responses"). S3 sends an
/// error code with every refusal, so a refusal without a code comes from another server on the way. A status of an
/// overloaded or broken server leads to the same reaction with or without a code.
pub(super) fn judge_put(failure: &Failure, is_multipart: bool) -> Verdict {
    let storage_code = failure.storage_code.as_deref().unwrap_or_default();
    match (failure.status, storage_code) {
        (0, _) if failure.code.is_retryable() => Verdict::SendAgain,
        (0, _) if failure.code == ErrorCode::FileChanged => Verdict::ReadAgain,
        (0, _) => Verdict::GiveUp,
        // RequestTimeout: the body came too slowly. IncompleteBody: something on the way has cut it. OperationAborted,
        // ConditionalRequestConflict: two requests for one key met.
        (400, "RequestTimeout" | "IncompleteBody") => Verdict::SendAgain,
        (409, code) if !code.is_empty() => Verdict::SendAgain,
        (429 | 503, _) => Verdict::SlowDown,
        // 511: the network wants the user to sign in (RFC 6585, section 6).
        (500..=510 | 512..=599, _) => Verdict::SendAgain,
        (_, "") => Verdict::NotFromS3,
        (400, "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "XAmzContentSHA256Mismatch") => {
            Verdict::HashAgain
        }
        (403, _) | (400, "ExpiredToken" | "RequestExpired" | "TokenRefreshRequired") => Verdict::SignAgain,
        // Only this upload uses the key, and all its URLs are for the same digest. So an earlier attempt has stored the
        // object.
        (412, _) if !is_multipart => Verdict::AlreadyStored,
        (404, "NoSuchUpload") => Verdict::Gone,
        _ => Verdict::GiveUp,
    }
}

/// Number of consecutive timeouts of reads of a part that end the upload. One timeout may only mean that the disk is
/// busy.
const READ_TIMEOUT_BUDGET: u32 = 3;

/// Number of consecutive failed reads of a part that end the upload.
const READ_BUDGET: u32 = 2;

/// Time before a failed read is repeated, in milliseconds. When the user leaves a page, WebKit ends the page's worker a
/// moment later. In this moment the worker cannot read files. The wait keeps the worker from reporting a changed file.
const READ_AGAIN_MS: u32 = 1_500;

/// Returns the time before a part is read again after `failures` consecutive failed reads, in milliseconds. Returns
/// `None` if the failure ends the upload.
pub(super) fn reads_again_after_ms(code: ErrorCode, failures: u32) -> Option<u32> {
    match code {
        ErrorCode::ReadTimeout if failures < READ_TIMEOUT_BUDGET => Some(0),
        ErrorCode::FileChanged if failures < READ_BUDGET => Some(READ_AGAIN_MS),
        _ => None,
    }
}

/// Counts the failures of an upload, and decides when they end it.
#[derive(Debug, Clone)]
pub(super) struct Patience {
    api_works: bool,
    storage_works: bool,
    budget: u32,
    /// Length of the current streak of failures in milliseconds; `None` if there is none.
    streak_ms: Option<u64>,
    last_ms: Option<u64>,
}

impl Default for Patience {
    fn default() -> Self {
        Self { api_works: false, storage_works: false, budget: UPLOAD_BUDGET, streak_ms: None, last_ms: None }
    }
}

impl Patience {
    /// Adds the time since the last call to the streak of failures, unless the upload is held.
    pub fn pass(&mut self, now: Now, is_held: bool) {
        let step_ms = now.ms.saturating_sub(self.last_ms.unwrap_or(now.ms));
        if let Some(streak_ms) = self.streak_ms.as_mut().filter(|_| !is_held) {
            *streak_ms += step_ms.min(LONGEST_STEP_MS);
        }
        self.last_ms = Some(now.ms);
    }

    /// Returns when the engine has to wake up to measure a streak of failures, in milliseconds of [`Now::ms`].
    pub fn wakes_at(&self, now: Now) -> Option<u64> {
        self.streak_ms.map(|_| now.ms + LOOK_EVERY_MS)
    }

    /// Returns whether the API has ever answered a call.
    pub fn api_works(&self) -> bool {
        self.api_works
    }

    /// Records that an attempt has sent more bytes of its part than any earlier attempt. Ends the streak of failures.
    pub fn progressed(&mut self) {
        self.streak_ms = None;
    }

    /// Records that the API has answered a call.
    pub fn api_worked(&mut self) {
        self.api_works = true;
        self.streak_ms = None;
    }

    /// Records that S3 has stored a part.
    pub fn storage_worked(&mut self) {
        self.storage_works = true;
        self.streak_ms = None;
        self.budget = (self.budget + 1).min(UPLOAD_BUDGET);
    }

    /// Returns whether the failure of a call ends the upload. `failures` is the number of consecutive failures of this
    /// kind of call.
    pub fn ends_call(&mut self, failure: &Failure, failures: u32) -> bool {
        self.ends(self.api_works, failure, failures)
    }

    /// Counts a burst of server errors if the failure is the first of its burst. Returns whether the failure ends the
    /// upload. `failures` is the number of failures of the part.
    pub fn ends_part(&mut self, failure: &Failure, failures: u32, is_first_of_burst: bool) -> bool {
        if failure.status != 0 && is_first_of_burst {
            self.budget = self.budget.saturating_sub(1);
        }
        self.ends(self.storage_works, failure, failures) || self.budget == 0
    }

    /// Starts a streak of failures because a PUT has stalled. The stall itself does not count as a failure, because a
    /// very slow link might still have carried the PUT.
    pub fn stalled(&mut self) {
        self.streak_ms.get_or_insert(0);
    }

    fn ends(&mut self, has_worked: bool, failure: &Failure, failures: u32) -> bool {
        let streak_ms = *self.streak_ms.get_or_insert(0);
        match failure.status {
            0 if streak_ms >= PATIENCE_MS => true,
            _ if !has_worked => failures >= UNPROVEN_BUDGET,
            0 => false,
            _ => failures >= ANSWERED_BUDGET,
        }
    }
}

/// Returns the wait that the server asks for, in milliseconds, at most [`LONGEST_RETRY_AFTER_MS`]; 0 if the server asks
/// for no wait.
pub(super) fn retry_after_ms(failure: &Failure) -> u64 {
    failure.retry_after_ms.unwrap_or(0).min(LONGEST_RETRY_AFTER_MS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_drawn_from_a_window_that_doubles_up_to_its_limit() {
        assert_eq!(backoff_ms(1, 0), 0);
        for (failures, window_ms) in [(1, 500), (2, 1_000), (3, 2_000), (6, 16_000), (7, 20_000), (60, 20_000)] {
            assert_eq!(backoff_ms(failures, u32::MAX), window_ms - 1, "after {failures} failures");
            assert_eq!(backoff_ms(failures, 1 << 31), window_ms / 2, "after {failures} failures");
        }
    }

    #[test]
    fn the_reaction_to_a_failed_put_follows_from_s3s_answer() {
        let judge = |status, storage_code: &str, is_multipart| {
            let storage_code = (!storage_code.is_empty()).then(|| storage_code.to_owned());
            let code = if status == 0 { ErrorCode::Network } else { ErrorCode::StorageRefused };
            judge_put(&Failure { status, storage_code, ..Failure::from(code) }, is_multipart)
        };
        assert_eq!(judge(0, "", true), Verdict::SendAgain);
        assert_eq!(judge(500, "InternalError", true), Verdict::SendAgain);
        assert_eq!(judge(503, "SlowDown", true), Verdict::SlowDown);
        assert_eq!(judge(403, "AccessDenied", true), Verdict::SignAgain);
        assert_eq!(judge(400, "BadDigest", true), Verdict::HashAgain);
        assert_eq!(judge(412, "PreconditionFailed", false), Verdict::AlreadyStored);
        assert_eq!(judge(412, "PreconditionFailed", true), Verdict::GiveUp);
        assert_eq!(judge(404, "NoSuchUpload", true), Verdict::Gone);
        assert_eq!(judge(400, "InvalidRequest", true), Verdict::GiveUp);
        assert_eq!(judge(409, "OperationAborted", true), Verdict::SendAgain);
        assert_eq!(judge(400, "RequestTimeout", true), Verdict::SendAgain);
        assert_eq!(judge(400, "IncompleteBody", true), Verdict::SendAgain);
        assert_eq!(judge(400, "TokenRefreshRequired", true), Verdict::SignAgain);
        assert_eq!(judge(400, "ExpiredToken", true), Verdict::SignAgain);
        assert_eq!(judge(429, "", true), Verdict::SlowDown);
        for status in [500, 502, 504, 599] {
            assert_eq!(judge(status, "", true), Verdict::SendAgain, "{status}");
        }
    }

    #[test]
    fn a_refusal_without_a_code_is_not_from_s3() {
        for status in [300, 302, 400, 401, 403, 404, 407, 409, 412, 413, 451, 511] {
            let failure = Failure { status, ..ErrorCode::StorageRefused.into() };
            assert_eq!(judge_put(&failure, false), Verdict::NotFromS3, "{status}");
            assert_eq!(judge_put(&failure, true), Verdict::NotFromS3, "{status}");
        }
    }

    #[test]
    fn a_request_that_never_succeeded_is_given_up_sooner() {
        let now = |ms| Now { ms, random: 0 };
        let lost = Failure::from(ErrorCode::Network);
        let mut patience = Patience::default();
        assert!(!patience.ends_part(&lost, 6, true) && patience.ends_part(&lost, 7, true));
        patience.storage_worked();
        assert!(!patience.ends_part(&lost, 1_000, true));
        assert!(patience.ends_call(&lost, 7), "the API has never worked");
        patience.pass(now(0), false);
        for minute in 1..15 {
            patience.pass(now(minute * 60_000), false);
        }
        assert!(!patience.ends_part(&lost, 1, true));
        patience.pass(now(15 * 60_000), false);
        assert!(patience.ends_part(&lost, 1, true));
        patience.progressed();
        assert!(!patience.ends_part(&lost, 1, true));
    }

    #[test]
    fn patience_is_used_up_from_the_first_failure_of_a_streak() {
        let now = |minute: u64| Now { ms: minute * 60_000, random: 0 };
        let lost = Failure::from(ErrorCode::Timeout);
        let mut patience = Patience::default();
        patience.storage_worked();
        assert_eq!(patience.wakes_at(now(0)), None, "nothing has failed");
        (0..60).for_each(|minute| patience.pass(now(minute), false));
        assert!(!patience.ends_part(&lost, 1, true), "nothing was tried before");
        assert_eq!(patience.wakes_at(now(59)), Some(60 * 60_000));
        (60..74).for_each(|minute| patience.pass(now(minute), false));
        assert!(!patience.ends_part(&lost, 1, true));
        patience.pass(now(74), false);
        assert!(patience.ends_part(&lost, 1, true));
    }

    #[test]
    fn sleep_and_pauses_do_not_use_up_patience() {
        let mut patience = Patience::default();
        patience.storage_worked();
        patience.stalled();
        patience.pass(Now { ms: 0, random: 0 }, false);
        patience.pass(Now { ms: 10 * 3_600_000, random: 0 }, false);
        patience.pass(Now { ms: 20 * 3_600_000, random: 0 }, true);
        assert_eq!(patience.streak_ms, Some(120_000));
    }

    #[test]
    fn a_storage_that_fails_more_than_it_stores_ends_the_upload() {
        let mut patience = Patience::default();
        patience.storage_worked();
        let refused = Failure { status: 500, ..ErrorCode::StorageRefused.into() };
        for round in 0..200 {
            assert!(!patience.ends_part(&refused, 1, true), "{round}");
            patience.storage_worked();
        }
        assert!((0..1_000).all(|_| !patience.ends_part(&refused, 1, false)), "a burst counts once");
        let failures = (1..).find(|_| patience.ends_part(&refused, 1, true));
        assert_eq!(failures, Some(UPLOAD_BUDGET));
    }
}
