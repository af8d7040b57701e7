//! Progress reports.

use directput::checksum::ChecksumAlgorithm;
use directput::engine::{Call, Event, Held, Phase};
use directput::plan::Plan;
use directput::protocol::{ErrorCode, FileSize, PartsListed, StoredPart};

use crate::bench::{Bench, MIB, created, digest};

#[test]
fn the_servers_plan_does_not_reduce_the_progress() {
    let mut bench = Bench::new(40 * MIB);
    bench.hash_first();
    bench.creates();
    for part in bench.hashes() {
        bench.wait(200);
        bench.send(Event::PartHashed { part, checksum: digest(part) });
    }
    bench.wait(200);
    let before = *bench.reports().last().expect("a report");
    assert_eq!((before.phase, before.hashed_bytes, before.parts), (Phase::Sign, 16 * MIB, 0));
    let plan = Plan::restore(FileSize::new(40 * MIB).expect("in range"), 5 * MIB, true).expect("sound");
    bench.send(Event::Created(created(plan)));
    bench.wait(200);
    let after = *bench.reports().last().expect("a report");
    assert_eq!((after.phase, after.hashed_bytes, after.parts), (Phase::Sign, 16 * MIB, 8));
}

fn phases(bench: &mut Bench) -> Vec<Phase> {
    let mut phases: Vec<_> = bench.reports().into_iter().map(|report| report.phase).collect();
    phases.dedup();
    phases
}

#[test]
fn phases_follow_the_work_of_the_upload() {
    let mut bench = Bench::keeping(40 * MIB);
    assert_eq!(phases(&mut bench), [Phase::Hash]);
    bench.hash_first();
    assert_eq!(phases(&mut bench), [Phase::Sign]);
    bench.creates();
    let reply = created(bench.plan());
    bench.send(Event::Created(reply));
    let record = bench.records().pop().flatten().expect("kept");
    bench.hash_and_sign();
    assert_eq!(phases(&mut bench), [Phase::Upload]);
    for put in bench.puts() {
        bench.fail_put(&put, 0, "");
    }
    bench.wait(200);
    assert!(phases(&mut bench).iter().all(|&phase| phase == Phase::Upload), "all parts are in backoff");
    bench.wait(20_000);
    bench.store_all();
    assert_eq!(phases(&mut bench), [Phase::Upload, Phase::Complete]);
    bench.completes();
    bench.fail_call(Call::Complete, ErrorCode::PartsRefused);
    assert_eq!(phases(&mut bench), [Phase::Sign], "the digests are known");
    bench.send(Event::Abort);
    assert_eq!(phases(&mut bench), [Phase::Abort]);

    // A later session must read the file first.
    let mut bench = Bench::restored(40 * MIB, record);
    bench.wait(200);
    let mut other = bench.clone();
    bench.send(Event::Listed(PartsListed { parts: Vec::new(), next: None }));
    bench.wait(200);
    assert_eq!(phases(&mut bench), [Phase::Hash]);
    bench.hash_first();
    assert_eq!(phases(&mut bench), [Phase::Sign]);
    let part = other.plan().parts().next().expect("a first part");
    let (etag, checksum) = ("tag".to_owned(), Some(digest(part).to_string()));
    let held = StoredPart { number: part.number, size: part.length, etag, checksum };
    other.send(Event::Listed(PartsListed { parts: vec![held], next: None }));
    other.send(Event::PartHashed { part, checksum: digest(part) });
    assert_eq!(phases(&mut other), [Phase::Hash, Phase::Upload], "S3 has already stored a part");

    // Without checksums, the file is not read before it is sent.
    let mut bench = Bench::by(ChecksumAlgorithm::None, 40 * MIB);
    assert_eq!(phases(&mut bench), [Phase::Sign]);
}

#[test]
fn unchanged_progress_is_not_reported_again() {
    let mut bench = Bench::new(40 * MIB);
    bench.create();
    bench.hash_and_sign();
    bench.wait(200);
    assert_eq!(bench.reports().last().map(|report| report.hashed_bytes), Some(40 * MIB));
    for _ in 0..5 {
        bench.wait(200);
    }
    assert_eq!(bench.reports(), []);
}

#[test]
fn time_without_a_network_does_not_lower_the_speed() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    let mut puts = Vec::new();
    let mut store = |bench: &mut Bench| {
        bench.hash_and_sign();
        puts.extend(bench.puts());
        bench.now_ms += 1_000;
        bench.store(&puts.remove(0));
        bench.reports().last().map_or(0.0, |report| report.bytes_per_second)
    };
    let before = (0..20).map(|_| store(&mut bench)).last().unwrap_or_default();
    bench.send(Event::Offline);
    for _ in 0..15 {
        bench.wait(1_000);
    }
    assert_eq!(bench.reports().last().map(|report| report.bytes_per_second), Some(0.0));
    bench.send(Event::Online);
    let after = store(&mut bench);
    assert!(before > 8e6 && after > 0.9 * before, "{before} byte/s, and then {after}");
}

#[test]
fn sent_bytes_are_reported_ten_times_per_second() {
    let mut bench = Bench::new(40 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0).id;
    bench.wait(200);
    bench.reports();
    for sent_bytes in 1..=1_000 {
        bench.now_ms += 1;
        bench.send(Event::PutProgress { put, sent_bytes });
    }
    assert_eq!(bench.reports().len(), 10);
}

#[test]
fn a_completion_that_is_repeated_by_a_later_session_shows_all_bytes() {
    let mut bench = Bench::keeping(40 * MIB);
    bench.create();
    bench.store_all();
    let record = bench.records().pop().flatten().expect("kept");
    let mut bench = Bench::restored(40 * MIB, record);
    let report = bench.reports().pop().expect("a report");
    assert_eq!((report.phase, report.confirmed_parts), (Phase::Complete, 5));
    assert_eq!([report.hashed_bytes, report.sent_bytes, report.confirmed_bytes], [40 * MIB; 3]);
}

#[test]
fn a_removal_is_not_reported_as_held() {
    let mut bench = Bench::keeping(40 * MIB);
    bench.create();
    bench.send(Event::Pause);
    assert_eq!(bench.reports().pop().and_then(|report| report.held), Some(Held::Paused));
    bench.send(Event::Abort);
    let report = bench.reports().pop().expect("a report");
    assert_eq!((report.phase, report.held), (Phase::Abort, None));
}

#[test]
fn reported_bytes_are_not_counted_again_when_they_are_stored() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    let mut puts = Vec::new();
    for _ in 0..40 {
        bench.hash_and_sign();
        puts.extend(bench.puts());
        let put = puts.remove(0);
        for sent_bytes in [2 * MIB, 4 * MIB, 6 * MIB] {
            bench.now_ms += 250;
            bench.send(Event::PutProgress { put: put.id, sent_bytes });
        }
        bench.now_ms += 250;
        bench.store(&put);
    }
    let speed = bench.reports().last().map_or(0.0, |report| report.bytes_per_second);
    assert!((8e6..9e6).contains(&speed), "8 MiB in each second, and not {speed} byte/s");
}

#[test]
fn the_speed_counts_only_bytes_that_have_arrived() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    for put in &puts[..2] {
        bench.now_ms += 1_000;
        bench.send(Event::PutProgress { put: put.id, sent_bytes: 8 * MIB });
    }
    bench.now_ms += 2_000;
    bench.alarm();
    bench.store(&puts[0]);
    assert_eq!(bench.alarm(), Some(bench.now_ms + 1_000), "bytes are in buffers, and the time left is still reported");
    let speed = bench.reports().last().map_or(0.0, |report| report.bytes_per_second);
    assert!((2.0e6..2.2e6).contains(&speed), "8 MiB in 4 s, and not {speed} byte/s");
}

#[test]
fn the_time_left_needs_no_timer_while_buffers_are_empty() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.alarm();
    bench.now_ms += 1_000;
    bench.store(&put);
    assert!(bench.reports().last().is_some_and(|report| report.seconds_left.is_some()));
    assert!(bench.alarm().is_none_or(|at_ms| at_ms > bench.now_ms + 10_000));
}

#[test]
fn bytes_that_will_be_sent_again_do_not_count_as_in_flight() {
    let mut bench = Bench::new(1_000 * MIB);
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    for put in &puts[..2] {
        bench.now_ms += 1_000;
        bench.send(Event::PutProgress { put: put.id, sent_bytes: 8 * MIB });
    }
    bench.fail_put(&puts[1], 0, "");
    bench.now_ms += 2_000;
    bench.store(&puts[0]);
    let report = *bench.reports().last().expect("a report");
    let left = report.seconds_left.expect("a speed") * report.bytes_per_second;
    assert!((left - (992 * MIB) as f64).abs() < 1.0, "{report:?}");
}
