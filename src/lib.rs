//! Verified uploads from the browser straight into a private S3 bucket.
//!
//! The crate has two users. Compiled for `wasm32` it is the npm package `directput`; compiled for
//! the host, its [`protocol`], [`plan`] and [`checksum`] are what the signing Lambda checks requests
//! with, so that both sides share one definition. [`engine`] is the upload itself, as data.

pub mod checksum;
pub mod clock;
pub mod engine;
pub mod plan;
pub mod protocol;

#[cfg(target_arch = "wasm32")]
pub mod browser;
