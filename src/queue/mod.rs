//! Many uploads under one limit of connections: which may start, and how many PUTs each may run.
//!
//! Uploads start by priority, then in the order in which they were added. At most two uploads for each connection are
//! active, so the next small file is hashed and opened while another is sent. At most half as many large files as
//! connections are active, so small files behind them need not wait. Connections are shared max-min fairly among
//! uploads of one priority: none gets a second connection while another that could use one has none (Bertsekas and
//! Gallager, "Data Networks", section 6.5.2).
//!
//! Thousands of files may wait. The next upload is the first of a list, and an upload is found by binary search. So the
//! work for an event depends on the number of active uploads, not on the number of waiting ones.

mod hub;
mod lanes;
mod openings;
mod share;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;

pub use hub::Hub;
use lanes::Lanes;

use crate::engine::Share;
use crate::ordered::Ordered;
use crate::plan::{BATCH_FILE_BYTES, SINGLE_PUT_BYTES};

/// Maximum number of uploads under way for each connection.
const ACTIVE_PER_CONNECTION: u32 = 2;

/// Id of an upload in a queue.
pub type UploadId = u32;

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: UploadId,
    priority: i32,
    /// Size of the file, in bytes.
    bytes: u64,
    /// Its lane, from when it begins.
    lane: Option<usize>,
    has_begun: bool,
    is_paused: bool,
    /// Whether the last network event that it got was [`Event::Offline`](crate::engine::Event::Offline).
    is_offline: bool,
    /// Its last share.
    share: Share,
}

impl Entry {
    fn new(id: UploadId, bytes: u64, priority: i32) -> Self {
        Self {
            id,
            priority,
            bytes,
            lane: None,
            has_begun: false,
            is_paused: false,
            is_offline: false,
            share: Share::default(),
        }
    }

    fn place(&self) -> Place {
        Place { priority: self.priority, id: self.id }
    }

    /// Returns whether the file has several parts.
    fn is_large(&self) -> bool {
        self.bytes > SINGLE_PUT_BYTES
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
struct Queue {
    /// Maximum number of PUTs at once on one lane.
    connections: u32,
    lanes: Lanes,
    /// Current maximum of PUTs at once on all lanes together.
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
    /// Number of files that may begin beyond the usual number, so that one call can open them.
    ahead: u32,
}

impl Queue {
    /// Creates a queue for at most `connections` PUTs at once on each lane; 0 counts as 1.
    pub fn new(connections: u32) -> Self {
        Self {
            connections: connections.max(1),
            lanes: Lanes::new(),
            limit: connections.max(1),
            entries: Vec::new(),
            small: Ordered::default(),
            large: Ordered::default(),
            begun: Ordered::default(),
            active: 0,
            active_large: 0,
            ahead: 0,
        }
    }

    /// Adds an upload of a file of `bytes` bytes. Ids must be in ascending order.
    pub fn add(&mut self, id: UploadId, bytes: u64, priority: i32) {
        let entry = Entry::new(id, bytes, priority);
        self.entries.push(entry);
        self.enter(entry);
    }

    /// Removes an upload that has ended.
    pub fn remove(&mut self, id: UploadId) {
        let Some(at) = self.index(id) else { return };
        self.leave(self.entries[at]);
        self.entries.remove(at);
    }

    /// Puts an upload before all uploads with a lower priority.
    pub fn prioritize(&mut self, id: UploadId, priority: i32) {
        if let Some(at) = self.index(id) {
            self.replace(at, Entry { priority, ..self.entries[at] });
        }
    }

    /// Pauses an upload or ends its pause. A paused upload does not start and is not active. Returns whether the upload
    /// exists.
    pub fn set_paused(&mut self, id: UploadId, is_paused: bool) -> bool {
        let at = self.index(id);
        if let Some(at) = at {
            self.replace(at, Entry { is_paused, ..self.entries[at] });
        }
        at.is_some()
    }

    /// Records the network state that an upload gets. Returns whether it differs from its last one, or `None` if there
    /// is no such upload.
    pub fn set_offline(&mut self, id: UploadId, is_offline: bool) -> Option<bool> {
        let at = self.index(id)?;
        Some(std::mem::replace(&mut self.entries[at].is_offline, is_offline) != is_offline)
    }

    /// Marks the next upload that may start now as started, and returns it.
    pub fn begin_next(&mut self) -> Option<UploadId> {
        let takes_large = self.active_large < (self.connections / 2).max(1);
        let next = match (self.small.first(), self.large.first()) {
            (Some(small), Some(large)) if takes_large => small.min(large),
            (None, Some(large)) if takes_large => large,
            (small, _) => small?,
        };
        let at = self.index(next.id)?;
        let entry = self.entries[at];
        let ahead = if entry.bytes <= BATCH_FILE_BYTES { self.ahead } else { 0 };
        if self.active >= self.max_limit().saturating_mul(ACTIVE_PER_CONNECTION).saturating_add(ahead) {
            return None;
        }
        // A file that is opened together with others gets its lane then.
        let lane = (ahead == 0).then(|| self.lanes.choose(entry.is_large(), self.small.len()));
        self.replace(at, Entry { has_begun: true, lane, ..entry });
        Some(next.id)
    }

    /// Returns the uploads that have started, except paused ones without a PUT in flight.
    pub fn begun(&self) -> Vec<UploadId> {
        self.begun.iter().map(|place| place.id).collect()
    }

    /// Returns the current maximum of PUTs at once.
    pub fn limit_now(&self) -> u32 {
        self.limit
    }

    /// Sets the maximum of PUTs at once. It is at least 1, and at most the connections of all lanes.
    pub fn limit(&mut self, limit: u32) {
        self.limit = limit.clamp(1, self.max_limit());
    }

    fn max_limit(&self) -> u32 {
        self.lanes.limits(self.connections).iter().sum()
    }

    /// Sets how many files may begin beyond the usual number.
    pub fn set_ahead(&mut self, ahead: u32) {
        self.ahead = ahead;
    }

    /// Chooses the lane of an upload that is opened together with others. `waiting` is the number of those that are opened
    /// after it.
    pub fn assign_lane(&mut self, id: UploadId, waiting: usize) -> u32 {
        let lane = self.lanes.choose(false, waiting + self.small.len());
        if let Some(at) = self.index(id) {
            self.replace(at, Entry { lane: Some(lane), ..self.entries[at] });
        }
        lane as u32
    }

    /// Returns the maximum number of files to open by one call. While a lane is still to be tried, it is small, so that the
    /// files of later calls can use that lane.
    pub fn batch_limit(&self, waiting: usize) -> usize {
        if self.lanes.may_try(waiting + self.small.len()) { 2 * self.connections as usize } else { usize::MAX }
    }

    /// Adds lanes up to this count.
    pub fn add_lanes(&mut self, count: usize) {
        self.lanes.add(count);
    }

    /// Records that S3 has stored `bytes` bytes by a PUT of `ms` milliseconds.
    pub fn stored(&mut self, lane: usize, bytes: u64, ms: u64) {
        let is_proven_now = self.lanes.stored(lane, bytes, ms);
        let more = if is_proven_now { self.connections } else { 1 };
        self.limit(self.limit.saturating_add(more));
        self.drop_lanes();
    }

    /// Records that a PUT has failed or stalled.
    pub fn failed(&mut self, lane: usize) {
        self.lanes.failed(lane);
        self.drop_lanes();
    }

    /// Moves the uploads of lanes that do not work to the default lane.
    fn drop_lanes(&mut self) {
        while let Some(dropped) = self.lanes.drop_worst() {
            for at in 0..self.entries.len() {
                if self.entries[at].lane == Some(dropped) {
                    self.replace(at, Entry { lane: Some(0), ..self.entries[at] });
                }
            }
            self.limit(self.limit);
        }
    }

    /// Returns the index of the upload in `entries`, or `None` if it has ended.
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

    /// Inserts an upload into its list and counts it.
    fn enter(&mut self, entry: Entry) {
        if entry.has_begun {
            self.begun.insert(entry.place());
        } else if !entry.is_paused {
            self.waiting(entry.is_large()).insert(entry.place());
        }
        if entry.is_active() {
            self.active += 1;
            self.active_large += u32::from(entry.is_large());
            entry.lane.inspect(|&lane| self.lanes.enter(lane));
        }
    }

    /// Removes an upload from its list and from the counts. Must come before a change of its entry.
    fn leave(&mut self, entry: Entry) {
        if entry.has_begun {
            self.begun.remove(entry.place());
        } else if !entry.is_paused {
            self.waiting(entry.is_large()).remove(entry.place());
        }
        if entry.is_active() {
            self.active -= 1;
            self.active_large -= u32::from(entry.is_large());
            entry.lane.inspect(|&lane| self.lanes.leave(lane));
        }
    }

    fn waiting(&mut self, is_large: bool) -> &mut Ordered<Place> {
        if is_large { &mut self.large } else { &mut self.small }
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
fn touched() -> u64 {
    TOUCHED.get()
}
