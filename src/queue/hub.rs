//! The hub of one `Uploader`: its uploads share the connections, the network state, and the waits after S3 has
//! throttled.
//!
//! Like the engine, the hub does no I/O and has no clock. Its methods record what has happened, and [`Hub::poll`]
//! returns the events for the uploads. Only uploads that have begun get events about the network and about throttling.
//! An upload that waits or is paused gets the missed events when it starts or continues. So the work for an event does
//! not depend on the number of files that wait.
//!
//! ```
//! use directput::engine::{Event, Now};
//! use directput::queue::Hub;
//!
//! let mut hub = Hub::new(6);
//! hub.set_online(false);
//! hub.add(0, 1, 0);
//! hub.begin(Now { ms: 0, random: 7 });
//! assert!(matches!(hub.poll(), Some((0, Event::Offline))));
//! assert!(matches!(hub.poll(), Some((0, Event::Start))));
//! assert!(hub.poll().is_none());
//! ```

use std::cell::Cell;

use super::openings::Openings;
use super::{Queue, UploadId};
use crate::engine::{Call, Demand, Event, Failure, Now, Pace};
use crate::protocol::{ErrorCode, UploadCreated};

/// Decides which uploads start, how many PUTs each may run, and which events of one upload the others get.
#[derive(Debug)]
pub struct Hub {
    queue: Queue,
    is_offline: bool,
    /// End of the current wait after S3 has throttled an upload, in milliseconds of [`Now::ms`].
    rests_until_ms: u64,
    /// Speed at which S3 confirms the bytes of all uploads together.
    pace: Pace,
    /// Total size of all PUTs in flight at the last [`Hub::share`], in bytes.
    bytes_in_flight: u64,
    /// Whether a PUT has stalled since S3 last confirmed a part.
    has_stalled: bool,
    openings: Openings,
    /// Whether a server or gateway without support for batches has refused one.
    knows_no_batch: bool,
    /// Number of files that were opened and not being sent at the last [`Hub::share`].
    ready: u32,
    outbox: Vec<(UploadId, Event)>,
}

impl Hub {
    /// Creates a hub for at most `connections` PUTs in flight on each lane; 0 counts as 1.
    pub fn new(connections: u32) -> Self {
        Self {
            queue: Queue::new(connections),
            is_offline: false,
            rests_until_ms: 0,
            pace: Pace::default(),
            bytes_in_flight: 0,
            has_stalled: false,
            openings: Openings::default(),
            knows_no_batch: false,
            ready: 0,
            outbox: Vec::new(),
        }
    }

    /// Adds an upload of a file of `bytes` bytes to the queue. `id` must be greater than all ids before.
    pub fn add(&mut self, id: UploadId, bytes: u64, priority: i32) {
        self.queue.add(id, bytes, priority);
    }

    /// Removes an upload that has ended.
    pub fn remove(&mut self, id: UploadId) {
        self.queue.remove(id);
        self.openings.remove(id);
    }

    /// Changes the priority of an upload. Uploads with a higher priority go first.
    pub fn prioritize(&mut self, id: UploadId, priority: i32) {
        self.queue.prioritize(id, priority);
    }

    /// Pauses an upload. Another upload may start in its place.
    pub fn pause(&mut self, id: UploadId) {
        if self.queue.set_paused(id, true) {
            self.send(id, Event::Pause);
        }
    }

    /// Ends the pause of an upload, after handing out the events that the upload missed.
    pub fn unpause(&mut self, now: Now, id: UploadId) {
        if self.queue.set_paused(id, false) {
            self.send_with_missed(now, id, Event::Unpause);
        }
    }

    /// Cancels an upload. The upload may or may not have started.
    pub fn cancel(&mut self, now: Now, id: UploadId) {
        self.send_with_missed(now, id, Event::Abort);
        self.stop_opening(id);
    }

    /// Closes an upload. The upload may or may not have started. A later session can resume it if records are kept.
    pub fn close(&mut self, now: Now, id: UploadId) {
        self.send_with_missed(now, id, Event::Close);
        self.stop_opening(id);
    }

    /// Takes an upload that is ending out of the next batch, and fails its create call as aborted.
    fn stop_opening(&mut self, id: UploadId) {
        if self.openings.remove(id) {
            self.send(id, Event::CallFailed { call: Call::Create, failure: ErrorCode::Aborted.into() });
        }
    }

    /// Records whether the browser reports a network.
    pub fn set_online(&mut self, is_online: bool) {
        self.is_offline = !is_online;
        for id in self.queue.begun() {
            self.queue.set_offline(id, self.is_offline);
            self.send(id, network(self.is_offline));
        }
    }

    /// Holds all uploads back for `wait_ms` milliseconds, because S3 has throttled the upload `from`. Uploads that
    /// start during the wait are held back, too. A later call can lengthen the wait but not shorten it.
    pub fn rest(&mut self, now: Now, from: UploadId, wait_ms: u64) {
        let until_ms = now.ms.saturating_add(wait_ms);
        if until_ms <= self.rests_until_ms {
            return;
        }
        self.rests_until_ms = until_ms;
        for id in self.queue.begun() {
            if id != from {
                self.send(id, Event::Busy { wait_ms });
            }
        }
    }

    /// Records the abilities of the server, which each answer that opens an upload states.
    pub fn learn_server(&mut self, created: &UploadCreated) {
        self.queue.add_lanes(created.lane_count as usize);
        if !self.knows_no_batch {
            self.set_max_uploads(created.max_uploads_per_request);
        }
    }

    fn set_max_uploads(&mut self, max: u32) {
        self.openings.set_max(max);
        self.queue.set_ahead(max);
    }

    /// Adds an upload of a file of `bytes` bytes to the next batch. Returns false if the upload needs its own call.
    pub fn open(&mut self, id: UploadId, bytes: u64) -> bool {
        let takes = self.openings.takes(bytes);
        if takes {
            self.openings.add(id, bytes);
        }
        takes
    }

    /// Begins a batch if it is time for one. Returns its uploads, each with its lane. The driver passes the outcome of
    /// the call to [`Hub::batch_ended`], and then sends each upload its answer. Must be called after [`Hub::share`].
    pub fn next_batch(&mut self) -> Vec<(UploadId, u32)> {
        let speed = self.pace.bytes_per_second(self.bytes_in_flight);
        let limit = self.queue.batch_limit(self.openings.len());
        let mut batch = Vec::new();
        for _ in 0..self.openings.begin(self.ready, self.queue.limit_now(), limit, speed) {
            let Some(id) = self.openings.pop() else { break };
            let lane = self.queue.assign_lane(id, self.openings.len());
            self.send(id, Event::CreateSent { lane });
            batch.push((id, lane));
        }
        batch
    }

    /// Records that the call of a batch has ended. Returns the answer of the call.
    ///
    /// # Errors
    /// The failure that the driver reports to each upload of the batch. Status 400, 404, 405 or 413 means that the
    /// server or a gateway does not support batches. Then the failure is `unexpected-answer`, no further batch begins,
    /// and each upload makes its own call.
    pub fn batch_ended<T>(&mut self, answer: Result<T, Failure>) -> Result<T, Failure> {
        self.openings.ended();
        answer.map_err(|failure| {
            if !matches!(failure.status, 400 | 404 | 405 | 413) {
                return failure;
            }
            self.knows_no_batch = true;
            self.set_max_uploads(0);
            ErrorCode::UnexpectedAnswer.into()
        })
    }

    /// Records that S3 has confirmed a part of `bytes` bytes of some upload. The PUT of this part was started at
    /// `started_ms`, in milliseconds of [`Now::ms`].
    pub fn confirmed(&mut self, now: Now, lane: u32, bytes: u64, started_ms: u64) {
        self.pace.answered(now.ms, bytes, started_ms);
        self.has_stalled = false;
        self.queue.stored(lane as usize, bytes, now.ms.saturating_sub(started_ms));
    }

    /// Records that a PUT has failed. Its lane may be the cause.
    pub fn failed(&mut self, lane: u32) {
        self.queue.failed(lane as usize);
    }

    /// Records that a PUT of some upload has stalled. The link may be slow, so the first stall halves the maximum
    /// number of PUTs in flight. Further stalls change nothing until S3 has confirmed a part.
    pub fn stalled(&mut self, lane: u32) {
        self.queue.failed(lane as usize);
        self.pace.forget();
        if !std::mem::replace(&mut self.has_stalled, true) {
            self.queue.limit(self.queue.limit_now() / 2);
        }
    }

    /// Adds an event for one upload. [`Hub::poll`] returns events in the order in which they were added.
    pub fn send(&mut self, id: UploadId, event: Event) {
        self.outbox.push((id, event));
    }

    /// Starts all uploads that may start now.
    pub fn begin(&mut self, now: Now) {
        while let Some(id) = self.queue.begin_next() {
            self.send_with_missed(now, id, Event::Start);
        }
    }

    /// Shares the connections among the uploads that have started. `demand` returns the demand of an upload.
    pub fn share(&mut self, demand: impl Fn(UploadId) -> Demand) {
        let (bytes_in_flight, ready) = (Cell::new(0), Cell::new(0));
        let counted = |id| {
            let demand = demand(id);
            bytes_in_flight.set(bytes_in_flight.get() + demand.bytes_in_flight);
            ready.set(ready.get() + demand.wanted - demand.in_flight);
            demand
        };
        for (id, share) in self.queue.share(self.pace.bytes_per_second(self.bytes_in_flight), counted) {
            self.send(id, Event::Share(share));
        }
        self.bytes_in_flight = bytes_in_flight.get();
        self.ready = ready.get();
    }

    /// Returns whether [`Hub::poll`] would return `None`.
    pub fn is_idle(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Returns the next event and the upload that gets it, or `None`.
    pub fn poll(&mut self) -> Option<(UploadId, Event)> {
        (!self.outbox.is_empty()).then(|| self.outbox.remove(0))
    }

    /// Sends an event to an upload, after the events that the upload missed: a change of the network, and a wait after
    /// S3 has throttled.
    fn send_with_missed(&mut self, now: Now, id: UploadId, event: Event) {
        let Some(is_change) = self.queue.set_offline(id, self.is_offline) else { return };
        if is_change {
            self.send(id, network(self.is_offline));
        }
        let wait_ms = self.rests_until_ms.saturating_sub(now.ms);
        if wait_ms > 0 {
            self.send(id, Event::Busy { wait_ms });
        }
        self.send(id, event);
    }
}

fn network(is_offline: bool) -> Event {
    if is_offline { Event::Offline } else { Event::Online }
}

#[cfg(test)]
mod tests;
