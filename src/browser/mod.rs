//! The browser's side: turns the engine's actions into calls and the answers into events.
//!
//! It holds no policy. `JsValue` stays in this folder. The same code runs in a worker, where it
//! belongs, and in the page, where no worker can start.

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

/// Weighs 3.8 kB less, gzipped, than the standard library's allocator for Wasm; nothing here allocates much or often.
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
