//! The signing API of directput for JavaScript servers. It has no network, clock or randomness: `npm/server` sends the
//! calls to S3 with `fetch`.
//!
//! Messages are JSON texts, because each request has few of them and they are small.

#[cfg(target_arch = "wasm32")]
mod binding;
mod messages;
mod settings;

#[cfg(target_arch = "wasm32")]
pub use binding::{Exchange, UploadServer};
pub use messages::{CallToSend, RequestHead, Rules};
pub use settings::{SettingError, Settings};
