//! Multipart uploads. Each upload is a folder `uploads/<id>/` with a file and a record for each part.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use directput::checksum::{ChecksumAlgorithm, CompositeChecksum, Sha256Digest};
use directput::plan::MIN_PART_BYTES;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::{S3Error, S3Result, s3_error};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Attributes, Received, Record, Store, make_parent, read_json, write_json};

/// Request that opens an upload.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NewUpload {
    /// Key of the future object.
    pub key: String,
    /// Headers of the future object.
    pub attributes: Attributes,
    /// Algorithm of the checksums of the parts and of the object.
    pub algorithm: ChecksumAlgorithm,
}

/// An open upload.
#[derive(Debug)]
pub struct StoredUpload {
    /// Upload id.
    pub id: String,
    /// Key of the future object.
    pub key: String,
    /// Time at which the upload was opened.
    pub initiated: SystemTime,
}

/// A stored part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ListedPart {
    /// Part number.
    pub number: u32,
    /// Length in bytes.
    pub size: u64,
    /// MD5 in hexadecimal.
    pub etag: String,
    /// SHA-256 in Base64.
    pub sha256: String,
    /// CRC64NVME in Base64, if the upload has this algorithm or the client has sent a CRC64NVME.
    pub crc64nvme: Option<String>,
}

impl ListedPart {
    /// Returns the checksum of this algorithm.
    fn checksum(&self, algorithm: ChecksumAlgorithm) -> Option<&str> {
        match algorithm {
            ChecksumAlgorithm::Sha256 => Some(&self.sha256),
            ChecksumAlgorithm::Crc64nvme | ChecksumAlgorithm::Crc64nvmeAfter => self.crc64nvme.as_deref(),
            ChecksumAlgorithm::None => None,
        }
    }
}

/// Request that completes an upload.
#[derive(Debug)]
pub struct Completion {
    /// Number, entity tag without quotes and checksum of each part.
    pub parts: Vec<(u32, String, Option<String>)>,
    /// Required composite checksum of the object.
    pub sha256: Option<String>,
    /// Required CRC64NVME of the object.
    pub crc64nvme: Option<String>,
    /// Required size of the object, in bytes.
    pub size: Option<u64>,
    /// Whether the completion fails if the key already has an object.
    pub write_once: bool,
}

/// Answer to a completion. It is stored so that a repeated completion gets the same answer, as in S3.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Completed {
    key: String,
    parts: Vec<u32>,
    record: Record,
}

fn no_such_upload() -> S3Error {
    s3_error!(NoSuchUpload, "The upload id may be invalid, or the upload may have been aborted or completed")
}

impl Store {
    /// Opens an upload and returns its id.
    ///
    /// # Errors
    /// `InvalidArgument` if the key can't be a path; `InternalError` if the folder can't be written.
    pub async fn create_upload(&self, new: &NewUpload) -> S3Result<String> {
        self.object_path(&new.key)?;
        let id = Uuid::new_v4().simple().to_string();
        write_json(&self.upload_folder(&id)?.join("upload.json"), new).await?;
        Ok(id)
    }

    fn upload_folder(&self, id: &str) -> S3Result<PathBuf> {
        // All ids of this server are UUIDs. Any other text could be a path outside of the folder.
        let id = Uuid::try_parse(id).map_err(|_| no_such_upload())?;
        Ok(self.state("uploads").join(id.simple().to_string()))
    }

    /// Returns an open upload.
    ///
    /// # Errors
    /// `NoSuchUpload` if the upload is not open, or if it has another key.
    pub async fn upload(&self, key: &str, id: &str) -> S3Result<NewUpload> {
        let upload: Option<NewUpload> = read_json(&self.upload_folder(id)?.join("upload.json")).await?;
        upload.filter(|upload| upload.key == key).ok_or_else(no_such_upload)
    }

    /// Returns all open uploads, sorted by key.
    ///
    /// # Errors
    /// `InternalError` if a folder can't be read.
    pub async fn uploads(&self) -> S3Result<Vec<StoredUpload>> {
        let mut uploads = Vec::new();
        let mut entries = tokio::fs::read_dir(self.state("uploads")).await.map_err(S3Error::internal_error)?;
        while let Some(entry) = entries.next_entry().await.map_err(S3Error::internal_error)? {
            let path = entry.path().join("upload.json");
            let initiated = tokio::fs::metadata(&path).await.and_then(|metadata| metadata.modified());
            let upload: Option<NewUpload> = read_json(&path).await?;
            if let (Some(upload), Ok(initiated), Ok(id)) = (upload, initiated, entry.file_name().into_string()) {
                uploads.push(StoredUpload { id, key: upload.key, initiated });
            }
        }
        uploads.sort_by(|a, b| (&a.key, &a.id).cmp(&(&b.key, &b.id)));
        Ok(uploads)
    }

    /// Stores a part. Replaces an earlier part with the same number.
    ///
    /// # Errors
    /// `NoSuchUpload` if the upload is not open.
    pub async fn put_part(&self, key: &str, id: &str, number: u32, received: Received) -> S3Result<ListedPart> {
        let folder = self.upload_folder(id)?;
        let _guard = self.commit.lock().await;
        // The upload may have been aborted while the part was being received.
        self.upload(key, id).await?;
        let part = ListedPart {
            number,
            size: received.size,
            etag: hex(&received.md5),
            sha256: received.sha256.to_string(),
            crc64nvme: received.crc64nvme,
        };
        received.file.persist(folder.join(format!("{number}.part"))).map_err(|e| S3Error::internal_error(e.error))?;
        write_json(&folder.join(format!("{number}.json")), &part).await?;
        Ok(part)
    }

    /// Returns all stored parts, sorted by number.
    ///
    /// # Errors
    /// `NoSuchUpload` if the upload is not open.
    pub async fn parts(&self, key: &str, id: &str) -> S3Result<Vec<ListedPart>> {
        self.upload(key, id).await?;
        let mut parts = Vec::new();
        let mut entries = tokio::fs::read_dir(self.upload_folder(id)?).await.map_err(S3Error::internal_error)?;
        while let Some(entry) = entries.next_entry().await.map_err(S3Error::internal_error)? {
            let path = entry.path();
            let is_record = path.extension().is_some_and(|extension| extension == "json");
            if is_record && entry.file_name() != "upload.json" {
                parts.extend(read_json::<ListedPart>(&path).await?);
            }
        }
        parts.sort_by_key(|part| part.number);
        Ok(parts)
    }

    /// Removes an upload and its parts.
    ///
    /// # Errors
    /// `NoSuchUpload` if the upload is not open.
    pub async fn abort_upload(&self, key: &str, id: &str) -> S3Result<()> {
        let _guard = self.commit.lock().await;
        self.upload(key, id).await?;
        tokio::fs::remove_dir_all(self.upload_folder(id)?).await.map_err(S3Error::internal_error)
    }

    /// Joins the parts to an object and returns its metadata.
    ///
    /// # Errors
    /// The errors of S3's CompleteMultipartUpload: `NoSuchUpload`, `PreconditionFailed`, `BadDigest`, or an error about
    /// the parts.
    pub async fn complete_upload(&self, key: &str, id: &str, wanted: &Completion) -> S3Result<Record> {
        let path = self.object_path(key)?;
        let _guard = self.commit.lock().await;
        let numbers: Vec<u32> = wanted.parts.iter().map(|(number, ..)| *number).collect();
        let replay = self.state("completed").join(format!("{}.json", simple(id)?));
        if let Some(first) = read_json::<Completed>(&replay).await? {
            let is_repeated = first.key == key && first.parts == numbers;
            return if is_repeated { Ok(first.record) } else { Err(no_such_upload()) };
        }
        let upload = self.upload(key, id).await?;
        let parts = choose(&upload, &self.parts(key, id).await?, wanted)?;
        let mut record = join(&upload, &parts, wanted)?;
        if wanted.write_once && path.exists() {
            return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
        }
        let folder = self.upload_folder(id)?;
        let files = parts.iter().map(|part| folder.join(format!("{}.part", part.number))).collect();
        let whole = concatenate(files, self.incoming()).await?;
        if upload.algorithm == ChecksumAlgorithm::Crc64nvme {
            record.crc64nvme = crc64nvme_of(whole.to_path_buf()).await?;
            if wanted.crc64nvme.is_some() && wanted.crc64nvme != record.crc64nvme {
                return Err(s3_error!(BadDigest, "The CRC64NVME you specified did not match the calculated checksum"));
            }
        }
        write_json(&self.record_path(key), &record).await?;
        make_parent(&path).await?;
        whole.persist(&path).map_err(|error| S3Error::internal_error(error.error))?;
        self.unmark(key).await;
        let completed = Completed { key: key.to_owned(), parts: numbers, record: record.clone() };
        write_json(&replay, &completed).await?;
        tokio::fs::remove_dir_all(folder).await.map_err(S3Error::internal_error)?;
        Ok(record)
    }
}

fn simple(id: &str) -> S3Result<String> {
    Uuid::try_parse(id).map(|id| id.simple().to_string()).map_err(|_| no_such_upload())
}

/// Returns the stored parts that a completion names. Checks them by the rules of S3's CompleteMultipartUpload.
fn choose(upload: &NewUpload, stored: &[ListedPart], wanted: &Completion) -> S3Result<Vec<ListedPart>> {
    if wanted.parts.is_empty() {
        return Err(s3_error!(MalformedXML, "You must specify at least one part"));
    }
    if !wanted.parts.is_sorted_by(|a, b| a.0 < b.0) {
        return Err(s3_error!(InvalidPartOrder));
    }
    let mut chosen = Vec::with_capacity(wanted.parts.len());
    for (index, (number, etag, checksum)) in wanted.parts.iter().enumerate() {
        let part = stored.iter().find(|part| part.number == *number && part.etag == *etag);
        let part = part.ok_or_else(|| s3_error!(InvalidPart, "Part {number} could not be found"))?;
        match checksum {
            Some(checksum) if Some(checksum.as_str()) != part.checksum(upload.algorithm) => {
                return Err(s3_error!(InvalidPart, "The checksum of part {number} did not match"));
            }
            None if upload.algorithm != ChecksumAlgorithm::None => {
                return Err(s3_error!(InvalidRequest, "The checksum of part {number} is missing"));
            }
            _ => {}
        }
        if part.size < MIN_PART_BYTES && index + 1 < wanted.parts.len() {
            return Err(s3_error!(EntityTooSmall));
        }
        chosen.push(part.clone());
    }
    Ok(chosen)
}

/// Returns the metadata of the object that is joined from the parts, without its CRC64NVME. Checks the composite
/// checksum and the size that the client requires.
fn join(upload: &NewUpload, parts: &[ListedPart], wanted: &Completion) -> S3Result<Record> {
    let digests: Vec<Sha256Digest> = parts.iter().filter_map(|part| Sha256Digest::parse(&part.sha256).ok()).collect();
    let composite = CompositeChecksum::of(&digests).to_string();
    // S3 accepts a composite checksum with and without the number of parts.
    let is_same = |claimed: &str| claimed == composite || Some(claimed) == composite.split('-').next();
    if wanted.sha256.as_deref().is_some_and(|claimed| !is_same(claimed)) {
        return Err(s3_error!(BadDigest, "The SHA256 you specified did not match the calculated checksum"));
    }
    let size: u64 = parts.iter().map(|part| part.size).sum();
    if wanted.size.is_some_and(|claimed| claimed != size) {
        return Err(s3_error!(InvalidRequest, "The object has another size than x-amz-mp-object-size says"));
    }
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(unhex(&part.etag));
    }
    Ok(Record {
        attributes: upload.attributes.clone(),
        etag: format!("{}-{}", hex(&md5.finalize()), parts.len()),
        sha256: (upload.algorithm == ChecksumAlgorithm::Sha256).then_some(composite),
        // The caller computes the CRC64NVME from the bytes of the whole object.
        crc64nvme: None,
    })
}

async fn concatenate(files: Vec<PathBuf>, folder: PathBuf) -> S3Result<tempfile::TempPath> {
    let copy = move || -> io::Result<tempfile::TempPath> {
        let mut whole = tempfile::NamedTempFile::new_in(folder)?;
        for file in files {
            // On Linux, `io::copy` lets the kernel copy between files, without a buffer in user space.
            io::copy(&mut std::fs::File::open(file)?, whole.as_file_mut())?;
        }
        Ok(whole.into_temp_path())
    };
    tokio::task::spawn_blocking(copy).await.map_err(S3Error::internal_error)?.map_err(S3Error::internal_error)
}

async fn crc64nvme_of(path: PathBuf) -> S3Result<Option<String>> {
    let read = |path: &Path| -> io::Result<Option<String>> {
        let mut hasher = ChecksumHasher { crc64nvme: Some(Default::default()), ..ChecksumHasher::default() };
        let mut file = std::fs::File::open(path)?;
        let mut buffer = vec![0; 1 << 20];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hasher.finalize().checksum_crc64nvme),
                length => hasher.update(&buffer[..length]),
            }
        }
    };
    let outcome = tokio::task::spawn_blocking(move || read(&path)).await;
    outcome.map_err(S3Error::internal_error)?.map_err(S3Error::internal_error)
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len() / 2).filter_map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).ok()).collect()
}
