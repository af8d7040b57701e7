//! The congestion window: how many parts may be in flight at once.
//!
//! The window follows additive increase, multiplicative decrease, as TCP does (RFC 5681, section 3.1). Unlike TCP's
//! window, this window grows faster if more parts in flight make the upload faster. A round ends when S3 has stored as
//! many parts as the window allows in flight. The window grows by one part after a round that was at least 5 % faster
//! than the previous round. It also grows by one part after four rounds without such a gain. Congestion halves the
//! window, once for all parts that are in flight at that time. If all parts in flight stall, the window shrinks to two
//! parts. If these two parts stall too, the window shrinks to one part, because the link may be too slow for two.

use super::action::PutId;

/// Initial window, in parts, unless the maximum is smaller. Browsers open 6 connections to a host. If the window
/// started at 1, an upload of a few dozen parts would be half done before the window reached 6.
const FIRST_LIMIT: u32 = 6;

/// Minimum ratio of a round's goodput to the previous round's goodput that counts as a gain.
const GAIN: f64 = 1.05;

/// Number of rounds without a gain after which the window grows anyway: the link may have become faster.
const ROUNDS_UNTIL_PROBE: u32 = 4;

/// The congestion window of one upload.
#[derive(Debug, Clone)]
pub(super) struct Congestion {
    limit: u32,
    max: u32,
    round: Option<Round>,
    goodput: f64,
    rounds_without_gain: u32,
    /// First PUT after the last cut of the window. The cut already accounts for failures of earlier PUTs.
    first_after_cut: PutId,
}

#[derive(Debug, Clone)]
struct Round {
    since_ms: u64,
    bytes: u64,
    stored: u32,
}

impl Congestion {
    /// Creates a window that grows to `max` parts; 0 counts as 1.
    pub fn new(max: u32) -> Self {
        let max = max.max(1);
        Self {
            limit: FIRST_LIMIT.min(max),
            max,
            round: None,
            goodput: 0.0,
            rounds_without_gain: 0,
            first_after_cut: PutId(0),
        }
    }

    /// Returns the number of parts that may be in flight.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// Starts a new round, because a PUT was started while no PUT was in flight. The idle time must not count as part
    /// of a round.
    pub fn started_from_rest(&mut self, now_ms: u64) {
        self.round = Some(Round { since_ms: now_ms, bytes: 0, stored: 0 });
    }

    /// Records that S3 has stored a part of `bytes` bytes. May grow the window at the end of a round.
    pub fn stored(&mut self, now_ms: u64, bytes: u64) {
        let round = self.round.get_or_insert(Round { since_ms: now_ms, bytes: 0, stored: 0 });
        round.bytes += bytes;
        round.stored += 1;
        if round.stored < self.limit {
            return;
        }
        let goodput = round.bytes as f64 / (now_ms.saturating_sub(round.since_ms).max(1)) as f64;
        self.rounds_without_gain += 1;
        if goodput >= self.goodput * GAIN || self.rounds_without_gain >= ROUNDS_UNTIL_PROBE {
            self.limit = (self.limit + 1).min(self.max);
            self.rounds_without_gain = 0;
        }
        self.goodput = goodput;
        self.started_from_rest(now_ms);
    }

    /// Halves the window after a PUT has failed because of congestion, unless the last cut already accounts for that
    /// failure. `next` is the id of the next PUT. Returns whether the window was halved.
    pub fn congested(&mut self, now_ms: u64, put: PutId, next: PutId) -> bool {
        let is_new = put >= self.first_after_cut;
        if is_new {
            self.shrink(now_ms, self.limit / 2, next);
        }
        is_new
    }

    /// Shrinks the window after all `in_flight` parts in flight have stalled. `next` is the id of the next PUT.
    pub fn all_stalled(&mut self, now_ms: u64, in_flight: u32, next: PutId) {
        self.shrink(now_ms, if in_flight > 2 { self.limit.min(2) } else { 1 }, next);
    }

    fn shrink(&mut self, now_ms: u64, limit: u32, next: PutId) {
        self.first_after_cut = next;
        self.limit = limit.max(1);
        self.goodput = 0.0;
        self.rounds_without_gain = 0;
        self.started_from_rest(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stores parts over a link. `speed` returns the speed of the link in parts/s for a number of parts in flight.
    fn run(window: &mut Congestion, now_ms: &mut u64, parts: u32, speed: impl Fn(u32) -> f64) {
        for _ in 0..parts {
            *now_ms += (1_000.0 / speed(window.limit())) as u64;
            window.stored(*now_ms, 1_000_000);
        }
    }

    #[test]
    fn the_window_grows_to_its_maximum_while_more_parts_are_faster() {
        let (mut window, mut now_ms) = (Congestion::new(9), 0);
        assert_eq!(window.limit(), 6);
        window.started_from_rest(0);
        run(&mut window, &mut now_ms, 13, f64::from);
        assert_eq!(window.limit(), 8);
        run(&mut window, &mut now_ms, 100, f64::from);
        assert_eq!(window.limit(), 9);
    }

    #[test]
    fn the_window_grows_slowly_if_more_parts_are_not_faster() {
        let (mut window, mut now_ms) = (Congestion::new(64), 0);
        window.started_from_rest(0);
        let mut after = |parts| {
            run(&mut window, &mut now_ms, parts, |_| 5.0);
            window.limit()
        };
        assert_eq!([after(6), after(4 * 7 - 1), after(1)], [7, 7, 8], "one more after four rounds");
    }

    #[test]
    fn a_round_that_is_4_percent_faster_is_no_gain_and_one_of_8_percent_is() {
        let (mut window, mut now_ms) = (Congestion::new(64), 0);
        window.started_from_rest(0);
        let mut after_round = |speed| {
            let parts = window.limit();
            run(&mut window, &mut now_ms, parts, |_| speed);
            window.limit()
        };
        assert_eq!([after_round(5.0), after_round(5.2), after_round(5.6)], [7, 7, 8]);
    }

    #[test]
    fn parts_that_fail_together_halve_the_window_once() {
        let mut window = Congestion::new(6);
        let is_cut: Vec<_> = (0..6).map(|put| window.congested(1_000, PutId(put), PutId(6))).collect();
        assert_eq!((window.limit(), is_cut), (3, vec![true, false, false, false, false, false]));
        window.stored(1_500, 1_000_000);
        assert!(!window.congested(1_600, PutId(5), PutId(7)), "it was in flight before the cut");
        assert!(window.congested(2_000, PutId(6), PutId(9)));
        assert_eq!(window.limit(), 1);
        for put in 9..18 {
            window.congested(3_000, PutId(put), PutId(put + 1));
        }
        assert_eq!(window.limit(), 1);
        let mut now_ms = 3_000;
        run(&mut window, &mut now_ms, 60, f64::from);
        assert_eq!(window.limit(), 6, "the window grows again");
    }

    #[test]
    fn a_silent_link_gets_two_parts_and_then_one() {
        let mut window = Congestion::new(6);
        window.all_stalled(1_000, 6, PutId(6));
        assert_eq!(window.limit(), 2);
        assert!(!window.congested(1_000, PutId(3), PutId(6)), "they failed together");
        window.all_stalled(2_000, 2, PutId(8));
        assert_eq!(window.limit(), 1);
    }
}
