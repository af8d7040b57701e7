//! Calls of the API: their requests, and the consequences of failures in general, without a network, and during the
//! removal of the upload.

use directput::engine::{ApiCall, Call, Event, Failure, Remains};
use directput::protocol::{CompleteUpload, ErrorCode, PartNumber, SignParts};

use crate::bench::{Bench, MIB};

const SIZE: u64 = 40 * MIB;

fn completing() -> Bench {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.store_all();
    assert_eq!(bench.completes().len(), 1);
    bench
}

/// Returns an upload of an earlier session that is cancelled while its parts are being listed.
fn cancelled_while_listing() -> Bench {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    let record = bench.records().pop().flatten().expect("kept");
    let mut bench = Bench::restored(SIZE, record);
    assert_eq!(bench.lists(), [None]);
    bench.send(Event::Abort);
    assert_eq!(bench.aborts(), 1);
    bench.records();
    bench
}

fn failure(bench: &mut Bench) -> (ErrorCode, Remains) {
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    (failure.code, failure.remains)
}

#[test]
fn without_a_network_a_lost_call_does_not_count_as_a_failure() {
    let mut bench = completing();
    bench.send(Event::Offline);
    for _ in 0..3 {
        bench.fail_call(Call::Complete, ErrorCode::Network);
        let retry = bench.retries().remove(0);
        assert_eq!((retry.part, retry.code, retry.failures, retry.wait_ms), (None, ErrorCode::Network, 1, 0));
        bench.wait(20_000);
        assert_eq!(bench.completes().len(), 1, "it is tried from time to time");
    }
    // An answer shows that there is a network.
    for (failures, wait_ms) in [(1, 250), (2, 500)] {
        bench.fail_call(Call::Complete, ErrorCode::StorageUnavailable);
        let retry = bench.retries().remove(0);
        assert_eq!((retry.failures, retry.wait_ms), (failures, wait_ms));
        bench.wait(20_000);
        assert_eq!(bench.completes().len(), 1);
    }
}

#[test]
fn after_the_network_is_back_a_call_is_made_as_soon_as_retry_after_allows() {
    let mut bench = completing();
    for _ in 0..5 {
        let failure = Failure { status: 429, retry_after_ms: Some(1_000), ..ErrorCode::TooManyRequests.into() };
        bench.send(Event::CallFailed { call: Call::Complete, failure });
        if bench.retries().remove(0).wait_ms < 4_000 {
            bench.wait(20_000);
        }
    }
    bench.completes();
    bench.send(Event::Offline);
    bench.send(Event::Online);
    bench.wait(999);
    assert_eq!(bench.completes().len(), 0);
    bench.wait(1);
    assert_eq!(bench.completes().len(), 1);
}

#[test]
fn parts_are_listed_again_only_if_s3_refuses_to_join_them() {
    let mut bench = completing();
    bench.fail_call(Call::Complete, ErrorCode::PartsIncomplete);
    assert_eq!(bench.lists(), []);
    bench.remove();
    assert_eq!(failure(&mut bench), (ErrorCode::PartsIncomplete, Remains::Nothing));
}

#[test]
fn a_call_that_fails_after_the_upload_was_given_up_is_ignored() {
    for code in [ErrorCode::UploadGone, ErrorCode::Unauthorized, ErrorCode::InvalidValue, ErrorCode::Network] {
        let mut bench = cancelled_while_listing();
        bench.fail_call(Call::List, code);
        assert_eq!((bench.outcome(), bench.refreshes()), (None, 0), "{code:?}");
        bench.wait(1_000);
        assert_eq!(bench.lists(), [], "{code:?}");
        bench.send(Event::Aborted);
        bench.wait(1_000);
        bench.send(Event::Aborted);
        assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Nothing), "{code:?}");
    }
}

#[test]
fn a_refused_removal_is_left_to_the_next_visit_unless_the_upload_is_gone() {
    for (code, remains, records) in [
        (ErrorCode::UploadGone, Remains::Nothing, vec![None]),
        (ErrorCode::TokenExpired, Remains::Nothing, vec![None]),
        (ErrorCode::NotYourUpload, Remains::Parts, vec![]),
        (ErrorCode::TokenInvalid, Remains::Parts, vec![]),
    ] {
        let mut bench = cancelled_while_listing();
        bench.fail_call(Call::Abort, code);
        assert_eq!(failure(&mut bench), (ErrorCode::Aborted, remains), "{code:?}");
        assert_eq!(bench.records(), records, "{code:?}");
    }
}

#[test]
fn a_removal_that_needs_a_sign_in_is_left_to_the_next_visit() {
    let mut bench = cancelled_while_listing();
    bench.fail_call(Call::Abort, ErrorCode::Unauthorized);
    assert_eq!(bench.refreshes(), 1);
    bench.send(Event::CredentialsFailed(ErrorCode::Unauthorized.into()));
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Parts));
    assert_eq!(bench.records(), []);
}

#[test]
fn retries_of_a_removal_are_not_reported_to_the_user() {
    let mut bench = cancelled_while_listing();
    bench.alarm();
    bench.fail_call(Call::Abort, ErrorCode::Internal);
    assert_eq!(bench.alarm(), Some(bench.now_ms + 250));
    bench.wait(1_000);
    assert_eq!((bench.aborts(), bench.retries()), (1, vec![]));
}

#[test]
fn a_removal_without_a_network_ends_if_no_records_are_kept() {
    let mut bench = Bench::new(SIZE);
    bench.create();
    bench.send(Event::Offline);
    bench.send(Event::Abort);
    for _ in 0..4 {
        assert_eq!((bench.aborts(), bench.outcome()), (1, None));
        bench.fail_call(Call::Abort, ErrorCode::Network);
        bench.wait(2_000);
    }
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Parts));
}

#[test]
fn each_call_is_the_request_that_the_protocol_documents() {
    let token = || "secret".to_owned();
    let (sign, complete) =
        (SignParts { parts: vec![], bits_per_second: None, lane: 0 }, CompleteUpload { parts: vec![], checksum: None });
    let after = PartNumber::new(12);
    let calls = [
        (ApiCall::List { token: token(), after: None }, Call::List, "GET", "/parts", None),
        (ApiCall::List { token: token(), after }, Call::List, "GET", "/parts?after=12", None),
        (ApiCall::Sign { token: token(), request: sign }, Call::Sign, "POST", "/parts", Some(r#"{"parts":[]}"#)),
        (
            ApiCall::Complete { token: token(), request: complete },
            Call::Complete,
            "POST",
            "/complete",
            Some(r#"{"parts":[]}"#),
        ),
        (ApiCall::Abort { token: token() }, Call::Abort, "DELETE", "", None),
    ];
    for (call, kind, method, path, body) in calls {
        let request = call.http();
        assert_eq!((call.kind(), request.method, request.path.as_str()), (kind, method, path));
        assert_eq!(request.token, Some("secret"));
        let text = request.body.map(|body| serde_json::to_string(&body).expect("plain data"));
        assert_eq!(text.as_deref(), body);
    }
}
