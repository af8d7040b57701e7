//! The signing API of directput for any backend: six calls that open, sign, list, complete and abort uploads. Clients
//! send the bytes of files directly to S3, with presigned URLs from this API.
//!
//! # In an axum application
//!
//! ```no_run
//! use axum::Router;
//! use directput_server::host::{Host, Keyring, fixed, reqwest_client, router};
//! use directput_server::{Api, Bucket, Config, Credentials, TokenKeys};
//!
//! # fn app() -> Result<Router, Box<dyn std::error::Error>> {
//! let env = |name: &str| std::env::var(name).ok();
//! let keys = TokenKeys::new(env("TOKEN_KEY").ok_or("TOKEN_KEY")?.as_bytes(), None, "my-bucket");
//! let app = Router::new().nest("/api", router(Host {
//!     api: Api {
//!         config: Config::for_bucket("my-bucket"),
//!         bucket: Bucket::in_aws("my-bucket", "eu-central-1", &[]),
//!         daily_limits: None,
//!     },
//!     keys: Keyring::fixed(keys.ok_or("TOKEN_KEY is too short")?),
//!     credentials: fixed(Credentials::from_env(env).ok_or("no AWS credentials")?),
//!     send: reqwest_client()?,
//!     count: None,
//! }));
//! # Ok(app)
//! # }
//! ```
//!
//! A layer of the application checks who calls, and adds a [`host::Caller`] to the request's extensions. Set
//! [`Config::needs_caller`] to refuse anonymous calls.
//!
//! # Anywhere else
//!
//! [`Api`] has no network, clock or randomness. It takes a [`Request`] and returns the [`Step`]s that the host performs.
//! This example needs no host, because a small file needs no call to S3:
//!
//! ```
//! use std::time::SystemTime;
//! use directput_server::{Api, Bucket, Config, Context, Credentials, Request, Step, TokenKeys};
//!
//! let api = Api {
//!     config: Config::for_bucket("my-bucket"),
//!     bucket: Bucket::in_aws("my-bucket", "eu-central-1", &[]),
//!     daily_limits: None,
//! };
//! let context = Context {
//!     now: SystemTime::now(),
//!     random: &|| [7; 16], // 16 bytes of a random number generator
//!     keys: &TokenKeys::new(&[7; 32], None, "my-bucket").expect("at least 32 bytes"),
//!     credentials: &Credentials {
//!         access_key_id: "AKIDEXAMPLE".to_owned(),
//!         secret_access_key: "secret".to_owned(),
//!         session_token: None,
//!     },
//! };
//! let digest = "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=";
//! let body = format!(
//!     r#"{{"name":"hello.txt","type":"text/plain","size":5,"parts":[{{"number":1,"length":5,"checksum":"{digest}"}}]}}"#
//! );
//! let request = Request {
//!     id: "request-1",
//!     caller: None,
//!     grant: None,
//!     method: "POST",
//!     path: "/uploads",
//!     query: "",
//!     content_type: Some("application/json"),
//!     token: None,
//!     body: Some(body.as_bytes()),
//! };
//! let Step::Answer(answer) = api.begin(request, &context) else { panic!("a small file needs no call to S3") };
//! assert_eq!(answer.status, 201);
//! assert!(String::from_utf8_lossy(&answer.body).contains("X-Amz-Signature="));
//! ```

pub mod config;
pub mod download;
#[cfg(feature = "axum")]
pub mod host;
pub mod lifetime;
pub mod object_key;
pub mod quota;
pub mod s3;
pub mod token;

mod allowed_types;
mod api;
mod checks;
mod error;
mod fields;
mod grant;
#[cfg(target_arch = "wasm32")]
mod hmac;
mod log;
mod open;
mod request;

pub use api::{Api, Call, Context, Counting, Step};
pub use config::Config;
pub use error::ApiError;
pub use grant::{Folder, Grant};
pub use request::{Answer, Request, Route};
pub use s3::{Bucket, Credentials};
pub use token::TokenKeys;
