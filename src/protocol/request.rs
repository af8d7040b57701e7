//! Requests of the browser to the API.

use serde::{Deserialize, Serialize};

use super::whole_number::{serialize_any_whole, serialize_whole};
use super::{ContentType, ETag, FileName, FileSize, NetworkHint, PartNumber};
use crate::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};

/// `POST /uploads`: opens an upload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateUpload {
    /// Name of the user's file.
    pub name: FileName,
    /// Media type.
    #[serde(rename = "type")]
    pub content_type: ContentType,
    /// Size in bytes.
    pub size: FileSize,
    /// Algorithm of the checksums.
    #[serde(default)]
    pub algorithm: ChecksumAlgorithm,
    /// First parts to sign. The reply contains their URLs, which saves a round trip. A small file is one part. The
    /// server leaves out parts that do not match its plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartToSign>,
    /// Kind of network link. The lifetime of the URLs depends on it.
    #[serde(default)]
    pub network: NetworkHint,
    /// Lane to sign for: from 0 to [`super::UploadCreated::lane_count`] - 1, as in the reply to an earlier upload. If
    /// the lane does not exist, the server signs for the default lane, 0.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lane: u32,
}

/// `POST /uploads/batch`: opens many small files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateUploads {
    /// At least one file, and at most [`super::UploadCreated::max_uploads_per_request`] files. Each file has at most
    /// [`BATCH_FILE_BYTES`](crate::plan::BATCH_FILE_BYTES) bytes. Its entry names its one part, with the checksum if
    /// the upload has checksums.
    pub uploads: Vec<CreateUpload>,
}

/// `POST /uploads/parts`: requests the URLs of parts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignParts {
    /// At least one part, and at most [`super::UploadCreated::max_parts_per_request`] parts. No part is named twice.
    pub parts: Vec<PartToSign>,
    /// Measured speed of the link in bit/s. The lifetime of the URLs depends on it.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "serialize_any_whole")]
    pub bits_per_second: Option<u64>,
    /// Lane to sign for, as in [`CreateUpload`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub lane: u32,
}

/// Returns whether a lane is the default. The default is not serialised, because servers without lanes refuse unknown
/// fields.
fn is_default(lane: &u32) -> bool {
    *lane == 0
}

/// Part of a [`SignParts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartToSign {
    /// Part number.
    pub number: PartNumber,
    /// Length in bytes. It must be equal to the length in the plan.
    #[serde(serialize_with = "serialize_whole")]
    pub length: u64,
    /// Checksum of the bytes. S3 refuses other bytes. `None` if the upload has no checksums, or if its parts are sent
    /// before they are hashed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<PartChecksum>,
}

/// `GET /uploads/parts?after=N`: lists the parts that S3 has stored.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListParts {
    /// The list begins after this part. Default: the list begins with the first part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PartNumber>,
}

/// `POST /uploads/complete`: completes an upload whose parts are all stored.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompleteUpload {
    /// All parts, in ascending order of their numbers.
    pub parts: Vec<CompletedPart>,
    /// Expected checksum of the object. `None` only if the upload has no checksums.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<ObjectChecksum>,
}

/// Part of a [`CompleteUpload`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompletedPart {
    /// Part number.
    pub number: PartNumber,
    /// Entity tag from S3's answer to the PUT.
    pub etag: ETag,
    /// Checksum of the bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<PartChecksum>,
}
