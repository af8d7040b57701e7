//! directput on one machine, without an account, a container or a network: the demo page and the signing API at one
//! address, an S3 server at another. The S3 server behaves as AWS's S3 in everything that uploads depend on.
//!
//! [`Server::start`] binds both addresses, and [`Server::serve`] answers requests. `emulation` adds faults and slow links.

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
