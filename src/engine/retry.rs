//! What to do about a failure: whether to try again, what to repeat, and when.

use super::event::{Failure, Now};
use crate::protocol::ErrorCode;

/// The first wait is drawn from 0 to this, in milliseconds; each further window is twice as wide.
const FIRST_WINDOW_MS: u64 = 500;

/// No wait is longer, in milliseconds.
const LAST_WINDOW_MS: u64 = 20_000;

/// How often one part may fail before the upload does.
pub(super) const PART_BUDGET: u32 = 8;

/// How often one API call may fail in a row before the upload does.
pub(super) const CALL_BUDGET: u32 = 7;

/// How often the clean-up may fail before it is left to the bucket's lifecycle rule.
pub(super) const ABORT_BUDGET: u32 = 4;

/// Exponential backoff with full jitter: a uniform draw from a window that doubles (AWS Architecture
/// Blog, "Exponential Backoff And Jitter").
pub(super) fn backoff_ms(failures: u32, random: u32) -> u64 {
    let doublings = failures.saturating_sub(1).min(16);
    let window_ms = (FIRST_WINDOW_MS << doublings).min(LAST_WINDOW_MS);
    (window_ms * u64::from(random)) >> 32
}

/// What follows from a failed PUT.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send the same bytes to the same URL.
    SendAgain,
    /// The URL is no longer good.
    SignAgain,
    /// The bytes that arrived were not the bytes that were hashed.
    HashAgain,
    /// An earlier attempt had got through, only its answer had not.
    AlreadyStored,
    /// No retry helps.
    GiveUp(ErrorCode),
}

/// Judges a failed PUT by S3's answer (S3 API Reference, "Error responses").
pub(super) fn judge_put(failure: &Failure, is_multipart: bool) -> Verdict {
    let storage_code = failure.storage_code.as_deref().unwrap_or_default();
    match (failure.status, storage_code) {
        (0, _) if failure.code.is_retryable() => Verdict::SendAgain,
        (0, _) => Verdict::GiveUp(failure.code),
        // RequestTimeout: the body came too slowly. OperationAborted, ConditionalRequestConflict: two
        // requests for one key met.
        (400, "RequestTimeout") | (409 | 429 | 500..=599, _) => Verdict::SendAgain,
        (400, "BadDigest" | "InvalidDigest" | "XAmzContentChecksumMismatch" | "XAmzContentSHA256Mismatch") => {
            Verdict::HashAgain
        }
        (403, _) | (400, "ExpiredToken" | "RequestExpired") => Verdict::SignAgain,
        // The key is new, and only this digest was ever signed for it.
        (412, _) if !is_multipart => Verdict::AlreadyStored,
        (404, "NoSuchUpload") => Verdict::GiveUp(ErrorCode::UploadGone),
        _ => Verdict::GiveUp(ErrorCode::StorageRefused),
    }
}

/// One kind of API call: at rest, under way, or waiting for its next attempt.
#[derive(Debug, Default)]
pub(super) struct CallState {
    failures: u32,
    stage: Stage,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Stage {
    #[default]
    AtRest,
    UnderWay,
    Waiting {
        until_ms: u64,
    },
}

impl CallState {
    /// Whether an answer is still to come.
    pub fn is_under_way(&self) -> bool {
        self.stage == Stage::UnderWay
    }

    /// Whether the call may be made now.
    pub fn may_start(&self, now: Now) -> bool {
        match self.stage {
            Stage::AtRest => true,
            Stage::UnderWay => false,
            Stage::Waiting { until_ms } => until_ms <= now.ms,
        }
    }

    /// When its wait ends, if it waits.
    pub fn wakes_at(&self) -> Option<u64> {
        match self.stage {
            Stage::Waiting { until_ms } => Some(until_ms),
            _ => None,
        }
    }

    /// It is made.
    pub fn start(&mut self) {
        self.stage = Stage::UnderWay;
    }

    /// It was answered.
    pub fn succeed(&mut self) {
        *self = Self::default();
    }

    /// It failed. Says how long it waits, in milliseconds, or nothing when it is not to be repeated.
    pub fn fail(&mut self, now: Now, failure: &Failure, budget: u32) -> Option<u64> {
        self.failures += 1;
        if !failure.code.is_retryable() || self.failures >= budget {
            return None;
        }
        let wait_ms = backoff_ms(self.failures, now.random);
        self.stage = Stage::Waiting { until_ms: now.ms + wait_ms };
        Some(wait_ms)
    }

    /// How often it has failed in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }
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
    fn a_put_is_judged_by_what_s3_answered() {
        let judge = |status, storage_code: &str, is_multipart| {
            let storage_code = (!storage_code.is_empty()).then(|| storage_code.to_owned());
            let code = if status == 0 { ErrorCode::Network } else { ErrorCode::StorageRefused };
            judge_put(&Failure { status, storage_code, ..Failure::from(code) }, is_multipart)
        };
        assert_eq!(judge(0, "", true), Verdict::SendAgain);
        assert_eq!(judge(503, "SlowDown", true), Verdict::SendAgain);
        assert_eq!(judge(403, "AccessDenied", true), Verdict::SignAgain);
        assert_eq!(judge(400, "BadDigest", true), Verdict::HashAgain);
        assert_eq!(judge(412, "PreconditionFailed", false), Verdict::AlreadyStored);
        assert_eq!(judge(412, "PreconditionFailed", true), Verdict::GiveUp(ErrorCode::StorageRefused));
        assert_eq!(judge(404, "NoSuchUpload", true), Verdict::GiveUp(ErrorCode::UploadGone));
        assert_eq!(judge(400, "InvalidRequest", true), Verdict::GiveUp(ErrorCode::StorageRefused));
    }

    #[test]
    fn a_call_waits_and_then_gives_up() {
        let now = Now { ms: 1_000, random: 1 << 31 };
        let mut call = CallState::default();
        call.start();
        assert!(!call.may_start(now));
        assert_eq!(call.fail(now, &ErrorCode::Network.into(), 3), Some(250));
        assert!(!call.may_start(now));
        assert!(call.may_start(Now { ms: 1_250, ..now }));
        assert_eq!(call.fail(now, &ErrorCode::Network.into(), 3), Some(500));
        assert_eq!(call.fail(now, &ErrorCode::Network.into(), 3), None);
    }

    #[test]
    fn a_refusal_is_not_repeated() {
        let mut call = CallState::default();
        let now = Now { ms: 0, random: 0 };
        assert_eq!(call.fail(now, &ErrorCode::TypeNotAllowed.into(), 9), None);
    }
}
