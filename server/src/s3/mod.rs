//! S3: addresses of a bucket, presigned PUTs, and the calls that open, list, complete and abort a multipart upload.
//!
//! This module makes requests and reads answers. The host sends the requests.

mod bucket;
mod call;
mod credentials;
mod lane;
pub(crate) mod operation;
mod put;
mod refusal;
mod sign;
mod xml;

pub use bucket::{Bucket, EndpointError};
pub(crate) use call::S3Call;
pub use call::{S3Reply, S3Request};
pub use credentials::Credentials;
pub use lane::Lane;
pub use put::{Object, Target};
pub use refusal::code_of_storage_error;
pub(crate) use sign::UNRESERVED;
pub use sign::{Put, Signer, Signing};
