//! Checks of progress reports: progress never goes back without a notice, and the numbers are consistent.

use directput::engine::{Event, Phase, Progress, Retry};
use directput::protocol::ErrorCode;

/// The last report, with which the next one is compared.
pub struct ProgressCheck {
    size: u64,
    before: Option<Progress>,
    /// Whether the number of sent bytes may go back.
    may_send_again: bool,
    /// Whether the phase and the hashed bytes may go back: the upload was restarted, or S3's list of parts is read
    /// again.
    may_start_again: bool,
}

impl ProgressCheck {
    pub fn new(size: u64) -> Self {
        Self { size, before: None, may_send_again: false, may_start_again: false }
    }

    /// Records that the sent bytes may go back, if the user has paused or cancelled the upload.
    pub fn told(&mut self, event: &Event) {
        self.may_send_again |= matches!(event, Event::Pause | Event::Abort);
    }

    /// Records a retry that was reported to the user.
    pub fn retries(&mut self, retry: &Retry) {
        self.may_send_again = true;
        self.may_start_again |=
            matches!(retry.code, ErrorCode::UploadGone | ErrorCode::TokenExpired | ErrorCode::PartsRefused);
    }

    pub fn check(&mut self, progress: Progress) -> Result<(), String> {
        self.check_figures(&progress)?;
        if let Some(before) = &self.before
            && progress.phase != Phase::Abort
        {
            let is_less = before.sent_bytes > progress.sent_bytes || before.confirmed_bytes > progress.confirmed_bytes;
            let is_earlier = before.phase > progress.phase || before.hashed_bytes > progress.hashed_bytes;
            if is_less && !self.may_send_again || is_earlier && !self.may_start_again {
                return Err(format!("progress goes back without a notice: {before:?} {progress:?}"));
            }
        }
        (self.may_send_again, self.may_start_again) = (false, false);
        self.before = Some(progress);
        Ok(())
    }

    fn check_figures(&self, progress: &Progress) -> Result<(), String> {
        let Progress { size, hashed_bytes, sent_bytes, confirmed_bytes, bytes_per_second, seconds_left, .. } =
            *progress;
        let is_possible = size == self.size
            && hashed_bytes <= size
            && sent_bytes <= size
            && confirmed_bytes <= sent_bytes
            && progress.confirmed_parts <= progress.parts
            && (confirmed_bytes < size || size == 0 || progress.confirmed_parts == progress.parts);
        // Sent bytes include the bytes in flight.
        let (least, most) = ((size - sent_bytes.min(size)) as f64, (size - confirmed_bytes.min(size)) as f64);
        let fits = match seconds_left {
            None => bytes_per_second == 0.0,
            Some(seconds) => {
                let left = seconds * bytes_per_second;
                bytes_per_second > 0.0 && left >= least - 1.0 - least * 1e-9 && left <= most + 1.0 + most * 1e-9
            }
        };
        let is_moving = bytes_per_second > 0.0 && progress.held.is_some();
        match is_possible && fits && !is_moving {
            true => Ok(()),
            false => Err(format!("impossible progress: {progress:?}")),
        }
    }
}
