//! What follows from each attempt to PUT a part: success, failure, silence.

use super::Engine;
use super::event::{Action, Now, PutId};
use super::pace::Silence;
use super::report::{Failure, PutAnswer, Retry};
use super::retry::{REFUSED_BUDGET, Verdict, backoff_ms, judge_put, retry_after_ms};
use super::sending::{Attempt, Moved};
use crate::checksum::PartChecksum;
use crate::protocol::{ETag, ErrorCode, PartNumber};

/// What an answer to a PUT proves.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// S3 has stored these bytes. Its entity tag, if the browser may read it.
    Stored(Option<ETag>),
    /// S3 has computed another checksum than the one that was sent.
    OtherBytes,
    /// Nothing: a captive portal, a proxy or a service worker may have made it.
    Nothing,
}

/// Whether an answer shows that S3 has stored the bytes with this checksum. The checksum decides where it can be read;
/// otherwise an empty answer with an entity tag of S3's form does.
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
    pub(super) fn put_moved(&mut self, now: Now, put: PutId, sent_bytes: u64) {
        if self.parts.progress(now, put, sent_bytes) == Moved::Further {
            self.patience.moved();
        }
    }

    pub(super) fn put_done(&mut self, now: Now, put: PutId, answer: &PutAnswer) {
        let Some(attempt) = self.parts.end_put(now, put) else { return };
        match prove(answer, self.parts.checksum(attempt.number)) {
            Proof::Stored(None) if self.parts.plan().is_multipart() => {
                // Without it no upload can be completed, and no retry will show it.
                self.end(now, ErrorCode::ETagHidden.into());
            }
            Proof::Stored(etag) => self.part_is_stored(now, &attempt, etag),
            Proof::OtherBytes => {
                let storage_code = Some("BadDigest".to_owned());
                let failure = Failure { status: 400, storage_code, ..ErrorCode::Integrity.into() };
                self.refused(now, attempt, true, failure);
            }
            Proof::Nothing => self.put_unproven(now, put, attempt, answer),
        }
    }

    /// The answer may be another's, or S3's with all its headers hidden.
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

    fn part_is_stored(&mut self, now: Now, attempt: &Attempt, etag: Option<ETag>) {
        let bytes = self.parts.put_done(attempt.number, etag);
        let left_bytes = if attempt.left_bytes > 0 { attempt.left_bytes } else { self.parts.moved_bytes() };
        self.meter.arrived(now.ms, left_bytes, attempt.started_ms);
        self.parts.rival_is_stored(now, attempt.started_ms, self.config.stall_ms);
        self.window.stored(now.ms, bytes);
        self.pace.answered(now.ms, bytes, attempt.started_ms);
        self.patience.storage_worked();
        self.holds.succeeded();
    }

    pub(super) fn put_failed(&mut self, now: Now, put: PutId, failure: Failure) {
        let Some(attempt) = self.parts.end_put(now, put) else { return };
        match judge_put(&failure, self.parts.plan().is_multipart()) {
            Verdict::AlreadyStored => self.part_is_stored(now, &attempt, None),
            Verdict::Gone => self.start_again(now, Failure { code: ErrorCode::UploadGone, ..failure }),
            Verdict::GiveUp => self.end(now, failure),
            Verdict::SignAgain => self.refused(now, attempt, false, failure),
            Verdict::HashAgain => self.refused(now, attempt, true, failure),
            Verdict::NotFromS3 => {
                let failure = Failure { code: ErrorCode::UnexpectedAnswer, ..failure };
                self.put_lost(now, put, attempt, false, failure);
            }
            Verdict::SendAgain => self.put_lost(now, put, attempt, false, failure),
            Verdict::Rest => self.put_lost(now, put, attempt, true, failure),
        }
    }

    /// S3 did not like the request: it is made again from an earlier step.
    fn refused(&mut self, now: Now, attempt: Attempt, is_corrupted: bool, failure: Failure) {
        let number = attempt.number;
        let refusals = self.parts.count_refusal(number);
        if refusals >= REFUSED_BUDGET {
            if is_corrupted {
                return self.end(now, Failure { code: ErrorCode::Integrity, ..failure });
            }
            // S3 takes no signature of the API's: a role, a policy or a clock is wrong, and may be put right.
            return self.end_and_keep(now, failure);
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
    fn put_lost(&mut self, now: Now, put: PutId, attempt: Attempt, is_busy: bool, failure: Failure) {
        let number = attempt.number;
        self.calls.abort_again = true;
        self.doubt(attempt.may_be_whole || failure.status != 0);
        let is_alien = failure.code == ErrorCode::UnexpectedAnswer;
        let is_first = is_alien || self.window.congested(now.ms, put, self.parts.next_put());
        // Without a network nothing is learnt from a failure.
        let counts = !(self.holds.is_offline() && failure.status == 0);
        let failures = if counts { self.parts.count_failure(number) } else { 1 };
        if counts && self.patience.ends_part(&failure, failures, is_first) {
            let is_from_server = failure.status != 0 && !is_alien;
            let code = if is_from_server { ErrorCode::StorageUnavailable } else { failure.code };
            return self.end(now, Failure { code, ..failure });
        }
        self.send_again(now, attempt, is_busy, is_first, failures, &failure);
    }

    fn send_again(
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
        self.notice(Some(attempt.number), failure, failures, wait_ms);
    }

    /// Gives up the attempts that were silent for too long. If all were, the link may have become slow: the attempt that
    /// has come furthest gets more time, so that what has arrived of it is not lost, while another one tries the link.
    pub(super) fn end_stalled(&mut self, now: Now) {
        let silence = self.silence();
        let stalled = self.parts.stalled(now, silence);
        let (count, in_flight) = (stalled.len() as u32, self.parts.in_flight());
        if count == 0 {
            return;
        }
        let mut spared = None;
        if count == in_flight {
            self.window.silent(now.ms, in_flight, self.parts.next_put());
            self.pace.forget();
            spared = if count > 1 { self.parts.spare_furthest(silence) } else { None };
        }
        for put in stalled.into_iter().filter(|&put| Some(put) != spared) {
            // One that was silent may have ended the upload, and with it the others.
            if self.parts.is_in_flight(put) {
                // A link that carries what others send is not dead, only shared.
                let is_over = self.parts.count_timeout(put, silence) && self.share.bytes_per_second.is_none();
                self.outbox.push(Action::CancelPut(put));
                self.put_timed_out(now, put, is_over);
            }
        }
    }

    /// A PUT was silent for too long; `is_over` says whether it would have been answered by the slowest link.
    fn put_timed_out(&mut self, now: Now, put: PutId, is_over: bool) {
        let Some(attempt) = self.parts.end_put(now, put) else { return };
        let failure = Failure::from(ErrorCode::Timeout);
        if is_over || self.holds.is_offline() {
            return self.put_lost(now, put, attempt, false, failure);
        }
        self.calls.abort_again = true;
        self.doubt(attempt.may_be_whole);
        self.window.congested(now.ms, put, self.parts.next_put());
        self.patience.was_too_slow();
        let failures = self.parts.count_failure(attempt.number);
        self.send_again(now, attempt, false, false, failures, &failure);
    }

    /// What decides how long a PUT may be silent.
    pub(super) fn silence(&self) -> Silence {
        let bytes_in_flight = self.parts.bytes_under_way() + self.share.bytes_elsewhere;
        let own = self.pace.bytes_per_second(bytes_in_flight);
        Silence {
            stall_ms: self.config.stall_ms,
            bytes_in_flight,
            bytes_per_second: self.share.bytes_per_second.or(own),
            is_untold: self.config.has_service_worker && self.parts.moved_bytes() == 0,
        }
    }

    /// When to look for silent PUTs again. Limits shrink with what is under way, so the time may have come already.
    pub(super) fn stalls_at(&self, now: Now) -> Option<u64> {
        self.parts.stalls_at(self.silence()).map(|at_ms| at_ms.max(now.ms + 1))
    }

    pub(super) fn notice(&mut self, part: Option<PartNumber>, failure: &Failure, failures: u32, wait_ms: u64) {
        let Failure { code, status, .. } = *failure;
        self.outbox.push(Action::Retry(Retry { part, code, status, failures, wait_ms }));
    }
}
