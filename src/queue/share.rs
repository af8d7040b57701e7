//! Shares the connections among the uploads that have begun.

use super::{Entry, Place, Queue, UploadId, touch};
use crate::engine::{Demand, Share};

/// An upload whose share is being computed.
struct Claim {
    /// Index of the upload in [`Queue::entries`].
    at: usize,
    priority: i32,
    lane: usize,
    in_flight: u32,
    wanted: u32,
    bytes_in_flight: u64,
    share: u32,
}

impl Queue {
    /// Computes the share of each upload, and returns the shares that have changed. PUTs in flight continue: an upload
    /// with more PUTs in flight than its share starts no new ones. `demand` is called once for each upload.
    /// `bytes_per_second` is the speed at which S3 confirms the bytes of all uploads.
    pub fn share(
        &mut self,
        bytes_per_second: Option<u64>,
        demand: impl Fn(UploadId) -> Demand,
    ) -> Vec<(UploadId, Share)> {
        let mut claims = Vec::with_capacity(self.begun.len());
        for id in self.begun() {
            touch();
            let Some(at) = self.index(id) else { continue };
            let Entry { priority, is_paused, lane, .. } = self.entries[at];
            let Demand { in_flight, mut wanted, bytes_in_flight } = demand(id);
            if is_paused {
                wanted = in_flight;
                if in_flight == 0 {
                    self.begun.remove(Place { priority, id });
                }
            }
            claims.push(Claim { at, priority, lane: lane.unwrap_or(0), in_flight, wanted, bytes_in_flight, share: 0 });
        }
        let mut left = self.limit;
        let mut of_lanes = self.lanes.limits(self.connections);
        for equals in claims.chunk_by_mut(|one, other| one.priority == other.priority) {
            left = fill(left, &mut of_lanes, equals);
        }
        // An upload may have more PUTs in flight than its share. Those connections are not free yet.
        let mut free = self.limit.saturating_sub(claims.iter().map(|claim| claim.in_flight).sum());
        let all_bytes: u64 = claims.iter().map(|claim| claim.bytes_in_flight).sum();
        let mut changed = Vec::new();
        for Claim { at, lane, in_flight, bytes_in_flight, share, .. } in claims {
            let more = share.saturating_sub(in_flight).min(free);
            free -= more;
            let connections = share.min(in_flight + more);
            // Each changed share costs an event. Rounding to powers of two makes such changes rare.
            let share = Share {
                connections,
                lane: lane as u32,
                bytes_elsewhere: power_of_two_below(all_bytes - bytes_in_flight) * 2,
                bytes_per_second: bytes_per_second.map(power_of_two_below),
            };
            let entry = &mut self.entries[at];
            if entry.share != share {
                entry.share = share;
                changed.push((entry.id, share));
            }
        }
        changed
    }
}

/// Returns the greatest power of two that is at most `number`; 0 for 0.
fn power_of_two_below(number: u64) -> u64 {
    number.checked_ilog2().map_or(0, |bits| 1 << bits)
}

/// Gives each claim one connection per round, until all claims have what they want or no connection is left. `left` is
/// the number of free connections in total, and `of_lanes` on each lane. Returns the number of connections that are
/// left.
fn fill(mut left: u32, of_lanes: &mut [u32], claims: &mut [Claim]) -> u32 {
    loop {
        let before = left;
        for claim in &mut *claims {
            if left > 0 && of_lanes[claim.lane] > 0 && claim.share < claim.wanted {
                claim.share += 1;
                of_lanes[claim.lane] -= 1;
                left -= 1;
            }
        }
        if left == before {
            return left;
        }
    }
}
