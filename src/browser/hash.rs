//! The checksum of a slice of a file: the browser computes SHA-256 if possible, and Wasm everything else.

use js_sys::Uint8Array;
use web_sys::{Blob, SubtleCrypto};

use super::global::{Missed, subtle_crypto, within};
use super::read::{read, slice};
use crate::checksum::{ChecksumAlgorithm, Crc64NvmeHasher, PartChecksum, Sha256Digest, Sha256Hasher};
use crate::engine::Failure;
use crate::protocol::ErrorCode;

/// Maximum length of a slice that `crypto.subtle` hashes as a whole, in bytes. Longer slices are streamed through Wasm.
const MAX_WHOLE_BYTES: f64 = 64.0 * 1024.0 * 1024.0;

/// Timeout of the browser's hashing, in milliseconds.
const HASH_MS: u32 = 60_000;

/// Length of one read while Wasm hashes a file, in bytes.
const READ_BYTES: f64 = 8.0 * 1024.0 * 1024.0;

/// Length of one copy into Wasm's memory, in bytes. It is small enough to stay in the processor's cache.
const COPY_BYTES: u32 = 256 * 1024;

/// Returns the checksum of a blob's bytes.
///
/// # Errors
/// [`ErrorCode::FileChanged`] if the bytes can no longer be read; [`ErrorCode::ReadTimeout`] if reading or hashing
/// takes too long; [`ErrorCode::Internal`] if the browser refuses to hash.
pub async fn checksum(blob: &Blob, algorithm: ChecksumAlgorithm) -> Result<PartChecksum, Failure> {
    match subtle_crypto() {
        _ if algorithm.computed_by() == ChecksumAlgorithm::Crc64nvme => by_wasm(blob, algorithm).await,
        Some(subtle) if blob.size() <= MAX_WHOLE_BYTES => sha256_by_browser(&subtle, blob).await.map(Into::into),
        _ => by_wasm(blob, algorithm).await,
    }
}

/// Returns the SHA-256 of a blob, computed by `crypto.subtle`. The blob must fit into memory.
///
/// # Errors
/// As [`checksum`].
pub async fn sha256_by_browser(subtle: &SubtleCrypto, blob: &Blob) -> Result<Sha256Digest, Failure> {
    let bytes = read(blob).await?;
    let internal = |_| Failure::from(ErrorCode::Internal);
    let promise = subtle.digest_with_str_and_buffer_source("SHA-256", &bytes.view()).map_err(internal)?;
    let digest = within(HASH_MS, &promise).await.map_err(|missed| match missed {
        Missed::Late => Failure::from(ErrorCode::ReadTimeout),
        Missed::Rejected => ErrorCode::Internal.into(),
    })?;
    let mut array = [0; 32];
    let digest = Uint8Array::new(&digest);
    if digest.length() != 32 {
        return Err(ErrorCode::Internal.into());
    }
    digest.copy_to(&mut array);
    Ok(Sha256Digest::from_bytes(array))
}

enum Hasher {
    Sha256(Box<Sha256Hasher>),
    Crc64Nvme(Crc64NvmeHasher),
}

/// Returns the checksum of a blob of any size, computed by Wasm. Computes SHA-256 if `algorithm` is
/// [`ChecksumAlgorithm::None`].
///
/// # Errors
/// As [`checksum`], without [`ErrorCode::Internal`].
pub async fn by_wasm(blob: &Blob, algorithm: ChecksumAlgorithm) -> Result<PartChecksum, Failure> {
    let mut hasher = match algorithm.computed_by() {
        ChecksumAlgorithm::Crc64nvme => Hasher::Crc64Nvme(Crc64NvmeHasher::default()),
        _ => Hasher::Sha256(Box::default()),
    };
    let mut start = 0.0;
    while start < blob.size() {
        let end = (start + READ_BYTES).min(blob.size());
        let bytes = read(&slice(blob, start, end)?).await?;
        hasher.update(&bytes.view());
        start = end;
    }
    Ok(match hasher {
        Hasher::Sha256(hasher) => hasher.finish().into(),
        Hasher::Crc64Nvme(hasher) => hasher.finish().into(),
    })
}

impl Hasher {
    fn update(&mut self, bytes: &Uint8Array) {
        let mut copy = vec![0; COPY_BYTES.min(bytes.length()) as usize];
        let mut at = 0;
        while at < bytes.length() {
            let end = bytes.length().min(at + COPY_BYTES);
            let copy = &mut copy[..(end - at) as usize];
            bytes.subarray(at, end).copy_to(copy);
            match self {
                Self::Sha256(hasher) => hasher.update(copy),
                Self::Crc64Nvme(hasher) => hasher.update(copy),
            }
            at = end;
        }
    }
}
