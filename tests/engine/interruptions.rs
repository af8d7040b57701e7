//! Pauses, missing networks, silence, busy servers and stale credentials.

use directput::engine::{Call, Event, Failure, Held, Remains, Share};
use directput::protocol::{ErrorCode, SignParts, UploadCreated};

use crate::bench::{Bench, MIB, completed, created, digest, signed};

/// Returns an upload with four PUTs under way.
fn sending() -> Bench {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.hash_and_sign();
    bench
}

fn last_held(bench: &mut Bench) -> Option<Held> {
    bench.reports().last().expect("a report").held
}

#[test]
fn during_a_pause_started_parts_finish_and_no_others_start() {
    let mut bench = sending();
    let puts = bench.puts();
    assert_eq!(puts.len(), 6);
    for put in &puts {
        bench.send(Event::PutProgress { put: put.id, sent_bytes: MIB });
    }
    bench.send(Event::Pause);
    assert_eq!(bench.cancelled_puts(), 0);
    assert_eq!(last_held(&mut bench), Some(Held::Pausing));
    for put in &puts {
        bench.now_ms += 1_000;
        bench.store(put);
    }
    let reports = bench.reports();
    assert!(reports.is_sorted_by_key(|report| report.sent_bytes), "progress never moves back");
    let last = reports.last().expect("a report");
    assert_eq!((last.held, last.confirmed_parts, last.sent_bytes), (Some(Held::Paused), 6, 48 * MIB));
    bench.alarm();
    bench.wait(3_600_000);
    bench.hash_and_sign();
    assert_eq!((bench.puts().len(), bench.alarm()), (0, None));
    bench.send(Event::Unpause);
    bench.sign_all();
    assert_eq!(bench.puts().len(), 6, "with fresh URLs");
    assert_eq!(last_held(&mut bench), None);
}

#[test]
fn a_part_that_fails_after_the_pause_is_sent_again_only_after_it() {
    let mut bench = sending();
    let puts = bench.puts();
    bench.send(Event::Pause);
    bench.fail_put(&puts[0], 500, "InternalError");
    puts[1..].iter().for_each(|put| bench.store(put));
    bench.wait(3_600_000);
    assert_eq!((bench.puts().len(), bench.failed_with()), (0, None));
    bench.send(Event::Unpause);
    bench.store_all();
    assert_eq!(bench.completes().len(), 1);
}

#[test]
fn a_pause_lets_the_put_of_a_single_part_file_finish() {
    let mut bench = Bench::new(MIB);
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    bench.send(Event::Pause);
    bench.store(&puts[0]);
    assert!(bench.outcome().expect("it has ended").is_ok());
}

#[test]
fn a_closed_upload_ends_at_once_and_keeps_its_record() {
    let mut bench = Bench::keeping(100 * MIB);
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    bench.store(&puts[0]);
    bench.send(Event::Close);
    assert_eq!((bench.cancelled_puts(), bench.aborts()), (6, 0));
    let failure = bench.outcome().expect("it has ended").expect_err("it is not stored");
    assert_eq!((failure.code, failure.remains), (ErrorCode::Closed, Remains::Parts));
    assert!(bench.records().last().expect("a record").is_some(), "not forgotten");

    let mut bench = sending();
    bench.send(Event::Close);
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::Closed), "no upload without a record is left");
}

#[test]
fn a_pause_stops_reading_the_file() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.send(Event::Pause);
    let parts = bench.hashes();
    for &part in &parts {
        bench.send(Event::PartHashed { part, checksum: digest(part) });
    }
    assert_eq!((parts.len(), bench.hashes().len()), (2, 0));
    bench.send(Event::Unpause);
    assert_eq!(bench.hashes().len(), 2);
}

#[test]
fn without_a_network_no_failure_counts_and_a_request_is_tried_from_time_to_time() {
    let mut bench = sending();
    let puts = bench.puts();
    bench.send(Event::Offline);
    for put in &puts {
        bench.fail_put(put, 0, "");
    }
    assert!(bench.retries().iter().all(|retry| retry.failures == 1));
    bench.wait(19_000);
    assert_eq!(bench.puts().len(), 0);
    assert_eq!(last_held(&mut bench), Some(Held::Offline));
    // 20 s later, one request checks whether the browser's state is right.
    let mut tries = 0;
    for _ in 0..1_000 {
        bench.wait(20_000);
        for put in bench.puts() {
            tries += 1;
            bench.fail_put(&put, 0, "");
        }
        tries += bench.signs().len();
        bench.fail_call(Call::Sign, ErrorCode::Network);
    }
    assert!((900..3_000).contains(&tries), "{tries}");
    assert_eq!(bench.failed_with(), None, "hours offline do not end the upload");
    bench.send(Event::Online);
    bench.store_all();
    assert_eq!(bench.completes().len(), 1);
}

#[test]
fn throttling_delays_every_part_by_the_requested_time() {
    let mut bench = sending();
    let puts = bench.puts();
    let failure = Failure { status: 503, retry_after_ms: Some(7_000), ..Failure::from(ErrorCode::StorageRefused) };
    bench.send(Event::PutFailed { put: puts[0].id, failure });
    assert_eq!(last_held(&mut bench), Some(Held::Busy));
    puts[1..].iter().for_each(|put| bench.store(put));
    bench.wait(6_999);
    assert_eq!(bench.puts().len(), 0);
    bench.wait(1);
    assert_eq!(bench.puts().len(), 4, "half as many as before, and one more for a round that was stored");
}

#[test]
fn throttling_of_another_upload_delays_this_one_too() {
    let mut bench = sending();
    let puts = bench.puts();
    bench.send(Event::Busy { wait_ms: 5_000 });
    bench.store(&puts[0]);
    assert_eq!(bench.puts().len(), 0);
    bench.wait(5_000);
    assert_eq!(bench.puts().len(), 1);
}

#[test]
fn delayed_requests_are_sent_at_once_when_the_network_is_back() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.store_all();
    bench.completes();
    for _ in 0..5 {
        bench.wait(20_000);
        bench.fail_call(Call::Complete, ErrorCode::Network);
    }
    bench.completes();
    assert_eq!(bench.retries().pop().map(|retry| retry.wait_ms), Some(4_000));
    bench.send(Event::Offline);
    bench.wait(100);
    bench.send(Event::Online);
    assert_eq!(bench.completes().len(), 1);

    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    puts.iter().for_each(|put| bench.fail_put(put, 0, ""));
    assert_eq!(bench.puts().len(), 0);
    bench.send(Event::Online);
    assert_eq!(bench.puts().len(), 3);
}

#[test]
fn fresh_credentials_are_requested_once() {
    let mut bench = Bench::new(20 * MIB);
    bench.hash_first();
    bench.creates();
    bench.fail_call(Call::Create, ErrorCode::Unauthorized);
    assert_eq!((bench.refreshes(), bench.creates().len()), (1, 0));
    bench.send(Event::CredentialsRefreshed);
    assert_eq!(bench.creates().len(), 1);
    bench.fail_call(Call::Create, ErrorCode::Unauthorized);
    assert_eq!((bench.refreshes(), bench.failed_with()), (0, Some(ErrorCode::Unauthorized)));
}

#[test]
fn without_fresh_credentials_the_upload_ends() {
    let mut bench = Bench::new(20 * MIB);
    bench.hash_first();
    bench.fail_call(Call::Create, ErrorCode::Unauthorized);
    assert_eq!(bench.refreshes(), 1);
    bench.send(Event::CredentialsFailed(ErrorCode::Unauthorized.into()));
    assert_eq!(bench.failed_with(), Some(ErrorCode::Unauthorized));
}

#[test]
fn puts_stay_within_the_number_of_connections() {
    let mut bench = Bench::new(100 * MIB);
    bench.send(Event::Share(Share { connections: 1, ..Share::default() }));
    bench.create();
    bench.hash_and_sign();
    assert_eq!(bench.puts().len(), 1);
    bench.send(Event::Share(Share { connections: 3, ..Share::default() }));
    assert_eq!(bench.puts().len(), 2);
}

#[test]
fn an_upload_that_s3_no_longer_knows_is_restarted_once() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    bench.fail_put(&puts[0], 404, "NoSuchUpload");
    assert_eq!(bench.cancelled_puts(), puts.len() - 1);
    bench.create();
    bench.hash_and_sign();
    let late = puts;
    let puts = bench.puts();
    late.iter().for_each(|put| bench.store(put));
    assert!(puts.iter().all(|put| !bench.engine.is_stored(put.part.number)), "late events belong to other attempts");
    bench.fail_put(&puts[0], 404, "NoSuchUpload");
    assert_eq!((bench.creates().len(), bench.failed_with()), (0, Some(ErrorCode::UploadGone)));
    assert_eq!(bench.aborts(), 0, "the upload is already gone");
}

#[test]
fn a_signing_call_for_the_abandoned_upload_is_ignored() {
    let started_again = || {
        let mut bench = Bench::new(100 * MIB);
        bench.hash_first();
        let parts = signed(&SignParts { parts: bench.creates().remove(0).parts, bits_per_second: None, lane: 0 }).parts;
        bench.send(Event::Created(UploadCreated { parts, ..created(bench.plan()) }));
        let put = bench.puts().remove(0);
        bench.hash_all();
        let request = bench.signs().remove(0);
        bench.fail_put(&put, 404, "NoSuchUpload");
        bench.create();
        bench.hash_all();
        assert_eq!(bench.signs().len(), 0, "one call at a time");
        (bench, request)
    };
    let (mut bench, request) = started_again();
    bench.send(Event::Signed(signed(&request)));
    assert_eq!((bench.puts().len(), bench.signs().len()), (0, 1), "its URLs are not used");
    let (mut bench, _) = started_again();
    bench.fail_call(Call::Sign, ErrorCode::UploadGone);
    assert_eq!((bench.outcome(), bench.signs().len()), (None, 1));
}

#[test]
fn after_a_lost_completion_the_upload_is_not_restarted() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.store_all();
    assert_eq!(bench.completes().len(), 1);
    bench.fail_call(Call::Complete, ErrorCode::Timeout);
    bench.wait(500);
    let request = bench.completes().pop().expect("asked again");
    bench.fail_call(Call::Complete, ErrorCode::UploadGone);
    assert_eq!((bench.creates().len(), bench.failed_with()), (0, Some(ErrorCode::UploadGone)));
    // If the repeated completion is answered, the upload ends with the object.
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.store_all();
    bench.completes();
    bench.fail_call(Call::Complete, ErrorCode::Timeout);
    bench.wait(500);
    bench.send(completed(&request, 20 * MIB));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn a_completion_that_reached_s3_is_a_success() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.store_all();
    let request = bench.completes().pop().expect("a completion");
    bench.fail_call(Call::Complete, ErrorCode::Timeout);
    bench.wait(500);
    bench.fail_call(Call::Complete, ErrorCode::AlreadyComplete);
    let uploaded = bench.outcome().expect("an end").expect("success");
    assert_eq!((uploaded.etag, uploaded.checksum), (None, request.checksum.map(|checksum| checksum.to_string())));
    assert_eq!(bench.aborts(), 0);
}
