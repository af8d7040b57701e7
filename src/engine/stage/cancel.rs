//! How an upload is cancelled: what is on its way is cut off, unless S3 may have it already. Then the answer that tells
//! is waited for, within a bound, so that the outcome is true.

use super::Stage;
use crate::engine::Engine;
use crate::engine::event::Now;
use crate::protocol::ErrorCode;

/// How long a cancelled upload waits for the answer that tells, and then for its removal, in milliseconds each.
const CANCEL_MS: u64 = 10_000;

/// A cancel that has not led to the end yet.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Cancel {
    /// Until when something is waited for, in milliseconds of the engine's clock.
    until_ms: u64,
    /// Whether what is waited for is the removal.
    is_removing: bool,
}

impl Engine {
    /// The user wants it to end.
    pub(in crate::engine) fn cancel(&mut self, now: Now) {
        if self.cancel.is_none() && !matches!(self.stage, Stage::Ending(_)) {
            self.cancel = Some(Cancel { until_ms: now.ms + CANCEL_MS, is_removing: false });
        }
    }

    pub(in crate::engine) fn is_cancelled(&self) -> bool {
        self.cancel.is_some()
    }

    /// Ends a cancelled upload as soon as nothing on its way can tell how it ends.
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

    /// Whether the one PUT of a file may have left whole: S3 stores it, whether its answer is waited for or not.
    fn is_single_and_too_late(&self, now: Now) -> bool {
        !self.has_remote_parts() && self.parts.may_be_whole(now)
    }

    /// When a cancelled upload is to be looked at again.
    pub(in crate::engine) fn cancel_wakes_at(&self) -> Option<u64> {
        self.cancel.map(|cancel| cancel.until_ms)
    }
}
