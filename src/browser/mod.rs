//! The driver of the engine in a browser: performs the engine's actions, and reports their outcomes as events.
//!
//! It contains no policy. `JsValue` is used only in this folder. The same code runs in a worker or, if no worker can
//! start, in the page.

mod api;
mod convert;
mod credentials;
mod dispatcher;
mod global;
mod hash;
mod hub;
mod put;
mod read;
mod session;
mod uploader;
mod wire;

pub use hash::{by_wasm, sha256_by_browser};
pub use uploader::{Upload, Uploader};
pub use wire::{batch_entry, parts_listed, parts_signed, problem, upload_completed, upload_created};

/// Allocator that is 3.8 kB smaller, gzipped, than the standard library's for Wasm. It may be slower, but this code
/// allocates little.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
