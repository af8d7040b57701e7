//! Many uploads under one limit for connections: which may begin, and how many PUTs each may run.
//!
//! Uploads begin by priority, then in the order in which they came. At most two for each connection are under way, so
//! the next small file is hashed and announced while another is sent. Large files lead at most half of the
//! connections, so small ones behind them need not wait. Connections are shared max-min fairly among uploads of one
//! priority: none gets a second one while another that could use it has none (Bertsekas and Gallager, "Data Networks",
//! section 6.5.2).
//!
//! Thousands of files may wait. The next one is the first of a list, and an upload is found by halving, so the work for
//! an event depends on the uploads that are under way, not on those that wait.

use std::cmp::Ordering;

use super::event::Share;
use super::ordered::Ordered;

/// Maximum number of uploads under way for each connection.
const ACTIVE_PER_LANE: u32 = 2;

/// Names an upload in a queue.
pub type UploadId = u32;

/// What an upload has and could use, in PUTs at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// PUTs under way.
    pub in_flight: u32,
    /// PUTs that it would have under way if it could, those under way included.
    pub wanted: u32,
    /// The lengths of the PUTs under way, in bytes.
    pub bytes_in_flight: u64,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: UploadId,
    priority: i32,
    is_large: bool,
    has_begun: bool,
    is_paused: bool,
    /// Whether it was told that the browser is offline, and not that it is online again.
    is_offline: bool,
    /// Its latest share.
    share: Share,
}

impl Entry {
    fn new(id: UploadId, is_large: bool, priority: i32) -> Self {
        Self { id, priority, is_large, has_begun: false, is_paused: false, is_offline: false, share: Share::default() }
    }

    fn place(&self) -> Place {
        Place { priority: self.priority, id: self.id }
    }

    fn is_active(&self) -> bool {
        self.has_begun && !self.is_paused
    }
}

/// Where an upload stands: before those with a lower priority, then before those that came later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Place {
    priority: i32,
    id: UploadId,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        touch();
        other.priority.cmp(&self.priority).then(self.id.cmp(&other.id))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The uploads of one `Uploader`.
#[derive(Debug)]
pub(super) struct Queue {
    lanes: u32,
    /// How many PUTs may run at once for now, from 1 to `lanes`.
    limit: u32,
    /// In ascending order of ids.
    entries: Vec<Entry>,
    /// Small files that wait and are not paused.
    small: Ordered<Place>,
    /// Large files that wait and are not paused.
    large: Ordered<Place>,
    /// Uploads that have begun. A paused one leaves when none of its PUTs is under way.
    begun: Ordered<Place>,
    /// Number of uploads that have begun and are not paused.
    active: u32,
    /// Number of large ones among them.
    active_large: u32,
}

/// An upload on its way to its share.
struct Claim {
    /// Where it is in [`Queue::entries`].
    at: usize,
    priority: i32,
    in_flight: u32,
    wanted: u32,
    bytes_in_flight: u64,
    share: u32,
}

impl Queue {
    /// A queue for this many PUTs at once, at least 1.
    pub fn new(lanes: u32) -> Self {
        Self {
            lanes: lanes.max(1),
            limit: lanes.max(1),
            entries: Vec::new(),
            small: Ordered::default(),
            large: Ordered::default(),
            begun: Ordered::default(),
            active: 0,
            active_large: 0,
        }
    }

    /// Takes an upload; ids are given in ascending order. `is_large` says whether it has several parts.
    pub fn add(&mut self, id: UploadId, is_large: bool, priority: i32) {
        let entry = Entry::new(id, is_large, priority);
        self.entries.push(entry);
        self.enter(entry);
    }

    /// The upload is over.
    pub fn remove(&mut self, id: UploadId) {
        let Some(at) = self.index(id) else { return };
        self.leave(self.entries[at]);
        self.entries.remove(at);
    }

    /// From now on it goes before all with a lower priority.
    pub fn prioritize(&mut self, id: UploadId, priority: i32) {
        if let Some(at) = self.index(id) {
            self.replace(at, Entry { priority, ..self.entries[at] });
        }
    }

    /// A paused upload doesn't begin, and leaves its place to another. Returns whether there is such an upload.
    pub fn set_paused(&mut self, id: UploadId, is_paused: bool) -> bool {
        let at = self.index(id);
        if let Some(at) = at {
            self.replace(at, Entry { is_paused, ..self.entries[at] });
        }
        at.is_some()
    }

    /// Notes that the upload is told whether the browser is offline. Returns whether that is news to it, or `None` if
    /// there is no such upload.
    pub fn set_offline(&mut self, id: UploadId, is_offline: bool) -> Option<bool> {
        let at = self.index(id)?;
        Some(std::mem::replace(&mut self.entries[at].is_offline, is_offline) != is_offline)
    }

    /// The next upload that may begin now.
    pub fn begin_next(&mut self) -> Option<UploadId> {
        if self.active >= self.lanes.saturating_mul(ACTIVE_PER_LANE) {
            return None;
        }
        let takes_large = self.active_large < (self.lanes / 2).max(1);
        let next = match (self.small.first(), self.large.first()) {
            (Some(small), Some(large)) if takes_large => small.min(large),
            (None, Some(large)) if takes_large => large,
            (small, _) => small?,
        };
        let at = self.index(next.id)?;
        self.replace(at, Entry { has_begun: true, ..self.entries[at] });
        Some(next.id)
    }

    /// The uploads that have begun, but for those that are paused and have no PUT under way.
    pub fn begun(&self) -> Vec<UploadId> {
        self.begun.iter().map(|place| place.id).collect()
    }

    /// How many PUTs may run at once for now.
    pub fn limit_now(&self) -> u32 {
        self.limit
    }

    /// Limits the PUTs at once to less than the queue was made for, at least 1.
    pub fn limit(&mut self, limit: u32) {
        self.limit = limit.clamp(1, self.lanes);
    }

    /// Returns each upload whose share has changed. PUTs under way go on, so an upload that has more lanes than its share only
    /// starts no new ones. `demand` is called once for each upload; `bytes_per_second` is the speed of answers.
    pub fn share(
        &mut self,
        bytes_per_second: Option<u64>,
        demand: impl Fn(UploadId) -> Demand,
    ) -> Vec<(UploadId, Share)> {
        let mut claims = Vec::with_capacity(self.begun.len());
        for id in self.begun() {
            touch();
            let Some(at) = self.index(id) else { continue };
            let Entry { priority, is_paused, .. } = self.entries[at];
            let Demand { in_flight, mut wanted, bytes_in_flight } = demand(id);
            if is_paused {
                wanted = in_flight;
                if in_flight == 0 {
                    self.begun.remove(Place { priority, id });
                }
            }
            claims.push(Claim { at, priority, in_flight, wanted, bytes_in_flight, share: 0 });
        }
        let mut left = self.limit;
        for equals in claims.chunk_by_mut(|one, other| one.priority == other.priority) {
            left = fill(left, equals);
        }
        // What others have in excess of their share is not free yet.
        let mut free = self.limit.saturating_sub(claims.iter().map(|claim| claim.in_flight).sum());
        let all_bytes: u64 = claims.iter().map(|claim| claim.bytes_in_flight).sum();
        let mut changed = Vec::new();
        for Claim { at, in_flight, bytes_in_flight, share, .. } in claims {
            let more = share.saturating_sub(in_flight).min(free);
            free -= more;
            let lanes = share.min(in_flight + more);
            // Powers of two change seldom, and each change costs an event.
            let share = Share {
                lanes,
                bytes_elsewhere: roughly(all_bytes - bytes_in_flight) * 2,
                bytes_per_second: bytes_per_second.map(roughly),
            };
            let entry = &mut self.entries[at];
            if entry.share != share {
                entry.share = share;
                changed.push((entry.id, share));
            }
        }
        changed
    }

    /// Returns where the upload is in `entries`, unless it is over.
    fn index(&self, id: UploadId) -> Option<usize> {
        let at = self.entries.partition_point(|entry| {
            touch();
            entry.id < id
        });
        self.entries.get(at).filter(|entry| entry.id == id).map(|_| at)
    }

    /// Changes an upload, which may move it from one list to another.
    fn replace(&mut self, at: usize, entry: Entry) {
        self.leave(self.entries[at]);
        self.entries[at] = entry;
        self.enter(entry);
    }

    /// Puts an upload where it belongs.
    fn enter(&mut self, entry: Entry) {
        if entry.has_begun {
            self.begun.insert(entry.place());
        } else if !entry.is_paused {
            self.waiting(entry.is_large).insert(entry.place());
        }
        if entry.is_active() {
            self.active += 1;
            self.active_large += u32::from(entry.is_large);
        }
    }

    /// Takes an upload from where it is.
    fn leave(&mut self, entry: Entry) {
        if entry.has_begun {
            self.begun.remove(entry.place());
        } else if !entry.is_paused {
            self.waiting(entry.is_large).remove(entry.place());
        }
        if entry.is_active() {
            self.active -= 1;
            self.active_large -= u32::from(entry.is_large);
        }
    }

    fn waiting(&mut self, is_large: bool) -> &mut Ordered<Place> {
        if is_large { &mut self.large } else { &mut self.small }
    }
}

/// The greatest power of two that is not above a number; 0 of 0.
fn roughly(number: u64) -> u64 {
    number.checked_ilog2().map_or(0, |bits| 1 << bits)
}

/// Gives out lanes one by one in rounds, until all have what they want or none is left; returns how many are.
fn fill(mut left: u32, claims: &mut [Claim]) -> u32 {
    loop {
        let before = left;
        for claim in &mut *claims {
            if left > 0 && claim.share < claim.wanted {
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
thread_local! {
    static TOUCHED: std::cell::Cell<u64> = const { std::cell::Cell::new(0) };
}

/// Counts an upload that is looked at, where tests count the work.
fn touch() {
    #[cfg(test)]
    TOUCHED.set(TOUCHED.get() + 1);
}

/// Returns how many times this thread has looked at an upload.
#[cfg(test)]
pub(super) fn touched() -> u64 {
    TOUCHED.get()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// The latest share of each upload.
    #[derive(Default)]
    struct Shares(BTreeMap<UploadId, u32>);

    impl Shares {
        /// Shares by PUTs in flight and PUTs wanted, in the order of ids.
        fn now(&mut self, queue: &mut Queue, list: &[(u32, u32)]) -> Vec<u32> {
            let demand = |id| {
                let (in_flight, wanted) = list[id as usize];
                Demand { in_flight, wanted, bytes_in_flight: 0 }
            };
            self.0.extend(queue.share(None, demand).into_iter().map(|(id, share)| (id, share.lanes)));
            self.0.values().copied().collect()
        }
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
    fn lanes_are_shared_fairly_and_none_is_idle_while_another_wants_it() {
        let (mut queue, mut shares) = (Queue::new(6), Shares::default());
        (0..4).for_each(|id| queue.add(id, id == 0, 0));
        begin_all(&mut queue);
        assert_eq!(shares.now(&mut queue, &[(0, 6), (0, 1), (0, 1), (0, 0)]), [4, 1, 1, 0]);
        queue.prioritize(2, 5);
        assert_eq!(shares.now(&mut queue, &[(0, 6), (0, 6), (0, 6), (0, 6)]), [0, 0, 6, 0]);
    }

    #[test]
    fn a_newcomer_waits_for_a_lane_that_is_in_use_and_then_gets_it() {
        let (mut queue, mut shares) = (Queue::new(6), Shares::default());
        queue.add(0, true, 0);
        queue.add(1, false, 0);
        begin_all(&mut queue);
        assert_eq!(shares.now(&mut queue, &[(6, 6), (0, 1)]), [5, 0]);
        assert_eq!(shares.now(&mut queue, &[(5, 6), (0, 1)]), [5, 1]);
    }

    #[test]
    fn a_paused_upload_leaves_its_lanes_as_its_puts_end() {
        let (mut queue, mut shares) = (Queue::new(6), Shares::default());
        queue.add(0, true, 0);
        queue.add(1, true, 0);
        begin_all(&mut queue);
        assert_eq!(shares.now(&mut queue, &[(0, 6), (0, 6)]), [3, 3]);
        queue.set_paused(0, true);
        assert_eq!(shares.now(&mut queue, &[(3, 6), (3, 6)]), [3, 3]);
        assert_eq!(shares.now(&mut queue, &[(0, 6), (3, 6)]), [0, 6]);
        assert_eq!(queue.begun(), [1]);
        queue.set_paused(0, false);
        assert_eq!(shares.now(&mut queue, &[(0, 6), (6, 6)]), [0, 3], "its lanes are not free yet");
        assert_eq!(shares.now(&mut queue, &[(0, 6), (3, 6)]), [3, 3]);
    }

    #[test]
    #[cfg(not(target_arch = "wasm32"))]
    fn no_demands_whatsoever_take_more_lanes_than_there_are() {
        let mut rng = fastrand::Rng::with_seed(4);
        for _ in 0..20_000 {
            let lanes = rng.u32(1..9);
            let (mut queue, mut left) = (Queue::new(lanes), lanes);
            (0..rng.u32(0..12)).for_each(|id| queue.add(id, rng.bool(), rng.i32(0..3)));
            let all: BTreeMap<_, _> = begin_all(&mut queue)
                .into_iter()
                .map(|id| {
                    let in_flight = rng.u32(0..=left);
                    left -= in_flight;
                    (id, Demand { in_flight, wanted: in_flight + rng.u32(0..5), bytes_in_flight: 0 })
                })
                .collect();
            let shares: BTreeMap<_, _> =
                queue.share(None, |id| all[&id]).into_iter().map(|(id, share)| (id, share.lanes)).collect();
            let after: u32 = all.iter().map(|(id, demand)| shares[id].max(demand.in_flight)).sum();
            assert!(after <= lanes, "{lanes} {all:?} {shares:?}");
            let wants_more = all.iter().any(|(id, demand)| demand.wanted > shares[id].max(demand.in_flight));
            assert!(after == lanes || !wants_more, "{lanes} {all:?} {shares:?}");
        }
    }

    /// The rules as plainly as they can be said: every list is looked through from its start.
    #[cfg(not(target_arch = "wasm32"))]
    #[derive(Default)]
    struct Naive {
        lanes: u32,
        uploads: Vec<Entry>,
    }

    #[cfg(not(target_arch = "wasm32"))]
    impl Naive {
        fn upload(&mut self, id: UploadId) -> Option<&mut Entry> {
            self.uploads.iter_mut().find(|upload| upload.id == id)
        }

        fn begin_next(&mut self) -> Option<UploadId> {
            let active = || self.uploads.iter().filter(|upload| upload.has_begun && !upload.is_paused);
            let takes_large = active().filter(|upload| upload.is_large).count() < (self.lanes as usize / 2).max(1);
            if active().count() >= 2 * self.lanes as usize {
                return None;
            }
            let may_begin =
                |upload: &&mut Entry| !upload.has_begun && !upload.is_paused && (takes_large || !upload.is_large);
            // Of equals the last is taken, which is the first from behind.
            let next = self.uploads.iter_mut().rev().filter(may_begin).max_by_key(|upload| upload.priority)?;
            next.has_begun = true;
            Some(next.id)
        }

        fn share(&mut self, demands: &BTreeMap<UploadId, Demand>) -> BTreeMap<UploadId, u32> {
            let mut begun: Vec<_> = self.uploads.iter().filter(|upload| upload.has_begun).collect();
            begun.sort_by_key(|upload| -upload.priority);
            let mut shares: BTreeMap<_, _> = begun.iter().map(|upload| (upload.id, 0)).collect();
            let mut left = self.lanes;
            for priority in (0..4).rev() {
                for _ in 0..self.lanes {
                    for upload in begun.iter().filter(|upload| upload.priority == priority) {
                        let share = shares.get_mut(&upload.id).expect("has begun");
                        if left > 0 && *share < demands[&upload.id].wanted {
                            *share += 1;
                            left -= 1;
                        }
                    }
                }
            }
            let in_flight: u32 = begun.iter().map(|upload| demands[&upload.id].in_flight).sum();
            let mut free = self.lanes.saturating_sub(in_flight);
            for upload in begun {
                let share = shares.get_mut(&upload.id).expect("has begun");
                let in_flight = demands[&upload.id].in_flight;
                while *share > in_flight + free {
                    *share -= 1;
                }
                free -= share.saturating_sub(in_flight);
            }
            shares
        }
    }

    #[test]
    #[cfg(not(target_arch = "wasm32"))]
    fn ten_thousand_files_begin_and_share_by_the_same_rules_as_a_few() {
        let mut rng = fastrand::Rng::with_seed(7);
        // Most histories are short, so that lists run empty; some have ten thousand files at once.
        for (files, operations) in [(5, 300), (30, 300), (200, 1_000), (10_000, 1_500)].repeat(3) {
            let lanes = rng.u32(1..9);
            let mut queue = Queue::new(lanes);
            let mut naive = Naive { lanes, uploads: Vec::new() };
            let mut shares = BTreeMap::new();
            let mut next_id = 0;
            for step in 0..files + operations {
                // The oldest are most likely to be under way.
                let some = if rng.bool() { rng.usize(0..30) } else { rng.usize(0..files.max(30)) };
                let id = naive.uploads.get(some).map_or(next_id + 7, |upload| upload.id);
                match rng.u32(0..10) {
                    _ if step < files => {
                        let (is_large, priority) = (rng.bool(), if rng.u32(0..4) == 0 { rng.i32(0..4) } else { 0 });
                        queue.add(next_id, is_large, priority);
                        naive.uploads.push(Entry::new(next_id, is_large, priority));
                        next_id += 1;
                    }
                    0 => {
                        queue.add(next_id, true, 0);
                        naive.uploads.push(Entry::new(next_id, true, 0));
                        next_id += 1;
                    }
                    1 | 2 => {
                        queue.remove(id);
                        naive.uploads.retain(|upload| upload.id != id);
                        shares.remove(&id);
                    }
                    3 => {
                        let priority = rng.i32(0..4);
                        queue.prioritize(id, priority);
                        naive.upload(id).into_iter().for_each(|upload| upload.priority = priority);
                    }
                    4 | 5 => {
                        let is_paused = rng.bool();
                        let is_known = queue.set_paused(id, is_paused);
                        assert_eq!(is_known, naive.upload(id).is_some());
                        naive.upload(id).into_iter().for_each(|upload| upload.is_paused = is_paused);
                    }
                    6 | 7 => assert_eq!(queue.begin_next(), naive.begin_next()),
                    _ => {
                        let mut left = lanes;
                        let mut demands = BTreeMap::new();
                        for upload in naive.uploads.iter().filter(|upload| upload.has_begun) {
                            let is_known = queue.begun.iter().any(|place| place.id == upload.id);
                            // A paused upload starts nothing, so it has PUTs under way only at first.
                            let in_flight = if is_known { rng.u32(0..=left) } else { 0 };
                            let more = if upload.is_paused { 0 } else { rng.u32(0..4) };
                            left -= in_flight;
                            let demand = Demand { in_flight, wanted: in_flight + more, bytes_in_flight: 0 };
                            demands.insert(upload.id, demand);
                        }
                        let changed = queue.share(None, |id| demands[&id]).into_iter();
                        shares.extend(changed.map(|(id, share)| (id, share.lanes)));
                        assert_eq!(shares, naive.share(&demands));
                    }
                }
            }
            // What is left begins and ends in the same order.
            for _ in 0..200 {
                let begun = queue.begin_next();
                assert_eq!(begun, naive.begin_next());
                let Some(id) = begun else { break };
                queue.remove(id);
                naive.uploads.retain(|upload| upload.id != id);
            }
        }
    }
}
