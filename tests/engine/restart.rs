//! A single PUT whose token has expired, because the upload was held for longer than the token is good.

use directput::engine::{Call, Event};
use directput::protocol::{ErrorCode, SignParts, UploadCreated};

use crate::bench::{Bench, MIB, created, signed};

/// How long the token of a single PUT of 1 MiB is good, in milliseconds: 15 minutes, and twice what 64 kbit/s need.
const TOKEN_MS: u64 = (15 * 60 + 2 * 131) * 1_000;

/// A file of one part, whose upload is opened by a token of minutes.
fn open(bench: &mut Bench) {
    bench.hash_all();
    let request = bench.creates().pop().expect("it is opened");
    let parts = signed(&SignParts { parts: request.parts, bits_per_second: None, lane: 0 }).parts;
    let reply = UploadCreated { parts, expires_in_seconds: TOKEN_MS / 1_000, ..created(bench.plan()) };
    bench.send(Event::Created(reply));
}

/// The link fails under the PUT, and the user holds the upload for that time. Then its URL is to be signed again.
fn hold(bench: &mut Bench, ms: u64) {
    let put = bench.puts().pop().expect("it is under way");
    bench.send(Event::Pause);
    bench.fail_put(&put, 0, "");
    bench.wait(ms);
    bench.send(Event::Unpause);
    bench.wait(20_000);
    assert_eq!(bench.signs().len(), 1, "its URL is too old");
}

#[test]
fn a_single_put_is_started_again_as_often_as_it_was_held_for_longer_than_its_token_is_good() {
    let mut bench = Bench::new(MIB);
    open(&mut bench);
    for time in 1..=5 {
        hold(&mut bench, TOKEN_MS);
        bench.fail_call(Call::Sign, ErrorCode::TokenExpired);
        assert_eq!(bench.outcome(), None, "time {time}");
        open(&mut bench);
    }
    let put = bench.puts().pop().expect("it is under way");
    bench.store(&put);
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn a_token_that_expires_before_its_time_starts_the_upload_again_once() {
    let mut bench = Bench::new(MIB);
    open(&mut bench);
    for time in 1..=2 {
        hold(&mut bench, 120_000);
        bench.fail_call(Call::Sign, ErrorCode::TokenExpired);
        if time == 1 {
            open(&mut bench);
        }
    }
    assert_eq!(bench.failed_with(), Some(ErrorCode::TokenExpired), "a server that is wrong ends it");
}
