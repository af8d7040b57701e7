//! Verified uploads from the browser straight into a private S3 bucket.
//!
//! Compiled for `wasm32`, this crate is the npm package `directput`. The signing Lambda uses [`protocol`], [`plan`] and
//! [`checksum`] of the same crate, so both sides share one definition. An [`engine`] controls one upload. The [`queue`]
//! shares the connections among all uploads of a page.
//!
//! This example cuts a file into parts and computes the checksums of the parts and of the object:
//!
//! ```
//! use directput::checksum::{CompositeChecksum, Sha256Digest};
//! use directput::plan::{Plan, SINGLE_PUT_BYTES};
//! use directput::protocol::FileSize;
//!
//! let file = vec![7; 20_000_000];
//! let size = FileSize::new(file.len() as u64).expect("within S3's limits");
//! let plan = Plan::new(size, SINGLE_PUT_BYTES);
//! let digests: Vec<_> = plan
//!     .parts()
//!     .map(|part| Sha256Digest::of(&file[part.offset as usize..][..part.length as usize]))
//!     .collect();
//! // S3 answers a completion with the same text.
//! assert!(CompositeChecksum::of(&digests).to_text().ends_with("-3"));
//! ```

pub mod checksum;
pub mod clock;
pub mod engine;
mod ordered;
pub mod plan;
pub mod protocol;
pub mod queue;

#[cfg(target_arch = "wasm32")]
pub mod browser;
