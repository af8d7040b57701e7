//! Measures the speed at which bytes arrive at S3, and estimates how many sent bytes have not arrived.
//!
//! Sent bytes may wait in buffers of several megabytes: in sockets, a service worker or a proxy. So the number of sent
//! bytes is above the number of arrived bytes until the end, and the speed of sending is too high at first. When S3
//! confirms a part, all bytes that were sent before the last byte of that part are taken as arrived. So each
//! confirmation gives one point of the curve of arrived bytes over time.

/// Minimum time between two samples, in milliseconds. A shorter time would measure the browser's events, not the link.
const SAMPLE_MS: u64 = 200;

/// Time in which buffers fill, in milliseconds. Bytes that are sent in this time do not show the speed of the link.
const FILLING_MS: u64 = 2_000;

/// Minimum measured time after which the sent bytes give a settled speed, in milliseconds.
const MEASURED_MS: u64 = 1_000;

/// Time after which the weight of older bytes is halved, in milliseconds.
const MEMORY_MS: u64 = 12_000;

/// Time without progress after which the speed falls, in milliseconds. The time is longer if S3 confirms parts in
/// bursts.
const IDLE_MS: u64 = 3_000;

/// A time in milliseconds, and the total number of bytes by that time.
type Point = (u64, u64);

/// A number of bytes, and the time in which they were sent or arrived. Older bytes count less.
#[derive(Debug, Clone, Copy, Default)]
struct Rate {
    bytes: u64,
    ms: u64,
    last: Point,
    /// Longest time between two points, in milliseconds.
    gap_ms: u64,
}

impl Rate {
    fn count(&mut self, (now_ms, bytes): Point) {
        let (last_ms, last_bytes) = self.last;
        let elapsed_ms = now_ms.saturating_sub(last_ms);
        // S3 may confirm parts in bursts. The weights are halved only between bursts, so that the bytes of a burst keep
        // the same weight as the time before the burst.
        if self.ms > MEMORY_MS && 2 * elapsed_ms >= self.gap_ms {
            self.bytes /= 2;
            self.ms /= 2;
        }
        self.bytes += bytes.saturating_sub(last_bytes);
        self.ms += elapsed_ms;
        self.gap_ms = self.gap_ms.max(elapsed_ms);
        self.last = (now_ms, bytes.max(last_bytes));
    }

    /// Returns the speed in byte/s. `idle_ms` is added to the measured time.
    fn bytes_per_second(&self, idle_ms: u64) -> f64 {
        self.bytes as f64 * 1_000.0 / (self.ms + idle_ms).max(1) as f64
    }
}

/// The speed of one upload. Bytes are counted from the start of the upload. Bytes that are sent twice count twice.
#[derive(Debug, Clone, Default)]
pub(super) struct Meter {
    /// Start of the transfer, or its continuation after a wait; `None` during a wait.
    since: Option<Point>,
    left: Rate,
    arrived: Rate,
    /// Last time at which bytes were sent, had arrived or were estimated to be on their way, in milliseconds.
    progress_ms: u64,
    bytes_per_second: Option<f64>,
    /// Whether `bytes_per_second` is more than a first guess.
    is_settled: bool,
    underway_bytes: u64,
}

impl Meter {
    /// Records that `bytes` bytes have been sent by now.
    pub fn sample(&mut self, now_ms: u64, bytes: u64) {
        let now = (now_ms, bytes);
        let has_speed = self.bytes_per_second.is_some();
        // The time before the first byte is spent on the connection, and does not count.
        let since = *self.since.get_or_insert(now);
        if since.0 == now_ms || (!has_speed && self.left.last.1 == bytes) {
            self.since = Some(now);
            (self.left.last, self.arrived.last, self.progress_ms) = (now, now, now_ms);
            return;
        }
        if now_ms.saturating_sub(self.left.last.0) < SAMPLE_MS {
            return;
        }
        // If no bytes were sent, the bytes before may be waiting in buffers, so the speed need not be 0.
        if bytes > self.left.last.1 {
            self.progress_ms = now_ms;
            match now_ms < since.0 + FILLING_MS {
                true => self.left.last = now,
                false => self.left.count(now),
            }
        }
        self.estimate(now, since);
    }

    /// Records that S3 has confirmed a part whose PUT was started at `started_ms`. `bytes` is the number of bytes of
    /// all parts that had been sent when the last byte of this part was sent.
    pub fn arrived(&mut self, now_ms: u64, bytes: u64, started_ms: u64) {
        if self.arrived.ms == 0 {
            // Without progress events, `last` may be later than the start of the PUT.
            self.arrived.last.0 = self.arrived.last.0.min(started_ms);
        }
        self.progress_ms = now_ms;
        match self.since {
            Some(_) => self.arrived.count((now_ms, bytes)),
            None => self.arrived.last = (now_ms, bytes),
        }
    }

    fn estimate(&mut self, (now_ms, bytes): Point, since: Point) {
        let whole = Rate { bytes: bytes.saturating_sub(since.1), ms: now_ms - since.0, ..self.left };
        let (rate, is_settled) = match (self.arrived, self.left) {
            (arrived, _) if arrived.bytes > 0 => (arrived, true),
            (_, left) if left.ms >= MEASURED_MS => (left, true),
            _ => (whole, false),
        };
        self.is_settled = is_settled;
        let (arrived_ms, arrived_bytes) = self.arrived.last;
        let speed = rate.bytes_per_second(0);
        let arrived_since = speed * now_ms.saturating_sub(arrived_ms) as f64 / 1_000.0;
        self.underway_bytes = bytes.saturating_sub(arrived_bytes + arrived_since as u64);
        if self.underway_bytes > 0 {
            self.progress_ms = now_ms;
        }
        let idle_ms = now_ms.saturating_sub(self.progress_ms + IDLE_MS.max(2 * self.arrived.gap_ms));
        self.bytes_per_second = Some(rate.bytes_per_second(idle_ms));
    }

    /// Stops the measurement at the start of a wait, so that the wait does not count as a speed of 0.
    pub fn interrupt(&mut self) {
        self.since = None;
    }

    /// Returns the speed in byte/s, or `None` until bytes were sent or have arrived.
    pub fn bytes_per_second(&self) -> Option<f64> {
        self.bytes_per_second
    }

    /// Returns the speed in byte/s, or `None` while it is a first guess that may be far too high. The guess ends when
    /// buffers are full or a part has arrived.
    pub fn settled_bytes_per_second(&self) -> Option<f64> {
        self.bytes_per_second.filter(|_| self.is_settled)
    }

    /// Returns the estimated number of bytes that were sent and have not arrived.
    pub fn underway_bytes(&self) -> u64 {
        self.underway_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    /// Simulates parts of 8 MiB, six at a time, that share a link equally. Each connection has a buffer. Returns the
    /// largest relative error of the estimated time left, between the tenth second and 2 s before the end.
    fn worst_error(size: u64, bytes_per_second: u64, buffer_bytes: u64) -> f64 {
        const STEP_MS: u64 = 20;
        const PART: u64 = 8 * MIB;
        struct Flow {
            arrived: u64,
            left: u64,
            left_total: u64,
            started_ms: u64,
        }
        let (mut meter, mut flows) = (Meter::default(), Vec::<Flow>::new());
        let (mut now_ms, mut moved, mut started, mut stored) = (0, 0, 0, 0);
        let mut estimates = Vec::new();
        meter.sample(0, 0);
        while stored < size {
            while flows.len() < 6 && started < size {
                flows.push(Flow { arrived: 0, left: 0, left_total: 0, started_ms: now_ms });
                started += PART;
            }
            now_ms += STEP_MS;
            let share = bytes_per_second * STEP_MS / 1_000 / flows.len() as u64;
            for flow in &mut flows {
                flow.arrived = (flow.arrived + share).min(PART);
                let left = (flow.arrived + buffer_bytes).min(PART);
                moved += left - flow.left;
                flow.left = left;
                if left == PART && flow.left_total == 0 {
                    flow.left_total = moved;
                }
            }
            for flow in flows.extract_if(.., |flow| flow.arrived == PART) {
                stored += PART;
                meter.arrived(now_ms, flow.left_total, flow.started_ms);
            }
            meter.sample(now_ms, moved);
            if let Some(speed) = meter.settled_bytes_per_second() {
                let left = size - moved + meter.underway_bytes().min(moved - stored);
                estimates.push((now_ms, left as f64 / speed * 1_000.0));
            }
        }
        let truth = |at_ms: u64| (now_ms - at_ms) as f64;
        let counted = estimates.iter().filter(|&&(at_ms, _)| at_ms >= 10_000 && at_ms + 2_000 < now_ms);
        counted.map(|&(at_ms, left_ms)| (left_ms - truth(at_ms)).abs() / truth(at_ms)).fold(0.0, f64::max)
    }

    #[test]
    fn old_samples_count_half_but_not_within_a_burst() {
        let mut rate = Rate::default();
        let mut after = |ms: u64, bytes: u64| {
            rate.count((ms, bytes));
            rate.bytes_per_second(0) as u64
        };
        let speeds = [after(12_000, 12_000_000), after(13_000, 12_100_000), after(14_000, 12_200_000)];
        assert_eq!(speeds, [1_000_000, 930_769, 871_428], "after a pause of 12 s, 1 s is within a burst");
        assert_eq!(after(20_000, 12_800_000), 515_384, "6 s are not");
        let mut rate = Rate::default();
        (1..=6).for_each(|step| rate.count((step * 2_000, step * 2_000_000)));
        rate.count((13_000, 12_100_000));
        assert_eq!(rate.bytes_per_second(0) as u64, 930_769, "12 s are within the memory");
    }

    #[test]
    fn samples_that_are_closer_together_than_a_fifth_of_a_second_give_no_speed() {
        let mut meter = Meter::default();
        meter.sample(0, 0);
        meter.sample(199, 1_000);
        assert_eq!(meter.bytes_per_second(), None);
        meter.sample(200, 1_000);
        assert!(meter.bytes_per_second().is_some());
    }

    #[test]
    fn the_speed_falls_if_answers_take_twice_as_long_as_before() {
        let mut meter = Meter::default();
        meter.sample(0, 0);
        for burst in 1..=2 {
            meter.arrived(burst * 8_000, burst * 8_000_000, (burst - 1) * 8_000);
            meter.sample(burst * 8_000, burst * 8_000_000);
        }
        let speeds = [28_000, 32_000, 34_000].map(|now_ms| {
            meter.sample(now_ms, 16_000_000);
            meter.bytes_per_second().map(|speed| speed as u64)
        });
        assert_eq!(speeds, [Some(1_000_000), Some(1_000_000), Some(888_888)]);
    }

    #[test]
    fn the_time_left_has_an_error_of_at_most_a_quarter_from_the_tenth_second_on() {
        for mbits in [8_u64, 40, 100] {
            let bytes_per_second = mbits * 125_000;
            let size = (bytes_per_second * 40).next_multiple_of(8 * MIB);
            for buffer_bytes in [0, MIB, 4 * MIB, 8 * MIB] {
                let error = worst_error(size, bytes_per_second, buffer_bytes);
                assert!(error < 0.25, "{mbits} Mbit/s, {buffer_bytes} bytes in buffers: {error}");
            }
        }
    }

    #[test]
    fn without_progress_events_there_is_still_a_speed() {
        let mut meter = Meter::default();
        meter.sample(0, 0);
        // S3 confirms six parts of 8 MiB together every 10 s.
        for round in 1..=4 {
            for part in 1..=6 {
                let now_ms = round * 10_000 + part * 10;
                meter.arrived(now_ms, ((round - 1) * 6 + part) * 8 * MIB, (round - 1) * 10_000);
                meter.sample(now_ms, ((round - 1) * 6 + part) * 8 * MIB);
            }
            let now_ms = round * 10_000 + 9_000;
            meter.sample(now_ms, round * 48 * MIB);
            let speed = meter.bytes_per_second().expect("parts have arrived");
            assert!((speed / (4.8 * MIB as f64) - 1.0).abs() < 0.25, "{speed}");
        }
    }

    #[test]
    fn a_change_of_speed_shows_within_ten_seconds() {
        let mut meter = Meter::default();
        let mut bytes = 0;
        for tick in 0..300 {
            bytes += if tick < 200 { 500_000 } else { 50_000 };
            meter.sample(tick * 100, bytes);
        }
        let speed = meter.bytes_per_second().expect("samples were taken");
        assert!((500_000.0..2_500_000.0).contains(&speed), "{speed}");
    }

    #[test]
    fn the_speed_falls_while_no_bytes_move() {
        let mut meter = Meter::default();
        (0..=50).for_each(|tick| meter.sample(tick * 100, tick * 100_000));
        let speed = |meter: &Meter| meter.bytes_per_second().expect("samples were taken");
        assert!((speed(&meter) - 1_000_000.0).abs() < 1_000.0);
        (51..=80).for_each(|tick| meter.sample(tick * 100, 5_000_000));
        let before = speed(&meter);
        (81..=600).for_each(|tick| meter.sample(tick * 100, 5_000_000));
        assert!(speed(&meter) < before / 4.0, "{}", speed(&meter));
    }

    #[test]
    fn the_time_before_the_first_byte_does_not_count_for_the_speed() {
        let mut meter = Meter::default();
        meter.sample(0, 0);
        meter.sample(5_000, 0);
        assert_eq!(meter.bytes_per_second(), None);
        meter.sample(6_000, 1_000);
        assert_eq!(meter.bytes_per_second(), Some(1_000.0));
    }

    #[test]
    fn a_pause_does_not_count_for_the_speed() {
        let mut meter = Meter::default();
        meter.sample(0, 0);
        meter.sample(1_000, 1_000);
        meter.interrupt();
        meter.sample(61_000, 1_000);
        meter.sample(62_000, 2_000);
        assert_eq!(meter.bytes_per_second(), Some(1_000.0));
    }
}
