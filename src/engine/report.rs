//! Reports of an upload: its progress, its retries, and its result or failure.

use crate::protocol::{ErrorCode, PartNumber, excerpt, serialize_whole, xml_element};

/// What the driver can read of an answer to a PUT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutAnswer {
    /// The HTTP status, from 200 to 299. S3 answers 200 (S3 API Reference, "PutObject" and "UploadPart").
    pub status: u16,
    /// The header `ETag`, quotes included, if the browser may read it.
    pub etag: Option<String>,
    /// The header that [`Put::checksum_header`](super::Put::checksum_header) names, if the browser may read it.
    pub checksum: Option<String>,
    /// The header `Content-Type`.
    pub media_type: Option<String>,
    /// Whether the body is empty. S3 answers a PUT with an empty body.
    pub is_empty: bool,
}

/// What S3 holds of an upload after its failure.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Remains {
    /// Nothing.
    #[default]
    Nothing,
    /// Parts that can be resumed or have to be removed, but no object.
    Parts,
    /// Possibly an object: the answer that would have told was lost.
    Unknown,
}

impl Remains {
    /// Returns the name of this value in JavaScript.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Parts => "parts",
            Self::Unknown => "unknown",
        }
    }
}

/// Progress of an upload.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// Current phase.
    pub phase: Phase,
    /// The size of the file in bytes.
    #[serde(serialize_with = "serialize_whole")]
    pub size: u64,
    /// Bytes that have been hashed.
    #[serde(serialize_with = "serialize_whole")]
    pub hashed_bytes: u64,
    /// Bytes sent, including parts in flight. Decreases when a part has to be sent again, and only with a [`Retry`], a
    /// pause or an abort.
    #[serde(serialize_with = "serialize_whole")]
    pub sent_bytes: u64,
    /// Bytes of parts that S3 has confirmed.
    #[serde(serialize_with = "serialize_whole")]
    pub confirmed_bytes: u64,
    /// Number of parts; 0 until the API has opened the upload.
    pub parts: u32,
    /// Number of parts that S3 has confirmed.
    pub confirmed_parts: u32,
    /// Smoothed speed in byte/s; 0 while unknown.
    pub bytes_per_second: f64,
    /// Time left in seconds; `None` while the speed is unknown.
    pub seconds_left: Option<f64>,
    /// Reason for which the upload waits; `None` if it does not wait.
    pub held: Option<Held>,
}

/// Why an upload waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// The user has paused the upload, and PUTs are still in flight.
    Pausing,
    /// The user has paused the upload, and no PUT is in flight.
    Paused,
    /// There is no network.
    Offline,
    /// S3 throttles (503 SlowDown, 429).
    Busy,
}

/// Phase of an upload, in the order in which a user sees them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The first part is read and hashed.
    Hash,
    /// The API opens the upload and signs URLs.
    Sign,
    /// Parts are sent, while later parts are hashed and signed.
    Upload,
    /// S3 joins the parts.
    Complete,
    /// The sent parts are removed.
    Abort,
    /// The upload has ended.
    Done,
}

/// Something has failed and is tried again.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// Part that is read or sent again; `None` for an API call.
    pub part: Option<PartNumber>,
    /// Code of the failure.
    pub code: ErrorCode,
    /// HTTP status; 0 without an answer.
    pub status: u16,
    /// Number of failures so far.
    pub failures: u32,
    /// Wait before the next attempt, in milliseconds.
    #[serde(serialize_with = "serialize_whole")]
    pub wait_ms: u64,
}

/// A failure, and what is known of its cause.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// Stable code.
    pub code: ErrorCode,
    /// HTTP status; 0 without an answer.
    pub status: u16,
    /// S3's own code, such as `BadDigest`.
    pub storage_code: Option<String>,
    /// Id of the request in the server's logs.
    pub request_id: Option<String>,
    /// Wait that the server asks for (`Retry-After`), in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// Details of the cause. Never holds a URL or a token.
    pub detail: Option<String>,
    /// What S3 holds of the upload that ended with this failure.
    pub remains: Remains,
}

impl Failure {
    /// Returns the failure for an answer that comes neither from S3 nor from the API. Keeps the status and the media
    /// type of the answer, and no other content.
    pub fn unexpected(status: u16, media_type: Option<&str>) -> Self {
        let media_type = media_type.unwrap_or("no media type");
        let essence = media_type.split_once(';').map_or(media_type, |(essence, _)| essence);
        let detail =
            Some("status ".to_owned() + itoa::Buffer::new().format(u32::from(status)) + ", " + &excerpt(essence));
        Self { status, detail, ..ErrorCode::UnexpectedAnswer.into() }
    }

    /// Returns the failure for a refused PUT. `body` is S3's error document or a proxy's answer.
    pub fn of_storage(status: u16, body: &str, media_type: Option<&str>) -> Self {
        let storage_code = xml_element(body, "Code");
        let detail = storage_code.clone().or_else(|| Self::unexpected(status, media_type).detail);
        let request_id = xml_element(body, "RequestId");
        Self { status, storage_code, request_id, detail, ..ErrorCode::StorageRefused.into() }
    }
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self {
            code,
            status: 0,
            storage_code: None,
            request_id: None,
            retry_after_ms: None,
            detail: None,
            remains: Remains::Nothing,
        }
    }
}

/// An object that S3 has stored.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Uploaded {
    /// Key of the object.
    pub key: String,
    /// Entity tag of the object without quotes; `None` if S3's answer was lost or hides it.
    pub etag: Option<String>,
    /// Checksum of the object in Base64: SHA-256 after a single PUT, composite SHA-256 (`…-N`) after several parts, or
    /// CRC64NVME; `None` if nothing was verified.
    pub checksum: Option<String>,
    /// Size of the object in bytes.
    #[serde(serialize_with = "serialize_whole")]
    pub size: u64,
}
