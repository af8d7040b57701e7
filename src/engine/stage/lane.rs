//! Which of S3's names for the bucket an upload uses.

use crate::engine::Engine;
use crate::engine::action::Action;
use crate::engine::demand::Share;
use crate::engine::event::Now;
use crate::engine::parts::Attempt;

impl Engine {
    /// Returns the lane to have URLs signed for: that of the queue, or the default after it has failed for this upload.
    pub(in crate::engine) fn lane(&self) -> u32 {
        if self.failed_lane == Some(self.share.lane) { 0 } else { self.share.lane }
    }

    /// Takes a new share. If the queue has dropped the lane, PUTs that have sent nothing on it start again on another.
    #[inline(never)]
    pub(in crate::engine) fn set_share(&mut self, now: Now, share: Share) {
        let is_moved = share.lane != self.share.lane;
        self.share = share;
        if !is_moved {
            return;
        }
        while let Some(put) = self.parts.unsent_on_other_lane(self.lane()) {
            let Some(attempt) = self.parts.end_put(now, put) else { return };
            self.outbox.push(Action::CancelPut(put));
            self.note_lost_put(attempt.may_be_whole);
            self.parts.rest(attempt.number, now.ms, None);
        }
    }

    /// Leaves the lane of a failed PUT if it may be the reason: S3 has stored nothing of this upload, or `is_refused`.
    /// Returns whether the upload has left the lane. A refusal on that lane then does not end the upload.
    #[inline(never)]
    pub(in crate::engine) fn leave_lane(&mut self, attempt: &Attempt, is_refused: bool) -> bool {
        let lane = attempt.presigned.lane;
        let is_left = lane != 0 && (is_refused || self.parts.stored() == 0);
        if is_left {
            self.failed_lane = Some(lane);
        }
        is_left
    }
}
