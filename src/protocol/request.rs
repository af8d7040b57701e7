//! Requests of the browser to the API.

use serde::{Deserialize, Serialize};

use super::values::{
    ContentType, ETag, FileName, FileSize, NetworkHint, PartNumber, serialize_any_whole, serialize_whole,
};
use crate::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};

/// `POST /uploads`: the user has a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateUpload {
    /// The file's name on the user's disk.
    pub name: FileName,
    /// Its media type.
    #[serde(rename = "type")]
    pub content_type: ContentType,
    /// Its size in bytes.
    pub size: FileSize,
    /// What its bytes are verified by.
    #[serde(default)]
    pub algorithm: ChecksumAlgorithm,
    /// The first parts, as far as they are known already: the reply brings their URLs along and saves a
    /// round trip. A small file is one part. Parts that don't fit the server's plan are left out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<PartToSign>,
    /// What is known of the link, for the lifetime of the URLs.
    #[serde(default)]
    pub network: NetworkHint,
    /// The lane to sign for: below [`super::UploadCreated::lane_count`] of an earlier upload. The server signs for its
    /// default, 0, if there is no such lane.
    #[serde(default, skip_serializing_if = "is_default")]
    pub lane: u32,
}

/// `POST /uploads/batch`: the user has many small files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CreateUploads {
    /// At least one file, at most as many as [`super::UploadCreated::max_uploads_per_request`] says. Each has at most
    /// [`BATCH_FILE_BYTES`](crate::plan::BATCH_FILE_BYTES) bytes, and names the checksum of its one part.
    pub uploads: Vec<CreateUpload>,
}

/// `POST /uploads/parts`: these parts are about to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignParts {
    /// At least one part, no part twice, at most as many as [`super::UploadCreated`] allowed.
    pub parts: Vec<PartToSign>,
    /// The measured speed of the link in bit/s, for the lifetime of the URLs.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "serialize_any_whole")]
    pub bits_per_second: Option<u64>,
    /// The lane to sign for, as in [`CreateUpload`].
    #[serde(default, skip_serializing_if = "is_default")]
    pub lane: u32,
}

/// Returns whether a lane is the default, which servers without lanes need not know.
fn is_default(lane: &u32) -> bool {
    *lane == 0
}

/// One part of a [`SignParts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartToSign {
    /// Which part.
    pub number: PartNumber,
    /// Its length in bytes, exactly that of the plan.
    #[serde(serialize_with = "serialize_whole")]
    pub length: u64,
    /// The checksum of its bytes: S3 refuses any others. None only where the upload has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<PartChecksum>,
}

/// `GET /uploads/parts?after=N`: what does S3 hold already?
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ListParts {
    /// List the parts behind this one; from the first when it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<PartNumber>,
}

/// `POST /uploads/complete`: all parts are there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompleteUpload {
    /// Every part, in order.
    pub parts: Vec<CompletedPart>,
    /// The checksum that the client reckons the object must have. None only where the upload has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<ObjectChecksum>,
}

/// One part of a [`CompleteUpload`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompletedPart {
    /// Which part.
    pub number: PartNumber,
    /// The entity tag that S3 answered its PUT with.
    pub etag: ETag,
    /// The checksum of its bytes, as it was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<PartChecksum>,
}
