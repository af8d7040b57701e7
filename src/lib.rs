//! Verified uploads from the browser straight into a private S3 bucket.
//!
//! The crate has two users. Compiled for `wasm32` it is the npm package `directput`; compiled for the host, its
//! [`protocol`], [`plan`] and [`checksum`] are what the signing Lambda checks requests with, so that both sides share
//! one definition. [`engine`] is one upload, as data; [`queue`] shares the connections of a page among its uploads.

pub mod checksum;
pub mod clock;
pub mod engine;
mod ordered;
pub mod plan;
pub mod protocol;
pub mod queue;

#[cfg(target_arch = "wasm32")]
pub mod browser;
