//! Finds and cancels PUTs that have stalled.

use crate::engine::Engine;
use crate::engine::action::{Action, PutId};
use crate::engine::event::Now;
use crate::engine::report::Failure;
use crate::engine::stall_limit::Silence;
use crate::protocol::ErrorCode;

impl Engine {
    /// Returns the values from which the limit for PUTs without progress is computed.
    pub(in crate::engine) fn silence(&self) -> Silence {
        let bytes_in_flight = self.parts.bytes_under_way() + self.share.bytes_elsewhere;
        let own = self.pace.bytes_per_second(bytes_in_flight);
        Silence {
            stall_ms: self.config.stall_ms,
            bytes_in_flight,
            bytes_per_second: self.share.bytes_per_second.or(own),
            hides_progress: self.config.has_service_worker && self.parts.total_sent_bytes() == 0,
        }
    }

    /// Returns when to look for stalled PUTs again, in milliseconds of [`Now::ms`]. The time is always later than now:
    /// limits shrink with the bytes in flight, so a deadline may have passed already.
    pub(in crate::engine) fn stalls_at(&self, now: Now) -> Option<u64> {
        self.parts.stalls_at(self.silence()).map(|at_ms| at_ms.max(now.ms + 1))
    }

    /// Cancels the attempts that have stalled. If all attempts in flight have stalled, the link may have become slow.
    /// Then the attempt that has sent the most bytes gets more time, so that these bytes are not lost, while another
    /// attempt probes the link.
    pub(in crate::engine) fn end_stalled(&mut self, now: Now) {
        let silence = self.silence();
        let stalled = self.parts.stalled(now, silence);
        let (count, in_flight) = (stalled.len() as u32, self.parts.in_flight());
        if count == 0 {
            return;
        }
        let mut extended = None;
        if count == in_flight {
            self.congestion.all_stalled(now.ms, in_flight, self.parts.next_put());
            self.pace.forget();
            extended = if count > 1 { self.parts.extend_furthest(silence) } else { None };
        }
        for put in stalled.into_iter().filter(|&put| Some(put) != extended) {
            // An earlier stall may have ended the upload, and all its PUTs.
            if self.parts.is_in_flight(put) {
                // While a speed is known, S3 confirms bytes of some upload, so the link works.
                let is_over = self.parts.count_timeout(put, silence) && self.share.bytes_per_second.is_none();
                self.outbox.push(Action::CancelPut(put));
                self.put_timed_out(now, put, is_over);
            }
        }
    }

    /// Sends the part of a stalled PUT again. `is_over` is whether S3 would have answered even over the slowest
    /// supported link. The stall then counts as a failure, which may end the upload.
    fn put_timed_out(&mut self, now: Now, put: PutId, is_over: bool) {
        let Some(attempt) = self.parts.end_put(now, put) else { return };
        let failure = Failure::from(ErrorCode::Timeout);
        self.leave_lane(&attempt, false);
        self.outbox.push(Action::Stalled { lane: attempt.presigned.lane });
        if is_over || self.holds.is_offline() {
            return self.put_lost(now, put, attempt, false, failure);
        }
        self.note_lost_put(attempt.may_be_whole);
        self.congestion.congested(now.ms, put, self.parts.next_put());
        self.patience.stalled();
        let failures = self.parts.count_failure(attempt.number);
        self.send_again(now, attempt, false, false, failures, &failure);
    }
}
