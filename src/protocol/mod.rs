//! The wire format of the six calls. The browser and the Lambda share this one definition.
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
//! All calls but the first two have the upload token in the header [`TOKEN_HEADER`]. A refused call is answered by a
//! [`Problem`]. Unknown fields are refused in requests and ignored in replies, so that a new server works with an old
//! page.

mod content_type;
mod endpoint;
mod error_code;
mod etag;
mod file_name;
mod headers;
mod network_hint;
mod refusal;
mod reply;
mod request;
mod text;
mod whole_number;
mod xml;

pub use content_type::ContentType;
pub use endpoint::Endpoint;
pub use error_code::{ErrorCode, Problem};
pub use etag::ETag;
pub use file_name::FileName;
pub use headers::Headers;
pub use network_hint::NetworkHint;
pub use refusal::{code_of_refusal, retry_after_ms};
pub use reply::{
    BatchEntry, BatchRefusal, PartsListed, PartsSigned, SignedPart, StoredPart, UploadCompleted, UploadCreated,
    UploadKind, UploadsCreated,
};
pub use request::{CompleteUpload, CompletedPart, CreateUpload, CreateUploads, ListParts, PartToSign, SignParts};
pub use text::Refusal;
pub use whole_number::{FileSize, PartNumber};
pub use xml::xml_element;

/// Request header with the upload token. The token is never in a URL, because URLs are logged.
pub const TOKEN_HEADER: &str = "upload-token";

/// Reply header with the id of the request in the server's logs.
pub const REQUEST_ID_HEADER: &str = "x-request-id";

pub(crate) use text::string_on_the_wire;
pub(crate) use whole_number::serialize_whole;
pub(crate) use xml::excerpt;
