//! The wire format of the six calls, with one definition for the browser and the Lambda.
//!
//! | call | request | reply |
//! |---|---|---|
//! | `POST /uploads` | [`CreateUpload`] | [`UploadCreated`] |
//! | `POST /uploads/batch` | [`CreateUploads`] | [`UploadsCreated`] |
//! | `POST /uploads/parts` | [`SignParts`] | [`PartsSigned`] |
//! | `GET /uploads/parts` | [`ListParts`] (query) | [`PartsListed`] |
//! | `POST /uploads/complete` | [`CompleteUpload`] | [`UploadCompleted`] |
//! | `DELETE /uploads` | – | 204, no body |
//!
//! All but the first two carry the upload token in the header [`TOKEN_HEADER`]. A refused call is
//! answered by a [`Problem`]. Unknown fields are refused in requests and ignored in replies, so that
//! a new server can talk to an old page.

mod endpoint;
mod error_code;
mod headers;
mod refusal;
mod reply;
mod request;
mod values;
mod xml;

pub use endpoint::Endpoint;
pub use error_code::{ErrorCode, Problem};
pub use headers::Headers;
pub use refusal::{code_of_refusal, retry_after_ms};
pub use reply::{
    BatchEntry, BatchRefusal, PartsListed, PartsSigned, SignedPart, StoredPart, UploadCompleted, UploadCreated,
    UploadKind, UploadsCreated,
};
pub use request::{CompleteUpload, CompletedPart, CreateUpload, CreateUploads, ListParts, PartToSign, SignParts};
pub use values::{ContentType, ETag, FileName, FileSize, NetworkHint, PartNumber, Refusal};
pub use xml::xml_element;

/// The request header that carries the upload token. Never a URL: URLs are logged.
pub const TOKEN_HEADER: &str = "upload-token";

/// The reply header that names a request in the logs.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

pub(crate) use values::{serialize_whole, string_on_the_wire};
pub(crate) use xml::excerpt;
