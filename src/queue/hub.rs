//! The uploads of one `Uploader`, as data: they share the connections, the network, and the rests that S3 asks for.
//!
//! Like the engine, the hub owns no session and no clock. Its methods take what has happened, and [`Hub::poll`] returns
//! the events to hand out. Only uploads that have begun are told of the network and of rests. An upload that waits or
//! is paused is told when it goes on, so the work for an event does not depend on the number of files that wait.
//!
//! ```
//! use directput::engine::{Event, Now};
//! use directput::queue::Hub;
//!
//! let mut hub = Hub::new(6);
//! hub.set_online(false);
//! hub.add(0, false, 0);
//! hub.begin(Now { ms: 0, random: 7 });
//! assert!(matches!(hub.poll(), Some((0, Event::Offline))));
//! assert!(matches!(hub.poll(), Some((0, Event::Start))));
//! assert!(hub.poll().is_none());
//! ```

use std::cell::Cell;

use super::{Queue, UploadId};
use crate::engine::{Demand, Event, Now, Pace};

/// Decides which uploads start, how many PUTs each may run, and which events of one upload the others get.
#[derive(Debug)]
pub struct Hub {
    queue: Queue,
    is_offline: bool,
    /// End of the wait after S3 has throttled an upload, in milliseconds of [`Now::ms`].
    rests_until_ms: u64,
    /// Speed at which S3 confirms the bytes of all uploads.
    pace: Pace,
    /// Total length of all PUTs in flight at the last [`Hub::share`], in bytes.
    bytes_in_flight: u64,
    /// Whether a PUT has stalled since S3 last confirmed one.
    has_stalled: bool,
    outbox: Vec<(UploadId, Event)>,
}

impl Default for Hub {
    /// Creates a hub for one PUT at once.
    fn default() -> Self {
        Self::new(1)
    }
}

impl Hub {
    /// Creates a hub for at most `lanes` PUTs at once; 0 counts as 1.
    pub fn new(lanes: u32) -> Self {
        Self {
            queue: Queue::new(lanes),
            is_offline: false,
            rests_until_ms: 0,
            pace: Pace::default(),
            bytes_in_flight: 0,
            has_stalled: false,
            outbox: Vec::new(),
        }
    }

    /// Adds an upload to the queue. Ids must be in ascending order. `is_large` is whether it has several parts.
    pub fn add(&mut self, id: UploadId, is_large: bool, priority: i32) {
        self.queue.add(id, is_large, priority);
    }

    /// Removes an upload that has ended.
    pub fn remove(&mut self, id: UploadId) {
        self.queue.remove(id);
    }

    /// Puts an upload before all uploads with a lower priority.
    pub fn prioritize(&mut self, id: UploadId, priority: i32) {
        self.queue.prioritize(id, priority);
    }

    /// Pauses an upload. Another one may start in its place.
    pub fn pause(&mut self, id: UploadId) {
        if self.queue.set_paused(id, true) {
            self.push(id, Event::Pause);
        }
    }

    /// Ends the pause of an upload. First it gets the events that it missed.
    pub fn unpause(&mut self, now: Now, id: UploadId) {
        if self.queue.set_paused(id, false) {
            self.send_with_missed(now, id, Event::Unpause);
        }
    }

    /// Cancels an upload, whether or not it has started.
    pub fn cancel(&mut self, now: Now, id: UploadId) {
        self.send_with_missed(now, id, Event::Abort);
    }

    /// Closes an upload, whether or not it has started. It is kept for a later session where records are kept.
    pub fn close(&mut self, now: Now, id: UploadId) {
        self.send_with_missed(now, id, Event::Close);
    }

    /// Records whether there is a network, as the browser reports it.
    pub fn set_online(&mut self, is_online: bool) {
        self.is_offline = !is_online;
        for id in self.queue.begun() {
            self.queue.set_offline(id, self.is_offline);
            self.push(id, network(self.is_offline));
        }
    }

    /// Holds all uploads back for `wait_ms` milliseconds, because S3 has throttled the upload `from`. The wait also
    /// holds for uploads that start later. A later, shorter wait does not shorten it.
    pub fn rest(&mut self, now: Now, from: UploadId, wait_ms: u64) {
        let until_ms = now.ms.saturating_add(wait_ms);
        if until_ms <= self.rests_until_ms {
            return;
        }
        self.rests_until_ms = until_ms;
        for id in self.queue.begun() {
            if id != from {
                self.push(id, Event::Busy { wait_ms });
            }
        }
    }

    /// Records that S3 has confirmed a part of `bytes` bytes, of any upload. Its PUT was started at `started_ms`, in
    /// milliseconds of [`Now::ms`].
    pub fn confirmed(&mut self, now: Now, bytes: u64, started_ms: u64) {
        self.pace.answered(now.ms, bytes, started_ms);
        self.has_stalled = false;
        self.queue.limit(self.queue.limit_now().saturating_add(1));
    }

    /// Records that a PUT of some upload has stalled. The link may be slow, so the limit of PUTs at once is halved
    /// once. It is halved again only after S3 has confirmed a part.
    pub fn stalled(&mut self) {
        self.pace.forget();
        if !std::mem::replace(&mut self.has_stalled, true) {
            self.queue.limit(self.queue.limit_now() / 2);
        }
    }

    /// Something has happened to an upload that is no matter of the others. Events are handed out in the order in which
    /// they came.
    pub fn send(&mut self, id: UploadId, event: Event) {
        self.push(id, event);
    }

    /// Starts all uploads that may start now.
    pub fn begin(&mut self, now: Now) {
        while let Some(id) = self.queue.begin_next() {
            self.send_with_missed(now, id, Event::Start);
        }
    }

    /// Shares the connections out among the uploads that have started. `demand` returns the demand of an upload.
    pub fn share(&mut self, demand: impl Fn(UploadId) -> Demand) {
        let bytes_in_flight = Cell::new(0);
        let counted = |id| {
            let demand = demand(id);
            bytes_in_flight.set(bytes_in_flight.get() + demand.bytes_in_flight);
            demand
        };
        for (id, share) in self.queue.share(self.pace.bytes_per_second(self.bytes_in_flight), counted) {
            self.push(id, Event::Share(share));
        }
        self.bytes_in_flight = bytes_in_flight.get();
    }

    /// Returns whether no event waits to be handed out.
    pub fn is_idle(&self) -> bool {
        self.outbox.is_empty()
    }

    /// Returns the next event and the upload to hand it to, or `None`.
    pub fn poll(&mut self) -> Option<(UploadId, Event)> {
        (!self.outbox.is_empty()).then(|| self.outbox.remove(0))
    }

    /// Sends an event to an upload, after the events that it missed: a change of the network, and a wait for S3.
    fn send_with_missed(&mut self, now: Now, id: UploadId, event: Event) {
        let Some(is_change) = self.queue.set_offline(id, self.is_offline) else { return };
        if is_change {
            self.push(id, network(self.is_offline));
        }
        let wait_ms = self.rests_until_ms.saturating_sub(now.ms);
        if wait_ms > 0 {
            self.push(id, Event::Busy { wait_ms });
        }
        self.push(id, event);
    }

    fn push(&mut self, id: UploadId, event: Event) {
        self.outbox.push((id, event));
    }
}

fn network(is_offline: bool) -> Event {
    if is_offline { Event::Offline } else { Event::Online }
}

#[cfg(test)]
mod tests {
    use super::super::touched;
    use super::*;
    use crate::engine::Share;

    fn at(ms: u64) -> Now {
        Now { ms, random: 1 << 31 }
    }

    fn hub(lanes: u32, files: u32) -> Hub {
        let mut hub = Hub::new(lanes);
        (0..files).for_each(|id| hub.add(id, false, 0));
        hub
    }

    /// Takes all events, as one word each.
    fn drain(hub: &mut Hub) -> Vec<(UploadId, String)> {
        let word = |event| match event {
            Event::Busy { wait_ms } => format!("busy {wait_ms}"),
            Event::Share(share) => format!("lanes {}", share.lanes),
            event => format!("{event:?}").to_lowercase(),
        };
        std::iter::from_fn(|| hub.poll()).map(|(id, event)| (id, word(event))).collect()
    }

    fn words(hub: &mut Hub, id: UploadId) -> Vec<String> {
        drain(hub).into_iter().filter(|(other, _)| *other == id).map(|(_, word)| word).collect()
    }

    #[test]
    fn a_rest_of_s3_holds_for_an_upload_that_begins_later() {
        let mut hub = hub(6, 1);
        hub.begin(at(0));
        hub.rest(at(1_000), 0, 10_000);
        assert_eq!(drain(&mut hub), [(0, "start".to_owned())], "the one that was refused knows it");
        hub.add(1, false, 0);
        hub.begin(at(1_101));
        assert_eq!(drain(&mut hub), [(1, "busy 9899".to_owned()), (1, "start".to_owned())]);
        hub.add(2, false, 0);
        hub.begin(at(11_000));
        assert_eq!(drain(&mut hub), [(2, "start".to_owned())], "it is over");
    }

    #[test]
    fn a_rest_is_told_to_all_that_have_begun_and_gets_no_shorter_by_a_later_one() {
        let mut hub = hub(1, 3);
        hub.begin(at(0));
        drain(&mut hub);
        hub.rest(at(0), 1, 10_000);
        assert_eq!(drain(&mut hub), [(0, "busy 10000".to_owned())]);
        hub.rest(at(1_000), 0, 2_000);
        assert_eq!(drain(&mut hub), [], "they rest longer anyway");
        hub.remove(0);
        hub.begin(at(5_000));
        assert_eq!(drain(&mut hub), [(2, "busy 5000".to_owned()), (2, "start".to_owned())]);
    }

    #[test]
    fn an_upload_that_waits_is_told_that_it_is_offline_when_it_begins() {
        let mut hub = hub(1, 4);
        hub.begin(at(0));
        drain(&mut hub);
        hub.set_online(false);
        assert_eq!(drain(&mut hub), [(0, "offline".to_owned()), (1, "offline".to_owned())]);
        hub.remove(0);
        hub.begin(at(1));
        assert_eq!(drain(&mut hub), [(2, "offline".to_owned()), (2, "start".to_owned())]);
        hub.set_online(true);
        hub.remove(1);
        hub.begin(at(2));
        let online = |id| (id, "online".to_owned());
        assert_eq!(drain(&mut hub), [online(1), online(2), (3, "start".to_owned())]);
    }

    #[test]
    fn a_paused_upload_is_told_what_it_missed_before_it_goes_on() {
        let mut hub = hub(6, 2);
        hub.begin(at(0));
        let idle = |_| Demand { in_flight: 0, wanted: 1, bytes_in_flight: 0 };
        hub.share(idle);
        hub.pause(0);
        assert_eq!(words(&mut hub, 0), ["start", "lanes 1", "pause"]);
        hub.share(idle);
        assert_eq!(words(&mut hub, 0), ["lanes 0"]);
        hub.set_online(false);
        hub.rest(at(0), 1, 10_000);
        assert_eq!(words(&mut hub, 0), [""; 0]);
        hub.unpause(at(3_000), 0);
        hub.share(idle);
        assert_eq!(words(&mut hub, 0), ["offline", "busy 7000", "unpause", "lanes 1"]);
        hub.pause(0);
        hub.share(idle);
        hub.set_online(true);
        hub.unpause(at(20_000), 0);
        assert_eq!(words(&mut hub, 0), ["pause", "lanes 0", "online", "unpause"]);
    }

    #[test]
    fn an_upload_that_is_paused_hears_of_the_network_while_its_puts_are_cut_off() {
        let mut hub = hub(6, 1);
        hub.begin(at(0));
        hub.share(|_| Demand { in_flight: 1, wanted: 1, bytes_in_flight: 1 });
        hub.pause(0);
        hub.share(|_| Demand { in_flight: 1, wanted: 1, bytes_in_flight: 1 });
        hub.set_online(false);
        assert_eq!(words(&mut hub, 0), ["start", "lanes 1", "pause", "offline"]);
    }

    #[test]
    fn an_upload_that_is_cancelled_knows_whether_it_is_offline() {
        let mut hub = hub(1, 3);
        hub.begin(at(0));
        drain(&mut hub);
        hub.set_online(false);
        drain(&mut hub);
        hub.cancel(at(0), 2);
        assert_eq!(drain(&mut hub), [(2, "offline".to_owned()), (2, "abort".to_owned())]);
        hub.cancel(at(0), 1);
        assert_eq!(drain(&mut hub), [(1, "abort".to_owned())]);
        hub.remove(1);
        hub.cancel(at(0), 1);
        hub.pause(1);
        hub.unpause(at(0), 1);
        assert_eq!(drain(&mut hub), [], "it is over");
    }

    #[test]
    fn an_upload_is_told_its_lanes_only_when_they_change() {
        let mut hub = hub(6, 2);
        hub.begin(at(0));
        drain(&mut hub);
        let demand = |id| Demand { in_flight: 0, wanted: if id == 0 { 9 } else { 1 }, bytes_in_flight: 0 };
        hub.share(demand);
        assert_eq!(drain(&mut hub), [(0, "lanes 5".to_owned()), (1, "lanes 1".to_owned())]);
        hub.share(demand);
        assert_eq!(drain(&mut hub), []);
        hub.remove(1);
        hub.share(demand);
        assert_eq!(drain(&mut hub), [(0, "lanes 6".to_owned())]);
    }

    /// Counts the work of each act on a hub with this many files, by the uploads looked at and the events handed out. A
    /// list that closes a gap looks at none of them: it is one move of memory.
    fn work_by_act(files: u32) -> Vec<(&'static str, u64)> {
        let mut hub = Hub::new(6);
        (0..files).for_each(|id| hub.add(id, id % 3 != 0, 0));
        // Large files that may not begin yet and paused ones stand before those that may.
        (12..files / 2).for_each(|id| hub.pause(id));
        drain(&mut hub);
        let demand = |_| Demand { in_flight: 0, wanted: 1, bytes_in_flight: 0 };
        let mut work = Vec::new();
        let mut act = |name, hub: &mut Hub, act: &mut dyn FnMut(&mut Hub)| {
            let before = touched();
            act(hub);
            let events = std::iter::from_fn(|| hub.poll()).count() as u64;
            work.push((name, touched() - before + events));
        };
        act("begin", &mut hub, &mut |hub| hub.begin(at(0)));
        act("none may begin", &mut hub, &mut |hub| hub.begin(at(0)));
        act("share", &mut hub, &mut |hub| hub.share(demand));
        act("share again", &mut hub, &mut |hub| hub.share(demand));
        act("go offline", &mut hub, &mut |hub| hub.set_online(false));
        act("go online", &mut hub, &mut |hub| hub.set_online(true));
        act("rest", &mut hub, &mut |hub| hub.rest(at(0), 0, 1_000));
        act("prioritize", &mut hub, &mut |hub| hub.prioritize(files - 2, 1));
        act("pause", &mut hub, &mut |hub| hub.pause(files - 3));
        act("unpause", &mut hub, &mut |hub| hub.unpause(at(0), files - 3));
        act("add", &mut hub, &mut |hub| hub.add(files, true, 0));
        act("end, and begin the next", &mut hub, &mut |hub| {
            hub.remove(0);
            hub.begin(at(0));
        });
        act("cancel", &mut hub, &mut |hub| {
            hub.cancel(at(0), files - 4);
            hub.remove(files - 4);
        });
        work
    }

    #[test]
    fn an_event_costs_no_more_with_ten_thousand_files_than_with_a_hundred() {
        // Lists are searched by halves: 14 steps for ten thousand, 7 for a hundred.
        for ((name, few), (_, many)) in work_by_act(100).into_iter().zip(work_by_act(10_000)) {
            assert!(many <= 2 * few + 14, "{name}: {many}, but {few} with a hundred files");
        }
    }

    /// Runs this many files to their end, as the driver does. Returns the work for each.
    fn work_for_each(files: u32) -> u64 {
        let mut hub = Hub::new(6);
        let before = touched();
        (0..files).for_each(|id| hub.add(id, id % 3 != 0, (id % 2) as i32));
        let mut ended = 0;
        let mut begun = std::collections::VecDeque::new();
        while ended < files {
            hub.begin(at(0));
            hub.share(|_| Demand { in_flight: 0, wanted: 1, bytes_in_flight: 0 });
            begun.extend(drain(&mut hub).into_iter().filter(|(_, word)| word == "start").map(|(id, _)| id));
            hub.remove(begun.pop_front().expect("one is under way until all have ended"));
            ended += 1;
        }
        (touched() - before) / u64::from(files)
    }

    #[test]
    fn a_file_costs_no_more_from_its_start_to_its_end_among_ten_thousand() {
        let (few, many) = (work_for_each(100), work_for_each(10_000));
        assert!(few > 0 && many <= 2 * few, "{many} for each of 10,000, but {few} for each of 100");
    }

    #[test]
    fn the_speed_of_answers_is_that_of_all_uploads_and_each_is_told_it() {
        let mut hub = hub(6, 2);
        hub.begin(at(0));
        let sending = |_| Demand { in_flight: 1, wanted: 1, bytes_in_flight: 1_000_000 };
        hub.share(sending);
        drain(&mut hub);
        hub.confirmed(at(3_000), 2_000_000, 1_000);
        hub.share(sending);
        let shares: Vec<_> = std::iter::from_fn(|| hub.poll()).collect();
        for (id, event) in &shares {
            let Event::Share(share) = event else { panic!("{event:?}") };
            assert_eq!(share.bytes_per_second, Some(1 << 19), "{id}: a million, to a power of two");
            assert_eq!(share.bytes_elsewhere, 1 << 20, "{id}");
        }
        assert_eq!(shares.len(), 2);
        hub.stalled();
        hub.share(sending);
        let is_forgotten = |(_, event)| matches!(event, Event::Share(Share { bytes_per_second: None, .. }));
        assert!(std::iter::from_fn(|| hub.poll()).all(is_forgotten));
    }

    #[test]
    fn the_answer_to_a_small_file_says_nothing_while_large_ones_are_on_their_way() {
        let speed_after = |bytes: u64| {
            let mut hub = hub(6, 3);
            hub.begin(at(0));
            let sending = |_| Demand { in_flight: 1, wanted: 1, bytes_in_flight: 8_000_000 };
            hub.share(sending);
            hub.confirmed(at(1_000), bytes, 0);
            hub.share(sending);
            let shares = std::iter::from_fn(|| hub.poll()).filter_map(|(_, event)| match event {
                Event::Share(share) => Some(share.bytes_per_second),
                _ => None,
            });
            shares.last().flatten()
        };
        assert_eq!((speed_after(1_499_999), speed_after(1_500_000)), (None, Some(1 << 20)));
    }

    #[test]
    fn a_silent_link_gets_half_of_the_connections_and_gets_them_back_one_by_one() {
        let mut hub = hub(6, 12);
        hub.begin(at(0));
        let wants = |_| Demand { in_flight: 0, wanted: 1, bytes_in_flight: 0 };
        let lanes = |hub: &mut Hub| {
            hub.share(wants);
            drain(hub);
            hub.queue.limit_now()
        };
        assert_eq!(lanes(&mut hub), 6);
        (0..6).for_each(|_| hub.stalled());
        assert_eq!(lanes(&mut hub), 3, "one burst");
        hub.confirmed(at(50_000), 1, 0);
        assert_eq!(lanes(&mut hub), 4);
        hub.stalled();
        hub.confirmed(at(99_001), 1, 0);
        hub.stalled();
        hub.confirmed(at(99_003), 1, 0);
        hub.stalled();
        assert_eq!(lanes(&mut hub), 1);
        (0..9).for_each(|_| hub.confirmed(at(100_000), 1, 0));
        assert_eq!(lanes(&mut hub), 6);
    }
}
