//! Single rules of retry, removal and progress. Each test failed when the line of its rule was changed.

use directput::engine::{Call, Demand, Event, Failure, Now, Put, Remains};
use directput::protocol::ErrorCode;

use crate::bench::{Bench, MIB, completed, stored};

const SIZE: u64 = 40 * MIB;

fn sending() -> Bench {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.records();
    bench.hash_and_sign();
    bench
}

fn completing() -> Bench {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.store_all();
    assert_eq!(bench.completes().len(), 1);
    bench
}

#[test]
fn fresh_headers_are_requested_again_after_the_api_has_accepted_some() {
    let mut bench = Bench::keeping(SIZE);
    bench.hash_first();
    bench.creates();
    bench.fail_call(Call::Create, ErrorCode::Unauthorized);
    assert_eq!(bench.refreshes(), 1);
    bench.send(Event::CredentialsRefreshed);
    bench.create();
    bench.hash_all();
    bench.signs();
    bench.fail_call(Call::Sign, ErrorCode::Unauthorized);
    assert_eq!((bench.refreshes(), bench.outcome()), (1, None));
}

#[test]
fn an_upload_that_ends_for_want_of_a_sign_in_keeps_its_record() {
    let mut bench = sending();
    bench.hash_all();
    bench.store_all();
    bench.completes();
    bench.records();
    bench.fail_call(Call::Complete, ErrorCode::Unauthorized);
    bench.send(Event::CredentialsFailed(ErrorCode::Unauthorized.into()));
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    assert_eq!((failure.code, failure.remains), (ErrorCode::Unauthorized, Remains::Parts));
    assert_eq!((bench.aborts(), bench.records()), (0, vec![]));
}

#[test]
fn a_refused_completion_of_an_earlier_session_does_not_restart_the_upload() {
    let mut bench = completing();
    let kept = bench.records().pop().flatten().expect("kept");
    let mut bench = Bench::restored(SIZE, kept);
    assert_eq!(bench.completes().len(), 1);
    bench.fail_call(Call::Complete, ErrorCode::UploadGone);
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    assert_eq!((failure.code, failure.remains), (ErrorCode::UploadGone, Remains::Unknown));
    assert_eq!((bench.hashes().len(), bench.creates().len()), (0, 0));
}

#[test]
fn conflicts_and_overload_do_not_end_the_upload() {
    for (status, storage_code) in [(409, "OperationAborted"), (409, "ConditionalRequestConflict"), (429, "SlowDown")] {
        let mut bench = sending();
        let mut puts = bench.puts();
        let put = puts.remove(0);
        bench.fail_put(&put, status, storage_code);
        puts.iter().for_each(|put| bench.store(put));
        assert_eq!((bench.outcome(), bench.aborts()), (None, 0), "{status}");
        bench.wait(20_000);
        let again = bench.puts().into_iter().find(|again| again.part == put.part).expect("sent again");
        assert_eq!(again.url, put.url, "{status}");
    }
}

#[test]
fn retry_after_of_the_api_is_respected_up_to_a_limit() {
    for (asked_ms, wait_ms) in [(9_000, 9_000), (300_000, 300_000), (86_400_000, 300_000)] {
        let mut bench = completing();
        let failure = Failure { status: 429, retry_after_ms: Some(asked_ms), ..ErrorCode::TooManyRequests.into() };
        bench.send(Event::CallFailed { call: Call::Complete, failure });
        bench.wait(wait_ms - 1);
        assert_eq!(bench.completes().len(), 0, "{asked_ms}");
        bench.wait(1);
        assert_eq!(bench.completes().len(), 1, "{asked_ms}");
    }
}

#[test]
fn retry_after_of_s3_is_respected_after_a_server_error_too() {
    let mut bench = sending();
    let puts = bench.puts();
    let failure = Failure { status: 500, retry_after_ms: Some(9_000), ..ErrorCode::StorageRefused.into() };
    bench.send(Event::PutFailed { put: puts[0].id, failure });
    puts[1..].iter().for_each(|put| bench.store(put));
    bench.wait(8_999);
    assert_eq!(bench.puts().len(), 0);
    bench.wait(1);
    assert_eq!(bench.puts().len(), 1);
}

#[test]
fn hours_offline_do_not_use_up_patience() {
    let mut bench = completing();
    bench.fail_call(Call::Complete, ErrorCode::Network);
    bench.send(Event::Offline);
    for _ in 0..180 {
        bench.now_ms += 60_000;
        bench.send(Event::Offline);
    }
    bench.send(Event::Online);
    bench.wait(0);
    bench.fail_call(Call::Complete, ErrorCode::Network);
    assert_eq!(bench.outcome(), None);
}

#[test]
fn an_upload_with_stopped_puts_is_removed_twice() {
    let mut bench = sending();
    assert!(!bench.puts().is_empty());
    bench.send(Event::Abort);
    assert_eq!(bench.aborts(), 1);
    bench.send(Event::Aborted);
    assert_eq!((bench.aborts(), bench.outcome()), (0, None));
    bench.wait(999);
    assert_eq!(bench.aborts(), 0);
    bench.wait(1);
    assert_eq!(bench.aborts(), 1, "S3 may have stored a stopped PUT");
    bench.send(Event::Aborted);
    assert!(bench.outcome().is_some());
}

#[test]
fn an_upload_whose_puts_have_all_ended_is_removed_once() {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.send(Event::Abort);
    assert_eq!(bench.aborts(), 1);
    bench.send(Event::Aborted);
    assert!(bench.outcome().is_some());
}

#[test]
fn progress_counts_each_byte_once() {
    let mut bench = Bench::keeping(SIZE);
    assert_eq!(bench.reports().last().map(|report| report.hashed_bytes), Some(0));
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    bench.wait(200);
    let report = *bench.reports().last().expect("a report");
    assert_eq!((report.hashed_bytes, report.sent_bytes, report.seconds_left), (SIZE, 0, None));
    bench.now_ms += 1_000;
    bench.send(Event::PutProgress { put: puts[0].id, sent_bytes: 4 * MIB });
    bench.now_ms += 1_000;
    bench.send(Event::PutProgress { put: puts[0].id, sent_bytes: 8 * MIB });
    let report = *bench.reports().last().expect("a report");
    assert_eq!((report.sent_bytes, report.confirmed_bytes, report.confirmed_parts), (8 * MIB, 0, 0));
    let left = report.seconds_left.expect("a speed");
    assert!((left * report.bytes_per_second - (32 * MIB) as f64).abs() < 1.0, "{report:?}");
    bench.now_ms += 1_000;
    bench.store(&puts[0]);
    let report = *bench.reports().last().expect("a report");
    assert_eq!((report.sent_bytes, report.confirmed_bytes, report.confirmed_parts), (8 * MIB, 8 * MIB, 1));
    // Bytes that are hashed again are not counted again.
    bench.fail_put(&puts[1], 400, "BadDigest");
    bench.hash_all();
    bench.wait(200);
    assert!(bench.reports().iter().all(|report| report.hashed_bytes == SIZE));
}

#[test]
fn a_paused_upload_leaves_its_connections_to_others() {
    let mut bench = sending();
    let puts = bench.puts();
    let now = |bench: &Bench| Now { ms: bench.now_ms, random: 0 };
    let five = Demand { in_flight: 5, wanted: 5, bytes_in_flight: SIZE };
    assert_eq!(bench.engine.demand(now(&bench)), five);
    bench.send(Event::Pause);
    assert_eq!(bench.engine.demand(now(&bench)), five, "parts under way finish");
    bench.fail_put(&puts[0], 403, "AccessDenied");
    let four = Demand { in_flight: 4, wanted: 4, bytes_in_flight: SIZE - 8 * MIB };
    assert_eq!(bench.engine.demand(now(&bench)), four);
    bench.send(Event::Unpause);
    bench.sign_all();
    assert_eq!(bench.engine.demand(now(&bench)), five);
}

#[test]
fn a_part_counts_as_stored_once_s3_has_it() {
    let mut bench = sending();
    let put = bench.puts().remove(0);
    assert!(!bench.engine.is_stored(put.part.number));
    bench.store(&put);
    assert!(bench.engine.is_stored(put.part.number));
}

#[test]
fn a_refused_signature_waits_longer_each_time() {
    let mut bench = sending();
    let mut waits = Vec::new();
    for _ in 0..3 {
        let put = bench.puts().into_iter().find(|put| put.part.number.get() == 1).expect("the first part");
        bench.fail_put(&put, 403, "AccessDenied");
        let wait_ms = bench.retries().pop().expect("a notice").wait_ms;
        waits.push(wait_ms);
        if wait_ms > 0 {
            bench.wait(wait_ms - 1);
            assert_eq!(bench.signs().len(), 0, "not before {wait_ms} ms");
        }
        bench.wait(1);
        bench.sign_all();
    }
    assert_eq!(waits, [0, 500, 1_000], "the first refusal needs no backoff");
}

#[test]
fn bytes_that_arrive_damaged_four_times_end_the_upload() {
    let answers = |bench: &mut Bench, put: &Put| bench.answer_put(put, stored("tag", Some("AAAA".to_owned())));
    let refuses = |bench: &mut Bench, put: &Put| bench.fail_put(put, 400, "BadDigest");
    for act in [answers as fn(&mut Bench, &Put), refuses] {
        let mut bench = sending();
        for _ in 0..4 {
            bench.hash_and_sign();
            let put = bench.puts().into_iter().find(|put| put.part.number.get() == 1).expect("the first part");
            act(&mut bench, &put);
        }
        bench.remove();
        let failure = bench.outcome().expect("an end").expect_err("a failure");
        assert_eq!((failure.code, failure.status), (ErrorCode::Integrity, 400));
        assert_eq!(failure.storage_code.as_deref(), Some("BadDigest"));
    }
}

#[test]
fn a_failure_without_a_network_does_not_count_against_a_part() {
    let mut bench = sending();
    bench.send(Event::Offline);
    for put in bench.puts() {
        bench.fail_put(&put, 0, "");
    }
    assert!(bench.retries().iter().all(|retry| retry.failures == 1));
    bench.send(Event::Online);
    bench.sign_all();
    for put in bench.puts() {
        bench.fail_put(&put, 0, "");
    }
    assert!(bench.retries().iter().all(|retry| retry.failures == 1), "these are the first that count");
}

#[test]
fn only_persisted_records_are_removed() {
    let mut bench = Bench::new(SIZE);
    bench.create();
    bench.store_all();
    let request = bench.completes().remove(0);
    bench.send(completed(&request, SIZE));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
    assert_eq!(bench.records(), [], "this driver keeps none");

    let mut bench = Bench::keeping(MIB);
    bench.create();
    bench.store_all();
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
    assert_eq!(bench.records(), [], "a single PUT cannot be resumed");
}

#[test]
fn a_removal_without_a_network_is_left_to_the_next_visit() {
    let mut bench = sending();
    bench.send(Event::Offline);
    bench.send(Event::Abort);
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    assert_eq!((failure.code, failure.remains, bench.aborts()), (ErrorCode::Aborted, Remains::Parts, 0));
    assert!(bench.records().pop().flatten().is_some_and(|record| record.discard));
}

#[test]
fn an_answer_that_comes_twice_counts_once() {
    let mut bench = sending();
    bench.send(Event::Abort);
    bench.send(Event::Aborted);
    bench.send(Event::Aborted);
    assert_eq!(bench.outcome(), None, "the second removal is still to come");
}
