//! The file on the user's disk, with its earlier versions.

use directput::checksum::{ChecksumAlgorithm, Crc64Nvme, PartChecksum, Sha256Digest};
use directput::plan::Part;

/// Represents the bytes of a part: two values are equal if the bytes are equal.
pub type Content = Sha256Digest;

/// Returns the checksum of a part's bytes, or `None` without checksums.
pub fn checksum_of(algorithm: ChecksumAlgorithm, content: Content) -> Option<PartChecksum> {
    match algorithm {
        ChecksumAlgorithm::Sha256 => Some(content.into()),
        ChecksumAlgorithm::Crc64nvme | ChecksumAlgorithm::Crc64nvmeAfter => {
            Some(Crc64Nvme::of(content.as_bytes()).into())
        }
        ChecksumAlgorithm::None => None,
    }
}

/// A file whose bytes are determined by its changes.
#[derive(Debug, Default)]
pub struct Disk {
    /// Index of the first changed byte of each change. A change affects all bytes from this index to the end.
    changes: Vec<u64>,
}

impl Disk {
    pub fn change(&mut self, from: u64) {
        self.changes.push(from);
    }

    /// Returns the number of changes.
    pub fn version(&self) -> usize {
        self.changes.len()
    }

    /// Returns the current bytes of a part.
    pub fn content(&self, part: Part) -> Content {
        self.content_of(self.version(), part)
    }

    /// Returns the bytes of a part in an earlier version.
    pub fn content_of(&self, version: usize, part: Part) -> Content {
        let reaches_it = |&&from: &&u64| from < part.range().end;
        let changes = self.changes[..version].iter().filter(reaches_it).count() as u64;
        Sha256Digest::of(&[part.offset, part.length, changes].map(u64::to_le_bytes).concat())
    }
}
