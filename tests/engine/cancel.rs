//! Cancelled uploads, and the reported state of S3 after a lost answer.

use directput::engine::{Call, Config, Engine, Event, Put, Remains};
use directput::protocol::{CompleteUpload, ErrorCode, FileSize};

use crate::bench::{Bench, MIB, completed, file};

const SIZE: u64 = 40 * MIB;

fn completing() -> (Bench, CompleteUpload) {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.store_all();
    let request = bench.completes().remove(0);
    bench.records();
    (bench, request)
}

fn single(size: u64) -> (Bench, Put) {
    assert!(FileSize::new(size).is_some());
    let mut bench = Bench::keeping(size);
    bench.hash_all();
    bench.create();
    bench.sign_all();
    let put = bench.puts().remove(0);
    (bench, put)
}

fn failure(bench: &mut Bench) -> (ErrorCode, Remains) {
    let failure = bench.outcome().expect("an end").expect_err("a failure");
    (failure.code, failure.remains)
}

#[test]
fn a_cancel_that_comes_too_late_reports_the_stored_object() {
    let (mut bench, request) = completing();
    bench.send(Event::Abort);
    assert_eq!((bench.aborts(), bench.outcome()), (0, None), "the upload waits for the answer");
    bench.send(completed(&request, SIZE));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn a_refused_completion_is_followed_by_the_removal() {
    let (mut bench, _) = completing();
    bench.send(Event::Abort);
    bench.fail_call(Call::Complete, ErrorCode::PartsRefused);
    bench.remove();
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Nothing));
}

#[test]
fn after_a_lost_completion_a_second_one_shows_whether_the_removal_came_too_late() {
    let lose = || {
        let (mut bench, request) = completing();
        bench.send(Event::Abort);
        bench.fail_call(Call::Complete, ErrorCode::Network);
        assert_eq!(bench.completes().len(), 0, "a cancelled upload is not completed");
        bench.remove();
        assert_eq!(bench.completes(), std::slice::from_ref(&request));
        (bench, request)
    };
    let (mut bench, request) = lose();
    bench.send(completed(&request, SIZE));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()), "the completion had reached S3");
    let (mut bench, _) = lose();
    bench.fail_call(Call::Complete, ErrorCode::AlreadyComplete);
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
    let (mut bench, request) = lose();
    bench.send(completed(&request, SIZE - 1));
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Unknown), "there is an object, but not of this file");
    let (mut bench, _) = lose();
    bench.fail_call(Call::Complete, ErrorCode::UploadGone);
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Unknown), "some servers forget what was completed");
    let (mut bench, _) = lose();
    for _ in 0..4 {
        bench.alarm();
        bench.fail_call(Call::Complete, ErrorCode::Network);
        if let Some(at_ms) = bench.alarm() {
            bench.wait(at_ms - bench.now_ms);
            assert_eq!(bench.completes().len(), 1);
        }
    }
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Unknown));
}

#[test]
fn the_wait_for_a_completion_without_an_answer_is_bounded() {
    let (mut bench, request) = completing();
    bench.send(Event::Abort);
    bench.wait(9_999);
    assert_eq!(bench.aborts(), 0);
    bench.wait(1);
    assert_eq!(bench.aborts(), 1);
    let mut late = bench.clone();
    bench.wait(9_999);
    assert!(bench.outcome().is_none());
    bench.wait(1);
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Unknown));
    // A late answer still counts.
    late.send(completed(&request, SIZE));
    assert!(late.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn the_wait_of_a_cancel_for_a_call_is_bounded() {
    let mut bench = Bench::keeping(SIZE);
    bench.hash_first();
    assert_eq!(bench.creates().len(), 1);
    bench.send(Event::Abort);
    bench.wait(10_000);
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Nothing));

    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.send(Event::Abort);
    assert_eq!(bench.aborts(), 1);
    bench.wait(10_000);
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Parts), "the next visit removes it");
}

#[test]
fn the_engine_wakes_up_at_the_bound() {
    let (mut bench, _) = completing();
    bench.alarm();
    bench.send(Event::Pause);
    bench.send(Event::Abort);
    assert_eq!(bench.alarm(), Some(bench.now_ms + 10_000));
}

#[test]
fn a_cancel_waits_for_a_single_put_whose_bytes_have_left() {
    let (mut bench, put) = single(16 * MIB);
    bench.send(Event::PutProgress { put: put.id, sent_bytes: 16 * MIB });
    bench.send(Event::Abort);
    assert_eq!((bench.cancelled_puts(), bench.outcome()), (0, None));
    bench.store(&put);
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()), "it was too late to cancel");

    let (mut bench, put) = single(16 * MIB);
    bench.send(Event::PutProgress { put: put.id, sent_bytes: 16 * MIB });
    bench.send(Event::Abort);
    bench.fail_put(&put, 0, "");
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Unknown));

    let (mut bench, put) = single(16 * MIB);
    bench.send(Event::PutProgress { put: put.id, sent_bytes: 16 * MIB });
    bench.send(Event::Abort);
    bench.wait(10_000);
    assert_eq!(bench.cancelled_puts(), 1);
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Unknown));
}

#[test]
fn a_cancel_stops_a_single_put_whose_bytes_have_not_left() {
    for (sent_bytes, is_cut_off) in [(8 * MIB, true), (15 * MIB - 1, true), (15 * MIB, false)] {
        let (mut bench, put) = single(16 * MIB);
        bench.now_ms += 5_000;
        bench.send(Event::PutProgress { put: put.id, sent_bytes });
        bench.send(Event::Abort);
        assert_eq!(bench.cancelled_puts(), usize::from(is_cut_off), "{sent_bytes}");
        if is_cut_off {
            assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Nothing), "{sent_bytes}");
        }
    }
}

#[test]
fn a_single_put_without_progress_may_have_left_completely() {
    let (mut bench, _) = single(16 * MIB);
    bench.send(Event::Abort);
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Nothing), "it has just begun");
    let (mut bench, _) = single(16 * MIB);
    bench.wait(999);
    bench.send(Event::Abort);
    assert_eq!(bench.cancelled_puts(), 1);
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Unknown), "a fast link could have carried it by now");
    let (mut bench, put) = single(16 * MIB);
    bench.wait(1_000);
    bench.send(Event::Abort);
    assert!(bench.outcome().is_none(), "this browser reports no progress");
    bench.store(&put);
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn an_earlier_attempt_without_an_answer_is_reported_as_unknown() {
    let (mut bench, put) = single(MIB);
    bench.send(Event::PutProgress { put: put.id, sent_bytes: MIB });
    bench.fail_put(&put, 0, "");
    bench.send(Event::Abort);
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Unknown));
}

#[test]
fn a_lost_put_without_progress_may_have_arrived() {
    // 16 MiB take 13.4 ms at 10 Gbit/s.
    for (ms, remains) in [(1, Remains::Nothing), (13, Remains::Nothing), (14, Remains::Unknown)] {
        let (mut bench, put) = single(16 * MIB);
        bench.wait(ms);
        bench.fail_put(&put, 0, "");
        bench.send(Event::Abort);
        assert_eq!(failure(&mut bench), (ErrorCode::Aborted, remains), "{ms} ms");
    }
}

#[test]
fn a_cancelled_upload_is_not_started_again() {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.hash_and_sign();
    bench.store_all();
    bench.send(Event::Abort);
    bench.fail_call(Call::Complete, ErrorCode::UploadGone);
    bench.send(Event::Aborted);
    bench.wait(1_000);
    assert_eq!((bench.hashes().len(), bench.creates().len()), (0, 0));
}

#[test]
fn a_cancel_before_the_start_checks_whether_an_earlier_session_has_completed_the_upload() {
    let mut bench = Bench::keeping(SIZE);
    bench.create();
    bench.store_all();
    let record = bench.records().pop().flatten().expect("the record is persisted before the completion is sent");
    let mut bench = Bench::waiting(SIZE);
    bench.engine = Engine::restore(Config::default(), file(SIZE), record);
    bench.send(Event::Abort);
    bench.remove();
    let request = bench.completes().pop().expect("a completion is sent");
    bench.send(completed(&request, SIZE));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn a_single_put_without_an_answer_is_reported_as_unknown_also_after_a_restart() {
    let (mut bench, put) = single(MIB);
    bench.send(Event::PutProgress { put: put.id, sent_bytes: MIB });
    bench.fail_put(&put, 0, "");
    bench.now_ms += 60_000;
    bench.wait(0);
    bench.signs();
    bench.fail_call(Call::Sign, ErrorCode::TokenExpired);
    bench.hash_all();
    bench.creates();
    bench.fail_call(Call::Create, ErrorCode::FileTooLarge);
    assert_eq!(failure(&mut bench), (ErrorCode::FileTooLarge, Remains::Unknown));
}

#[test]
fn a_second_cancel_changes_nothing() {
    let (mut bench, request) = completing();
    bench.send(Event::Abort);
    bench.wait(5_000);
    bench.send(Event::Abort);
    bench.wait(5_000);
    assert_eq!(bench.aborts(), 1, "the bound of the first cancel holds");
    bench.send(completed(&request, SIZE));
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn an_upload_counts_as_cancelled_whatever_fails_afterwards() {
    for code in [ErrorCode::PartsRefused, ErrorCode::UploadGone, ErrorCode::InvalidValue] {
        let (mut bench, _) = completing();
        bench.send(Event::Abort);
        bench.fail_call(Call::Complete, code);
        bench.remove();
        assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Nothing), "{code:?}");
    }
}

#[test]
fn the_wait_for_the_removal_has_its_own_bound() {
    let (mut bench, _) = completing();
    bench.send(Event::Abort);
    bench.wait(5_000);
    bench.fail_call(Call::Complete, ErrorCode::PartsRefused);
    assert_eq!(bench.aborts(), 1);
    bench.wait(9_999);
    assert_eq!(bench.outcome(), None);
    bench.wait(1);
    assert_eq!(failure(&mut bench), (ErrorCode::Aborted, Remains::Parts));
}

#[test]
fn a_pause_does_not_stop_the_put_that_a_cancel_waits_for() {
    let (mut bench, put) = single(16 * MIB);
    bench.send(Event::PutProgress { put: put.id, sent_bytes: 16 * MIB });
    bench.send(Event::Abort);
    bench.send(Event::Pause);
    assert_eq!((bench.cancelled_puts(), bench.outcome()), (0, None));
    bench.store(&put);
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}
