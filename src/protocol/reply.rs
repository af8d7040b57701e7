//! Replies of the API.

use serde::{Deserialize, Serialize};

use super::error_code::ErrorCode;
use super::headers::Headers;
use super::values::PartNumber;

/// How the bytes travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UploadKind {
    /// One PUT of the whole file; S3's answer to it ends the upload.
    Single,
    /// Parts, and a completion.
    Multipart,
}

/// The answer to [`super::CreateUpload`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadCreated {
    /// The sealed upload token that every later call carries.
    pub token: String,
    /// Key of the object.
    pub key: String,
    /// How the bytes travel.
    pub kind: UploadKind,
    /// Length of every part but the last, in bytes.
    pub part_size: u64,
    /// Number of parts; 1 for a single PUT.
    pub part_count: u32,
    /// Maximum number of parts that one [`super::SignParts`] may name.
    pub max_parts_per_request: u32,
    /// Lifetime of the token, in seconds.
    pub expires_in_seconds: u64,
    /// The signed PUTs of the parts that came with the request.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<SignedPart>,
    /// Number of lanes that the server signs for. Each is another name of the bucket, to which browsers open
    /// connections of its own.
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
    /// What became of each file.
    pub uploads: Vec<BatchEntry>,
}

/// Outcome of one file of a batch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum BatchEntry {
    /// The upload is open.
    Created(UploadCreated),
    /// The file was refused. The others were not.
    Refused(BatchRefusal),
}

/// Why one file of a batch was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchRefusal {
    /// The code.
    pub code: ErrorCode,
    /// Details of this case, if the code is not enough.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The field of the file's entry that was wrong, such as `parts[0].length`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
}

/// Servers without lanes have the bucket's one name.
fn one() -> u32 {
    1
}

/// The answer to [`super::SignParts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartsSigned {
    /// One entry for each part that was asked for, in the same order.
    pub parts: Vec<SignedPart>,
}

/// A presigned PUT.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedPart {
    /// Which part.
    pub number: PartNumber,
    /// Where to PUT it. A secret until it expires: it is never logged.
    pub url: String,
    /// Headers that the PUT must carry exactly, except `Content-Length`, which the browser sets.
    pub headers: Headers,
    /// Lifetime of the URL, in seconds from now. A duration, not a time of day: the browser's clock
    /// may be wrong.
    pub expires_in_seconds: u64,
}

/// The answer to [`super::ListParts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartsListed {
    /// At most 1,000 parts, in order.
    pub parts: Vec<StoredPart>,
    /// Where the next page begins; missing on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<PartNumber>,
}

/// A part that S3 holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredPart {
    /// Which part.
    pub number: PartNumber,
    /// Its length in bytes.
    pub size: u64,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// The checksum that S3 computed, Base64; none where the upload has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
}

/// The answer to [`super::CompleteUpload`]: the object exists.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploadCompleted {
    /// The object's key.
    pub key: String,
    /// Its entity tag, without quotes.
    pub etag: String,
    /// The checksum that S3 computed and stored: `<Base64>-<parts>` after SHA-256, Base64 after CRC64NVME.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<String>,
    /// Its size in bytes.
    pub size: u64,
}
