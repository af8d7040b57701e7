//! One clock, made from the two clocks of a browser.
//!
//! `performance.now()` never runs backwards, but some systems stop it while the machine sleeps. `Date.now()` continues
//! while the machine sleeps, but the user can set it. Browsers round both, by up to 100 ms.

/// Minimum change of the difference between the clocks that counts as a sleep or as a setting of the wall clock, in
/// milliseconds. Two roundings to 100 ms (Firefox, `privacy.resistFingerprinting`) stay well below this value, and so
/// does the time that a busy machine takes between two readings. The measured length of a sleep is too short by at most
/// this value.
const JUMP_MS: f64 = 1_000.0;

/// Measures the time that has passed. The time never runs backwards, and it continues while the machine sleeps.
///
/// The time is the time of the monotonic clock, plus each jump of the wall clock ahead of it. A jump is a change of the
/// difference between the clocks, so rounding errors do not add up. Setting the wall clock ahead looks like a sleep and
/// counts as a sleep: signing again early beats an expired URL. Setting the wall clock back changes nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clock {
    first: Option<First>,
    /// Sum of the jumps, in milliseconds: the time that only the wall clock has measured.
    jumped_ms: f64,
    passed_ms: f64,
}

/// Reading with which later readings are compared.
#[derive(Debug, Clone, Copy)]
struct First {
    monotonic_ms: f64,
    /// Wall clock minus monotonic clock at the first reading or after the last jump, in milliseconds.
    ahead_ms: f64,
}

impl Clock {
    /// Creates a clock that starts at its first reading.
    pub const fn new() -> Self {
        Self { first: None, jumped_ms: 0.0, passed_ms: 0.0 }
    }

    /// Returns the time since the first reading, in milliseconds, from the current readings of both clocks.
    pub fn passed_ms(&mut self, monotonic_ms: f64, wall_ms: f64) -> f64 {
        let ahead_ms = wall_ms - monotonic_ms;
        let first = self.first.get_or_insert(First { monotonic_ms, ahead_ms });
        let jump_ms = ahead_ms - first.ahead_ms;
        if jump_ms.abs() > JUMP_MS {
            first.ahead_ms = ahead_ms;
            self.jumped_ms += jump_ms.max(0.0);
        }
        self.passed_ms = self.passed_ms.max(monotonic_ms - first.monotonic_ms + self.jumped_ms);
        self.passed_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// When the wall clock of these tests starts, in milliseconds: November 2026.
    const EPOCH_MS: f64 = 1_795_000_000_000.0;

    const HOUR_MS: f64 = 3_600_000.0;

    /// A machine whose clocks are controlled by a test.
    struct Machine {
        clock: Clock,
        monotonic_ms: f64,
        wall_ms: f64,
        rounding_ms: f64,
    }

    impl Machine {
        fn new(rounding_ms: f64) -> Self {
            let mut machine = Self { clock: Clock::new(), monotonic_ms: 12_345.678, wall_ms: EPOCH_MS, rounding_ms };
            machine.read();
            machine
        }

        fn read(&mut self) -> f64 {
            let round = |ms: f64| (ms / self.rounding_ms).floor() * self.rounding_ms;
            // `Date.now()` has whole milliseconds at best.
            self.clock.passed_ms(round(self.monotonic_ms), round(self.wall_ms).floor())
        }

        /// Lets `ms` milliseconds pass. The clocks advance at these rates and are read about 200 times a second.
        /// Returns the measured time in milliseconds.
        fn run(&mut self, ms: f64, monotonic_rate: f64, wall_rate: f64) -> f64 {
            let before = self.read();
            // The step does not divide any of the roundings, so that the readings are spread over each rounding
            // interval.
            let step_ms = 4.987;
            for _ in 0..(ms / step_ms) as u32 {
                self.monotonic_ms += step_ms * monotonic_rate;
                self.wall_ms += step_ms * wall_rate;
                self.read();
            }
            self.read() - before
        }
    }

    #[test]
    fn time_begins_at_the_first_reading_and_counts_only_jumps_of_more_than_a_second() {
        for (ahead_ms, expected_ms) in [(JUMP_MS, 0.0), (JUMP_MS + 1.0, JUMP_MS + 1.0)] {
            let mut clock = Clock::new();
            assert_eq!(clock.passed_ms(5_000.0, EPOCH_MS), 0.0);
            assert_eq!(clock.passed_ms(5_000.0, EPOCH_MS + ahead_ms), expected_ms);
        }
    }

    #[test]
    fn rounded_clocks_do_not_run_fast() {
        let ms = 600_000.0;
        for rounding_ms in [0.1, 1.0, 16.67, 100.0] {
            let passed = Machine::new(rounding_ms).run(ms, 1.0, 1.0);
            assert!((passed / ms - 1.0).abs() < 0.001, "rounded to {rounding_ms} ms: {passed} ms");
        }
    }

    #[test]
    fn a_sleep_counts_whether_or_not_the_monotonic_clock_saw_it() {
        for saw_it in [false, true] {
            let mut machine = Machine::new(0.1);
            machine.run(1_000.0, 1.0, 1.0);
            let before = machine.read();
            machine.wall_ms += HOUR_MS;
            machine.monotonic_ms += if saw_it { HOUR_MS } else { 0.0 };
            let slept = machine.read() - before;
            assert!((slept - HOUR_MS).abs() < 5.0, "{slept}");
            let passed = machine.run(10_000.0, 1.0, 1.0);
            assert!((passed - 10_000.0).abs() < 10.0, "{passed}");
        }
    }

    #[test]
    fn a_wall_clock_that_is_set_back_does_not_stop_time() {
        let mut machine = Machine::new(0.1);
        let before = machine.read();
        machine.wall_ms -= 5.0 * HOUR_MS;
        machine.run(60_000.0, 1.0, 1.0);
        let passed = machine.read() - before;
        assert!((passed - 60_000.0).abs() < 10.0, "{passed}");
        // A later sleep is still detected.
        machine.wall_ms += HOUR_MS;
        let passed = machine.read() - before;
        assert!((passed - HOUR_MS - 60_000.0).abs() < 10.0, "{passed}");
    }

    #[test]
    fn setting_the_wall_clock_ahead_counts_once() {
        let mut machine = Machine::new(1.0);
        let before = machine.read();
        machine.wall_ms += HOUR_MS;
        machine.run(60_000.0, 1.0, 1.0);
        let passed = machine.read() - before;
        assert!((passed - HOUR_MS - 60_000.0).abs() < 10.0, "{passed}");
        machine.wall_ms -= HOUR_MS;
        let passed = machine.run(60_000.0, 1.0, 1.0);
        assert!((passed - 60_000.0).abs() < 10.0, "{passed}");
    }

    #[test]
    fn clocks_that_drift_apart_are_off_by_no_more_than_their_drift() {
        for (monotonic_rate, wall_rate) in [(1.0, 1.0005), (1.0, 0.9995), (1.0005, 1.0), (0.9995, 1.0)] {
            let mut machine = Machine::new(1.0);
            let passed = machine.run(6.0 * HOUR_MS, monotonic_rate, wall_rate);
            assert!((passed / (6.0 * HOUR_MS) - 1.0).abs() < 0.001, "{monotonic_rate} {wall_rate}: {passed}");
        }
    }

    #[test]
    #[cfg(not(target_arch = "wasm32"))]
    fn time_never_runs_backwards() {
        let mut rng = fastrand::Rng::with_seed(5);
        let mut machine = Machine::new(1.0);
        let mut before = machine.read();
        for _ in 0..1_000_000 {
            let size_ms = [1.0, 100.0, 10_000.0, HOUR_MS][rng.usize(0..4)];
            // Even a monotonic clock that runs backwards must not turn the time back.
            machine.monotonic_ms += (rng.f64() - 0.1) * size_ms;
            machine.wall_ms += (rng.f64() * 2.0 - 1.0) * size_ms;
            let passed = machine.read();
            assert!(passed >= before, "{passed} after {before}");
            before = passed;
        }
    }

    #[test]
    #[cfg(not(target_arch = "wasm32"))]
    fn no_sleep_is_missed_by_more_than_a_second() {
        let mut rng = fastrand::Rng::with_seed(6);
        let mut machine = Machine::new(1.0);
        let (start_ms, mut truth_ms) = (machine.read(), 0.0);
        for _ in 0..10_000 {
            let is_asleep = rng.bool();
            let ms = rng.f64() * [10.0, 1_000.0, 100_000.0][rng.usize(0..3)];
            truth_ms += ms;
            machine.wall_ms += ms;
            machine.monotonic_ms += if is_asleep { 0.0 } else { ms };
            let passed = machine.read() - start_ms;
            assert!((passed - truth_ms).abs() < 1_002.0, "{passed} of {truth_ms}");
        }
    }
}
