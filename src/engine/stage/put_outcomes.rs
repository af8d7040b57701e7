//! Handles the outcome of each PUT: success, refusal or loss.

use crate::checksum::PartChecksum;
use crate::engine::Engine;
use crate::engine::action::{Action, PutId};
use crate::engine::event::Now;
use crate::engine::parts::{Attempt, Moved};
use crate::engine::report::{Failure, PutAnswer, Retry};
use crate::engine::retry::{REFUSED_BUDGET, Verdict, backoff_ms, judge_put, reads_again_after_ms, retry_after_ms};
use crate::protocol::{ETag, ErrorCode, PartNumber};

/// What an answer to a PUT proves.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// S3 has stored the bytes that were sent. Holds S3's entity tag, if the browser may read it.
    Stored(Option<ETag>),
    /// S3's checksum differs from the checksum of the part.
    OtherBytes,
    /// Nothing: the answer may come from a captive portal, a proxy or a service worker.
    Nothing,
}

/// Returns what an answer proves about the bytes with this checksum. If both checksums are known, they decide. If not,
/// an empty answer with an entity tag of S3's form proves that S3 has stored the bytes.
pub(super) fn prove(answer: &PutAnswer, checksum: Option<PartChecksum>) -> Proof {
    let etag = answer.etag.as_deref();
    let parsed = || etag.and_then(|text| ETag::parse(text).ok());
    match (&answer.checksum, checksum) {
        _ if answer.status != 200 => Proof::Nothing,
        (Some(theirs), Some(ours)) if *theirs == ours.to_text() => Proof::Stored(parsed()),
        (Some(_), Some(_)) => Proof::OtherBytes,
        _ if answer.is_empty && etag.is_some_and(ETag::is_of_s3) => Proof::Stored(parsed()),
        _ => Proof::Nothing,
    }
}

impl Engine {
    pub(in crate::engine) fn put_progressed(&mut self, now: Now, put: PutId, sent_bytes: u64) {
        if self.parts.progress(now, put, sent_bytes) == Moved::NewBytes {
            self.patience.progressed();
        }
    }

    pub(in crate::engine) fn put_done(&mut self, now: Now, put: PutId, answer: &PutAnswer) {
        let Some(attempt) = self.parts.end_put(now, put) else { return };
        match prove(answer, self.parts.checksum(attempt.number)) {
            Proof::Stored(None) if self.parts.plan().is_multipart() => {
                // Without the entity tag the upload cannot be completed. A retry would not show the entity tag either.
                self.end(now, ErrorCode::ETagHidden.into());
            }
            Proof::Stored(etag) => self.part_is_stored(now, &attempt, etag, answer.checksum.clone()),
            Proof::OtherBytes => self.corrupted(now, attempt.number),
            Proof::Nothing => self.put_unproven(now, put, attempt, answer),
        }
    }

    /// Handles an answer that proves nothing. It comes from another server, or from S3 with all its headers hidden.
    fn put_unproven(&mut self, now: Now, put: PutId, attempt: Attempt, answer: &PutAnswer) {
        let mut failure = Failure::unexpected(answer.status, answer.media_type.as_deref());
        if answer.is_empty
            && answer.etag.is_none()
            && let Some(detail) = &mut failure.detail
        {
            detail.push_str(", no ETag that can be read");
        }
        self.put_lost(now, put, attempt, false, failure);
    }

    fn part_is_stored(&mut self, now: Now, attempt: &Attempt, etag: Option<ETag>, checksum: Option<String>) {
        let bytes = self.parts.put_done(attempt.number, etag, checksum);
        let left_bytes = if attempt.left_bytes > 0 { attempt.left_bytes } else { self.parts.total_sent_bytes() };
        self.meter.arrived(now.ms, left_bytes, attempt.started_ms);
        self.parts.peer_stored(now, attempt.started_ms, self.config.stall_ms);
        self.congestion.stored(now.ms, bytes);
        self.pace.answered(now.ms, bytes, attempt.started_ms);
        self.patience.storage_worked();
        self.holds.succeeded();
    }

    pub(in crate::engine) fn put_failed(&mut self, now: Now, put: PutId, failure: Failure) {
        let Some(attempt) = self.parts.end_put(now, put) else { return };
        let verdict = judge_put(&failure, self.parts.plan().is_multipart());
        let is_refused =
            failure.status != 0 && matches!(verdict, Verdict::GiveUp | Verdict::NotFromS3 | Verdict::SignAgain);
        let has_left_lane = self.leave_lane(&attempt, is_refused);
        match verdict {
            Verdict::AlreadyStored => self.part_is_stored(now, &attempt, None, None),
            Verdict::Gone => self.start_again(now, Failure { code: ErrorCode::UploadGone, ..failure }),
            Verdict::GiveUp if has_left_lane && is_refused => self.send_again(now, attempt, false, false, 1, &failure),
            Verdict::GiveUp => self.end(now, failure),
            Verdict::SignAgain => self.refused(now, attempt.number, false, failure),
            Verdict::HashAgain => self.refused(now, attempt.number, true, failure),
            Verdict::ReadAgain => self.put_unread(now, attempt, failure),
            Verdict::NotFromS3 => {
                let failure = Failure { code: ErrorCode::UnexpectedAnswer, ..failure };
                self.put_lost(now, put, attempt, false, failure);
            }
            Verdict::SendAgain => self.put_lost(now, put, attempt, false, failure),
            Verdict::SlowDown => self.put_lost(now, put, attempt, true, failure),
        }
    }

    /// Sends a part again whose bytes could not be read during its PUT. Ends the upload after too many failed reads.
    fn put_unread(&mut self, now: Now, attempt: Attempt, failure: Failure) {
        let number = attempt.number;
        let failures = self.parts.count_read_failure(number);
        let Some(after_ms) = reads_again_after_ms(failure.code, failures) else { return self.end(now, failure) };
        self.note_lost_put(attempt.may_be_whole);
        self.parts.rest(number, now.ms + u64::from(after_ms), Some(attempt.presigned));
        self.report_retry(Some(number), &failure, failures, after_ms.into());
    }

    /// Hashes and sends a part again, because S3 has stored other bytes.
    #[inline(never)]
    pub(super) fn corrupted(&mut self, now: Now, number: PartNumber) {
        let storage_code = Some("BadDigest".to_owned());
        let failure = Failure { status: 400, storage_code, ..ErrorCode::Integrity.into() };
        self.refused(now, number, true, failure);
    }

    /// Repeats a refused PUT with a new URL. If `is_corrupted`, reads and hashes the part again first. Ends the upload
    /// after [`REFUSED_BUDGET`] refusals of the part.
    fn refused(&mut self, now: Now, number: PartNumber, is_corrupted: bool, failure: Failure) {
        let refusals = self.parts.count_refusal(number);
        if refusals >= REFUSED_BUDGET {
            if is_corrupted {
                return self.end(now, Failure { code: ErrorCode::Integrity, ..failure });
            }
            // S3 refuses the API's signatures: a role, a policy or a clock is wrong and may be corrected later.
            return self.end_and_keep(now, failure);
        }
        // The first refusal needs no backoff, because the URL may have expired. Each later refusal needs one.
        let wait_ms = if is_corrupted || refusals == 1 { 0 } else { backoff_ms(refusals, now.random) };
        if is_corrupted {
            self.parts.hash_again(number);
        } else {
            self.parts.rest(number, now.ms + wait_ms, None);
        }
        self.report_retry(Some(number), &failure, refusals, wait_ms);
    }

    /// Sends a part again after a failure that may pass: its PUT got no answer, or a server error, or an answer that
    /// does not come from S3. Ends the upload after too many failures.
    pub(super) fn put_lost(&mut self, now: Now, put: PutId, attempt: Attempt, is_busy: bool, failure: Failure) {
        let number = attempt.number;
        self.note_lost_put(attempt.may_be_whole || failure.status != 0);
        let is_not_from_s3 = failure.code == ErrorCode::UnexpectedAnswer;
        let is_first = is_not_from_s3 || self.congestion.congested(now.ms, put, self.parts.next_put());
        // Failures without a network do not count.
        let counts = !(self.holds.is_offline() && failure.status == 0);
        let failures = if counts { self.parts.count_failure(number) } else { 1 };
        if counts && self.patience.ends_part(&failure, failures, is_first) {
            let is_from_server = failure.status != 0 && !is_not_from_s3;
            let code = if is_from_server { ErrorCode::StorageUnavailable } else { failure.code };
            return self.end(now, Failure { code, ..failure });
        }
        self.send_again(now, attempt, is_busy, is_first, failures, &failure);
    }

    pub(super) fn send_again(
        &mut self,
        now: Now,
        attempt: Attempt,
        is_busy: bool,
        is_first: bool,
        failures: u32,
        failure: &Failure,
    ) {
        let wait_ms = if is_busy {
            self.holds.busy(now, retry_after_ms(failure), is_first)
        } else {
            backoff_ms(failures, now.random).max(retry_after_ms(failure))
        };
        self.parts.rest(attempt.number, now.ms + wait_ms, Some(attempt.presigned));
        self.report_retry(Some(attempt.number), failure, failures, wait_ms);
        if is_busy {
            self.outbox.push(Action::Rest { wait_ms });
        }
    }

    pub(in crate::engine) fn report_retry(
        &mut self,
        part: Option<PartNumber>,
        failure: &Failure,
        failures: u32,
        wait_ms: u64,
    ) {
        let Failure { code, status, .. } = *failure;
        self.outbox.push(Action::Retry(Retry { part, code, status, failures, wait_ms }));
    }
}
