//! The signing API of directput: five calls that hand out presigned URLs. No byte of a file passes.
//!
//! [`router`] is the whole API. `main.rs` runs it in AWS Lambda; the local server and the tests run
//! the very same code.

pub mod config;
pub mod download;
pub mod keyring;
pub mod lifetime;
pub mod metrics;
pub mod object_key;
pub mod quota;
#[cfg(feature = "runtime")]
pub mod quota_table;
#[cfg(feature = "runtime")]
pub mod secret;
pub mod sign;
pub mod storage;
pub mod token;

mod allowed_types;
mod api;
mod error;
mod fields;
mod log;
mod refusal;

pub use api::{App, router};
pub use error::ApiError;
pub use log::{Caller, GatewayRequestId, RequestId, log_as_json, log_as_json_to};
