//! Completes an upload: S3 joins the parts, and the size and the checksum in the answer are compared with those of the
//! file.
//!
//! `call_outcomes.rs` handles lost answers. After a removal, `ending.rs` sends the completion once more, to learn
//! whether S3 had joined the parts before.

use super::Stage;
use crate::engine::Engine;
use crate::engine::action::Action;
use crate::engine::call::{ApiCall, Call};
use crate::engine::event::Now;
use crate::engine::report::{Failure, Uploaded};
use crate::protocol::{ErrorCode, PartNumber, UploadCompleted};

impl Engine {
    pub(super) fn all_stored(&mut self) {
        if self.parts.plan().is_multipart() {
            self.completion = self.parts.completion();
            if let Some(open) = &mut self.open {
                open.completion.clone_from(&self.completion);
            }
            // If this session ends before the answer, a later session can send the same completion again.
            self.persist();
            self.stage = Stage::Completing;
            return;
        }
        let checksum = self.parts.checksum(PartNumber::FIRST).map(|checksum| checksum.to_text());
        let Some(open) = &self.open else { return };
        let uploaded = Uploaded {
            key: open.key.clone(),
            etag: self.parts.first_etag().map(|etag| etag.as_str().to_owned()),
            checksum,
            size: self.file.size.bytes(),
        };
        self.finish(Ok(uploaded));
    }

    pub(in crate::engine) fn advance_complete(&mut self, now: Now) {
        let may_call = self.holds.may_call(now) || self.calls.is_checking_completion;
        if !may_call || !self.calls.complete.may_start(now) {
            return;
        }
        match (&self.open, &self.completion) {
            (Some(open), Some(completion)) => {
                self.calls.complete.start(now);
                self.outbox
                    .push(Action::Call(ApiCall::Complete { token: open.token.clone(), request: completion.clone() }));
            }
            // Not reached: every stored part of a multipart upload has an entity tag, see `put_done`.
            _ => self.end(now, ErrorCode::Internal.into()),
        }
    }

    /// Finishes the upload as stored, because an object with its key already exists. No other upload uses the key, and
    /// S3 makes the object only if the parts match the completion.
    pub(in crate::engine) fn was_completed(&mut self) {
        let (Some(open), Some(completion)) = (&self.open, &self.completion) else { return };
        let (key, checksum) = (open.key.clone(), completion.checksum.map(|checksum| checksum.to_text()));
        self.finish(Ok(Uploaded { key, etag: None, checksum, size: self.file.size.bytes() }));
    }

    pub(in crate::engine) fn completed(&mut self, now: Now, reply: UploadCompleted) {
        let is_ours = self.open.as_ref().is_some_and(|open| open.key == reply.key);
        if !is_ours {
            // A cache or a service worker has returned the answer to another call.
            let failure = Failure::unexpected(Call::Complete.success_status(), None);
            return self.call_failed(now, Call::Complete, failure);
        }
        if !self.answered(now, Call::Complete) {
            return;
        }
        let expected = self.completion.as_ref().and_then(|completion| completion.checksum);
        let expected = expected.map(|checksum| checksum.to_text());
        if expected != reply.checksum || reply.size != self.file.size.bytes() {
            // The object is not the file. A repeated completion would get the same answer.
            self.calls.may_be_complete = true;
            self.completion = None;
            return match self.stage {
                Stage::Ending(_) => self.conclude(true),
                _ => self.end(now, ErrorCode::Integrity.into()),
            };
        }
        let UploadCompleted { key, etag, checksum, size } = reply;
        self.finish(Ok(Uploaded { key, etag: Some(etag), checksum, size }));
    }

    /// Lists the stored parts again, because S3 has refused to join the parts: a proxy that compresses answers may have
    /// changed an entity tag. The second refusal ends the upload.
    pub(in crate::engine) fn parts_refused(&mut self, now: Now, failure: Failure) {
        if self.is_cancelled() || std::mem::replace(&mut self.has_listed_again, true) {
            return self.end(now, failure);
        }
        self.parts.list_again();
        self.listed_until = None;
        self.completion = None;
        if let Some(record) = &mut self.open {
            record.completion = None;
        }
        self.persist();
        self.stage = Stage::Listing;
        self.may_decrease = true;
        self.report_retry(None, &failure, 1, 0);
    }
}
