//! Many uploads under one limit for connections: who may begin, and how many PUTs each may run.
//!
//! Uploads begin by priority, then in the order in which they came. A few more than there are
//! connections may be under way, so that the next small file is hashed and announced while another is
//! sent; no more than half of the connections may be led by large files, so that small ones behind them
//! need not wait. Connections are shared max-min fairly among uploads of one priority: nobody gets a
//! second one while another that could use it has none (Bertsekas and Gallager, "Data Networks",
//! section 6.5.2).

/// So many uploads for each connection may be under way.
const ACTIVE_PER_LANE: usize = 2;

/// Names an upload in a queue.
pub type UploadId = u32;

/// What an upload has and could use, in PUTs at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Demand {
    /// PUTs under way.
    pub in_flight: u32,
    /// PUTs that it would have under way if it could, those under way included.
    pub wanted: u32,
}

#[derive(Debug, Clone)]
struct Entry {
    id: UploadId,
    priority: i32,
    is_large: bool,
    has_begun: bool,
    is_paused: bool,
}

/// The uploads of one `Uploader`.
#[derive(Debug, Clone)]
pub struct Queue {
    lanes: u32,
    /// In the order in which they came.
    entries: Vec<Entry>,
}

/// An upload on its way to its share.
struct Claim {
    id: UploadId,
    priority: i32,
    demand: Demand,
    share: u32,
}

impl Queue {
    /// A queue for so many PUTs at once, at least 1.
    pub fn new(lanes: u32) -> Self {
        Self { lanes: lanes.max(1), entries: Vec::new() }
    }

    /// Takes an upload; ids are given in ascending order. `is_large` says whether it has several parts.
    pub fn add(&mut self, id: UploadId, is_large: bool, priority: i32) {
        self.entries.push(Entry { id, priority, is_large, has_begun: false, is_paused: false });
    }

    /// The upload is over.
    pub fn remove(&mut self, id: UploadId) {
        self.entries.retain(|entry| entry.id != id);
    }

    /// From now on it goes before all with a lower priority.
    pub fn prioritize(&mut self, id: UploadId, priority: i32) {
        if let Some(entry) = self.entry(id) {
            entry.priority = priority;
        }
    }

    /// A paused upload doesn't begin, and leaves its place to another.
    pub fn set_paused(&mut self, id: UploadId, is_paused: bool) {
        if let Some(entry) = self.entry(id) {
            entry.is_paused = is_paused;
        }
    }

    fn entry(&mut self, id: UploadId) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| entry.id == id)
    }

    /// The next upload that may begin now.
    pub fn begin_next(&mut self) -> Option<UploadId> {
        let active = |large_only: bool| {
            let is_active = |entry: &&Entry| entry.has_begun && !entry.is_paused && (entry.is_large || !large_only);
            self.entries.iter().filter(is_active).count()
        };
        if active(false) >= self.lanes as usize * ACTIVE_PER_LANE {
            return None;
        }
        let takes_large = active(true) < (self.lanes as usize / 2).max(1);
        let mut next: Option<&mut Entry> = None;
        for entry in &mut self.entries {
            let may_begin = !entry.has_begun && !entry.is_paused && (takes_large || !entry.is_large);
            // Of equals the first is taken.
            if may_begin && next.as_ref().is_none_or(|next| next.priority < entry.priority) {
                next = Some(entry);
            }
        }
        let next = next?;
        next.has_begun = true;
        Some(next.id)
    }

    /// The uploads that have begun.
    pub fn begun(&self) -> impl Iterator<Item = UploadId> {
        self.entries.iter().filter(|entry| entry.has_begun).map(|entry| entry.id)
    }

    /// How many PUTs each upload may have under way. PUTs under way go on, so one that has more than its
    /// share only starts no new ones.
    pub fn share(&self, demands: &[(UploadId, Demand)]) -> Vec<(UploadId, u32)> {
        let mut claims: Vec<Claim> = Vec::with_capacity(demands.len());
        for entry in &self.entries {
            if let Some(&(id, demand)) = demands.iter().find(|(id, _)| *id == entry.id) {
                // Behind those with the same priority or a higher one.
                let at = claims.iter().take_while(|claim| claim.priority >= entry.priority).count();
                claims.insert(at, Claim { id, priority: entry.priority, demand, share: 0 });
            }
        }
        let mut left = self.lanes;
        for equals in claims.chunk_by_mut(|one, other| one.priority == other.priority) {
            left = fill(left, equals);
        }
        // What others have in excess of their share is not free yet.
        let mut free = self.lanes.saturating_sub(claims.iter().map(|claim| claim.demand.in_flight).sum());
        let granted = claims.into_iter().map(|Claim { id, demand: Demand { in_flight, .. }, share, .. }| {
            let more = share.saturating_sub(in_flight).min(free);
            free -= more;
            (id, share.min(in_flight + more))
        });
        granted.collect()
    }
}

/// Gives out lanes one by one in rounds, until all have what they want or none is left; says how many are.
fn fill(mut left: u32, claims: &mut [Claim]) -> u32 {
    loop {
        let before = left;
        for claim in &mut *claims {
            if left > 0 && claim.share < claim.demand.wanted {
                claim.share += 1;
                left -= 1;
            }
        }
        if left == before {
            return left;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn demands(list: &[(UploadId, u32, u32)]) -> Vec<(UploadId, Demand)> {
        list.iter().map(|&(id, in_flight, wanted)| (id, Demand { in_flight, wanted })).collect()
    }

    fn shares(queue: &Queue, list: &[(UploadId, u32, u32)]) -> BTreeMap<UploadId, u32> {
        queue.share(&demands(list)).into_iter().collect()
    }

    fn begin_all(queue: &mut Queue) -> Vec<UploadId> {
        std::iter::from_fn(|| queue.begin_next()).collect()
    }

    #[test]
    fn small_files_pass_large_ones_and_leave_them_half_of_the_lanes() {
        let mut queue = Queue::new(6);
        (0..5).for_each(|id| queue.add(id, true, 0));
        (5..30).for_each(|id| queue.add(id, false, 0));
        let begun = begin_all(&mut queue);
        assert_eq!(begun, [0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
        queue.remove(1);
        assert_eq!(begin_all(&mut queue), [3]);
        queue.remove(7);
        assert_eq!(begin_all(&mut queue), [14]);
    }

    #[test]
    fn priority_goes_before_order_and_a_pause_makes_room() {
        let mut queue = Queue::new(1);
        (0..5).for_each(|id| queue.add(id, false, 0));
        queue.prioritize(4, 1);
        queue.set_paused(0, true);
        assert_eq!(begin_all(&mut queue), [4, 1]);
        queue.set_paused(4, true);
        assert_eq!(begin_all(&mut queue), [2]);
        queue.set_paused(0, false);
        queue.remove(1);
        assert_eq!(begin_all(&mut queue), [0]);
    }

    #[test]
    fn lanes_are_shared_fairly_and_none_is_idle_while_somebody_wants_it() {
        let mut queue = Queue::new(6);
        (0..4).for_each(|id| queue.add(id, id == 0, 0));
        let shares_now = shares(&queue, &[(0, 0, 6), (1, 0, 1), (2, 0, 1), (3, 0, 0)]);
        assert_eq!(shares_now, BTreeMap::from([(0, 4), (1, 1), (2, 1), (3, 0)]));
        queue.prioritize(2, 5);
        let shares_now = shares(&queue, &[(0, 0, 6), (1, 0, 6), (2, 0, 6), (3, 0, 6)]);
        assert_eq!(shares_now, BTreeMap::from([(0, 0), (1, 0), (2, 6), (3, 0)]));
    }

    #[test]
    fn a_newcomer_waits_for_a_lane_that_is_in_use_and_then_gets_it() {
        let mut queue = Queue::new(6);
        queue.add(0, true, 0);
        queue.add(1, false, 0);
        assert_eq!(shares(&queue, &[(0, 6, 6), (1, 0, 1)]), BTreeMap::from([(0, 5), (1, 0)]));
        assert_eq!(shares(&queue, &[(0, 5, 6), (1, 0, 1)]), BTreeMap::from([(0, 5), (1, 1)]));
    }

    #[test]
    #[cfg(not(target_arch = "wasm32"))]
    fn no_demands_whatsoever_take_more_lanes_than_there_are() {
        let mut rng = fastrand::Rng::with_seed(4);
        for _ in 0..20_000 {
            let lanes = rng.u32(1..9);
            let mut queue = Queue::new(lanes);
            let mut left = lanes;
            let mut all = Vec::new();
            for id in 0..rng.u32(0..12) {
                queue.add(id, rng.bool(), rng.i32(0..3));
                let in_flight = rng.u32(0..=left);
                left -= in_flight;
                all.push((id, Demand { in_flight, wanted: in_flight + rng.u32(0..5) }));
            }
            let shares: BTreeMap<_, _> = queue.share(&all).into_iter().collect();
            let after: u32 = all.iter().map(|(id, demand)| shares[id].max(demand.in_flight)).sum();
            assert!(after <= lanes, "{lanes} {all:?} {shares:?}");
            let wants_more = all.iter().any(|(id, demand)| demand.wanted > shares[id].max(demand.in_flight));
            assert!(after == lanes || !wants_more, "{lanes} {all:?} {shares:?}");
        }
    }
}
