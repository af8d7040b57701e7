//! Stores objects as plain files `DATA/<bucket>/<key>`. All other data is below `DATA/.directput`.
//!
//! After all checks have passed, a rename makes an object visible in one step. Refused requests leave no files.

mod multipart;
mod receive;
mod versions;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub use multipart::{Completion, ListedPart, NewUpload, hex};
pub use receive::{Claimed, Received, receive};
use s3s::{S3Result, s3_error};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

/// Headers that S3 stores with an object.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Attributes {
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Content-Disposition`.
    pub content_disposition: Option<String>,
    /// `Content-Encoding`.
    #[serde(default)]
    pub content_encoding: Option<String>,
    /// `Cache-Control`.
    #[serde(default)]
    pub cache_control: Option<String>,
    /// `x-amz-meta-*`.
    pub metadata: BTreeMap<String, String>,
}

/// Metadata of a stored object.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Record {
    /// Headers that the client has sent.
    pub attributes: Attributes,
    /// Entity tag without quotes.
    pub etag: String,
    /// SHA-256 in Base64. For a multipart upload, the composite checksum (`…-N`). `None` if the client did not request
    /// a SHA-256.
    pub sha256: Option<String>,
    /// CRC64NVME of the whole object in Base64. `None` if the client did not request a CRC64NVME.
    #[serde(default)]
    pub crc64nvme: Option<String>,
}

/// An existing object.
#[derive(Debug)]
pub struct Found {
    /// File with the object's bytes.
    pub path: PathBuf,
    /// Size in bytes.
    pub size: u64,
    /// Time at which the object was stored.
    pub modified: SystemTime,
    /// Metadata.
    pub record: Record,
}

/// A folder that holds one bucket.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    bucket: String,
    /// Lock that is held while an object is read or changed, and while an open upload is changed. So concurrent writers
    /// of a key change it one after the other.
    commit: Mutex<()>,
}

impl Store {
    /// Opens the folder and creates missing subfolders. Removes incomplete bodies of an earlier run.
    ///
    /// # Errors
    /// A folder can't be created or removed.
    pub fn open(root: &Path, bucket: &str) -> io::Result<Self> {
        let store = Self { root: root.to_owned(), bucket: bucket.to_owned(), commit: Mutex::new(()) };
        if store.incoming().exists() {
            std::fs::remove_dir_all(store.incoming())?;
        }
        for folder in [store.objects(), store.incoming(), store.state("records"), store.state("uploads")] {
            std::fs::create_dir_all(folder)?;
        }
        std::fs::create_dir_all(store.state("completed"))?;
        Ok(store)
    }

    /// Returns the bucket's name.
    pub fn bucket(&self) -> &str {
        &self.bucket
    }

    /// Returns the folder for bodies that are being received.
    pub fn incoming(&self) -> PathBuf {
        self.state("incoming")
    }

    fn objects(&self) -> PathBuf {
        self.root.join(&self.bucket)
    }

    fn state(&self, name: &str) -> PathBuf {
        self.root.join(".directput").join(name)
    }

    fn object_path(&self, key: &str) -> S3Result<PathBuf> {
        let is_plain = |segment: &str| !matches!(segment, "" | "." | "..") && segment.len() <= 200;
        if key.split('/').all(is_plain) && !key.contains(['\0', '\\']) {
            Ok(self.objects().join(key))
        } else {
            Err(s3_error!(InvalidArgument, "This server keeps objects as files and can't take this key"))
        }
    }

    fn record_path(&self, key: &str) -> PathBuf {
        self.state("records").join(format!("{key}.json"))
    }

    /// Stores an object.
    ///
    /// # Errors
    /// `PreconditionFailed` if `write_once` is set and the key has an object; `InvalidArgument` if the key can't be a
    /// path.
    pub async fn put(&self, key: &str, received: Received, record: &Record, write_once: bool) -> S3Result<()> {
        let path = self.object_path(key)?;
        let _guard = self.commit.lock().await;
        if write_once && path.exists() {
            return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
        }
        // The record must be written before the object becomes visible, because an object without a record can't be
        // read.
        write_json(&self.record_path(key), record).await?;
        make_parent(&path).await?;
        received.file.persist(&path).map_err(|error| s3s::S3Error::internal_error(error.error))?;
        self.unmark(key).await;
        Ok(())
    }

    /// Returns an object.
    ///
    /// # Errors
    /// `NoSuchKey` if there is no object with this key.
    pub async fn find(&self, key: &str) -> S3Result<Found> {
        let path = self.object_path(key)?;
        let _guard = self.commit.lock().await;
        let metadata = tokio::fs::metadata(&path).await.ok().filter(std::fs::Metadata::is_file);
        let (Some(metadata), Some(record)) = (metadata, read_json(&self.record_path(key)).await?) else {
            return Err(self.missing(key).await?);
        };
        let modified = metadata.modified().map_err(s3s::S3Error::internal_error)?;
        Ok(Found { path, size: metadata.len(), modified, record })
    }

    /// Deletes an object. Returns the version of the new delete marker if the bucket has versioning. As in S3, succeeds
    /// if the object does not exist.
    ///
    /// # Errors
    /// `InvalidArgument` if the key can't be a path; `InternalError` if a file can't be removed or written.
    pub async fn delete(&self, key: &str) -> S3Result<Option<String>> {
        let path = self.object_path(key)?;
        let _guard = self.commit.lock().await;
        for path in [path, self.record_path(key)] {
            match tokio::fs::remove_file(path).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(s3s::S3Error::internal_error(error));
                }
                _ => {}
            }
        }
        self.mark(key).await
    }

    /// Returns the sorted keys of all objects with this prefix.
    ///
    /// # Errors
    /// `InternalError` if a folder can't be read.
    pub async fn keys(&self, prefix: &str) -> S3Result<Vec<String>> {
        let root = self.objects();
        let mut folders = vec![root.clone()];
        let mut keys = Vec::new();
        while let Some(folder) = folders.pop() {
            let mut entries = tokio::fs::read_dir(folder).await.map_err(s3s::S3Error::internal_error)?;
            while let Some(entry) = entries.next_entry().await.map_err(s3s::S3Error::internal_error)? {
                if entry.file_type().await.is_ok_and(|kind| kind.is_dir()) {
                    folders.push(entry.path());
                } else if let Some(key) = entry.path().strip_prefix(&root).ok().and_then(Path::to_str) {
                    keys.push(key.to_owned());
                }
            }
        }
        keys.retain(|key| key.starts_with(prefix));
        keys.sort();
        Ok(keys)
    }
}

async fn make_parent(path: &Path) -> S3Result<()> {
    let parent = path.parent().unwrap_or(path);
    tokio::fs::create_dir_all(parent).await.map_err(s3s::S3Error::internal_error)
}

async fn write_json(path: &Path, value: &impl Serialize) -> S3Result<()> {
    make_parent(path).await?;
    let bytes = serde_json::to_vec(value).map_err(s3s::S3Error::internal_error)?;
    let temporary = path.with_extension("new");
    tokio::fs::write(&temporary, bytes).await.map_err(s3s::S3Error::internal_error)?;
    tokio::fs::rename(&temporary, path).await.map_err(s3s::S3Error::internal_error)
}

async fn read_json<T: DeserializeOwned>(path: &Path) -> S3Result<Option<T>> {
    match tokio::fs::read(path).await {
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(s3s::S3Error::internal_error),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(s3s::S3Error::internal_error(error)),
    }
}
