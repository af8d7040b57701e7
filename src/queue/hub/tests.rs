//! Tests which events the uploads of a hub get, and that the work for an event does not grow with the number of files.

use super::super::touched;
use super::*;
use crate::engine::Share;
use crate::plan::BATCH_FILE_BYTES;
use crate::protocol::UploadKind;

/// Size of a file that is sent in several parts, in bytes.
const LARGE: u64 = 1 << 30;

fn at(ms: u64) -> Now {
    Now { ms, random: 1 << 31 }
}

fn hub(connections: u32, files: u32) -> Hub {
    let mut hub = Hub::new(connections);
    (0..files).for_each(|id| hub.add(id, 1, 0));
    hub
}

/// Takes all events. Each event is returned as a short text.
fn drain(hub: &mut Hub) -> Vec<(UploadId, String)> {
    let word = |event| match event {
        Event::Busy { wait_ms } => format!("busy {wait_ms}"),
        Event::Share(share) => format!("connections {}", share.connections),
        event => format!("{event:?}").to_lowercase(),
    };
    std::iter::from_fn(|| hub.poll()).map(|(id, event)| (id, word(event))).collect()
}

fn words(hub: &mut Hub, id: UploadId) -> Vec<String> {
    drain(hub).into_iter().filter(|(other, _)| *other == id).map(|(_, word)| word).collect()
}

#[test]
fn throttling_of_s3_also_holds_for_an_upload_that_begins_later() {
    let mut hub = hub(6, 1);
    hub.begin(at(0));
    hub.rest(at(1_000), 0, 10_000);
    assert_eq!(drain(&mut hub), [(0, "start".to_owned())], "S3 throttled upload 0 itself");
    hub.add(1, 1, 0);
    hub.begin(at(1_101));
    assert_eq!(drain(&mut hub), [(1, "busy 9899".to_owned()), (1, "start".to_owned())]);
    hub.add(2, 1, 0);
    hub.begin(at(11_000));
    assert_eq!(drain(&mut hub), [(2, "start".to_owned())], "it is over");
}

#[test]
fn throttling_holds_for_all_running_uploads_and_is_not_shortened_later() {
    let mut hub = hub(1, 3);
    hub.begin(at(0));
    drain(&mut hub);
    hub.rest(at(0), 1, 10_000);
    assert_eq!(drain(&mut hub), [(0, "busy 10000".to_owned())]);
    hub.rest(at(1_000), 0, 2_000);
    assert_eq!(drain(&mut hub), [], "the current wait is longer");
    hub.remove(0);
    hub.begin(at(5_000));
    assert_eq!(drain(&mut hub), [(2, "busy 5000".to_owned()), (2, "start".to_owned())]);
}

#[test]
fn a_queued_upload_learns_that_it_is_offline_when_it_begins() {
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
fn a_paused_upload_gets_missed_events_when_it_is_unpaused() {
    let mut hub = hub(6, 2);
    hub.begin(at(0));
    let idle = |_| Demand { in_flight: 0, wanted: 1, bytes_in_flight: 0 };
    hub.share(idle);
    hub.pause(0);
    assert_eq!(words(&mut hub, 0), ["start", "connections 1", "pause"]);
    hub.share(idle);
    assert_eq!(words(&mut hub, 0), ["connections 0"]);
    hub.set_online(false);
    hub.rest(at(0), 1, 10_000);
    assert_eq!(words(&mut hub, 0), [""; 0]);
    hub.unpause(at(3_000), 0);
    hub.share(idle);
    assert_eq!(words(&mut hub, 0), ["offline", "busy 7000", "unpause", "connections 1"]);
    hub.pause(0);
    hub.share(idle);
    hub.set_online(true);
    hub.unpause(at(20_000), 0);
    assert_eq!(words(&mut hub, 0), ["pause", "connections 0", "online", "unpause"]);
}

#[test]
fn a_paused_upload_gets_network_events_while_its_puts_end() {
    let mut hub = hub(6, 1);
    hub.begin(at(0));
    hub.share(|_| Demand { in_flight: 1, wanted: 1, bytes_in_flight: 1 });
    hub.pause(0);
    hub.share(|_| Demand { in_flight: 1, wanted: 1, bytes_in_flight: 1 });
    hub.set_online(false);
    assert_eq!(words(&mut hub, 0), ["start", "connections 1", "pause", "offline"]);
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
fn an_upload_gets_its_lanes_only_when_they_change() {
    let mut hub = hub(6, 2);
    hub.begin(at(0));
    drain(&mut hub);
    let demand = |id| Demand { in_flight: 0, wanted: if id == 0 { 9 } else { 1 }, bytes_in_flight: 0 };
    hub.share(demand);
    assert_eq!(drain(&mut hub), [(0, "connections 5".to_owned()), (1, "connections 1".to_owned())]);
    hub.share(demand);
    assert_eq!(drain(&mut hub), []);
    hub.remove(1);
    hub.share(demand);
    assert_eq!(drain(&mut hub), [(0, "connections 6".to_owned())]);
}

/// Returns the work for each act on a hub with `files` files: the number of looks at uploads plus the number of events.
/// The move of memory that closes a gap in a list is not counted.
fn work_by_act(files: u32) -> Vec<(&'static str, u64)> {
    let mut hub = Hub::new(6);
    (0..files).for_each(|id| hub.add(id, if id % 3 == 0 { 1 } else { LARGE }, 0));
    // The front of the queue holds files that must not begin: paused files, and large files beyond their limit.
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
    act("add", &mut hub, &mut |hub| hub.add(files, LARGE, 0));
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
    // A binary search takes 14 steps for 10,000 files, and 7 for 100.
    for ((name, few), (_, many)) in work_by_act(100).into_iter().zip(work_by_act(10_000)) {
        assert!(many <= 2 * few + 14, "{name}: {many}, but {few} with a hundred files");
    }
}

/// Runs `files` uploads to their end, as the driver does. Returns the work for each upload.
fn work_for_each(files: u32) -> u64 {
    let mut hub = Hub::new(6);
    let before = touched();
    (0..files).for_each(|id| hub.add(id, if id % 3 == 0 { 1 } else { LARGE }, (id % 2) as i32));
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
fn a_file_costs_no_more_among_ten_thousand() {
    let (few, many) = (work_for_each(100), work_for_each(10_000));
    assert!(few > 0 && many <= 2 * few, "{many} for each of 10,000, but {few} for each of 100");
}

#[test]
fn the_speed_of_answers_is_measured_over_all_uploads_and_shared() {
    let mut hub = hub(6, 2);
    hub.begin(at(0));
    let sending = |_| Demand { in_flight: 1, wanted: 1, bytes_in_flight: 1_000_000 };
    hub.share(sending);
    drain(&mut hub);
    hub.confirmed(at(3_000), 0, 2_000_000, 1_000);
    hub.share(sending);
    let shares: Vec<_> = std::iter::from_fn(|| hub.poll()).collect();
    for (id, event) in &shares {
        let Event::Share(share) = event else { panic!("{event:?}") };
        assert_eq!(share.bytes_per_second, Some(1 << 19), "{id}: 1,000,000, rounded down to a power of two");
        assert_eq!(share.bytes_elsewhere, 1 << 20, "{id}");
    }
    assert_eq!(shares.len(), 2);
    hub.stalled(0);
    hub.share(sending);
    let is_forgotten = |(_, event)| matches!(event, Event::Share(Share { bytes_per_second: None, .. }));
    assert!(std::iter::from_fn(|| hub.poll()).all(is_forgotten));
}

#[test]
fn the_answer_to_a_small_file_is_ignored_while_large_ones_are_under_way() {
    let speed_after = |bytes: u64| {
        let mut hub = hub(6, 3);
        hub.begin(at(0));
        let sending = |_| Demand { in_flight: 1, wanted: 1, bytes_in_flight: 8_000_000 };
        hub.share(sending);
        hub.confirmed(at(1_000), 0, bytes, 0);
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
    let connections = |hub: &mut Hub| {
        hub.share(wants);
        drain(hub);
        hub.queue.limit_now()
    };
    assert_eq!(connections(&mut hub), 6);
    (0..6).for_each(|_| hub.stalled(0));
    assert_eq!(connections(&mut hub), 3, "one burst");
    hub.confirmed(at(50_000), 0, 1, 0);
    assert_eq!(connections(&mut hub), 4);
    hub.stalled(0);
    hub.confirmed(at(99_001), 0, 1, 0);
    hub.stalled(0);
    hub.confirmed(at(99_003), 0, 1, 0);
    hub.stalled(0);
    assert_eq!(connections(&mut hub), 1);
    (0..9).for_each(|_| hub.confirmed(at(100_000), 0, 1, 0));
    assert_eq!(connections(&mut hub), 6);
}

#[test]
fn small_files_use_all_lanes_that_work_and_leave_one_that_is_dropped() {
    let mut hub = Hub::new(2);
    (0..40).for_each(|id| hub.add(id, 1, 0));
    hub.begin(at(0));
    hub.queue.add_lanes(3);
    hub.begin(at(0));
    let wants = |_| Demand { in_flight: 0, wanted: 1, bytes_in_flight: 0 };
    let shares = |hub: &mut Hub| -> Vec<(UploadId, u32, u32)> {
        hub.share(wants);
        let share = |(id, event)| match event {
            Event::Share(Share { connections, lane, .. }) => Some((id, lane, connections)),
            _ => None,
        };
        std::iter::from_fn(|| hub.poll()).filter_map(share).collect()
    };
    let first = shares(&mut hub);
    let lane_of = |id| first.iter().find(|&&(other, ..)| other == id).map(|&(_, lane, _)| lane);
    assert_eq!([3, 4, 5, 6].map(lane_of), [0, 1, 2, 0].map(Some), "four began before the other lanes were known");
    let running = first.iter().filter(|&&(_, _, connections)| connections > 0).count();
    assert_eq!(running, 2, "an unproven lane adds no PUTs to the limit");
    hub.confirmed(at(1_000), 0, 1_000, 0);
    hub.remove(0);
    hub.confirmed(at(1_000), 0, 1_000, 0);
    hub.remove(1);
    hub.begin(at(1_000));
    assert!(shares(&mut hub).iter().any(|&(id, lane, connections)| (id, lane, connections) == (4, 1, 1)));
    hub.confirmed(at(2_000), 1, 1_000, 1_000);
    hub.begin(at(2_000));
    let more = shares(&mut hub);
    assert_eq!(more.iter().filter(|&&(_, lane, connections)| lane == 1 && connections == 1).count(), 1, "{more:?}");
    hub.failed(2);
    let moved = shares(&mut hub);
    assert!(moved.iter().any(|&(id, lane, _)| (id, lane) == (5, 0)), "{moved:?}");
}

/// Returns an answer that opens an upload, from a server with batches.
fn able() -> UploadCreated {
    UploadCreated {
        token: String::new(),
        key: String::new(),
        kind: UploadKind::Single,
        part_size: 1,
        part_count: 1,
        max_parts_per_request: 1,
        expires_in_seconds: 900,
        parts: Vec::new(),
        lane_count: 1,
        max_uploads_per_request: 100,
    }
}

#[test]
fn an_upload_that_has_ended_is_not_opened() {
    let mut hub = batching(2);
    assert!(hub.open(0, 1) && hub.open(1, 1));
    hub.remove(0);
    assert_eq!(hub.next_batch(), [(1, 0)]);
}

/// Returns a hub with `files` small files that have begun. Its server opens up to 100 files by one call.
fn batching(files: u32) -> Hub {
    let mut hub = hub(2, files);
    hub.set_max_uploads(100);
    hub.begin(at(0));
    drain(&mut hub);
    hub
}

#[test]
fn files_that_are_hashed_during_a_call_are_opened_by_the_next() {
    let mut hub = batching(50);
    assert!((0..20).all(|id| hub.open(id, 1_000)));
    let ids = |batch: Vec<(UploadId, u32)>| Vec::from_iter(batch.into_iter().map(|(id, _)| id));
    assert_eq!(ids(hub.next_batch()), Vec::from_iter(0..20));
    assert!((20..22).all(|id| hub.open(id, 1_000)));
    assert_eq!(hub.next_batch(), [], "one call at a time");
    hub.batch_ended(Ok(())).expect("an answer");
    hub.share(|id| Demand { in_flight: 0, wanted: u32::from(id < 20), bytes_in_flight: 0 });
    assert_eq!(hub.next_batch(), [], "twenty files are open and wait to be sent");
    hub.share(|id| Demand { in_flight: 0, wanted: u32::from(id < 1), bytes_in_flight: 0 });
    assert_eq!(ids(hub.next_batch()), [20, 21]);
}

#[test]
fn more_small_files_begin_where_one_call_opens_them() {
    let begun = |hub: &Hub| hub.queue.begun().len();
    assert_eq!(begun(&batching(500)), 2 * 2 + 100);
    let mut hub = Hub::new(2);
    hub.set_max_uploads(100);
    (0..500).for_each(|id| hub.add(id, BATCH_FILE_BYTES + 1, 0));
    hub.begin(at(0));
    assert_eq!(begun(&hub), 2 * 2, "each larger file needs its own call");
}

#[test]
fn an_upload_that_is_cancelled_before_its_call_is_told_that_none_was_made() {
    for ends in [Hub::cancel, Hub::close] {
        let mut hub = batching(2);
        assert!(hub.open(0, 1) && hub.open(1, 1));
        ends(&mut hub, at(0), 0);
        let [end, failed] = &words(&mut hub, 0)[..] else { panic!("two events") };
        assert!(["abort", "close"].contains(&end.as_str()) && failed.starts_with("callfailed"), "{end}, {failed}");
        assert_eq!(hub.next_batch(), [(1, 0)]);
    }
}

#[test]
fn a_server_that_does_not_know_the_call_is_not_asked_again() {
    for (status, is_known) in
        [(404, false), (405, false), (400, false), (413, false), (503, true), (0, true), (401, true)]
    {
        let mut hub = batching(3);
        assert!(hub.open(0, 1));
        hub.next_batch();
        let failure = Failure { status, ..ErrorCode::NotFound.into() };
        let told = hub.batch_ended::<()>(Err(failure)).expect_err("a failure");
        assert_eq!(told.code.is_retryable(), !is_known, "{status}");
        assert_eq!(hub.open(1, 1), is_known, "{status}");
        hub.learn_server(&able());
        assert_eq!(hub.open(2, 1), is_known, "{status}: a later answer does not bring batches back");
    }
}
