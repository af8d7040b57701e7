//! The file on the user's disk, with all the versions that it has had.

use directput::checksum::Sha256Digest;
use directput::plan::Part;

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

    /// The digest of a part as it is now.
    pub fn digest(&self, part: Part) -> Sha256Digest {
        self.digest_of(self.version(), part)
    }

    /// The digest of a part as it was.
    pub fn digest_of(&self, version: usize, part: Part) -> Sha256Digest {
        let reaches_it = |&&from: &&u64| from < part.range().end;
        let changes = self.changes[..version].iter().filter(reaches_it).count() as u64;
        Sha256Digest::of(&[part.offset, part.length, changes].map(u64::to_le_bytes).concat())
    }
}
