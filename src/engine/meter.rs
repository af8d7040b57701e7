//! How fast bytes leave, smoothed so that a person can read it.

/// The time constant of the filter, in milliseconds: a change of speed shows by 63 % after it.
const SMOOTHING_MS: f64 = 3_000.0;

/// Samples closer together say more about the browser's events than about the link, in milliseconds.
const SAMPLE_MS: u64 = 200;

/// An exponential moving average of the speed.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    last: Option<(u64, u64)>,
    bytes_per_second: Option<f64>,
}

impl Meter {
    /// Takes note of how many bytes have left by now, those that left twice counted twice.
    pub fn sample(&mut self, now_ms: u64, moved_bytes: u64) {
        let Some((last_ms, last_bytes)) = self.last else {
            self.last = Some((now_ms, moved_bytes));
            return;
        };
        if self.bytes_per_second.is_none() && moved_bytes == last_bytes {
            // Until the first byte leaves it is the connection that takes its time.
            self.last = Some((now_ms, moved_bytes));
            return;
        }
        let elapsed_ms = now_ms.saturating_sub(last_ms);
        if elapsed_ms < SAMPLE_MS {
            return;
        }
        let speed = moved_bytes.saturating_sub(last_bytes) as f64 * 1_000.0 / elapsed_ms as f64;
        let smoothed = match self.bytes_per_second {
            None => speed,
            Some(before) => before + (speed - before) * (1.0 - decay(elapsed_ms as f64 / SMOOTHING_MS)),
        };
        self.bytes_per_second = Some(smoothed);
        self.last = Some((now_ms, moved_bytes));
    }

    /// Nothing is meant to leave for a while: that is no speed of zero.
    pub fn interrupt(&mut self) {
        self.last = None;
    }

    /// The smoothed speed in byte/s, once two samples have been taken.
    pub fn bytes_per_second(&self) -> Option<f64> {
        self.bytes_per_second
    }
}

/// `exp(-x)` for `x ≥ 0`, by its Padé approximant of order (0, 3): exact enough for a display, and
/// without the kilobytes of a mathematical library in Wasm.
fn decay(x: f64) -> f64 {
    1.0 / (1.0 + x + x * x / 2.0 + x * x * x / 6.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_steady_stream_shows_its_speed() {
        let mut meter = Meter::default();
        for second in 0..20 {
            meter.sample(second * 1_000, second * 5_000_000);
        }
        let speed = meter.bytes_per_second().expect("samples were taken");
        assert!((speed - 5_000_000.0).abs() < 1.0, "{speed}");
    }

    #[test]
    fn a_change_shows_by_two_thirds_after_three_seconds() {
        let mut meter = Meter::default();
        let mut bytes = 0;
        for tick in 0..=20 {
            meter.sample(tick * 500, bytes);
            bytes += 500_000;
        }
        for tick in 21..=26 {
            meter.sample(tick * 500, bytes - 500_000);
        }
        let speed = meter.bytes_per_second().expect("samples were taken");
        assert!((300_000.0..450_000.0).contains(&speed), "{speed}");
    }

    #[test]
    fn the_time_before_the_first_byte_is_no_speed() {
        let mut meter = Meter::default();
        meter.sample(0, 0);
        meter.sample(5_000, 0);
        assert_eq!(meter.bytes_per_second(), None);
        meter.sample(6_000, 1_000);
        assert_eq!(meter.bytes_per_second(), Some(1_000.0));
    }

    #[test]
    fn a_pause_is_no_speed_of_zero() {
        let mut meter = Meter::default();
        meter.sample(0, 0);
        meter.sample(1_000, 1_000);
        meter.interrupt();
        meter.sample(61_000, 1_000);
        meter.sample(62_000, 2_000);
        assert_eq!(meter.bytes_per_second(), Some(1_000.0));
    }
}
