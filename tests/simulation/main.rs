//! One seed, one history: the engine against a simulated API, S3, link, clock, disk and user.
//!
//! A seed draws a file, a link, the odds of each fault, and what happens when (`scenario`). The world
//! (`world`) plays it in simulated time; `checks` holds the engine to its promises after every step. The
//! same seed always plays the same history.
//!
//! `make test` plays 10,000 seeds; `make simulate SEEDS=1000000 FIRST=1` any others. A seed that fails is
//! printed with the command that plays it again, step by step.
//!
//! That it bites was seen by planting bugs, one at a time, and playing seeds from 1 on until one failed:
//!
//! | bug | lowest seed |
//! |---|---|
//! | an expired URL is used | 1 |
//! | it forgets when to ask for URLs again | 1 |
//! | S3's rest is not kept | 11 |
//! | a cancelled upload that is just being opened is not waited for | 12 |
//! | parts from an earlier session count without being compared | 85 |
//! | an upload is removed once although PUTs were cut off | 194 |
//! | the completion is not written down before it is sent | 801 |
//! | a cancelled upload is not written down as such | 1,078 |
//! | after a completion whose answer was lost, it starts again | 5,887 |
//! | a refusal of the upload that was given up counts for the one that followed | 15,395 |
//! | a part that was compared is hashed and counted again | 41,681 |
//! | no wait between attempts | 298,722 |
//!
//! The last but one and the last but two were not planted: they were in the engine when the simulator was new. Two
//! defects of the driver are kept as tests below. A planted bug that no seed finds: a part that is
//! hashed twice with two outcomes is sent all the same. S3 would join what was sent; `tests/engine/` finds it.
#![cfg(not(target_arch = "wasm32"))]

mod calls;
mod calm;
mod checks;
mod disk;
mod link;
mod model;
mod outcome;
mod patience;
mod progress;
mod puts;
mod scenario;
mod storage;
mod tab;
mod user;
mod world;

use std::sync::atomic::{AtomicBool, Ordering};

use world::{Defect, Seen, World};

fn setting(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(text.replace('_', "").parse().unwrap_or_else(|_| panic!("{name}: expected a whole number, not {text:?}")))
}

fn play(seed: u64, defect: Option<Defect>) -> Result<Seen, String> {
    let trace = setting("TRACE").is_some_and(|trace| trace > 0);
    let history = || World::new(seed, defect, trace).run();
    std::panic::catch_unwind(history).unwrap_or_else(|_| Err("it panicked".to_owned()))
}

/// Plays seeds from `first` on, on all cores. Says what happened in them, or which seed broke what promise.
fn search(first: u64, seeds: u64, defect: Option<Defect>) -> Result<Seen, (u64, String)> {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let has_failed = AtomicBool::new(false);
    let walk = |core: u64| {
        let mut seen = Seen::default();
        for seed in (first + core..first + seeds).step_by(cores as usize) {
            if has_failed.load(Ordering::Relaxed) {
                break;
            }
            let more = play(seed, defect).map_err(|broken| {
                has_failed.store(true, Ordering::Relaxed);
                (seed, broken)
            })?;
            seen = seen.merge(more);
        }
        Ok(seen)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|core| scope.spawn(move || walk(core))).collect();
        let results = threads.into_iter().map(|thread| thread.join().expect("caught"));
        results.reduce(merge).unwrap_or_else(|| Ok(Seen::default()))
    })
}

type Found = Result<Seen, (u64, String)>;

fn merge(one: Found, other: Found) -> Found {
    match (one, other) {
        (Err(one), Err(other)) => Err(one.min(other)),
        (Err(broken), _) | (_, Err(broken)) => Err(broken),
        (Ok(one), Ok(other)) => Ok(one.merge(other)),
    }
}

/// What must have happened in as many seeds as `make test` plays, or they prove little.
const EXPECTED: [&str; 18] = [
    "aborted",
    "busy",
    "file-changed",
    "integrity",
    "network",
    "offline",
    "paused",
    "pausing",
    "retry",
    "retry after silence",
    "storage-refused",
    "storage-unavailable",
    "stored",
    "stored by a later session",
    "timeout",
    "token-expired",
    "unauthorized",
    "upload-gone",
];

#[test]
fn every_seed_keeps_every_promise() {
    let first = setting("FIRST").unwrap_or(1);
    let seeds = setting("SEEDS").unwrap_or(10_000);
    match search(first, seeds, None) {
        Err((seed, broken)) => {
            panic!("seed {seed}: {broken}\nplay it again: make simulate SEEDS=1 FIRST={seed} TRACE=1")
        }
        Ok(seen) => {
            eprintln!("{seeds} seeds from {first} on kept every promise; among them: {:?}", seen.kinds);
            eprintln!("the worst without faults: {:?}", seen.worst);
            let unseen = EXPECTED.iter().filter(|kind| !seen.kinds.contains(*kind)).collect::<Vec<_>>();
            assert!(seeds < 10_000 || unseen.is_empty(), "not seen: {unseen:?}");
        }
    }
}

#[test]
fn an_upload_that_is_not_really_removed_is_found() {
    let (_, broken) = search(1, 500, Some(Defect::RemovesNothing)).expect_err("a broken promise");
    let words = ["removed", "left behind", "says that nothing remains"];
    assert!(words.iter().any(|words| broken.contains(words)), "{broken}");
}

#[test]
fn a_url_that_is_used_for_too_long_is_found() {
    let (_, broken) = search(1, 2_000, Some(Defect::TrustsUrlsForTooLong)).expect_err("a broken promise");
    assert!(broken.contains("expired URL"), "{broken}");
}
