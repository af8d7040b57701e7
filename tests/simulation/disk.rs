//! The file on the user's disk, with all the versions that it has had.

use directput::checksum::{ChecksumAlgorithm, Crc64Nvme, PartChecksum, Sha256Digest};
use directput::plan::Part;

/// Stands for the bytes of a part: equal if the bytes are.
pub type Content = Sha256Digest;

/// The checksum of a part's bytes; none where nothing is verified.
pub fn checksum_of(algorithm: ChecksumAlgorithm, content: Content) -> Option<PartChecksum> {
    match algorithm {
        ChecksumAlgorithm::Sha256 => Some(content.into()),
        ChecksumAlgorithm::Crc64nvme => Some(Crc64Nvme::of(content.as_bytes()).into()),
        ChecksumAlgorithm::None => None,
    }
}

/// A file whose bytes follow from its history.
#[derive(Debug, Default)]
pub struct Disk {
    /// From which byte on each change has changed it.
    changes: Vec<u64>,
}

impl Disk {
    pub fn change(&mut self, from: u64) {
        self.changes.push(from);
    }

    /// How often it has changed.
    pub fn version(&self) -> usize {
        self.changes.len()
    }

    /// A part as it is now.
    pub fn content(&self, part: Part) -> Content {
        self.content_of(self.version(), part)
    }

    /// A part as it was.
    pub fn content_of(&self, version: usize, part: Part) -> Content {
        let reaches_it = |&&from: &&u64| from < part.range().end;
        let changes = self.changes[..version].iter().filter(reaches_it).count() as u64;
        Sha256Digest::of(&[part.offset, part.length, changes].map(u64::to_le_bytes).concat())
    }
}
