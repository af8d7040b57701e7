//! What the engine tells of an upload: how far it is, what it has to do again, and how it ended.

use crate::protocol::{ErrorCode, PartNumber, element, excerpt, serialize_whole};

/// What could be read of an answer to a PUT.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PutAnswer {
    /// The HTTP status, from 200 to 299. S3 answers 200 (S3 API Reference, "PutObject" and "UploadPart").
    pub status: u16,
    /// The header `ETag`, quotes included, if the browser may read it.
    pub etag: Option<String>,
    /// The checksum header of the algorithm that was asked for, if the browser may read it.
    pub checksum: Option<String>,
    /// The header `Content-Type`.
    pub media_type: Option<String>,
    /// Whether the body has no bytes, as S3's has none.
    pub is_empty: bool,
}

/// What S3 holds of an upload that has failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Remains {
    /// Nothing.
    #[default]
    Nothing,
    /// Parts, to be resumed or still to be removed; no object.
    Parts,
    /// Possibly the object: an answer that would have told was lost.
    Unknown,
}

impl Remains {
    /// The name on the way to JavaScript.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Parts => "parts",
            Self::Unknown => "unknown",
        }
    }
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What is going on.
    pub phase: Phase,
    /// The size of the file in bytes.
    #[serde(serialize_with = "serialize_whole")]
    pub size: u64,
    /// Bytes that have been hashed.
    #[serde(serialize_with = "serialize_whole")]
    pub hashed_bytes: u64,
    /// Bytes that have left, those of parts on their way included. Goes back when a part has to be sent
    /// again, never without a [`Retry`], a pause or an abort.
    #[serde(serialize_with = "serialize_whole")]
    pub sent_bytes: u64,
    /// Bytes of parts that S3 has confirmed.
    #[serde(serialize_with = "serialize_whole")]
    pub confirmed_bytes: u64,
    /// How many parts there are; 0 until the server has said so.
    pub parts: u32,
    /// How many of them S3 has confirmed.
    pub confirmed_parts: u32,
    /// The smoothed speed in byte/s; 0 until there is one.
    pub bytes_per_second: f64,
    /// The time left in seconds, once there is a speed.
    pub seconds_left: Option<f64>,
    /// Why nothing moves, if it is meant not to.
    pub held: Option<Held>,
}

/// Why an upload waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Held {
    /// The user wants it to; parts on their way still arrive.
    Pausing,
    /// The user wants it to.
    Paused,
    /// There is no network.
    Offline,
    /// The server asked for a rest (503 SlowDown, 429).
    Busy,
}

/// What is going on, in the order in which a user sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// The first bytes are read and hashed.
    Hash,
    /// The API is asked where to send them.
    Sign,
    /// Bytes are on their way (and later ones are hashed and signed meanwhile).
    Upload,
    /// S3 joins the parts.
    Complete,
    /// What was sent is being removed.
    Abort,
    /// It is over.
    Done,
}

/// Something will be done again.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Retry {
    /// The part that is concerned; none for an API call.
    pub part: Option<PartNumber>,
    /// Why.
    pub code: ErrorCode,
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
    /// How often it has failed by now.
    pub failures: u32,
    /// How long the engine waits first, in milliseconds.
    #[serde(serialize_with = "serialize_whole")]
    pub wait_ms: u64,
}

/// Why something failed, as far as the driver could tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Failure {
    /// By its stable name.
    pub code: ErrorCode,
    /// The HTTP status; 0 when there was no answer.
    pub status: u16,
    /// S3's own code, such as `BadDigest`.
    pub storage_code: Option<String>,
    /// The request's name in the server's logs.
    pub request_id: Option<String>,
    /// How long the server wants to be left alone (`Retry-After`), in milliseconds.
    pub retry_after_ms: Option<u64>,
    /// More words, where there are any. Never a URL or a token.
    pub detail: Option<String>,
    /// What S3 holds of the upload that ended with this failure.
    pub remains: Remains,
}

impl Failure {
    /// An answer that is neither S3's nor the API's: its status and its media type, and nothing of its content.
    pub fn unexpected(status: u16, media_type: Option<&str>) -> Self {
        let media_type = media_type.unwrap_or("no media type");
        let essence = media_type.split_once(';').map_or(media_type, |(essence, _)| essence);
        let detail =
            Some("status ".to_owned() + itoa::Buffer::new().format(u32::from(status)) + ", " + &excerpt(essence));
        Self { status, detail, ..ErrorCode::UnexpectedAnswer.into() }
    }

    /// A PUT that was refused. `body` is S3's error document, or what another has answered in its place.
    pub fn of_storage(status: u16, body: &str, media_type: Option<&str>) -> Self {
        let storage_code = element(body, "Code");
        let detail = storage_code.clone().or_else(|| Self::unexpected(status, media_type).detail);
        let request_id = element(body, "RequestId");
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

/// An object that S3 has confirmed.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Uploaded {
    /// Its key.
    pub key: String,
    /// Its entity tag without quotes; none if S3 kept it but its answer got lost.
    pub etag: Option<String>,
    /// Its checksum, Base64: SHA-256 of the whole object after a single PUT, composite (`…-N`) after parts, or the
    /// CRC64NVME of the whole object; none where nothing was verified.
    pub checksum: Option<String>,
    /// Its size in bytes.
    #[serde(serialize_with = "serialize_whole")]
    pub size: u64,
}
