//! Replies of the API.

use serde::{Deserialize, Serialize};

use super::{ErrorCode, Headers, PartNumber};

/// Kind of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UploadKind {
    /// One PUT of the whole file. The upload ends with S3's answer.
    Single,
    /// Several parts and a completion.
    Multipart,
}

/// The answer to [`super::CreateUpload`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadCreated {
    /// Sealed upload token. Every later call of the upload must contain it.
    pub token: String,
    /// Key of the object.
    pub key: String,
    /// Kind of the upload.
    pub kind: UploadKind,
    /// Length of every part but the last, in bytes.
    pub part_size: u64,
    /// Number of parts; 1 for a single PUT.
    pub part_count: u32,
    /// Maximum number of parts that one [`super::SignParts`] may name.
    pub max_parts_per_request: u32,
    /// Lifetime of the token, in seconds.
    pub expires_in_seconds: u64,
    /// Signed PUTs of the parts in the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<SignedPart>,
    /// Number of lanes that the server signs for. Each lane is another host name of the bucket, to which browsers open
    /// separate connections.
    #[serde(default = "one")]
    pub lane_count: u32,
    /// Maximum number of files that one [`super::CreateUploads`] may name; 0 if the server takes none.
    #[serde(default)]
    pub max_uploads_per_request: u32,
}

/// The answer to [`super::CreateUploads`]: an entry for each file, in the same order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadsCreated {
    /// Outcome of each file.
    pub uploads: Vec<BatchEntry>,
}

/// Outcome of one file of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BatchEntry {
    /// The upload is open.
    Created(UploadCreated),
    /// The file was refused. This does not affect the other files.
    Refused(BatchRefusal),
}

/// Why one file of a batch was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchRefusal {
    /// The code.
    pub code: ErrorCode,
    /// Details of this failure, if the code is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Field of the file's entry that was wrong, such as `parts[0].length`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Returns the default number of lanes: a server without lanes has one host name.
fn one() -> u32 {
    1
}

/// The answer to [`super::SignParts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartsSigned {
    /// One entry for each part of the request, in the same order.
    pub parts: Vec<SignedPart>,
}

/// A presigned PUT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedPart {
    /// Part number.
    pub number: PartNumber,
    /// Presigned URL. It is a secret until it expires, so it is never logged.
    pub url: String,
    /// Headers that the PUT must carry, without `Content-Length`, which the browser sets.
    pub headers: Headers,
    /// Lifetime of the URL, in seconds from the answer. It is a duration, because a time would depend on the browser's
    /// clock, which may be wrong.
    pub expires_in_seconds: u64,
}

/// The answer to [`super::ListParts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartsListed {
    /// At most 1,000 parts, in order.
    pub parts: Vec<StoredPart>,
    /// Value of [`super::ListParts::after`] for the next page; `None` on the last page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<PartNumber>,
}

/// A part that S3 has stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredPart {
    /// Part number.
    pub number: PartNumber,
    /// Length in bytes.
    pub size: u64,
    /// Entity tag, without quotes.
    pub etag: String,
    /// Checksum that S3 computed, in Base64. `None` if the upload has no checksums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// The answer to [`super::CompleteUpload`]: the object exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadCompleted {
    /// Key of the object.
    pub key: String,
    /// Entity tag, without quotes.
    pub etag: String,
    /// Checksum that S3 computed and stored: `<Base64>-<parts>` for SHA-256, Base64 for CRC64NVME.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Size in bytes.
    pub size: u64,
}
