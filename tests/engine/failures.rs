//! Consequences of each kind of failure.

use directput::checksum::Sha256Digest;
use directput::engine::*;
use directput::protocol::*;

use crate::bench::*;

#[test]
fn a_plan_that_does_not_fit_the_file_is_refused_and_cleaned_up() {
    let mut bench = Bench::new(100 * MIB);
    bench.hash_first();
    assert_eq!(bench.creates().len(), 1);
    let reply = UploadCreated { part_count: 3, ..created(bench.plan()) };
    bench.send(Event::Created(reply));
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::InvalidReply));
}

#[test]
fn expired_url_is_signed_again_before_its_part_is_sent() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.hash_all();
    bench.sign_all();
    bench.hash_all();
    bench.sign_all();
    let puts = bench.puts();
    assert_eq!(puts.len(), 6);
    // The first six PUTs take so long that the other URLs of the same batch expire.
    bench.now_ms += URL_SECONDS * 1_000 - 5_000;
    let mut in_time = bench.clone();
    in_time.store(&puts[0]);
    assert_eq!(in_time.puts().len(), 1);
    bench.now_ms += 1;
    bench.store(&puts[0]);
    assert!(bench.puts().is_empty(), "no PUT uses a URL that may expire before it begins");
    let request = bench.signs().pop().expect("they are signed again");
    assert!(request.parts.iter().all(|part| part.number.get() > 6));
    bench.send(Event::Signed(signed(&request)));
    assert_eq!(bench.puts().len(), 1);
}

#[test]
fn a_network_failure_waits_with_jitter_and_sends_the_same_url_again() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_all();
    bench.sign_all();
    bench.hash_all();
    bench.sign_all();
    let mut puts = bench.puts();
    let put = puts.remove(0);
    bench.fail_put(&put, 0, "");
    puts.iter().for_each(|put| bench.store(put));
    let retry = bench.retries().pop().expect("a notice");
    assert_eq!((retry.part, retry.wait_ms, retry.failures), (Some(put.part.number), 250, 1));
    assert_eq!(bench.alarm(), Some(bench.now_ms + 250));
    bench.wait(249);
    assert!(bench.puts().is_empty());
    bench.wait(1);
    let again = bench.puts().pop().expect("sent again");
    assert_eq!((again.part, &again.url), (put.part, &put.url));
    assert_ne!(again.id, put.id);
}

#[test]
fn a_refused_signature_requests_a_new_url() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 403, "AccessDenied");
    bench.wait(20_000);
    let request = bench.signs().pop().expect("signed again");
    assert_eq!(request.parts[0].number, put.part.number);
}

#[test]
fn bytes_that_arrived_corrupted_are_hashed_and_sent_again() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 400, "BadDigest");
    assert_eq!(bench.hashes(), [put.part]);
    bench.send(Event::PartHashed { part: put.part, checksum: digest(put.part) });
    bench.sign_all();
    assert_eq!(bench.puts().pop().expect("sent again").part, put.part);
}

#[test]
fn a_part_that_hashes_differently_the_second_time_means_the_file_changed() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 400, "BadDigest");
    bench.send(Event::PartHashed { part: put.part, checksum: Sha256Digest::of(b"other bytes").into() });
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::FileChanged));
}

#[test]
fn a_checksum_that_s3_answers_differently_is_corruption_too() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    let checksum = Some(Sha256Digest::of(b"other bytes").to_string());
    bench.answer_put(&put, stored("tag", checksum));
    assert_eq!(bench.hashes(), [put.part]);
}

#[test]
fn a_part_that_keeps_failing_ends_the_upload_and_cleans_up() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let number = bench.plan().last().number;
    let (last, others): (Vec<_>, Vec<_>) = bench.puts().into_iter().partition(|put| put.part.number == number);
    others.iter().for_each(|put| bench.store(put));
    bench.fail_put(&last[0], 500, "InternalError");
    bench.wait(15_000);
    for _ in 1..30 {
        let put = bench.puts().pop().expect("the last part is sent");
        bench.fail_put(&put, 500, "InternalError");
        bench.wait(15_000);
        bench.sign_all();
    }
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::StorageUnavailable));
}

#[test]
fn a_lost_answer_to_a_single_put_is_recognised_by_the_refusal_of_the_second() {
    let mut bench = Bench::new(MIB);
    bench.hash_all();
    bench.create();
    bench.sign_all();
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 0, "");
    bench.wait(500);
    let put = bench.puts().remove(0);
    bench.fail_put(&put, 412, "PreconditionFailed");
    let uploaded = bench.outcome().expect("finished").expect("stored");
    assert_eq!(uploaded.etag, None);
}

#[test]
fn api_calls_are_retried_with_backoff_and_then_given_up() {
    let mut bench = Bench::new(20 * MIB);
    bench.hash_first();
    for attempt in 1..=7 {
        assert_eq!(bench.creates().len(), 1, "attempt {attempt}");
        bench.send(Event::CallFailed { call: Call::Create, failure: ErrorCode::Network.into() });
        bench.wait(20_000);
    }
    assert_eq!(bench.failed_with(), Some(ErrorCode::Network));
    assert_eq!(bench.aborts(), 0, "nothing was opened");
}

#[test]
fn a_signing_call_that_fails_leaves_its_parts_to_the_next() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_all();
    let request = bench.signs().pop().expect("a call");
    bench.send(Event::CallFailed { call: Call::Sign, failure: ErrorCode::TooManyRequests.into() });
    bench.wait(1_000);
    let again = bench.signs().pop().expect("another call");
    assert!(request.parts.iter().all(|part| again.parts.contains(part)));
}

#[test]
fn a_refusal_by_the_api_is_final_and_keeps_its_code() {
    let mut bench = Bench::new(20 * MIB);
    bench.hash_first();
    let failure = Failure { status: 415, ..ErrorCode::TypeNotAllowed.into() };
    bench.send(Event::CallFailed { call: Call::Create, failure: failure.clone() });
    assert_eq!(bench.outcome(), Some(Err(failure)));
    assert!(bench.reports().iter().all(|report| report.phase != Phase::Done), "a failure is not done");
}

#[test]
fn an_abort_stops_every_put_removes_the_upload_and_then_finishes() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.hash_and_sign();
    let puts = bench.puts();
    bench.send(Event::Abort);
    let cancelled = bench.take(|action| if let Action::CancelPut(id) = action { Some(*id) } else { None });
    assert_eq!(cancelled, puts.iter().map(|put| put.id).collect::<Vec<_>>());
    assert!(bench.outcome().is_none(), "not before the upload is gone");
    bench.store(&puts[0]);
    assert!(bench.puts().is_empty() && bench.completes().is_empty(), "late events are ignored");
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::Aborted));
}

#[test]
fn an_abort_while_the_upload_is_being_opened_removes_the_new_upload() {
    let mut bench = Bench::new(100 * MIB);
    bench.hash_first();
    bench.send(Event::Abort);
    assert!(bench.outcome().is_none());
    bench.create();
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::Aborted));
}

#[test]
fn an_abort_whose_call_keeps_failing_still_ends() {
    let mut bench = Bench::new(100 * MIB);
    bench.create();
    bench.send(Event::Abort);
    for _ in 0..4 {
        assert_eq!(bench.aborts(), 1);
        bench.send(Event::CallFailed { call: Call::Abort, failure: ErrorCode::Network.into() });
        bench.wait(2_000);
    }
    assert_eq!(bench.failed_with(), Some(ErrorCode::Aborted));
}

#[test]
fn an_abort_before_the_first_call_finishes_at_once() {
    let mut bench = Bench::new(MIB);
    bench.send(Event::Abort);
    assert_eq!(bench.failed_with(), Some(ErrorCode::Aborted));
    assert_eq!(bench.aborts(), 0);
}

#[test]
fn a_hidden_etag_is_reported_as_such() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    let checksum = Some(digest(put.part).to_string());
    bench.answer_put(&put, PutAnswer { etag: None, ..stored("", checksum) });
    bench.remove();
    assert_eq!(bench.failed_with(), Some(ErrorCode::ETagHidden));
}
