//! What the browser asks of the API.

use serde::{Deserialize, Serialize};

use super::values::{ContentType, ETag, FileName, FileSize, NetworkHint, PartNumber};
use crate::checksum::{CompositeChecksum, Sha256Digest};

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
    /// The digest of the whole file, where it is small enough for one PUT: the reply then brings the
    /// signed URL along and saves a round trip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Sha256Digest>,
    /// What is known of the link, for the lifetime of the URLs.
    #[serde(default)]
    pub network: NetworkHint,
}

/// `POST /uploads/parts`: these parts are about to be sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignParts {
    /// At least one part, no part twice, at most as many as [`super::UploadCreated`] allowed.
    pub parts: Vec<PartToSign>,
    /// The measured speed of the link in bit/s, for the lifetime of the URLs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_second: Option<u64>,
}

/// One part of a [`SignParts`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartToSign {
    /// Which part.
    pub number: PartNumber,
    /// Its length in bytes, exactly what the plan says.
    pub length: u64,
    /// The digest of its bytes: S3 refuses any others.
    pub checksum: Sha256Digest,
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
    /// The composite checksum that the client reckons the object must have.
    pub checksum: CompositeChecksum,
}

/// One part of a [`CompleteUpload`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CompletedPart {
    /// Which part.
    pub number: PartNumber,
    /// The entity tag that S3 answered its PUT with.
    pub etag: ETag,
    /// The digest of its bytes.
    pub checksum: Sha256Digest,
}
