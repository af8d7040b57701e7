//! What tells one file from another without reading all of it.

use web_sys::Blob;

use super::read::{read, slice};
use super::wire::{member, text};
use crate::checksum::Sha256Hasher;
use crate::engine::Failure;

/// How much is read at the start, in the middle and at the end of the file, in bytes.
const SAMPLE_BYTES: f64 = 65_536.0;

/// The SHA-256, Base64, of a file's name, size, time of change and three samples. It says which upload a
/// file may belong to; whether its bytes are those that were sent is for the parts' digests to say.
///
/// # Errors
/// [`crate::protocol::ErrorCode::FileChanged`] if the file can't be read.
pub async fn of(file: &Blob) -> Result<String, Failure> {
    let name = text(file, "name").unwrap_or_default();
    let changed_ms = member(file, "lastModified").as_f64().unwrap_or(0.0);
    let size = file.size();
    let mut hasher = Sha256Hasher::default();
    hasher.update(&(name.len() as u64).to_le_bytes());
    hasher.update(name.as_bytes());
    hasher.update(&(size as u64).to_le_bytes());
    hasher.update(&(changed_ms as i64).to_le_bytes());
    let middle = ((size - SAMPLE_BYTES) / 2.0).floor().max(0.0);
    for start in [0.0, middle, (size - SAMPLE_BYTES).max(0.0)] {
        let sample = read(&slice(file, start, (start + SAMPLE_BYTES).min(size))?).await?;
        hasher.update(&sample.view().to_vec());
    }
    Ok(hasher.finish().to_string())
}
