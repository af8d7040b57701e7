//! What is kept of an upload, so that a later session can resume it.

use serde::{Deserialize, Serialize};

use crate::checksum::ChecksumAlgorithm;
use crate::protocol::{CompleteUpload, serialize_whole};

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
