//! Stall detection: limits the time that a PUT may make no progress. After this time the engine cancels the PUT and
//! sends its part again.
//!
//! Progress events count the bytes that have left the browser. Sockets, service workers and proxies buffer these bytes.
//! So a PUT without progress events may still be alive, and only an answer from S3 proves that bytes have arrived. The
//! limit is computed from the measured speed of answers and the total length of all PUTs in flight. While no speed is
//! known, the limit is a guess. Each stall of a part multiplies the guess by seven, up to a maximum for links of 64
//! kbit/s. Behind a service worker the browser reports no progress at all, so the first guess is longer.

/// Speed of the slowest link on which uploads succeed, in byte/s: 64 kbit/s.
const FLOOR_BYTES_PER_SECOND: u64 = 8_000;

/// Speed that is assumed while a service worker hides all progress, in byte/s: 0.8 Mbit/s.
const HIDDEN_PROGRESS_BYTES_PER_SECOND: u64 = 100_000;

/// Factor by which each stall of a part multiplies its limit while no speed is known. Every limit that is too short
/// wastes all bytes that had arrived, so the factor is large. One part of 8 MiB in flight gets only three limits by
/// default: 45 s, 315 s and the maximum of 1,355 s.
const GROWTH: u64 = 7;

/// Factor by which each stall of a part multiplies its limit while the speed is known. Such a stall shows that the
/// connection of the part was bad, not that the link is slow.
const MEASURED_GROWTH: u64 = 2;

/// Measured time after which all earlier answers count half, in milliseconds.
const MEMORY_MS: u64 = 30_000;

/// Maximum ratio of bytes in flight to confirmed bytes at which the speed counts as known.
const EVIDENCE: u64 = 16;

/// Measured speed of answers: the confirmed bytes, divided by the time in which at least one confirmed PUT was in
/// flight.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace {
    bytes: u64,
    ms: u64,
    /// Start and end of the latest period that was counted without a gap, in milliseconds of [`super::Now::ms`].
    stretch: Option<(u64, u64)>,
}

impl Pace {
    /// Records that S3 has confirmed a PUT of `bytes` bytes that was started at `started_ms`. Time in which no
    /// confirmed PUT was in flight does not count: the upload was idle, or its connection was dead.
    pub fn answered(&mut self, now_ms: u64, bytes: u64, started_ms: u64) {
        self.bytes += bytes;
        let (from_ms, until_ms) = match self.stretch {
            Some((from_ms, until_ms)) if started_ms <= until_ms => (from_ms, until_ms),
            _ => (started_ms, started_ms),
        };
        self.ms += now_ms.saturating_sub(until_ms) + from_ms.saturating_sub(started_ms);
        self.stretch = Some((from_ms.min(started_ms), now_ms));
        if self.ms > MEMORY_MS {
            self.bytes /= 2;
            self.ms /= 2;
        }
    }

    /// Forgets the speed, because all PUTs in flight have stalled.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Returns the speed in byte/s, or `None` until S3 has confirmed enough bytes. `bytes_in_flight` is the total
    /// length of all PUTs in flight. All these PUTs share the link, so the answer to a small PUT among large PUTs does
    /// not show the speed.
    pub fn bytes_per_second(&self, bytes_in_flight: u64) -> Option<u64> {
        let is_enough = self.bytes.saturating_mul(EVIDENCE) >= bytes_in_flight;
        is_enough.then(|| self.bytes * 1_000 / self.ms.max(1)).filter(|&speed| speed > 0)
    }
}

/// Values from which the limit for PUTs without progress is computed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Silence {
    /// [`super::Config::stall_ms`], in milliseconds.
    pub stall_ms: u64,
    /// Total length of all PUTs in flight, in bytes.
    pub bytes_in_flight: u64,
    /// Speed of answers in byte/s; `None` while unknown.
    pub bytes_per_second: Option<u64>,
    /// Whether a service worker hides the progress of PUTs.
    pub hides_progress: bool,
}

impl Silence {
    /// Returns the maximum time without progress of a part that has stalled `timeouts` times, in milliseconds.
    pub fn limit_ms(&self, timeouts: u32) -> u64 {
        let (first_ms, growth) = match self.bytes_per_second {
            // `transfer_ms` is twice the expected time, because the link may have become slower.
            Some(_) => (self.stall_ms + self.transfer_ms(self.bytes_in_flight), MEASURED_GROWTH),
            None => (self.guess_ms(), GROWTH),
        };
        first_ms.saturating_mul(growth.pow(timeouts.min(8))).min(self.longest_ms())
    }

    /// Returns twice the time that `bytes` bytes should take, in milliseconds; 0 while no speed is known.
    pub fn transfer_ms(&self, bytes: u64) -> u64 {
        self.bytes_per_second.map_or(0, |speed| bytes.saturating_mul(2_000) / speed)
    }

    /// Returns the maximum limit, in milliseconds: the shortest guess plus 1.25 times the time that a link of 64 kbit/s
    /// needs for all bytes in flight.
    pub fn longest_ms(&self) -> u64 {
        self.least_ms() + self.bytes_in_flight.saturating_mul(1_250) / FLOOR_BYTES_PER_SECOND
    }

    fn guess_ms(&self) -> u64 {
        let hidden_bytes = if self.hides_progress { self.bytes_in_flight } else { 0 };
        self.least_ms() + hidden_bytes.saturating_mul(1_000) / HIDDEN_PROGRESS_BYTES_PER_SECOND
    }

    fn least_ms(&self) -> u64 {
        self.stall_ms * 3 / 2
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn silence(bytes_in_flight: u64, bytes_per_second: Option<u64>) -> Silence {
        Silence { stall_ms: 30_000, bytes_in_flight, bytes_per_second, hides_progress: false }
    }

    #[test]
    fn a_dead_connection_on_a_fast_link_is_detected_within_a_minute() {
        assert!(silence(48 * MIB, Some(12_500_000)).limit_ms(0) < 40_000);
        assert_eq!(silence(48 * MIB, None).limit_ms(0), 45_000);
    }

    #[test]
    fn a_slow_link_gets_twice_the_expected_time() {
        // 16 MiB at 1 Mbit/s take 134 s.
        let limits = [0, 1].map(|timeouts| silence(16 * MIB, Some(125_000)).limit_ms(timeouts));
        assert_eq!(limits, [298_435, 596_870]);
    }

    #[test]
    fn the_limit_grows_with_each_attempt_up_to_the_time_of_64_kbit_per_second() {
        let silence = silence(8 * MIB, None);
        let limits: Vec<_> = (0..4).map(|timeouts| silence.limit_ms(timeouts)).collect();
        let longest_ms = 45_000 + 1_310_720;
        assert_eq!(limits, [45_000, 315_000, longest_ms, longest_ms]);
        assert_eq!(silence.limit_ms(u32::MAX), longest_ms);
    }

    #[test]
    fn the_limit_behind_a_service_worker_is_longer() {
        let silence = Silence { hides_progress: true, ..silence(20 * MIB, None) };
        assert_eq!(silence.limit_ms(0), 45_000 + 209_715, "20 MiB at 1 Mbit/s take 168 s");
        assert!(
            Silence { bytes_per_second: Some(12_500_000), ..silence }.limit_ms(0) < 40_000,
            "but not once it is known"
        );
    }

    #[test]
    fn the_speed_counts_only_time_with_a_put_under_way() {
        let mut pace = Pace::default();
        assert_eq!(pace.bytes_per_second(0), None);
        pace.answered(12_000, 1_000_000, 10_000);
        assert_eq!(pace.bytes_per_second(0), Some(500_000));
        assert_eq!(pace.bytes_per_second(16_000_001), None, "a small answer among large bodies says nothing");
        pace.answered(101_000, 500_000, 100_000);
        assert_eq!(pace.bytes_per_second(0), Some(500_000), "rest is no slowness");
        pace.forget();
        assert_eq!(pace.bytes_per_second(0), None);
        pace.answered(201_000, 700_000, 200_000);
        assert_eq!(pace.bytes_per_second(0), Some(700_000), "the silence before does not count");
    }

    #[test]
    fn time_that_puts_have_shared_counts_once() {
        let mut pace = Pace::default();
        pace.answered(11_000, 1_000_000, 10_000);
        pace.answered(12_000, 3_000_000, 10_500);
        assert_eq!(pace.bytes_per_second(0), Some(2_000_000));
        pace.answered(13_000, 6_000_000, 8_000);
        assert_eq!(pace.bytes_per_second(0), Some(2_000_000), "it was under way for longer than they");
    }

    #[test]
    fn the_weight_of_answers_halves_after_30_seconds() {
        for (seconds, expected) in [(30, 87_500), (31, 80_392)] {
            let mut pace = Pace::default();
            pace.answered(seconds * 1_000, seconds * 100_000, 0);
            pace.answered(seconds * 1_000 + 10_000, 500_000, seconds * 1_000);
            assert_eq!(pace.bytes_per_second(0), Some(expected), "{seconds} s");
        }
    }

    #[test]
    fn a_link_that_becomes_slower_shows_within_some_answers() {
        let mut pace = Pace::default();
        (1..=60).for_each(|second| pace.answered(second * 1_000, 1_000_000, (second - 1) * 1_000));
        (7..=12).for_each(|ten| pace.answered(ten * 10_000, 100_000, (ten - 1) * 10_000));
        let speed = pace.bytes_per_second(0).expect("measured");
        assert!((10_000..200_000).contains(&speed), "{speed}");
    }
}
