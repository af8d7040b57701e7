//! Inexact timers, and waits that begin after a failure.

use directput::engine::{Call, Event, Failure, Now, Share};
use directput::protocol::ErrorCode;

use crate::bench::{Bench, MIB};

#[test]
fn a_timer_that_fires_early_is_set_again() {
    let mut bench = Bench::new(20 * MIB);
    bench.hash_first();
    assert_eq!(bench.creates().len(), 1);
    bench.fail_call(Call::Create, ErrorCode::StorageUnavailable);
    let at_ms = bench.alarm().expect("a wait");
    bench.wait(at_ms - bench.now_ms - 1);
    assert_eq!((bench.creates().len(), bench.alarm()), (0, Some(at_ms)), "the wake-up is set again");
    bench.wait(1);
    assert_eq!(bench.creates().len(), 1);
}

#[test]
fn only_a_timer_that_is_late_is_set_again() {
    for late_ms in [0, 1] {
        let mut bench = Bench::new(20 * MIB);
        bench.hash_first();
        bench.creates();
        bench.fail_call(Call::Create, ErrorCode::StorageUnavailable);
        let at_ms = bench.alarm().expect("a wait");
        bench.send(Event::Share(Share::default()));
        assert_eq!(bench.alarm(), None, "no needless timer is set");
        bench.now_ms = at_ms + late_ms;
        bench.send(Event::Share(Share::default()));
        assert_eq!(bench.creates().len(), 1);
        bench.fail_call(Call::Create, ErrorCode::StorageUnavailable);
        assert!(bench.alarm().is_some_and(|at_ms| at_ms > bench.now_ms), "{late_ms} ms late");
    }
}

#[test]
fn backoffs_set_no_timer_during_a_pause() {
    let mut bench = Bench::new(20 * MIB);
    bench.hash_first();
    bench.creates();
    bench.fail_call(Call::Create, ErrorCode::StorageUnavailable);
    bench.send(Event::Pause);
    bench.alarm();
    for _ in 0..3 {
        bench.wait(1_000);
    }
    // Only the wake-ups of the streak of failures remain.
    assert!(bench.alarm().is_none_or(|at_ms| at_ms >= bench.now_ms + 50_000));
    bench.send(Event::Unpause);
    assert_eq!(bench.creates().len(), 1);
}

#[test]
fn a_timer_that_fires_twice_has_one_effect() {
    let mut bench = Bench::new(20 * MIB);
    bench.hash_first();
    bench.creates();
    bench.fail_call(Call::Create, ErrorCode::StorageUnavailable);
    bench.wait(1_000);
    bench.wait(0);
    assert_eq!(bench.creates().len(), 1);
}

#[test]
fn retry_after_of_the_api_holds_also_after_the_network_is_back() {
    let mut bench = Bench::new(20 * MIB);
    bench.hash_first();
    bench.creates();
    let failure = Failure { retry_after_ms: Some(60_000), status: 429, ..ErrorCode::TooManyRequests.into() };
    bench.send(Event::CallFailed { call: Call::Create, failure });
    bench.send(Event::Offline);
    bench.wait(30_000);
    bench.send(Event::Online);
    bench.wait(29_999);
    assert_eq!(bench.creates().len(), 0);
    bench.wait(1);
    assert_eq!(bench.creates().len(), 1);
}

#[test]
fn the_time_left_is_never_infinite() {
    let mut bench = Bench::new(20 * MIB);
    bench.create();
    bench.hash_and_sign();
    let put = bench.puts().remove(0);
    bench.wait(1_000);
    bench.send(Event::PutProgress { put: put.id, sent_bytes: MIB });
    for _ in 0..2_000 {
        bench.wait(1_000);
    }
    for progress in bench.reports() {
        assert!(progress.bytes_per_second == 0.0 || progress.bytes_per_second >= 1.0, "{progress:?}");
        assert_eq!(progress.seconds_left.is_some(), progress.bytes_per_second > 0.0, "{progress:?}");
    }
}

#[test]
fn reading_for_an_hour_does_not_use_up_patience() {
    let mut bench = Bench::keeping(40 * MIB);
    bench.create();
    bench.hash_all();
    for _ in 0..60 {
        bench.wait(60_000);
    }
    bench.send(Event::CallFailed { call: Call::Sign, failure: ErrorCode::Network.into() });
    assert_eq!(bench.failed_with(), None, "this is the first failure");
    for _ in 0..60 {
        bench.wait(20_000);
        bench.send(Event::CallFailed { call: Call::Sign, failure: ErrorCode::Network.into() });
    }
    assert_eq!(bench.failed_with(), Some(ErrorCode::Network), "15 minutes of failures are enough");
}

#[test]
fn waiting_behind_other_uploads_does_not_use_up_patience() {
    let mut bench = Bench::keeping(40 * MIB);
    bench.create();
    bench.hash_and_sign();
    bench.store_all();
    bench.completes();
    for _ in 0..60 {
        bench.wait(60_000);
    }
    bench.send(Event::CallFailed { call: Call::Complete, failure: ErrorCode::Timeout.into() });
    assert_eq!(bench.failed_with(), None);
}

#[test]
fn a_streak_of_failures_ends_when_new_bytes_leave() {
    for (sent_bytes, outcome) in [(0, None), (49, None), (50, Some(ErrorCode::Network))] {
        let mut bench = Bench::keeping(20 * MIB);
        bench.create();
        bench.hash_and_sign();
        let puts = bench.puts();
        puts[1..].iter().for_each(|put| bench.store(put));
        bench.send(Event::PutProgress { put: puts[0].id, sent_bytes });
        bench.fail_put(&puts[0], 0, "");
        bench.wait(500);
        let again = bench.puts().remove(0);
        for sent_bytes in 1..=50 {
            bench.wait(20_000);
            bench.send(Event::PutProgress { put: again.id, sent_bytes });
        }
        bench.fail_put(&again, 0, "");
        assert_eq!(bench.failed_with(), outcome, "{sent_bytes} bytes had left before");
    }
}

#[test]
fn there_are_no_actions_after_the_end() {
    let mut bench = Bench::new(MIB);
    bench.hash_first();
    bench.creates();
    let failure = Failure { status: 415, ..ErrorCode::TypeNotAllowed.into() };
    bench.send(Event::CallFailed { call: Call::Create, failure });
    assert_eq!(bench.failed_with(), Some(ErrorCode::TypeNotAllowed));
    bench.reports();
    bench.wait(1_000);
    bench.send(Event::Online);
    bench.send(Event::Abort);
    assert_eq!(bench.reports(), []);
    bench.engine.handle(Now { ms: bench.now_ms, random: 0 }, Event::Start);
    assert!(bench.engine.poll().is_none());
}
