//! Cancels an upload and its PUTs in flight. If S3 may already have all bytes of the object, the upload first waits for
//! the answer, at most [`CANCEL_MS`], so that the reported outcome is true.

use super::Stage;
use crate::engine::Engine;
use crate::engine::event::Now;
use crate::protocol::ErrorCode;

/// Maximum time that a cancelled upload waits for an answer that decides its outcome, in milliseconds. Its removal then
/// has the same maximum.
const CANCEL_MS: u64 = 10_000;

/// The user's cancel of an upload that has not ended.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Cancel {
    /// End of the wait, in milliseconds of [`Now::ms`].
    until_ms: u64,
    /// Whether the upload waits for its removal. If not, it waits for an answer.
    is_removing: bool,
}

impl Engine {
    /// Records that the user has cancelled the upload.
    pub(in crate::engine) fn cancel(&mut self, now: Now) {
        if self.cancel.is_none() && !matches!(self.stage, Stage::Ending(_)) {
            self.cancel = Some(Cancel { until_ms: now.ms + CANCEL_MS, is_removing: false });
        }
    }

    pub(in crate::engine) fn is_cancelled(&self) -> bool {
        self.cancel.is_some()
    }

    /// Ends a cancelled upload, unless a request in flight can still decide its outcome.
    pub(in crate::engine) fn advance_cancel(&mut self, now: Now) {
        let Some(Cancel { until_ms, is_removing }) = self.cancel else { return };
        let is_late = now.ms >= until_ms;
        match self.stage {
            Stage::Ending(_) if is_removing && is_late => self.give_up_removal(),
            Stage::Ending(_) if is_removing => {}
            Stage::Completing if self.calls.complete.is_under_way() && !is_late => {}
            Stage::Sending if self.is_single_and_stored() => {}
            Stage::Sending if self.is_single_and_too_late(now) && !is_late => {}
            _ => {
                self.end(now, ErrorCode::Aborted.into());
                self.cancel = Some(Cancel { until_ms: now.ms + CANCEL_MS, is_removing: true });
            }
        }
    }

    fn is_single_and_stored(&self) -> bool {
        !self.has_remote_parts() && self.parts.is_all_stored()
    }

    /// Returns whether all bytes of a single PUT may have left the browser. S3 may then store the object even if the
    /// PUT is cancelled.
    fn is_single_and_too_late(&self, now: Now) -> bool {
        !self.has_remote_parts() && self.parts.may_be_whole(now)
    }

    /// Returns when the wait of a cancelled upload ends, in milliseconds of [`Now::ms`].
    pub(in crate::engine) fn cancel_wakes_at(&self) -> Option<u64> {
        self.cancel.map(|cancel| cancel.until_ms)
    }
}
