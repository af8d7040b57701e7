//! Simulation: the engine with a simulated API, S3, link, clock, disk and user. One seed stands for one history.
//!
//! A seed draws files, a link, the odds of each fault, and incidents with their times (`scenario`). The world (`world`)
//! runs the scenario in simulated time. `checks` checks the promises of the engine after every step. The same seed
//! always gives the same history.
//!
//! `make test` runs 10,000 seeds. `make simulate SEEDS=1000000 FIRST=1` runs any other seeds. A seed that fails is
//! printed with the command that replays it step by step.
//!
//! Planted bugs show that the simulation finds defects. For each bug, seeds from 1 on were run until one failed:
//!
//! | bug | lowest seed |
//! |---|---|
//! | an expired URL is used | 1 |
//! | the time of the next signing call is forgotten | 1 |
//! | throttling of S3 is not respected | 11 |
//! | a cancel does not wait for the answer that opens the upload | 12 |
//! | parts from an earlier session count without being compared | 85 |
//! | an upload with stopped PUTs is removed only once | 194 |
//! | the completion is not persisted before it is sent | 801 |
//! | the record does not say that the upload is cancelled | 1,078 |
//! | the upload restarts after a completion without an answer | 5,887 |
//! | a refusal of the abandoned upload counts for the next one | 15,395 |
//! | a compared part is hashed and counted again | 41,681 |
//! | no wait between attempts | 298,722 |
//!
//! The second last and third last bugs were not planted: they were in the engine when the simulator was new. The tests
//! below plant two defects of the driver. No seed finds one planted bug: a part that is hashed twice with different
//! results is still sent. S3 would join the parts. `tests/engine/` finds this bug.
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

/// Runs `seeds` seeds from `first` on, on all cores. Returns the kinds of things that happened, or the seed that broke
/// a promise and the promise.
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

/// Kinds of things that must happen in the seeds of `make test`, because otherwise the seeds would prove little.
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
            panic!("seed {seed}: {broken}\nreplay it: make simulate SEEDS=1 FIRST={seed} TRACE=1")
        }
        Ok(seen) => {
            eprintln!("{seeds} seeds from {first} on kept every promise; among them: {:?}", seen.kinds);
            eprintln!("worst values without faults: {:?}", seen.worst);
            let unseen = EXPECTED.iter().filter(|kind| !seen.kinds.contains(*kind)).collect::<Vec<_>>();
            assert!(seeds < 10_000 || unseen.is_empty(), "not seen: {unseen:?}");
        }
    }
}

#[test]
fn a_removal_that_is_not_made_is_detected() {
    let (_, broken) = search(1, 500, Some(Defect::RemovesNothing)).expect_err("a broken promise");
    let words = ["removed", "left behind", "says that nothing remains"];
    assert!(words.iter().any(|words| broken.contains(words)), "{broken}");
}

#[test]
fn a_url_that_is_used_for_too_long_is_detected() {
    let (_, broken) = search(1, 2_000, Some(Defect::TrustsUrlsForTooLong)).expect_err("a broken promise");
    assert!(broken.contains("expired URL"), "{broken}");
}
