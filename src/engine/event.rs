//! What goes into the engine and what comes out of it.

use std::collections::BTreeMap;

use crate::checksum::Sha256Digest;
use crate::plan::Part;
use crate::protocol::{
    CompleteUpload, ContentType, CreateUpload, ErrorCode, FileName, FileSize, NetworkHint, PartNumber, PartsSigned,
    SignParts, UploadCompleted, UploadCreated,
};

/// All that the engine may know of the world at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Milliseconds on a clock that never runs backwards; where it starts doesn't matter.
    pub ms: u64,
    /// A fresh random number, for the jitter of a retry.
    pub random: u32,
}

/// The file to upload.
#[derive(Debug, Clone)]
pub struct FileInfo {
    /// Its name on the user's disk.
    pub name: FileName,
    /// Its media type.
    pub content_type: ContentType,
    /// Its size in bytes.
    pub size: FileSize,
}

/// How the engine should go about it.
#[derive(Debug, Clone, Copy)]
pub struct Config {
    /// How many PUTs may run at once. Browsers open 6 connections to a host.
    pub parts_in_flight: u32,
    /// How many parts may be hashed at once.
    pub hashers: u32,
    /// What is known of the link.
    pub network: NetworkHint,
}

impl Default for Config {
    fn default() -> Self {
        Self { parts_in_flight: 6, hashers: 2, network: NetworkHint::Unknown }
    }
}

/// Names one attempt to PUT a part, so that news of an attempt that was given up is not mistaken for
/// news of the one that followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PutId(pub u32);

/// The API calls, of which each kind has at most one under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `POST /uploads`.
    Create,
    /// `POST /uploads/parts`.
    Sign,
    /// `POST /uploads/complete`.
    Complete,
    /// `DELETE /uploads`.
    Abort,
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The upload may begin.
    Start,
    /// A part was read and hashed.
    PartHashed {
        /// Exactly what was read.
        part: Part,
        /// The digest of its bytes.
        digest: Sha256Digest,
    },
    /// A part could not be read.
    HashFailed {
        /// What could not be read.
        part: Part,
        /// Why.
        failure: Failure,
    },
    /// [`Action::Create`] was answered.
    Created(UploadCreated),
    /// [`Action::SignParts`] was answered.
    Signed(PartsSigned),
    /// Some of a part's bytes have left.
    PutProgress {
        /// Which attempt.
        put: PutId,
        /// How many bytes of it, so far.
        sent_bytes: u64,
    },
    /// S3 has a part.
    PutDone {
        /// Which attempt.
        put: PutId,
        /// The entity tag, if the browser may read it.
        etag: Option<String>,
        /// The SHA-256 that S3 computed, if the browser may read it.
        checksum: Option<String>,
    },
    /// A PUT failed.
    PutFailed {
        /// Which attempt.
        put: PutId,
        /// Why.
        failure: Failure,
    },
    /// [`Action::Complete`] was answered.
    Completed(UploadCompleted),
    /// [`Action::Abort`] was answered.
    Aborted,
    /// An API call failed.
    CallFailed {
        /// Which call.
        call: Call,
        /// Why.
        failure: Failure,
    },
    /// The user wants it to end.
    Abort,
    /// Time has passed: what [`Action::WakeAt`] asked for.
    Tick,
}

/// What to do next.
#[derive(Debug, Clone)]
pub enum Action {
    /// Read the part and hash it; answer with [`Event::PartHashed`] or [`Event::HashFailed`].
    HashPart(Part),
    /// Call `POST /uploads`; answer with [`Event::Created`] or [`Event::CallFailed`].
    Create(CreateUpload),
    /// Call `POST /uploads/parts`; answer with [`Event::Signed`] or [`Event::CallFailed`].
    SignParts {
        /// The upload token.
        token: String,
        /// The body.
        request: SignParts,
    },
    /// PUT the part; answer with [`Event::PutDone`] or [`Event::PutFailed`].
    Put(Put),
    /// Stop a PUT. News of it is no longer wanted.
    CancelPut(PutId),
    /// Call `POST /uploads/complete`; answer with [`Event::Completed`] or [`Event::CallFailed`].
    Complete {
        /// The upload token.
        token: String,
        /// The body.
        request: CompleteUpload,
    },
    /// Call `DELETE /uploads`; answer with [`Event::Aborted`] or [`Event::CallFailed`].
    Abort {
        /// The upload token.
        token: String,
    },
    /// Tell the user how far it is.
    Report(Progress),
    /// Tell the user that something has to be done again.
    Retry(Retry),
    /// Send [`Event::Tick`] at this time, in milliseconds of [`Now::ms`]. Replaces the one before.
    WakeAt(u64),
    /// It is over; nothing follows.
    Finished(Result<Uploaded, Failure>),
}

/// One PUT of one part.
#[derive(Debug, Clone)]
pub struct Put {
    /// Names the attempt.
    pub id: PutId,
    /// Which bytes.
    pub part: Part,
    /// Where to. A secret: not to be logged.
    pub url: String,
    /// With which headers.
    pub headers: BTreeMap<String, String>,
}

/// How far an upload is.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Progress {
    /// What is going on.
    pub phase: Phase,
    /// The size of the file in bytes.
    pub size: u64,
    /// Bytes that have been hashed.
    pub hashed_bytes: u64,
    /// Bytes that have left, those of parts on their way included.
    pub sent_bytes: u64,
    /// Bytes of parts that S3 has confirmed.
    pub confirmed_bytes: u64,
    /// How many parts there are; 0 until the server has said so.
    pub parts: u32,
    /// How many of them S3 has confirmed.
    pub confirmed_parts: u32,
    /// The smoothed speed in byte/s; 0 until there is one.
    pub bytes_per_second: f64,
    /// The time left in seconds, once there is a speed.
    pub seconds_left: Option<f64>,
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
    /// More words, where there are any. Never a URL or a token.
    pub detail: Option<String>,
}

impl From<ErrorCode> for Failure {
    fn from(code: ErrorCode) -> Self {
        Self { code, status: 0, storage_code: None, request_id: None, detail: None }
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
    /// Its SHA-256, Base64: of the whole object after a single PUT, composite (`…-N`) after parts.
    pub checksum: String,
    /// Its size in bytes.
    pub size: u64,
}
