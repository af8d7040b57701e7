//! Tests the order in which uploads begin and the shares of connections: each rule alone, and all against a simple
//! model.

use std::collections::BTreeMap;

use super::*;
use crate::engine::Demand;

/// Size of a file that is sent in several parts, in bytes.
const LARGE: u64 = 1 << 30;

/// The latest share of each upload.
#[derive(Default)]
struct Shares(BTreeMap<UploadId, u32>);

impl Shares {
    /// Returns the share of each upload, in the order of ids. `list` has the PUTs in flight and the PUTs wanted of each
    /// upload.
    fn now(&mut self, queue: &mut Queue, list: &[(u32, u32)]) -> Vec<u32> {
        let demand = |id| {
            let (in_flight, wanted) = list[id as usize];
            Demand { in_flight, wanted, bytes_in_flight: 0 }
        };
        self.0.extend(queue.share(None, demand).into_iter().map(|(id, share)| (id, share.connections)));
        self.0.values().copied().collect()
    }
}

fn begin_all(queue: &mut Queue) -> Vec<UploadId> {
    std::iter::from_fn(|| queue.begin_next()).collect()
}

#[test]
fn small_files_pass_large_ones_and_leave_them_half_of_the_lanes() {
    let mut queue = Queue::new(6);
    (0..5).for_each(|id| queue.add(id, LARGE, 0));
    (5..30).for_each(|id| queue.add(id, 1, 0));
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
    (0..5).for_each(|id| queue.add(id, 1, 0));
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
fn connections_are_shared_fairly_and_none_is_idle_while_another_wants_it() {
    let (mut queue, mut shares) = (Queue::new(6), Shares::default());
    (0..4).for_each(|id| queue.add(id, if id == 0 { LARGE } else { 1 }, 0));
    begin_all(&mut queue);
    assert_eq!(shares.now(&mut queue, &[(0, 6), (0, 1), (0, 1), (0, 0)]), [4, 1, 1, 0]);
    queue.prioritize(2, 5);
    assert_eq!(shares.now(&mut queue, &[(0, 6), (0, 6), (0, 6), (0, 6)]), [0, 0, 6, 0]);
}

#[test]
fn a_newcomer_waits_for_a_lane_that_is_in_use_and_then_gets_it() {
    let (mut queue, mut shares) = (Queue::new(6), Shares::default());
    queue.add(0, LARGE, 0);
    queue.add(1, 1, 0);
    begin_all(&mut queue);
    assert_eq!(shares.now(&mut queue, &[(6, 6), (0, 1)]), [5, 0]);
    assert_eq!(shares.now(&mut queue, &[(5, 6), (0, 1)]), [5, 1]);
}

#[test]
fn a_paused_upload_leaves_its_lanes_as_its_puts_end() {
    let (mut queue, mut shares) = (Queue::new(6), Shares::default());
    queue.add(0, LARGE, 0);
    queue.add(1, LARGE, 0);
    begin_all(&mut queue);
    assert_eq!(shares.now(&mut queue, &[(0, 6), (0, 6)]), [3, 3]);
    queue.set_paused(0, true);
    assert_eq!(shares.now(&mut queue, &[(3, 6), (3, 6)]), [3, 3]);
    assert_eq!(shares.now(&mut queue, &[(0, 6), (3, 6)]), [0, 6]);
    assert_eq!(queue.begun(), [1]);
    queue.set_paused(0, false);
    assert_eq!(shares.now(&mut queue, &[(0, 6), (6, 6)]), [0, 3], "upload 1 still has six PUTs in flight");
    assert_eq!(shares.now(&mut queue, &[(0, 6), (3, 6)]), [3, 3]);
}

#[test]
#[cfg(not(target_arch = "wasm32"))]
fn demands_never_take_more_lanes_than_exist() {
    let mut rng = fastrand::Rng::with_seed(4);
    for _ in 0..20_000 {
        let connections = rng.u32(1..9);
        let (mut queue, mut left) = (Queue::new(connections), connections);
        (0..rng.u32(0..12)).for_each(|id| queue.add(id, if rng.bool() { LARGE } else { 1 }, rng.i32(0..3)));
        let all: BTreeMap<_, _> = begin_all(&mut queue)
            .into_iter()
            .map(|id| {
                let in_flight = rng.u32(0..=left);
                left -= in_flight;
                (id, Demand { in_flight, wanted: in_flight + rng.u32(0..5), bytes_in_flight: 0 })
            })
            .collect();
        let shares: BTreeMap<_, _> =
            queue.share(None, |id| all[&id]).into_iter().map(|(id, share)| (id, share.connections)).collect();
        let after: u32 = all.iter().map(|(id, demand)| shares[id].max(demand.in_flight)).sum();
        assert!(after <= connections, "{connections} {all:?} {shares:?}");
        let wants_more = all.iter().any(|(id, demand)| demand.wanted > shares[id].max(demand.in_flight));
        assert!(after == connections || !wants_more, "{connections} {all:?} {shares:?}");
    }
}

/// Simple model of the rules: searches every list from its start.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Default)]
struct Naive {
    connections: u32,
    uploads: Vec<Entry>,
}

#[cfg(not(target_arch = "wasm32"))]
impl Naive {
    fn upload(&mut self, id: UploadId) -> Option<&mut Entry> {
        self.uploads.iter_mut().find(|upload| upload.id == id)
    }

    fn begin_next(&mut self) -> Option<UploadId> {
        let active = || self.uploads.iter().filter(|upload| upload.has_begun && !upload.is_paused);
        let takes_large = active().filter(|upload| upload.is_large()).count() < (self.connections as usize / 2).max(1);
        if active().count() >= 2 * self.connections as usize {
            return None;
        }
        let may_begin =
            |upload: &&mut Entry| !upload.has_begun && !upload.is_paused && (takes_large || !upload.is_large());
        // `max_by_key` returns the last of equal items, so the reversed list yields the upload that was added first.
        let next = self.uploads.iter_mut().rev().filter(may_begin).max_by_key(|upload| upload.priority)?;
        next.has_begun = true;
        Some(next.id)
    }

    fn share(&mut self, demands: &BTreeMap<UploadId, Demand>) -> BTreeMap<UploadId, u32> {
        let mut begun: Vec<_> = self.uploads.iter().filter(|upload| upload.has_begun).collect();
        begun.sort_by_key(|upload| -upload.priority);
        let mut shares: BTreeMap<_, _> = begun.iter().map(|upload| (upload.id, 0)).collect();
        let mut left = self.connections;
        for priority in (0..4).rev() {
            for _ in 0..self.connections {
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
        let mut free = self.connections.saturating_sub(in_flight);
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
    // In short histories the lists often become empty. The longest history has 10,000 files at once.
    for (files, operations) in [(5, 300), (30, 300), (200, 1_000), (10_000, 1_500)].repeat(3) {
        let connections = rng.u32(1..9);
        let mut queue = Queue::new(connections);
        let mut naive = Naive { connections, uploads: Vec::new() };
        let mut shares = BTreeMap::new();
        let mut next_id = 0;
        for step in 0..files + operations {
            // The first 30 uploads are the most likely to have begun, so half of the draws take one of them.
            let some = if rng.bool() { rng.usize(0..30) } else { rng.usize(0..files.max(30)) };
            let id = naive.uploads.get(some).map_or(next_id + 7, |upload| upload.id);
            match rng.u32(0..10) {
                _ if step < files => {
                    let (bytes, priority) =
                        (if rng.bool() { LARGE } else { 1 }, if rng.u32(0..4) == 0 { rng.i32(0..4) } else { 0 });
                    queue.add(next_id, bytes, priority);
                    naive.uploads.push(Entry::new(next_id, bytes, priority));
                    next_id += 1;
                }
                0 => {
                    queue.add(next_id, LARGE, 0);
                    naive.uploads.push(Entry::new(next_id, LARGE, 0));
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
                    let mut left = connections;
                    let mut demands = BTreeMap::new();
                    for upload in naive.uploads.iter().filter(|upload| upload.has_begun) {
                        let is_known = queue.begun.iter().any(|place| place.id == upload.id);
                        // A paused upload starts no PUT. Once `share` has removed it from `begun`, it has no PUT in
                        // flight.
                        let in_flight = if is_known { rng.u32(0..=left) } else { 0 };
                        let more = if upload.is_paused { 0 } else { rng.u32(0..4) };
                        left -= in_flight;
                        let demand = Demand { in_flight, wanted: in_flight + more, bytes_in_flight: 0 };
                        demands.insert(upload.id, demand);
                    }
                    let changed = queue.share(None, |id| demands[&id]).into_iter();
                    shares.extend(changed.map(|(id, share)| (id, share.connections)));
                    assert_eq!(shares, naive.share(&demands));
                }
            }
        }
        // The remaining uploads must begin in the same order in the queue and in the model.
        for _ in 0..200 {
            let begun = queue.begin_next();
            assert_eq!(begun, naive.begin_next());
            let Some(id) = begun else { break };
            queue.remove(id);
            naive.uploads.retain(|upload| upload.id != id);
        }
    }
}
