//! Tests of each call of the API, with a fake S3 whose answers the test sets.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod batch;
mod calls;
#[path = "../fixture/mod.rs"]
mod fixture;
mod log;
mod memory;
mod owner;
mod quota;
mod refusals;
mod storage;
mod verified_after;

use axum::body::Body;
use axum::http::Request;
use directput::checksum::Sha256Digest;
use directput::plan::DEFAULT_PART_BYTES;
use directput_server::{Bucket, Config};
use fixture::*;
use serde_json::{Value, json};
