//! Answers that come neither from S3 nor from the API: captive portals, sign-in gateways, service workers, proxies.

use directput::checksum::{ChecksumAlgorithm, PartChecksum, Sha256Digest};
use directput::engine::{Call, Event, Failure, Put, PutAnswer, Remains};
use directput::protocol::{ErrorCode, UploadCompleted};

use crate::bench::{Bench, MIB, completed, digest, stored};

const HASH: &str = "0123456789abcdef0123456789abcdef";

/// Returns the answer of a captive portal.
fn login_page() -> PutAnswer {
    PutAnswer { status: 200, media_type: Some("text/html; charset=utf-8".to_owned()), ..PutAnswer::default() }
}

/// Returns an upload with a single PUT under way.
fn single(algorithm: ChecksumAlgorithm) -> (Bench, Put) {
    let mut bench = Bench::by(algorithm, MIB);
    bench.hash_all();
    bench.create();
    bench.sign_all();
    let put = bench.puts().remove(0);
    (bench, put)
}

/// Returns an upload of several parts with a driver that keeps records, and its PUTs.
fn parts() -> (Bench, Vec<Put>) {
    let mut bench = Bench::keeping(40 * MIB);
    bench.create();
    bench.hash_and_sign();
    bench.records();
    let puts = bench.puts();
    (bench, puts)
}

#[test]
fn an_answer_without_proof_is_not_a_success() {
    let ours = Some(digest(Bench::new(MIB).plan().last()).to_string());
    let hidden = PutAnswer { status: 200, is_empty: true, ..PutAnswer::default() };
    let short = PutAnswer { etag: Some("\"65a1b2c3-1f4\"".to_owned()), ..hidden.clone() };
    let weak = PutAnswer { etag: Some(format!("W/\"{HASH}\"")), ..hidden.clone() };
    let page = PutAnswer { is_empty: false, ..stored(HASH, None) };
    let no_content = PutAnswer { status: 204, ..stored(HASH, ours) };
    for answer in [login_page(), hidden, short, weak, page, no_content] {
        let (mut bench, put) = single(ChecksumAlgorithm::Sha256);
        bench.answer_put(&put, answer.clone());
        assert!(bench.outcome().is_none(), "{answer:?}");
        let retry = bench.retries().pop().expect("a notice");
        assert_eq!((retry.code, retry.status), (ErrorCode::UnexpectedAnswer, answer.status));
        bench.wait(500);
        let again = bench.puts().pop().expect("the same PUT again");
        assert_eq!(again.url, put.url);
    }
}

#[test]
fn the_second_attempt_of_a_single_put_shows_that_the_first_was_stored() {
    let (mut bench, put) = single(ChecksumAlgorithm::None);
    bench.answer_put(&put, PutAnswer { status: 200, is_empty: true, ..PutAnswer::default() });
    bench.wait(500);
    let again = bench.puts().remove(0);
    bench.fail_put(&again, 412, "PreconditionFailed");
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn a_refused_precondition_that_is_not_from_s3_does_not_count_as_stored() {
    let (mut bench, put) = single(ChecksumAlgorithm::Sha256);
    bench.fail_put(&put, 0, "");
    bench.wait(500);
    let again = bench.puts().remove(0);
    bench.fail_put(&again, 412, "");
    assert!(bench.outcome().is_none());
}

#[test]
fn a_checksum_or_an_entity_tag_of_s3_is_proof() {
    let (mut bench, put) = single(ChecksumAlgorithm::Sha256);
    bench.answer_put(&put, PutAnswer { etag: None, ..stored("", Some(digest(put.part).to_string())) });
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()), "the checksum is ours");
    for algorithm in [ChecksumAlgorithm::Sha256, ChecksumAlgorithm::None] {
        let (mut bench, put) = single(algorithm);
        bench.answer_put(&put, stored(HASH, None));
        assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()), "the entity tag is S3's");
    }
}

#[test]
fn a_portal_in_front_of_the_bucket_loses_no_sent_parts() {
    let (mut bench, mut puts) = parts();
    bench.store(&puts.remove(0));
    let mut attempts = 0;
    while bench.outcome().is_none() {
        bench.hash_and_sign();
        puts.extend(bench.puts());
        puts.drain(..).for_each(|put| bench.answer_put(&put, login_page()));
        bench.wait(20_000);
        attempts += 1;
        assert!(attempts < 100, "it never ends");
    }
    assert!(attempts > 10, "it is retried as often as a server error");
    assert_eq!((bench.aborts(), bench.records()), (0, vec![]), "the upload is kept");
}

#[test]
fn a_failure_caused_by_a_portal_names_its_status_and_type() {
    let (mut bench, mut puts) = parts();
    let failure = loop {
        puts.drain(..).for_each(|put| bench.answer_put(&put, login_page()));
        if let Some(outcome) = bench.outcome() {
            break outcome.expect_err("a failure");
        }
        bench.wait(20_000);
        bench.hash_and_sign();
        puts.extend(bench.puts());
    };
    assert_eq!((failure.code, failure.status, failure.remains), (ErrorCode::UnexpectedAnswer, 200, Remains::Parts));
    assert_eq!(failure.detail.as_deref(), Some("status 200, text/html"));
}

#[test]
fn refusals_of_a_proxy_do_not_end_the_upload() {
    for status in [400, 403, 404, 407, 412, 413, 511] {
        let (mut bench, puts) = parts();
        for _ in 0..3 {
            puts.iter().for_each(|put| bench.fail_put(put, status, ""));
        }
        assert_eq!((bench.outcome(), bench.aborts()), (None, 0), "{status}");
        assert!(bench.retries().iter().all(|retry| retry.code == ErrorCode::UnexpectedAnswer), "{status}");
        bench.wait(20_000);
        bench.hash_and_sign();
        bench.store_all();
        assert_eq!(bench.completes().len(), 1, "{status}");
    }
}

fn unexpected(call: Call) -> Event {
    Event::CallFailed { call, failure: Failure::unexpected(200, Some("text/html")) }
}

#[test]
fn a_portal_in_front_of_the_api_loses_no_sent_parts() {
    let (mut bench, puts) = parts();
    puts.iter().for_each(|put| bench.store(put));
    bench.store_all();
    assert_eq!(bench.completes().len(), 1);
    bench.records();
    let mut attempts = 1;
    bench.send(unexpected(Call::Complete));
    loop {
        bench.wait(20_000);
        if let Some(outcome) = bench.outcome() {
            let failure = outcome.expect_err("a failure");
            assert_eq!((failure.code, failure.remains), (ErrorCode::UnexpectedAnswer, Remains::Unknown));
            break;
        }
        attempts += bench.completes().len();
        bench.send(unexpected(Call::Complete));
    }
    assert_eq!((attempts, bench.aborts(), bench.records()), (30, 0, vec![]));
}

#[test]
fn a_completion_answered_by_a_portal_is_repeated() {
    let (mut bench, puts) = parts();
    puts.iter().for_each(|put| bench.store(put));
    bench.store_all();
    let request = bench.completes().remove(0);
    bench.send(unexpected(Call::Complete));
    bench.wait(500);
    assert_eq!(bench.completes(), std::slice::from_ref(&request));
    bench.send(completed(&request, 40 * MIB));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn the_completion_of_another_upload_is_not_accepted() {
    let (mut bench, puts) = parts();
    puts.iter().for_each(|put| bench.store(put));
    bench.store_all();
    let request = bench.completes().remove(0);
    let Event::Completed(reply) = completed(&request, 40 * MIB) else { unreachable!() };
    bench.send(Event::Completed(UploadCompleted { key: "uploads/other".to_owned(), ..reply }));
    assert!(bench.outcome().is_none());
    bench.wait(500);
    assert_eq!(bench.completes().len(), 1);
    bench.send(completed(&request, 40 * MIB));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok_and(|uploaded| uploaded.key == "uploads/key")));
}

#[test]
fn a_removal_answered_by_a_portal_does_not_count() {
    let (mut bench, _) = parts();
    bench.send(Event::Abort);
    bench.records();
    for _ in 0..4 {
        assert_eq!(bench.aborts(), 1);
        bench.send(unexpected(Call::Abort));
        bench.wait(2_000);
    }
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    assert_eq!((failure.code, failure.remains), (ErrorCode::Aborted, Remains::Parts));
    assert_eq!(bench.records(), [], "the record is left for the next visit");
}

#[test]
fn a_call_whose_answer_is_unreadable_requests_fresh_headers_once() {
    for failure in [ErrorCode::Network.into(), Failure::unexpected(200, Some("text/html"))] {
        let (mut bench, puts) = parts();
        puts.iter().for_each(|put| bench.store(put));
        bench.store_all();
        bench.completes();
        bench.send(Event::CallFailed { call: Call::Complete, failure: failure.clone() });
        assert_eq!(bench.refreshes(), 1, "{failure:?}");
        bench.send(Event::CredentialsRefreshed);
        bench.wait(500);
        assert_eq!(bench.completes().len(), 1);
        bench.send(Event::CallFailed { call: Call::Complete, failure: failure.clone() });
        assert_eq!(bench.refreshes(), 0, "not again before the API has accepted some");
        bench.wait(1_000);
        let request = bench.completes().remove(0);
        bench.send(completed(&request, 40 * MIB));
        assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
    }
}

#[test]
fn a_network_failure_without_fresh_headers_does_not_end_the_upload() {
    let (mut bench, puts) = parts();
    puts.iter().for_each(|put| bench.store(put));
    bench.store_all();
    bench.completes();
    bench.fail_call(Call::Complete, ErrorCode::Network);
    bench.send(Event::CredentialsFailed(ErrorCode::Unauthorized.into()));
    assert!(bench.outcome().is_none());
    bench.wait(500);
    assert_eq!(bench.completes().len(), 1);
}

#[test]
fn no_headers_are_requested_if_the_api_has_never_answered() {
    let mut bench = Bench::new(20 * MIB);
    bench.hash_first();
    bench.creates();
    bench.fail_call(Call::Create, ErrorCode::Network);
    assert_eq!(bench.refreshes(), 0);
}

#[test]
fn a_part_that_arrived_with_other_bytes_is_hashed_again() {
    let (mut bench, put) = single(ChecksumAlgorithm::Sha256);
    let other = PartChecksum::from(Sha256Digest::of(b"other bytes")).to_text();
    bench.answer_put(&put, stored(HASH, Some(other)));
    assert_eq!(bench.hashes(), [put.part]);
}

#[test]
fn a_refusal_of_s3_is_reported_by_its_code_and_another_by_its_status() {
    let document = "<Error><Code>AccessDenied</Code><RequestId>4442587FB7D0A2F9</RequestId></Error>";
    let failure = Failure::of_storage(403, document, Some("application/xml"));
    let expected = Failure {
        status: 403,
        storage_code: Some("AccessDenied".to_owned()),
        request_id: Some("4442587FB7D0A2F9".to_owned()),
        detail: Some("AccessDenied".to_owned()),
        ..ErrorCode::StorageRefused.into()
    };
    assert_eq!(failure, expected);
    let failure = Failure::of_storage(407, "<html>Sign in!</html>", Some("text/html; charset=utf-8"));
    let detail = Some("status 407, text/html".to_owned());
    assert_eq!(failure, Failure { status: 407, detail, ..ErrorCode::StorageRefused.into() });
    let failure = Failure::of_storage(502, "", None);
    let detail = Some("status 502, no media type".to_owned());
    assert_eq!(failure, Failure { status: 502, detail, ..ErrorCode::StorageRefused.into() });
}

#[test]
fn names_and_statuses_are_equal_to_the_documented_ones() {
    let names = [Remains::Nothing, Remains::Parts, Remains::Unknown].map(Remains::as_str);
    assert_eq!(names, ["nothing", "parts", "unknown"]);
    let calls = [Call::Create, Call::List, Call::Sign, Call::Complete, Call::Abort];
    assert_eq!(calls.map(Call::success_status), [201, 200, 200, 200, 204]);
}
