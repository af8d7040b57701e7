//! Chooses the lane of an upload: the host name of the bucket that its PUTs use.

use crate::engine::Engine;
use crate::engine::action::Action;
use crate::engine::demand::Share;
use crate::engine::event::Now;
use crate::engine::parts::Attempt;

impl Engine {
    /// Returns the lane to request URLs for: the lane of the share, or the default lane if the share's lane has failed
    /// for this upload.
    pub(in crate::engine) fn lane(&self) -> u32 {
        if self.failed_lane == Some(self.share.lane) { 0 } else { self.share.lane }
    }

    /// Sets a new share. If the lane changes, cancels the PUTs on other lanes that have sent no bytes. Their parts are
    /// signed and sent again on the new lane.
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

    /// Stops using the lane of a failed PUT if the lane may be the reason: S3 has stored no part of this upload, or
    /// `is_refused`. Never leaves the default lane. Returns whether the upload has left the lane. A refusal on that
    /// lane then does not end the upload.
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
