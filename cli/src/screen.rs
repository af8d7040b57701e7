//! The screen: a progress bar on standard error, and messages about retries.

use std::time::Duration;

use directput::engine::{Held, Phase, Progress, Retry};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

/// Formats a number of bytes, such as `1.5 MiB`.
pub fn format_bytes(bytes: f64) -> String {
    let power = if bytes < 1.0 { 0 } else { ((bytes.log2() / 10.0) as usize).min(UNITS.len() - 1) };
    let value = bytes / 1024_f64.powi(power as i32);
    let digits = usize::from(power > 0 && value < 100.0);
    format!("{value:.digits$} {}", UNITS[power])
}

/// The progress bar.
#[derive(Debug)]
pub struct Screen {
    bar: ProgressBar,
}

impl Screen {
    /// Returns a screen. It has no bar if `quiet` is set or standard error is not a terminal.
    pub fn new(quiet: bool) -> Self {
        let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar }
    }

    /// Shows the progress of the upload.
    pub fn progress(&self, progress: &Progress) {
        self.bar.set_length(progress.size.max(1));
        self.bar.set_position(if progress.phase == Phase::Done { progress.size.max(1) } else { progress.sent_bytes });
        self.bar.set_message(status(progress));
    }

    /// Shows that a part or a call failed and will be retried.
    pub fn retry(&self, retry: &Retry) {
        let request = retry.part.map_or("A call".to_owned(), |part| format!("Part {}", part.get()));
        let wait = Duration::from_millis(retry.wait_ms);
        self.say(&format!("{request} failed ({}). Trying again in {wait:.1?}.", retry.code.as_str()));
    }

    /// Shows a message above the bar.
    pub fn say(&self, message: &str) {
        self.bar.println(message);
    }

    /// Removes the bar.
    pub fn close(&self) {
        self.bar.finish_and_clear();
    }
}

fn status(progress: &Progress) -> String {
    match (progress.held, progress.phase) {
        (Some(Held::Pausing | Held::Paused), _) => "paused".to_owned(),
        (Some(Held::Offline), _) => "offline".to_owned(),
        (Some(Held::Busy), _) => "waiting: the storage is busy".to_owned(),
        (None, Phase::Hash) => "hashing".to_owned(),
        (None, Phase::Sign) => "signing".to_owned(),
        (None, Phase::Complete) => "joining the parts".to_owned(),
        (None, Phase::Abort) => "removing the upload".to_owned(),
        (None, Phase::Done) => "done".to_owned(),
        (None, Phase::Upload) => {
            let left = progress.seconds_left.map_or(String::new(), |seconds| format!(", {seconds:.0} s left"));
            format!("{}/s{left}", format_bytes(progress.bytes_per_second))
        }
    }
}
