//! The signing API of directput: six calls that open, sign, list, complete and abort uploads. Clients send the bytes of
//! files directly to S3, with presigned URLs from this API.
//!
//! [`router`] returns the whole API as an axum router. `main.rs` runs the router in AWS Lambda. The local server and
//! the tests run the same router. This example needs no network, because signing needs none:
//!
//! ```
//! use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
//! use axum::body::{Body, to_bytes};
//! use axum::http::Request;
//! use directput_lambda::config::Config;
//! use directput_lambda::keyring::Keyring;
//! use directput_lambda::storage::Storage;
//! use directput_lambda::token::TokenKeys;
//! use directput_lambda::{App, router};
//! use tower::ServiceExt;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let s3 = Builder::new().behavior_version(BehaviorVersion::latest()).region(Region::new("eu-central-1"));
//! let credentials = Credentials::new("AKIDEXAMPLE", "secret", None, None, "example");
//! let storage = Storage::open(s3, credentials, "my-bucket").await.ok().expect("a region and credentials");
//! let keys = TokenKeys::new(&[7; 32], None, "my-bucket").expect("at least 32 bytes");
//! let api = router(App { config: Config::for_bucket("my-bucket"), storage, keys: Keyring::fixed(keys) });
//!
//! let digest = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
//! let body = format!(
//!     r#"{{"name":"hello.txt","type":"text/plain","size":5,"parts":[{{"number":1,"length":5,"checksum":"{digest}"}}]}}"#
//! );
//! let request = Request::post("/uploads").header("content-type", "application/json").body(Body::from(body));
//! let reply = api.oneshot(request.expect("a request")).await.expect("routers don't fail");
//! assert_eq!(reply.status(), 201);
//! let opened = to_bytes(reply.into_body(), 1 << 20).await.expect("a body");
//! assert!(String::from_utf8_lossy(&opened).contains("X-Amz-Signature="));
//! # }
//! ```

pub mod config;
pub mod download;
pub mod keyring;
pub mod lane;
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
mod open;
mod refusal;

pub use api::{App, router};
pub use error::ApiError;
pub use log::{Caller, GatewayRequestId, RequestId, log_as_json, log_as_json_to};
