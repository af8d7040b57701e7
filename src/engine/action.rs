//! Actions: what the driver has to do for the engine.

use super::call::ApiCall;
use super::record::Record;
use super::report::{Failure, Progress, Retry, Uploaded};
use crate::plan::Part;
use crate::protocol::Headers;

/// Id of one attempt to PUT a part. It distinguishes events of a cancelled attempt from events of later attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PutId(pub u32);

/// One thing that the driver has to do.
#[derive(Debug, Clone)]
pub enum Action {
    // Work of the upload
    /// Read and hash the part. Answer with [`Event::PartHashed`](super::Event::PartHashed) or
    /// [`Event::HashFailed`](super::Event::HashFailed).
    HashPart {
        /// The part to read and hash.
        part: Part,
        /// Time to wait before the read, in milliseconds; 0 unless an earlier read has failed.
        after_ms: u32,
    },
    /// Call the API. Answer with the event that [`ApiCall`] names, or with
    /// [`Event::CallFailed`](super::Event::CallFailed).
    Call(ApiCall),
    /// PUT the part. Answer with [`Event::PutDone`](super::Event::PutDone) or
    /// [`Event::PutFailed`](super::Event::PutFailed).
    Put(Put),
    /// Stop a PUT. The engine ignores its later events.
    CancelPut(PutId),
    /// Request fresh credentials for the API. Answer with
    /// [`Event::CredentialsRefreshed`](super::Event::CredentialsRefreshed) or
    /// [`Event::CredentialsFailed`](super::Event::CredentialsFailed).
    RefreshCredentials,

    // Records for a later session
    /// Store this record in place of the previous one.
    Persist(Record),
    /// Delete the stored record: nothing is left to resume or to remove.
    Forget,

    // Reports to the user
    /// Report the progress.
    Report(Progress),
    /// Report that a request or a read has failed and is repeated.
    Retry(Retry),

    // Reports to the queue
    /// S3 throttles: tell the other uploads to send nothing for `wait_ms`.
    Rest {
        /// Length of the wait from now on, in milliseconds.
        wait_ms: u64,
    },
    /// A PUT has stalled: tell the queue, which then lowers the number of PUTs of all uploads.
    Stalled {
        /// The lane of the PUT.
        lane: u32,
    },

    /// Send [`Event::Tick`](super::Event::Tick) at this time, in milliseconds of [`Now::ms`](super::Now::ms). Replaces
    /// the previous wake-up.
    WakeAt(u64),
    /// The upload has ended. No action follows.
    Finished(Result<Uploaded, Failure>),
}

/// One PUT of one part.
#[derive(Debug, Clone)]
pub struct Put {
    /// Id of the attempt.
    pub id: PutId,
    /// The part to send.
    pub part: Part,
    /// Lane of the URL: the position of its host name in the server's list; 0 is the default.
    pub lane: u32,
    /// Presigned URL. A secret: never log it.
    pub url: String,
    /// Headers to send.
    pub headers: Headers,
    /// Whether the part is compared with S3's CRC64NVME after its PUT.
    pub is_verified_after: bool,
}

/// Prefix of S3's checksum headers.
const CHECKSUM_PREFIX: &str = "x-amz-checksum-";

/// Header with S3's CRC64NVME. S3 computes a CRC64NVME for parts that are sent without a checksum (S3 User Guide,
/// "Checking object integrity for data uploads").
const CRC64NVME_HEADER: &str = "x-amz-checksum-crc64nvme";

impl Put {
    /// Returns the name of the header of S3's answer to read as [`PutAnswer::checksum`](super::PutAnswer::checksum).
    pub fn checksum_header(&self) -> Option<&str> {
        let signed = self.headers.iter().map(|(name, _)| name).find(|name| name.starts_with(CHECKSUM_PREFIX));
        signed.or(self.is_verified_after.then_some(CRC64NVME_HEADER))
    }
}
