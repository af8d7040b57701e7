//! Delete markers of a bucket with versioning (S3 User Guide, "Working with delete markers"). The store does not keep
//! older versions of objects.

use std::path::PathBuf;

use axum::http::{HeaderMap, HeaderValue};
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Store, read_json, write_json};

/// Delete marker of an object.
#[derive(Debug, Serialize, Deserialize)]
struct Marker {
    version: String,
}

impl Store {
    /// Sets whether deleting an object writes a delete marker.
    ///
    /// # Errors
    /// `InternalError` if the setting can't be written.
    pub async fn keep_markers(&self, is_kept: bool) -> S3Result<()> {
        write_json(&self.state("versioning.json"), &is_kept).await
    }

    /// Writes a delete marker and returns the marker's version. Returns `None` if the bucket has no versioning.
    pub(super) async fn mark(&self, key: &str) -> S3Result<Option<String>> {
        if read_json(&self.state("versioning.json")).await? != Some(true) {
            return Ok(None);
        }
        let marker = Marker { version: Uuid::new_v4().simple().to_string() };
        write_json(&self.marker_path(key), &marker).await?;
        Ok(Some(marker.version))
    }

    /// Removes the delete marker of a key for which an object was stored.
    pub(super) async fn unmark(&self, key: &str) {
        // The error is ignored, because most keys have no marker to remove.
        drop(tokio::fs::remove_file(self.marker_path(key)).await);
    }

    /// Returns the error for a missing object. If the key has a delete marker, the error's headers have the marker's
    /// version, as in S3.
    pub(super) async fn missing(&self, key: &str) -> S3Result<S3Error> {
        let mut missing = s3_error!(NoSuchKey);
        if let Some(Marker { version }) = read_json(&self.marker_path(key)).await? {
            let mut headers = HeaderMap::new();
            headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
            headers.insert("x-amz-version-id", version.parse().map_err(S3Error::internal_error)?);
            missing.set_headers(headers);
        }
        Ok(missing)
    }

    fn marker_path(&self, key: &str) -> PathBuf {
        self.state("markers").join(format!("{key}.json"))
    }
}
