//! A burst of failures counts as one event, for any number of failures.

use directput::engine::{Config, Engine, Event, Put};
use directput::protocol::ErrorCode;

use crate::bench::{Bench, MIB, file};

/// Returns an upload whose window has grown to 64 PUTs.
fn grown() -> (Bench, Vec<Put>) {
    let size = 200_000 * MIB;
    let config = Config { parts_in_flight: 64, hashers: 64, keeps_records: true, ..Config::default() };
    let mut bench = Bench::start(Engine::new(config, file(size)), size);
    bench.create();
    let mut under_way = Vec::new();
    for _ in 0..8_000 {
        bench.hash_all();
        bench.sign_all();
        under_way.extend(bench.puts());
        if under_way.len() == 64 {
            return (bench, under_way);
        }
        // More PUTs under way are stored faster, so the window grows.
        bench.now_ms += 640 / under_way.len() as u64;
        bench.store(&under_way.remove(0));
    }
    panic!("the window does not grow");
}

#[test]
fn a_burst_of_failures_of_a_large_window_does_not_end_the_upload() {
    let (mut bench, puts) = grown();
    bench.retries();
    for put in &puts {
        bench.now_ms += 5;
        bench.fail_put(put, 503, "SlowDown");
    }
    assert_eq!(bench.failed_with(), None);
    let longest_ms = bench.retries().iter().map(|retry| retry.wait_ms).max();
    assert!(longest_ms <= Some(500), "the first wait is drawn from half a second: {longest_ms:?}");
    bench.wait(20_000);
    bench.hash_and_sign();
    assert_eq!(bench.puts().len(), 32, "half as many as before");
}

#[test]
fn stored_parts_in_between_do_not_split_a_burst_in_two() {
    let (mut bench, puts) = grown();
    for (index, put) in puts.iter().enumerate() {
        match index % 4 {
            0 => bench.store(put),
            _ => bench.fail_put(put, 503, "SlowDown"),
        }
    }
    assert!(bench.retries().iter().all(|retry| retry.wait_ms <= 500));
    bench.wait(500);
    bench.hash_and_sign();
    let more = bench.puts().len();
    assert!((30..=33).contains(&more), "half as many as before, not fewer: {more}");
}

#[test]
fn repeated_bursts_of_failures_end_the_upload() {
    let (mut bench, mut puts) = grown();
    for _ in 0..200 {
        for put in puts {
            bench.fail_put(&put, 500, "InternalError");
        }
        bench.wait(20_000);
        bench.hash_and_sign();
        puts = bench.puts();
    }
    assert_eq!(bench.failed_with(), Some(ErrorCode::StorageUnavailable));
    bench.send(Event::Tick);
}
