//! What goes into the engine and what comes out of it.

use serde::{Deserialize, Serialize};

use super::report::{Failure, Progress, PutAnswer, Retry, Uploaded};
use crate::checksum::{ChecksumAlgorithm, PartChecksum};
use crate::plan::Part;
use crate::protocol::{
    CompleteUpload, ContentType, CreateUpload, FileName, FileSize, Headers, NetworkHint, PartNumber, PartsListed,
    PartsSigned, SignParts, UploadCompleted, UploadCreated, serialize_whole,
};

/// All that the engine may know of the world at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Milliseconds on a clock that never runs backwards and that goes on while the machine sleeps;
    /// where it starts doesn't matter.
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
    /// How many PUTs may run at once, at most. Browsers open 6 connections to a host.
    pub parts_in_flight: u32,
    /// How many parts may be hashed at once.
    pub hashers: u32,
    /// What is known of the link.
    pub network: NetworkHint,
    /// What the bytes are verified by.
    pub algorithm: ChecksumAlgorithm,
    /// The least silence after which a PUT may be given up and made again, in milliseconds. Slow links get more; see
    /// `pace`.
    pub stall_ms: u64,
    /// Whether [`Action::Persist`] outlives the driver, so that an upload that ends for want of a
    /// network can be gone on with. Otherwise it is removed.
    pub keeps_records: bool,
    /// Whether requests go through a service worker, as far as the driver knows: then no progress is told of PUTs.
    pub has_service_worker: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            parts_in_flight: 6,
            hashers: 2,
            network: NetworkHint::Unknown,
            algorithm: ChecksumAlgorithm::Sha256,
            stall_ms: DEFAULT_STALL_MS,
            keeps_records: false,
            has_service_worker: false,
        }
    }
}

/// What [`Config::stall_ms`] is unless somebody says otherwise, in milliseconds. The browser's socket may
/// swallow the last bytes of a part long before they have left, so it must not be short.
const DEFAULT_STALL_MS: u64 = 30_000;

/// Every call of the API must have its answer, or [`Event::CallFailed`], after so long, in milliseconds.
/// API Gateway gives up after 30 s (HTTP API quotas), so no answer comes later.
pub const CALL_TIMEOUT_MS: u32 = 35_000;

/// All that is needed to go on with a multipart upload, or to remove it, in another session. It holds
/// the upload token: a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// The upload token.
    pub token: String,
    /// The key of the object to be.
    pub key: String,
    /// What its bytes are verified by.
    #[serde(default)]
    pub algorithm: ChecksumAlgorithm,
    /// Length of every part but the last, in bytes.
    #[serde(serialize_with = "serialize_whole")]
    pub part_size: u64,
    /// The most parts that one signing call may name.
    pub max_parts_per_request: u32,
    /// For how long the token was good when it came, in seconds.
    #[serde(serialize_with = "serialize_whole")]
    pub expires_in_seconds: u64,
    /// What completes the upload, once every part is stored. It may have been sent already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<CompleteUpload>,
    /// Nobody wants the upload any more; only its removal is missing.
    #[serde(default)]
    pub discard: bool,
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
    /// `GET /uploads/parts`.
    List,
    /// `POST /uploads/parts`.
    Sign,
    /// `POST /uploads/complete`.
    Complete,
    /// `DELETE /uploads`.
    Abort,
}

impl Call {
    /// The HTTP status of the documented answer (`docs/openapi.yaml`). An answer with any other status below 400 is
    /// [`ErrorCode::UnexpectedAnswer`](crate::protocol::ErrorCode::UnexpectedAnswer).
    pub fn success_status(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::List | Self::Sign | Self::Complete => 200,
            Self::Abort => 204,
        }
    }
}

/// What one upload gets of what all uploads share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// The most PUTs that it may have under way.
    pub lanes: u32,
    /// The lengths of the PUTs that other uploads have under way, in bytes.
    pub bytes_elsewhere: u64,
    /// How fast S3 confirms the bytes of all uploads together, in byte/s; none while that is not known.
    pub bytes_per_second: Option<u64>,
}

impl Default for Share {
    /// All there is, for an upload that is alone.
    fn default() -> Self {
        Self { lanes: u32::MAX, bytes_elsewhere: 0, bytes_per_second: None }
    }
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
        /// The checksum of its bytes, by the algorithm of [`super::Engine::algorithm`].
        checksum: PartChecksum,
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
    /// [`Action::List`] was answered.
    Listed(PartsListed),
    /// [`Action::SignParts`] was answered.
    Signed(PartsSigned),
    /// Some of a part's bytes have left.
    PutProgress {
        /// Which attempt.
        put: PutId,
        /// How many bytes of it, so far.
        sent_bytes: u64,
    },
    /// A PUT was answered with a status from 200 to 299. The engine decides whether the answer proves anything.
    PutDone {
        /// Which attempt.
        put: PutId,
        /// What could be read of the answer.
        answer: PutAnswer,
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
    /// [`Action::RefreshCredentials`] has brought new ones.
    CredentialsRefreshed,
    /// [`Action::RefreshCredentials`] has brought none.
    CredentialsFailed(Failure),
    /// What this upload may use from now on.
    Share(Share),
    /// S3 has asked another upload for a rest of so many milliseconds, and means them all.
    Busy {
        /// From now on, in milliseconds.
        wait_ms: u64,
    },
    /// The user wants it to wait. PUTs under way go on to their ends.
    Pause,
    /// The user wants it to go on.
    Resume,
    /// The browser says that there is no network.
    Offline,
    /// The browser says that there is one again.
    Online,
    /// The user wants it to end.
    Abort,
    /// The page goes on without it: it ends now, and is kept where records are kept.
    Close,
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
    /// Call `GET /uploads/parts`; answer with [`Event::Listed`] or [`Event::CallFailed`].
    List {
        /// The upload token.
        token: String,
        /// List the parts behind this one.
        after: Option<PartNumber>,
    },
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
    /// Ask for fresh credentials for the API; answer with [`Event::CredentialsRefreshed`] or
    /// [`Event::CredentialsFailed`].
    RefreshCredentials,
    /// Keep this, in place of what was kept before.
    Persist(Record),
    /// What was kept is of no use any more.
    Forget,
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
    pub headers: Headers,
}
