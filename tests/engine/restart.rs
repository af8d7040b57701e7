//! A single PUT whose token has expired, because the upload was held for longer than the token's lifetime.

use directput::engine::{Call, Event};
use directput::protocol::{ErrorCode, SignParts, UploadCreated};

use crate::bench::{Bench, MIB, created, signed};

/// Lifetime of the token of a single PUT of 1 MiB, in milliseconds: 15 minutes, plus twice the time of the PUT at 64
/// kbit/s.
const TOKEN_MS: u64 = (15 * 60 + 2 * 131) * 1_000;

/// Opens the upload of a file of one part, with a token that expires after [`TOKEN_MS`].
fn open(bench: &mut Bench) {
    bench.hash_all();
    let request = bench.creates().pop().expect("the upload is opened");
    let parts = signed(&SignParts { parts: request.parts, bits_per_second: None, lane: 0 }).parts;
    let reply = UploadCreated { parts, expires_in_seconds: TOKEN_MS / 1_000, ..created(bench.plan()) };
    bench.send(Event::Created(reply));
}

/// Lets the PUT fail, and holds the upload for `ms`. The URL must be signed again afterwards.
fn hold(bench: &mut Bench, ms: u64) {
    let put = bench.puts().pop().expect("the PUT is under way");
    bench.send(Event::Pause);
    bench.fail_put(&put, 0, "");
    bench.wait(ms);
    bench.send(Event::Unpause);
    bench.wait(20_000);
    assert_eq!(bench.signs().len(), 1, "its URL is too old");
}

#[test]
fn a_single_put_is_restarted_each_time_it_was_held_beyond_its_tokens_lifetime() {
    let mut bench = Bench::new(MIB);
    open(&mut bench);
    for time in 1..=5 {
        hold(&mut bench, TOKEN_MS);
        bench.fail_call(Call::Sign, ErrorCode::TokenExpired);
        assert_eq!(bench.outcome(), None, "time {time}");
        open(&mut bench);
    }
    let put = bench.puts().pop().expect("the PUT is under way");
    bench.store(&put);
    assert!(bench.outcome().is_some_and(|outcome| outcome.is_ok()));
}

#[test]
fn a_token_that_expires_early_restarts_the_upload_once() {
    let mut bench = Bench::new(MIB);
    open(&mut bench);
    for time in 1..=2 {
        hold(&mut bench, 120_000);
        bench.fail_call(Call::Sign, ErrorCode::TokenExpired);
        if time == 1 {
            open(&mut bench);
        }
    }
    assert_eq!(bench.failed_with(), Some(ErrorCode::TokenExpired), "a wrong server ends the upload");
}
