//! SHA-256 of a slice of a file: by the browser where it may, by Wasm where it may not.

use js_sys::Uint8Array;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, SubtleCrypto};

use super::global::subtle_crypto;
use super::read::{read, slice};
use crate::checksum::{Sha256Digest, Sha256Hasher};
use crate::engine::Failure;
use crate::protocol::ErrorCode;

/// `crypto.subtle` takes a slice whole; longer ones are streamed through Wasm, in bytes.
const MAX_WHOLE_BYTES: f64 = 64.0 * 1024.0 * 1024.0;

/// How much of a file is in memory at a time while Wasm hashes it, in bytes.
const STREAM_BYTES: f64 = 1024.0 * 1024.0;

/// The digest of a blob's bytes.
///
/// # Errors
/// [`ErrorCode::FileChanged`] if they can't be read any more.
pub async fn sha256(blob: &Blob) -> Result<Sha256Digest, Failure> {
    match subtle_crypto() {
        Some(subtle) if blob.size() <= MAX_WHOLE_BYTES => sha256_by_browser(&subtle, blob).await,
        _ => sha256_by_wasm(blob).await,
    }
}

/// The digest by `crypto.subtle`, for slices that fit into memory.
pub async fn sha256_by_browser(subtle: &SubtleCrypto, blob: &Blob) -> Result<Sha256Digest, Failure> {
    let bytes = read(blob).await?;
    let internal = |_| Failure::from(ErrorCode::Internal);
    let promise = subtle.digest_with_str_and_buffer_source("SHA-256", &bytes.view()).map_err(internal)?;
    let digest = JsFuture::from(promise).await.map_err(internal)?;
    let mut array = [0; 32];
    let digest = Uint8Array::new(&digest);
    if digest.length() != 32 {
        return Err(ErrorCode::Internal.into());
    }
    digest.copy_to(&mut array);
    Ok(Sha256Digest::from_bytes(array))
}

/// The digest by `sha2`, streamed, for blobs of any size.
pub async fn sha256_by_wasm(blob: &Blob) -> Result<Sha256Digest, Failure> {
    let mut hasher = Sha256Hasher::default();
    let mut buffer = Vec::new();
    let mut start = 0.0;
    while start < blob.size() {
        let end = (start + STREAM_BYTES).min(blob.size());
        let bytes = read(&slice(blob, start, end)?).await?;
        let bytes = bytes.view();
        buffer.resize(bytes.length() as usize, 0);
        bytes.copy_to(&mut buffer);
        hasher.update(&buffer);
        start = end;
    }
    Ok(hasher.finish())
}
