//! What follows from each attempt to PUT a part: success, failure, silence.

use super::Engine;
use super::event::{Action, Now, PutId};
use super::report::{Failure, Retry};
use super::retry::{REFUSED_BUDGET, Verdict, backoff_ms, judge_put, retry_after_ms};
use super::sending::{Attempt, Moved};
use crate::protocol::{ETag, ErrorCode, PartNumber};

impl Engine {
    pub(super) fn put_moved(&mut self, now: Now, put: PutId, sent_bytes: u64) {
        if self.parts.progress(now, put, sent_bytes) == Moved::Further {
            self.patience.moved();
        }
    }

    pub(super) fn put_done(&mut self, now: Now, put: PutId, etag: Option<String>, checksum: Option<String>) {
        let Some(attempt) = self.parts.end_put(put) else { return };
        let expected = self.parts.checksum(attempt.number).map(|checksum| checksum.to_text());
        if checksum.is_some() && checksum != expected {
            let storage_code = Some("BadDigest".to_owned());
            return self.refused(
                now,
                attempt,
                true,
                Failure { status: 400, storage_code, ..ErrorCode::Integrity.into() },
            );
        }
        let etag = etag.and_then(|text| ETag::parse(&text).ok());
        if etag.is_none() && self.parts.plan().is_multipart() {
            // Without it no upload can be completed, and no retry will show it.
            return self.end(ErrorCode::ETagHidden.into());
        }
        self.part_is_stored(now, attempt.number, etag);
    }

    fn part_is_stored(&mut self, now: Now, number: PartNumber, etag: Option<ETag>) {
        let bytes = self.parts.put_done(number, etag);
        self.window.stored(now.ms, bytes);
        self.patience.storage_worked();
        self.holds.succeeded();
    }

    pub(super) fn put_failed(&mut self, now: Now, put: PutId, failure: Failure) {
        let in_flight = self.parts.in_flight();
        let Some(attempt) = self.parts.end_put(put) else { return };
        match judge_put(&failure, self.parts.plan().is_multipart()) {
            Verdict::AlreadyStored => self.part_is_stored(now, attempt.number, None),
            Verdict::GiveUp(ErrorCode::UploadGone) => {
                self.start_again(Failure { code: ErrorCode::UploadGone, ..failure })
            }
            Verdict::GiveUp(code) => self.end(Failure { code, ..failure }),
            Verdict::SignAgain => self.refused(now, attempt, false, failure),
            Verdict::HashAgain => self.refused(now, attempt, true, failure),
            verdict @ (Verdict::SendAgain | Verdict::Rest) => {
                self.window.congested(now.ms, in_flight);
                self.put_lost(now, attempt, verdict == Verdict::Rest, failure);
            }
        }
    }

    /// S3 did not like the request: it is made again from an earlier step.
    fn refused(&mut self, now: Now, attempt: Attempt, is_corrupted: bool, failure: Failure) {
        let number = attempt.number;
        let refusals = self.parts.count_refusal(number);
        if refusals >= REFUSED_BUDGET {
            let code = if is_corrupted { ErrorCode::Integrity } else { failure.code };
            return self.end(Failure { code, ..failure });
        }
        // A URL that was refused because it was late needs no rest; one that is refused again does.
        let wait_ms = if is_corrupted || refusals == 1 { 0 } else { backoff_ms(refusals, now.random) };
        if is_corrupted {
            self.parts.hash_again(number);
        } else {
            self.parts.rest(number, now.ms + wait_ms, None);
        }
        self.notice(Some(number), &failure, refusals, wait_ms);
    }

    /// There was no answer, or none that says anything about the request: it is made again as it was.
    fn put_lost(&mut self, now: Now, attempt: Attempt, is_busy: bool, failure: Failure) {
        let number = attempt.number;
        self.calls.abort_again = true;
        // Without a network nothing is learnt from a failure.
        let counts = !(self.holds.is_offline() && failure.status == 0);
        let failures = if counts { self.parts.count_failure(number) } else { 1 };
        if counts && self.patience.ends_part(&failure, failures) {
            let code = if failure.status == 0 { failure.code } else { ErrorCode::StorageUnavailable };
            return self.end(Failure { code, ..failure });
        }
        let wait_ms = if is_busy {
            self.holds.busy(now, retry_after_ms(&failure))
        } else {
            backoff_ms(failures, now.random).max(retry_after_ms(&failure))
        };
        self.parts.rest(number, now.ms + wait_ms, Some(attempt.presigned));
        self.notice(Some(number), &failure, failures, wait_ms);
    }

    /// Gives up the attempts of which nothing is heard any more.
    pub(super) fn end_stalled(&mut self, now: Now) {
        for put in self.parts.stalled(now, self.config.stall_ms) {
            // One that stalled may have ended the upload, and with it the others.
            if self.parts.is_in_flight(put) {
                self.outbox.push(Action::CancelPut(put));
                self.put_failed(now, put, ErrorCode::Timeout.into());
            }
        }
    }

    pub(super) fn stalls_at(&self) -> Option<u64> {
        self.parts.stalls_at(self.config.stall_ms)
    }

    pub(super) fn notice(&mut self, part: Option<PartNumber>, failure: &Failure, failures: u32, wait_ms: u64) {
        let Failure { code, status, .. } = *failure;
        self.outbox.push(Action::Retry(Retry { part, code, status, failures, wait_ms }));
    }
}
