//! The queue of one `Uploader`: decides which uploads start, and how many PUTs each upload may run.
//!
//! Uploads start by priority, then in the order in which they were added. At most two uploads per connection are
//! active, so one small file is hashed and opened while another is sent. At most half as many large files as
//! connections are active, so that small files behind large ones need not wait. Uploads of one priority share the
//! connections max-min fairly: no upload gets a second connection while another upload that could use one has none
//! (Bertsekas and Gallager, "Data Networks", section 6.5.2).
//!
//! Thousands of files may wait. The next upload is the first entry of a sorted list, and a binary search finds an
//! upload by its id. So the work for an event depends on the number of active uploads, not on the number of waiting
//! uploads.

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

/// Maximum number of active uploads for each connection.
const ACTIVE_PER_CONNECTION: u32 = 2;

/// Id of an upload in a queue.
pub type UploadId = u32;

#[derive(Debug, Clone, Copy)]
struct Entry {
    id: UploadId,
    priority: i32,
    /// Size of the file, in bytes.
    bytes: u64,
    /// Lane of its PUTs; `None` until a lane is chosen.
    lane: Option<usize>,
    has_begun: bool,
    is_paused: bool,
    /// Whether the last network event that the upload got was [`Event::Offline`](crate::engine::Event::Offline).
    is_offline: bool,
    /// Last share that the upload got.
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

    /// Returns whether the file is sent in several parts.
    fn is_large(&self) -> bool {
        self.bytes > SINGLE_PUT_BYTES
    }

    fn is_active(&self) -> bool {
        self.has_begun && !self.is_paused
    }
}

/// Position of an upload in the queue: by descending priority, then by ascending id.
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
    /// Maximum number of PUTs in flight on one lane.
    connections: u32,
    lanes: Lanes,
    /// Current maximum number of PUTs in flight on all lanes together.
    limit: u32,
    /// All uploads that have not ended, in ascending order of ids.
    entries: Vec<Entry>,
    /// Small files that have not begun and are not paused.
    small: Ordered<Place>,
    /// Large files that have not begun and are not paused.
    large: Ordered<Place>,
    /// Uploads that have begun. `share` removes a paused upload once it has no PUT in flight.
    begun: Ordered<Place>,
    /// Number of active uploads: they have begun and are not paused.
    active: u32,
    /// Number of active uploads of large files.
    active_large: u32,
    /// Number of small files that may begin beyond [`ACTIVE_PER_CONNECTION`], so that one call can open them.
    ahead: u32,
}

impl Queue {
    /// Creates a queue for at most `connections` PUTs in flight on each lane; 0 counts as 1.
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

    /// Adds an upload of a file of `bytes` bytes. `id` must be greater than all ids before.
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

    /// Changes the priority of an upload. Uploads with a higher priority go first.
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

    /// Records the network state that an upload is told. Returns whether this state differs from the last one that it
    /// was told, or `None` if the upload does not exist.
    pub fn set_offline(&mut self, id: UploadId, is_offline: bool) -> Option<bool> {
        let at = self.index(id)?;
        Some(std::mem::replace(&mut self.entries[at].is_offline, is_offline) != is_offline)
    }

    /// Marks the next upload that may start as started, and returns its id; `None` if no upload may start.
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
        // A file of a batch gets its lane from `assign_lane`, when the batch is sent.
        let lane = (ahead == 0).then(|| self.lanes.choose(entry.is_large(), self.small.len()));
        self.replace(at, Entry { has_begun: true, lane, ..entry });
        Some(next.id)
    }

    /// Returns the uploads that have started, except paused uploads that have no PUT in flight.
    pub fn begun(&self) -> Vec<UploadId> {
        self.begun.iter().map(|place| place.id).collect()
    }

    /// Returns the current maximum number of PUTs in flight.
    pub fn limit_now(&self) -> u32 {
        self.limit
    }

    /// Sets the maximum number of PUTs in flight. The limit is at least 1, and at most the connections of all lanes.
    pub fn limit(&mut self, limit: u32) {
        self.limit = limit.clamp(1, self.max_limit());
    }

    fn max_limit(&self) -> u32 {
        self.lanes.limits(self.connections).iter().sum()
    }

    /// Sets how many small files may begin beyond [`ACTIVE_PER_CONNECTION`].
    pub fn set_ahead(&mut self, ahead: u32) {
        self.ahead = ahead;
    }

    /// Chooses the lane of an upload that is opened in a batch. `waiting` is the number of files that wait for a later
    /// batch.
    pub fn assign_lane(&mut self, id: UploadId, waiting: usize) -> u32 {
        let lane = self.lanes.choose(false, waiting + self.small.len());
        if let Some(at) = self.index(id) {
            self.replace(at, Entry { lane: Some(lane), ..self.entries[at] });
        }
        lane as u32
    }

    /// Returns the maximum number of files that one batch may open. The maximum is small while an untried lane exists,
    /// so that files of later batches can try that lane. `waiting` is the number of files that wait for a batch.
    pub fn batch_limit(&self, waiting: usize) -> usize {
        if self.lanes.may_try(waiting + self.small.len()) { 2 * self.connections as usize } else { usize::MAX }
    }

    /// Adds lanes until there are `count`.
    pub fn add_lanes(&mut self, count: usize) {
        self.lanes.add(count);
    }

    /// Records that S3 has stored a PUT of `bytes` bytes on a lane after `ms` milliseconds.
    pub fn stored(&mut self, lane: usize, bytes: u64, ms: u64) {
        let is_proven_now = self.lanes.stored(lane, bytes, ms);
        let more = if is_proven_now { self.connections } else { 1 };
        self.limit(self.limit.saturating_add(more));
        self.drop_lanes();
    }

    /// Records that a PUT on a lane has failed or stalled.
    pub fn failed(&mut self, lane: usize) {
        self.lanes.failed(lane);
        self.drop_lanes();
    }

    /// Drops all lanes that do not work, and moves their uploads to the default lane.
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

    /// Returns the index of an upload in `entries`, or `None` if the upload does not exist.
    fn index(&self, id: UploadId) -> Option<usize> {
        let at = self.entries.partition_point(|entry| {
            touch();
            entry.id < id
        });
        self.entries.get(at).filter(|entry| entry.id == id).map(|_| at)
    }

    /// Changes the entry of an upload, and moves the upload to the list where the new entry belongs.
    fn replace(&mut self, at: usize, entry: Entry) {
        self.leave(self.entries[at]);
        self.entries[at] = entry;
        self.enter(entry);
    }

    /// Inserts an upload into its list, and adds it to the counts.
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

    /// Removes an upload from its list and from the counts. Must be called before its entry changes.
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

/// Counts one look at an upload. Tests measure the work for an event by this count.
fn touch() {
    #[cfg(test)]
    TOUCHED.set(TOUCHED.get() + 1);
}

/// Returns the number of looks at uploads in this thread.
#[cfg(test)]
fn touched() -> u64 {
    TOUCHED.get()
}
