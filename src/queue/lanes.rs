//! Lanes: the host names under which S3 serves one bucket. Browsers limit connections per host name, so each lane has
//! its own connections.
//!
//! Lane 0 is the server's default and always in use. Any other lane may not work here: its name may not resolve, a
//! firewall may drop its packets, or its route may be slow. So such a lane starts with one PUT, and gets all its
//! connections when S3 has stored that PUT. The lane is dropped for good if its first PUT fails or hangs while other
//! lanes work, after three failures in a row while other lanes work, or if another lane is more than three times as
//! fast.

/// Maximum number of lanes in use.
const MAX_LANES: usize = 8;

/// Number of PUTs that other lanes store during the first PUT of a lane, after which that lane is dropped.
const STORED_ELSEWHERE: u32 = 24;

/// A proven lane is dropped after this many failures in a row, if other lanes have stored this many PUTs in that time.
const FAILURES: u32 = 3;

/// Minimum number of stored PUTs for a lane's speed to count as known.
const SAMPLES: u32 = 24;

/// Weight of the latest PUT in the moving average of a lane's speed.
const WEIGHT: f64 = 1.0 / 16.0;

/// A lane is dropped if another one is more than this many times as fast.
const TIMES_SLOWER: f64 = 3.0;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// The server has not announced the lane.
    #[default]
    Unknown,
    /// S3 has not stored a PUT on the lane yet.
    Unproven,
    Proven,
    Dropped,
}

#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    state: State,
    /// Number of active uploads on the lane.
    active: u32,
    /// Number of failed PUTs since S3 last stored a PUT on the lane.
    failures: u32,
    /// Number of PUTs that other lanes have stored since this lane last stored one, or, on an unproven lane, since an
    /// upload was assigned to it.
    stored_elsewhere: u32,
    /// Number of PUTs that S3 has stored on the lane.
    stored: u32,
    /// Moving average of the speed of one PUT, in bytes per millisecond.
    speed: f64,
}

/// The lanes of one bucket.
#[derive(Debug)]
pub(super) struct Lanes {
    lanes: [Lane; MAX_LANES],
}

impl Lanes {
    /// Creates the set of lanes with only the default lane in use.
    pub fn new() -> Self {
        let mut lanes = [Lane::default(); MAX_LANES];
        lanes[0].state = State::Proven;
        Self { lanes }
    }

    /// Adds lanes until there are `count`. Lanes beyond `count` stay.
    pub fn add(&mut self, count: usize) {
        for lane in self.lanes.iter_mut().take(count) {
            if lane.state == State::Unknown {
                lane.state = State::Unproven;
            }
        }
    }

    /// Returns the maximum number of PUTs in flight on each lane. A proven lane has `connections`.
    pub fn limits(&self, connections: u32) -> [u32; MAX_LANES] {
        let mut limits = [0; MAX_LANES];
        for (limit, lane) in limits.iter_mut().zip(&self.lanes) {
            *limit = match lane.state {
                State::Unproven => 1,
                State::Proven => connections,
                State::Unknown | State::Dropped => 0,
            };
        }
        limits
    }

    /// Returns the lane with the fewest active uploads. An unproven lane gets one small file at a time, and only while
    /// at least [`STORED_ELSEWHERE`] files wait: if the lane hangs, the PUTs of those files on other lanes reveal it.
    pub fn choose(&self, is_large: bool, waiting: usize) -> usize {
        let may_try = !is_large && has_enough(waiting);
        let mut chosen = 0;
        for (at, lane) in self.lanes.iter().enumerate() {
            let is_free = lane.state == State::Proven || (lane.state == State::Unproven && lane.active == 0 && may_try);
            if is_free && lane.active < self.lanes[chosen].active {
                chosen = at;
            }
        }
        chosen
    }

    /// Returns whether a lane is unproven and enough files wait to try it.
    pub fn may_try(&self, waiting: usize) -> bool {
        has_enough(waiting) && self.lanes.iter().any(|lane| lane.state == State::Unproven)
    }

    /// Counts an upload that becomes active on a lane.
    pub fn enter(&mut self, lane: usize) {
        let lane = &mut self.lanes[lane];
        lane.active += 1;
        if lane.state == State::Unproven {
            lane.stored_elsewhere = 0;
        }
    }

    /// Counts an upload that stops being active on a lane.
    pub fn leave(&mut self, lane: usize) {
        self.lanes[lane].active -= 1;
    }

    /// Records that S3 has stored a PUT of `bytes` bytes on a lane after `ms` milliseconds. Returns whether the lane
    /// was unproven before.
    pub fn stored(&mut self, lane: usize, bytes: u64, ms: u64) -> bool {
        for lane in &mut self.lanes {
            lane.stored_elsewhere += 1;
        }
        let Some(lane) = self.lanes.get_mut(lane) else { return false };
        let speed = bytes as f64 / ms.max(1) as f64;
        lane.speed += (speed - lane.speed) * if lane.stored == 0 { 1.0 } else { WEIGHT };
        lane.stored += 1;
        (lane.failures, lane.stored_elsewhere) = (0, 0);
        let is_first = lane.state == State::Unproven;
        if is_first {
            lane.state = State::Proven;
        }
        is_first
    }

    /// Records that a PUT on a lane has failed or stalled.
    pub fn failed(&mut self, lane: usize) {
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.failures += 1;
        }
    }

    /// Drops the first lane that fails while other lanes work, or that is much slower than another lane. Returns that
    /// lane.
    pub fn drop_worst(&mut self) -> Option<usize> {
        let mut fastest: f64 = 0.0;
        for lane in &self.lanes {
            if lane.state == State::Proven && lane.stored >= SAMPLES {
                fastest = fastest.max(lane.speed);
            }
        }
        for (at, lane) in self.lanes.iter_mut().enumerate().skip(1) {
            let is_dead = match lane.state {
                State::Unproven if lane.failures > 0 => lane.stored_elsewhere > 0,
                State::Unproven => lane.active > 0 && lane.stored_elsewhere >= STORED_ELSEWHERE,
                State::Proven if lane.stored >= SAMPLES && lane.speed * TIMES_SLOWER < fastest => true,
                State::Proven => lane.failures >= FAILURES && lane.stored_elsewhere >= FAILURES,
                State::Unknown | State::Dropped => false,
            };
            if is_dead {
                lane.state = State::Dropped;
                return Some(at);
            }
        }
        None
    }
}

/// Returns whether enough files wait: if a new lane hangs, their PUTs on other lanes reveal it.
fn has_enough(waiting: usize) -> bool {
    waiting >= STORED_ELSEWHERE as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Lanes {
        let mut lanes = Lanes::new();
        lanes.add(3);
        lanes
    }

    #[test]
    fn a_lane_begins_with_one_put_and_gets_all_its_connections_when_it_is_stored() {
        let mut lanes = three();
        assert_eq!(lanes.limits(6)[..3], [6, 1, 1]);
        assert!(lanes.stored(1, 100, 10) && !lanes.stored(1, 100, 10));
        assert_eq!((&lanes.limits(6)[..4], lanes.drop_worst()), (&[6, 6, 1, 0][..], None));
    }

    #[test]
    fn small_files_are_spread_and_large_ones_keep_to_lanes_that_have_worked() {
        let mut lanes = three();
        let mut spread = |is_large| {
            let lane = lanes.choose(is_large, 24);
            lanes.enter(lane);
            lane
        };
        assert_eq!([false, false, false, false, true].map(&mut spread), [0, 1, 2, 0, 0]);
        lanes.stored(2, 1, 1);
        assert_eq!([lanes.choose(true, 24), lanes.choose(false, 24)], [2, 2]);
        lanes.leave(1);
        assert_eq!([lanes.choose(true, 24), lanes.choose(false, 23), lanes.choose(false, 24)], [2, 2, 1]);
    }

    #[test]
    fn a_lane_whose_first_put_fails_is_dropped_if_another_lane_works() {
        let mut lanes = three();
        lanes.enter(1);
        lanes.failed(1);
        assert_eq!(lanes.drop_worst(), None, "nothing has worked yet: there may be no network");
        lanes.stored(0, 1, 1);
        assert_eq!((lanes.drop_worst(), &lanes.limits(6)[..3]), (Some(1), &[6, 0, 1][..]));
        assert_eq!((lanes.drop_worst(), lanes.choose(true, 24)), (None, 0));
        lanes.add(3);
        assert_eq!(lanes.limits(6)[..3], [6, 0, 1], "lane 1 stays dropped");
    }

    #[test]
    fn a_lane_whose_first_put_hangs_is_dropped_when_the_others_have_stored_24() {
        let mut lanes = three();
        for _ in 0..100 {
            lanes.stored(0, 1, 1);
        }
        assert_eq!(lanes.drop_worst(), None, "lanes 1 and 2 were not tried");
        lanes.enter(2);
        for _ in 0..23 {
            lanes.stored(0, 1, 1);
        }
        assert_eq!(lanes.drop_worst(), None);
        lanes.stored(0, 1, 1);
        assert_eq!(lanes.drop_worst(), Some(2));
    }

    #[test]
    fn a_lane_that_has_worked_is_dropped_after_three_failures_while_others_work() {
        let mut lanes = three();
        lanes.stored(1, 1, 1);
        for _ in 0..3 {
            lanes.failed(1);
            assert_eq!(lanes.drop_worst(), None, "the whole network may be down");
        }
        lanes.stored(0, 1, 1);
        lanes.stored(0, 1, 1);
        assert_eq!(lanes.drop_worst(), None);
        lanes.stored(0, 1, 1);
        assert_eq!(lanes.drop_worst(), Some(1));
        for _ in 0..9 {
            lanes.failed(0);
            lanes.stored(2, 1, 1);
        }
        assert_eq!(lanes.drop_worst(), None, "the default is never dropped");
    }

    #[test]
    fn a_lane_of_a_third_of_the_speed_is_dropped() {
        let mut lanes = three();
        for _ in 0..100 {
            lanes.stored(0, 1_000, 10);
            lanes.stored(1, 1_000, 29);
            lanes.stored(2, 1_000, 10);
        }
        assert_eq!(lanes.drop_worst(), None);
        for _ in 0..200 {
            lanes.stored(1, 1_000, 31);
        }
        assert_eq!(lanes.drop_worst(), Some(1));
    }
}
