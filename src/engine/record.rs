//! The record of an upload, from which a later session resumes it.

use serde::{Deserialize, Serialize};

use crate::checksum::ChecksumAlgorithm;
use crate::protocol::{CompleteUpload, serialize_whole};

/// All that another session needs to resume a multipart upload, or to remove it. Holds the upload token, a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Upload token. A secret: never log it.
    pub token: String,
    /// Key of the object.
    pub key: String,
    /// Algorithm of the checksums.
    #[serde(default)]
    pub algorithm: ChecksumAlgorithm,
    /// Length of every part but the last, in bytes.
    #[serde(serialize_with = "serialize_whole")]
    pub part_size: u64,
    /// Maximum number of parts in one signing call.
    pub max_parts_per_request: u32,
    /// Lifetime of the token from when it was issued, in seconds.
    #[serde(serialize_with = "serialize_whole")]
    pub expires_in_seconds: u64,
    /// Body of the completion; `None` until every part is stored. An earlier session may have sent the completion
    /// already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<CompleteUpload>,
    /// Whether the upload was given up, and has only to be removed.
    #[serde(default)]
    pub discard: bool,
}
