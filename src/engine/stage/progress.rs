//! Reports the progress of an upload to the user.

use super::Stage;
use crate::engine::Engine;
use crate::engine::action::Action;
use crate::engine::event::Now;
use crate::engine::report::{Held, Phase, Progress};

/// Minimum time between two reports, in milliseconds. A change of the phase or of the wait is reported at once.
const REPORT_EVERY_MS: u64 = 100;

/// Maximum time between two reports while the time left counts down, in milliseconds.
const COUNT_DOWN_MS: u64 = 1_000;

/// Minimum speed that is reported, in byte/s. A lower speed counts as unknown: without progress the average falls but
/// never reaches 0, and the time left would become absurdly long.
const SLOWEST_BYTES_PER_SECOND: f64 = 1.0;

impl Engine {
    /// Measures the speed. Must come before the handlers of the stages, which use the speed.
    pub(in crate::engine) fn measure(&mut self, now: Now) {
        match self.held(now) {
            Some(_) => self.meter.interrupt(),
            None => self.meter.sample(now.ms, self.parts.total_sent_bytes()),
        }
    }

    pub(in crate::engine) fn report(&mut self, now: Now) {
        // After a failure no progress is reported, because the phase `Done` would look like success.
        if matches!(self.stage, Stage::New) || matches!(self.outbox.last(), Some(Action::Finished(Err(_)))) {
            return;
        }
        let progress = self.without_decrease(self.progress(self.held(now)));
        let is_due = match &self.reported {
            None => true,
            Some((_, before)) if before == &progress => false,
            Some((at_ms, before)) => {
                (before.phase, before.held) != (progress.phase, progress.held) || now.ms >= at_ms + REPORT_EVERY_MS
            }
        };
        if is_due {
            self.reported = Some((now.ms, progress));
            // `Finished` must be the last action, so the report comes before it.
            let at = self.outbox.len() - usize::from(matches!(self.outbox.last(), Some(Action::Finished(_))));
            self.outbox.insert(at, Action::Report(progress));
        }
    }

    /// Returns when to report the time left again, in milliseconds of [`Now::ms`]. Returns `None` unless a time left
    /// was reported and sent bytes are still on their way to S3.
    pub(in crate::engine) fn reports_at(&self, now: Now) -> Option<u64> {
        let (_, before) = self.reported.as_ref()?;
        (before.seconds_left.is_some() && self.meter.underway_bytes() > 0).then(|| now.ms + COUNT_DOWN_MS)
    }

    /// Keeps the phase and the hashed bytes from decreasing when the server's plan replaces the client's. The reported
    /// values may decrease only with `may_decrease`.
    fn without_decrease(&mut self, progress: Progress) -> Progress {
        if std::mem::take(&mut self.may_decrease) {
            return progress;
        }
        let Some((_, before)) = self.reported else { return progress };
        Progress {
            phase: progress.phase.max(before.phase),
            hashed_bytes: progress.hashed_bytes.max(before.hashed_bytes),
            ..progress
        }
    }

    fn held(&self, now: Now) -> Option<Held> {
        match self.stage {
            Stage::Ending(_) | Stage::Finished => None,
            _ => match self.holds.held(now) {
                Some(Held::Paused) if self.parts.in_flight() > 0 => Some(Held::Pausing),
                held => held,
            },
        }
    }

    fn progress(&self, held: Option<Held>) -> Progress {
        let size = self.file.size.bytes();
        // A completion exists only if S3 has stored every part.
        let is_all_stored = self.completion.is_some() && !matches!(self.stage, Stage::Ending(_));
        let all = |bytes: u64| if is_all_stored { size } else { bytes };
        let sent_bytes = all(self.parts.sent_bytes());
        let confirmed_bytes = all(self.parts.stored_bytes());
        let underway_bytes = self.meter.underway_bytes().min(sent_bytes - confirmed_bytes);
        let speed =
            self.meter.settled_bytes_per_second().filter(|&speed| held.is_none() && speed >= SLOWEST_BYTES_PER_SECOND);
        let bytes_per_second = speed.unwrap_or(0.0);
        let parts = self.parts.plan().part_count();
        Progress {
            phase: self.phase(),
            size,
            hashed_bytes: all(self.parts.hashed_bytes()),
            sent_bytes,
            confirmed_bytes,
            parts: if self.open.is_some() { parts } else { 0 },
            confirmed_parts: if is_all_stored { parts } else { self.parts.stored() },
            bytes_per_second,
            seconds_left: speed.map(|speed| (size - sent_bytes + underway_bytes) as f64 / speed),
            held,
        }
    }

    fn phase(&self) -> Phase {
        match self.stage {
            Stage::New | Stage::HashingFirst => Phase::Hash,
            Stage::Creating | Stage::Listing | Stage::Sending => {
                // `without_decrease` keeps the phase at `Upload` while all parts wait for a retry.
                match self.parts.is_first_hashed() {
                    _ if self.parts.in_flight() > 0 || self.parts.stored() > 0 => Phase::Upload,
                    true => Phase::Sign,
                    false => Phase::Hash,
                }
            }
            Stage::Completing => Phase::Complete,
            Stage::Ending(_) => Phase::Abort,
            Stage::Finished => Phase::Done,
        }
    }
}
