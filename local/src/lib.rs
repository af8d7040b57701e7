//! directput on one machine, without an AWS account, a container or a network. Serves the demo page and the signing API
//! at one address, and an S3 server at another. The S3 server behaves like AWS's S3 in everything that uploads depend
//! on.
//!
//! [`Server::start`] binds both addresses, and [`Server::serve`] answers requests. `emulation` adds faults and slow
//! links.
//!
//! ```
//! use directput_local::{Options, Server};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let folder = tempfile::tempdir().expect("a folder");
//! let any_port = "127.0.0.1:0".parse().expect("an address");
//! let server = Server::start(Options {
//!     listen: any_port,
//!     s3_listen: any_port,
//!     s3_url: None,
//!     lanes: 1,
//!     use_s3: None,
//!     data: folder.path().to_owned(),
//!     www: "www".into(),
//!     package: "pkg".into(),
//!     allow_origin: vec!["http://localhost:5173".to_owned()],
//!     auth: None,
//!     faults: Vec::new(),
//!     control: false,
//!     discard: false,
//!     link: None,
//!     settings: Box::new(|_| None),
//! })
//! .await
//! .expect("free ports");
//! assert!(server.ready_line().starts_with("ready page=http://127.0.0.1:"));
//! // Serves until the future completes, here immediately.
//! server.serve(async {}).await;
//! # }
//! ```

mod auth;
mod credentials;
mod emulation;
mod host;
mod listener;
mod s3;
mod server;
mod site;

pub use auth::Auth;
pub use emulation::faults::Fault;
pub use emulation::link::LinkSpeed;
pub use s3::S3Connection;
pub use server::{Options, Server, Settings};
