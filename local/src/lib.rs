//! directput on one machine, with no account, no container and no network: the demo page and the
//! signing API at one address, and at another an S3 server that does what S3 does where it matters.

mod accept;
mod auth;
mod client;
mod count;
mod credentials;
mod drain;
mod faults;
mod host;
mod link;
mod rules;
mod s3;
mod server;
mod sink;
mod site;
mod store;
mod unsigned;

pub use auth::Auth;
pub use client::S3Server;
pub use faults::Fault;
pub use link::LinkSpeed;
pub use server::{Options, Server};
