//! Tests of the engine with a simulated clock: uploads without failures, and each kind of failure.
#![cfg(not(target_arch = "wasm32"))]

mod answers;
mod bench;
mod calls;
mod cancel;
mod congestion;
mod failures;
mod good_path;
mod hub;
mod interruptions;
mod lanes;
mod progress;
mod reading;
mod restart;
mod rules;
mod sessions;
mod signing;
mod silence;
mod time;
mod verified_after;
