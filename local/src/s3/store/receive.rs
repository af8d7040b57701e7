//! Receives a body: writes it to a temporary file, hashes it, and checks the length and checksums that the client
//! claims.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use directput::checksum::Sha256Digest;
use futures::StreamExt;
use md5::{Digest, Md5};
use s3s::checksum::ChecksumHasher;
use s3s::dto::{Checksum, StreamingBlob};
use s3s::{S3Result, s3_error};
use sha2::Sha256;
use tempfile::TempPath;
use tokio::io::AsyncWriteExt;

/// Length and checksums that the client claims for a body.
#[derive(Debug, Default)]
pub struct Claimed {
    /// `Content-Length`, in bytes.
    pub length: Option<i64>,
    /// `Content-MD5`, Base64.
    pub md5: Option<String>,
    /// The `x-amz-checksum-*` headers.
    pub checksum: Checksum,
    /// Whether the CRC64NVME is computed even if the client does not claim one.
    pub adds_crc64nvme: bool,
}

/// A body that has passed all checks. Dropping it removes its temporary file.
#[derive(Debug)]
pub struct Received {
    /// Temporary file.
    pub file: TempPath,
    /// Length in bytes.
    pub size: u64,
    /// MD5, which becomes the entity tag.
    pub md5: [u8; 16],
    /// SHA-256.
    pub sha256: Sha256Digest,
    /// CRC64NVME in Base64, if the client has claimed one or the upload has this algorithm.
    pub crc64nvme: Option<String>,
}

/// Receives a body into a new file below `folder`.
///
/// # Errors
/// `IncompleteBody` if the body ends early or has another length; `BadDigest` if a checksum differs.
pub async fn receive(folder: &Path, body: Option<StreamingBlob>, claimed: &Claimed) -> S3Result<Received> {
    let (file, path) = tempfile::NamedTempFile::new_in(folder).map_err(s3s::S3Error::internal_error)?.into_parts();
    let mut file = tokio::io::BufWriter::with_capacity(1 << 20, tokio::fs::File::from_std(file));
    let mut md5 = Md5::new();
    let mut sha256 = Sha256::new();
    let mut others = other_hashers(claimed);
    let mut size = 0;
    if let Some(mut body) = body {
        while let Some(bytes) = body.next().await {
            let bytes = bytes.map_err(|_| s3_error!(IncompleteBody, "The body ended early or can't be read"))?;
            size += bytes.len() as u64;
            md5.update(&bytes);
            sha256.update(&bytes);
            others.update(&bytes);
            file.write_all(&bytes).await.map_err(s3s::S3Error::internal_error)?;
        }
    }
    file.flush().await.map_err(s3s::S3Error::internal_error)?;
    let sha256 = Sha256Digest::from_bytes(sha256.finalize().into());
    let computed = others.finalize();
    let crc64nvme = computed.checksum_crc64nvme.clone();
    let received = Received { file: path, size, md5: md5.finalize().into(), sha256, crc64nvme };
    check(&received, computed, claimed)?;
    Ok(received)
}

/// Returns the hashers of the checksums other than SHA-256. [`receive`] always computes SHA-256.
fn other_hashers(Claimed { checksum: claimed, adds_crc64nvme, .. }: &Claimed) -> ChecksumHasher {
    ChecksumHasher {
        crc32: claimed.checksum_crc32.as_ref().map(|_| Default::default()),
        crc32c: claimed.checksum_crc32c.as_ref().map(|_| Default::default()),
        sha1: claimed.checksum_sha1.as_ref().map(|_| Default::default()),
        sha256: None,
        crc64nvme: (*adds_crc64nvme || claimed.checksum_crc64nvme.is_some()).then(Default::default),
    }
}

fn check(received: &Received, mut computed: Checksum, claimed: &Claimed) -> S3Result<()> {
    if claimed.length.is_some_and(|length| u64::try_from(length) != Ok(received.size)) {
        return Err(s3_error!(IncompleteBody, "The body has another length than Content-Length"));
    }
    if claimed.md5.as_ref().is_some_and(|claimed| *claimed != STANDARD.encode(received.md5)) {
        return Err(s3_error!(BadDigest, "The Content-MD5 you specified did not match what we received"));
    }
    computed.checksum_sha256 = Some(received.sha256.to_string());
    let pairs = [
        ("SHA256", &claimed.checksum.checksum_sha256, &computed.checksum_sha256),
        ("SHA1", &claimed.checksum.checksum_sha1, &computed.checksum_sha1),
        ("CRC32", &claimed.checksum.checksum_crc32, &computed.checksum_crc32),
        ("CRC32C", &claimed.checksum.checksum_crc32c, &computed.checksum_crc32c),
        ("CRC64NVME", &claimed.checksum.checksum_crc64nvme, &computed.checksum_crc64nvme),
    ];
    for (name, claimed, computed) in pairs {
        if claimed.is_some() && claimed != computed {
            return Err(s3_error!(BadDigest, "The {name} you specified did not match the calculated checksum"));
        }
    }
    Ok(())
}
