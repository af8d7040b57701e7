//! How many parts are sent at once: more while that is faster, fewer when the network or S3 is strained.
//!
//! Additive increase, multiplicative decrease, as TCP does it (RFC 5681, section 3.1), with one
//! condition more: a further part at once must have paid. A round is as many stored parts as are sent
//! at once. After a round that was 5 % faster than the one before, or after four that were not, the
//! window grows by one; a congested window is halved, once for all the parts that were in flight. When all of them were
//! silent for too long there are two left, then one: the link may carry no more.

use super::action::PutId;

/// A new upload begins with so many, or with fewer where fewer are allowed: as many as browsers open connections to a
/// host. An upload of a few dozen parts would be half over before it had grown to that.
const FIRST_LIMIT: u32 = 6;

/// A round has gained if its goodput is so many times that of the round before.
const GAIN: f64 = 1.05;

/// After so many rounds without a gain one more is tried all the same: the link may have become faster.
const ROUNDS_UNTIL_PROBE: u32 = 4;

/// The number of parts that may be in flight.
#[derive(Debug, Clone)]
pub(super) struct Congestion {
    limit: u32,
    max: u32,
    round: Option<Round>,
    goodput: f64,
    rounds_without_gain: u32,
    /// The first PUT that was begun after the last congestion. Failures of earlier ones belong to it.
    after_congestion: PutId,
}

#[derive(Debug, Clone)]
struct Round {
    since_ms: u64,
    bytes: u64,
    stored: u32,
}

impl Congestion {
    /// A window that grows to `max` parts, at least 1.
    pub fn new(max: u32) -> Self {
        let max = max.max(1);
        Self {
            limit: FIRST_LIMIT.min(max),
            max,
            round: None,
            goodput: 0.0,
            rounds_without_gain: 0,
            after_congestion: PutId(0),
        }
    }

    /// How many parts may be in flight.
    pub fn limit(&self) -> u32 {
        self.limit
    }

    /// A part was sent while none was in flight: what came before says nothing about the speed.
    pub fn started_from_rest(&mut self, now_ms: u64) {
        self.round = Some(Round { since_ms: now_ms, bytes: 0, stored: 0 });
    }

    /// A part was stored.
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

    /// A part failed for want of capacity; `next` is the PUT that will be begun next. Says whether this is a congestion
    /// that was not reacted to before.
    pub fn congested(&mut self, now_ms: u64, put: PutId, next: PutId) -> bool {
        let is_new = put >= self.after_congestion;
        if is_new {
            self.shrink(now_ms, self.limit / 2, next);
        }
        is_new
    }

    /// Everything under way, so many parts, was silent for too long.
    pub fn silent(&mut self, now_ms: u64, in_flight: u32, next: PutId) {
        self.shrink(now_ms, if in_flight > 2 { self.limit.min(2) } else { 1 }, next);
    }

    fn shrink(&mut self, now_ms: u64, limit: u32, next: PutId) {
        self.after_congestion = next;
        self.limit = limit.max(1);
        self.goodput = 0.0;
        self.rounds_without_gain = 0;
        self.started_from_rest(now_ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stores parts on a link that `speed` describes by the number of parts in flight, in parts/s.
    fn run(window: &mut Congestion, now_ms: &mut u64, parts: u32, speed: impl Fn(u32) -> f64) {
        for _ in 0..parts {
            *now_ms += (1_000.0 / speed(window.limit())) as u64;
            window.stored(*now_ms, 1_000_000);
        }
    }

    #[test]
    fn it_grows_to_its_maximum_while_each_part_more_is_faster() {
        let (mut window, mut now_ms) = (Congestion::new(9), 0);
        assert_eq!(window.limit(), 6);
        window.started_from_rest(0);
        run(&mut window, &mut now_ms, 13, f64::from);
        assert_eq!(window.limit(), 8);
        run(&mut window, &mut now_ms, 100, f64::from);
        assert_eq!(window.limit(), 9);
    }

    #[test]
    fn it_grows_slowly_where_more_parts_are_no_faster() {
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
    fn parts_that_fail_together_halve_it_once() {
        let mut window = Congestion::new(6);
        let news: Vec<_> = (0..6).map(|put| window.congested(1_000, PutId(put), PutId(6))).collect();
        assert_eq!((window.limit(), news), (3, vec![true, false, false, false, false, false]));
        window.stored(1_500, 1_000_000);
        assert!(!window.congested(1_600, PutId(5), PutId(7)), "it was under way before");
        assert!(window.congested(2_000, PutId(6), PutId(9)));
        assert_eq!(window.limit(), 1);
        for put in 9..18 {
            window.congested(3_000, PutId(put), PutId(put + 1));
        }
        assert_eq!(window.limit(), 1);
        let mut now_ms = 3_000;
        run(&mut window, &mut now_ms, 60, f64::from);
        assert_eq!(window.limit(), 6, "and it recovers");
    }

    #[test]
    fn a_silent_link_gets_two_parts_and_then_one() {
        let mut window = Congestion::new(6);
        window.silent(1_000, 6, PutId(6));
        assert_eq!(window.limit(), 2);
        assert!(!window.congested(1_000, PutId(3), PutId(6)), "they failed together");
        window.silent(2_000, 2, PutId(8));
        assert_eq!(window.limit(), 1);
    }
}
