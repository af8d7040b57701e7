//! Stable codes of all failures, shared by the browser and the API.

use serde::{Deserialize, Serialize, Serializer};

/// Declares each code once: its name on the wire, its HTTP status, whether a retry can help, and its title.
macro_rules! error_codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $status:literal, $retryable:literal, $title:literal;)*) => {
        /// Stable code of a failure. `docs/errors.md` lists all codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
        pub enum ErrorCode {
            $(#[doc = $title] $(#[$doc])* #[serde(rename = $code)] $name,)*
        }

        impl ErrorCode {
            /// Every code, in the order of `docs/errors.md`.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Reads the name on the wire.
            pub fn parse(text: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.as_str() == text)
            }

            /// Returns the name on the wire, such as `part-repeated`.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $code),* }
            }

            /// Returns the HTTP status of the API's answer; 0 for a code that only the client uses.
            pub fn status(self) -> u16 {
                match self { $(Self::$name => $status),* }
            }

            /// Returns whether the same request may succeed later.
            pub fn is_retryable(self) -> bool {
                match self { $(Self::$name => $retryable),* }
            }

            /// Returns a sentence for the user.
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title),* }
            }
        }
    };
}

error_codes! {
    InvalidJson = "invalid-json", 400, false, "The body is not JSON.";
    MissingField = "missing-field", 400, false, "A field is missing.";
    EmptyField = "empty-field", 400, false, "A field is empty.";
    FieldTooLong = "field-too-long", 400, false, "A field is too long.";
    WrongType = "wrong-type", 400, false, "A field has the wrong type.";
    UnknownField = "unknown-field", 400, false, "There is a field that this call doesn't have.";
    OutOfRange = "out-of-range", 400, false, "A number is out of range.";
    InvalidValue = "invalid-value", 400, false, "A field has a value that this call doesn't take.";
    TypeNotAllowed = "type-not-allowed", 415, false, "Files of this type are not accepted here.";
    FileTooLarge = "file-too-large", 413, false, "The file is larger than is accepted here.";
    BodyTooLarge = "body-too-large", 413, false, "The request is larger than this call takes.";
    UnsupportedMediaType = "unsupported-media-type", 415, false, "The request must be application/json.";
    NotFound = "not-found", 404, false, "There is no such call.";
    MethodNotAllowed = "method-not-allowed", 405, false, "This call has another method.";
    Unauthorized = "unauthorized", 401, false, "You have to sign in first.";
    TokenMissing = "token-missing", 401, false, "The upload token is missing.";
    TokenInvalid = "token-invalid", 401, false, "The upload token is not valid.";
    TokenExpired = "token-expired", 401, false, "The upload has been open for too long.";
    NotYourUpload = "not-your-upload", 403, false, "This upload belongs to another user.";
    PartOutOfRange = "part-out-of-range", 400, false, "The upload has no part of this number.";
    PartWrongLength = "part-wrong-length", 400, false, "The part has another length than the plan says.";
    PartRepeated = "part-repeated", 400, false, "A part is named twice.";
    TooManyParts = "too-many-parts", 400, false, "The request names more parts than it may.";
    PartsIncomplete = "parts-incomplete", 400, false, "Parts are missing or out of order.";
    NotMultipart = "not-multipart", 409, false, "This upload is a single PUT.";
    UploadGone = "upload-gone", 404, false, "The upload was completed, cancelled or cleaned up.";
    PartsRefused = "parts-refused", 409, false, "The storage refused to join these parts.";
    AlreadyComplete = "already-complete", 409, false, "The upload was completed before.";
    TooManyRequests = "too-many-requests", 429, true, "The server is busy.";
    StorageUnavailable = "storage-unavailable", 503, true, "The storage cannot be reached right now.";
    Internal = "internal", 500, true, "Something went wrong that should not have.";
    Network = "network", 0, true, "The network failed.";
    Timeout = "timeout", 0, true, "The server took too long to answer.";
    Aborted = "aborted", 0, false, "The upload was cancelled.";
    Integrity = "integrity", 0, false, "The bytes did not arrive as they were sent.";
    FileChanged = "file-changed", 0, false, "The file changed or can no longer be read.";
    ETagHidden = "etag-hidden", 0, false, "The bucket's CORS rule does not expose the ETag header.";
    StorageRefused = "storage-refused", 0, false, "The storage refused the file.";
    InvalidReply = "invalid-reply", 0, false, "The server's answer could not be understood.";
    WrongFile = "wrong-file", 0, false, "This is not the file that the upload began with.";
    FileNeeded = "file-needed", 0, false, "The file has to be picked again.";
    InUse = "in-use", 0, true, "This upload is under way in another tab.";
    FileTooSmall = "file-too-small", 0, false, "The file is smaller than is accepted here.";
    TooManyFiles = "too-many-files", 0, false, "No more files are accepted here.";
    NotAccepted = "not-accepted", 0, false, "This file is not accepted here.";
    InvalidOption = "invalid-option", 0, false, "An option has a value that directput doesn't take.";
    UnexpectedAnswer = "unexpected-answer", 0, true, "Something between this page and the server answered in its place.";
    HeadersTimeout = "headers-timeout", 0, true, "The page did not say in time who calls the server.";
    ReadTimeout = "read-timeout", 0, true, "The file could not be read in time.";
    WorkerLost = "worker-lost", 0, true, "The uploader's worker has stopped.";
    LoadFailed = "load-failed", 0, true, "The uploader could not be loaded.";
    Closed = "closed", 0, true, "The uploader was closed.";
    UnsupportedEnvironment = "unsupported-environment", 0, false, "Files cannot be uploaded from this browser.";
}

impl Serialize for ErrorCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// Answer to a refused call, in the format `application/problem+json` (RFC 9457).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// `urn:directput:error:` and the code.
    #[serde(rename = "type")]
    pub kind: String,
    /// Title of the code: a sentence for the user.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// The code.
    pub code: ErrorCode,
    /// Details of this failure, if the title is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The field that was wrong, such as `parts[2].length`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Id of the request in the server's logs.
    pub request_id: String,
}

impl Problem {
    /// Returns a problem with the title and the status of its code.
    pub fn new(code: ErrorCode, request_id: String) -> Self {
        Self {
            kind: format!("urn:directput:error:{}", code.as_str()),
            title: code.title().to_owned(),
            status: code.status(),
            code,
            detail: None,
            field: None,
            request_id,
        }
    }
}
