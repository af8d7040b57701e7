//! The browser's side: turns the engine's actions into calls and the answers into events.
//!
//! It holds no policy. `JsValue` stays in this folder. The same code runs in a worker, where it
//! belongs, and in the page, where no worker can start.

mod api;
mod convert;
mod credentials;
mod fingerprint;
mod global;
mod hash;
mod hub;
mod put;
mod read;
mod session;
mod uploader;

pub use hash::{sha256_by_browser, sha256_by_wasm};
pub use uploader::{Upload, Uploader};
