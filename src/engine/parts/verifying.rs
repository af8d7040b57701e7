//! Hashes parts whose PUTs have already started, and compares each checksum with S3's checksum.
//!
//! With [`ChecksumAlgorithm::Crc64nvmeAfter`] the checksum of a part is not needed before the upload is completed. A
//! part is hashed while it is sent. S3's answer to the PUT may come before or after the hash.

use super::{Hashed, Parts, State};
use crate::checksum::{ChecksumAlgorithm, PartChecksum};
use crate::plan::Part;
use crate::protocol::PartNumber;

impl Parts {
    /// Returns whether parts are hashed and compared after their PUTs have started. The one part of a single PUT is
    /// hashed before its PUT, because S3 would keep a wrong object.
    pub(super) fn verifies_after(&self) -> bool {
        self.algorithm == ChecksumAlgorithm::Crc64nvmeAfter && self.plan.is_multipart()
    }

    /// Returns whether parts are signed and sent before they are hashed.
    pub fn sends_unhashed(&self) -> bool {
        self.algorithm == ChecksumAlgorithm::None || self.verifies_after()
    }

    /// Queues a part for hashing, because its PUT starts. Does nothing if the part has a checksum or is already being
    /// hashed.
    pub(super) fn verify(&mut self, number: PartNumber) {
        let slot = &self.slots[number.index()];
        if self.verifies_after() && slot.checksum.is_none() && !slot.is_verifying {
            self.to_verify.insert(number);
        }
    }

    /// Returns the next part to hash whose PUT has already started.
    pub fn start_verify(&mut self) -> Option<Part> {
        let number = self.to_verify.pop_first()?;
        self.slot(number).is_verifying = true;
        self.verifying += 1;
        self.plan.part(number)
    }

    /// Records S3's checksum of a part that S3 has stored before the part was hashed.
    pub(super) fn is_to_be_verified(&mut self, number: PartNumber, stored_checksum: Option<String>) {
        if self.verifies_after() && self.slot(number).checksum.is_none() {
            self.slot(number).stored_checksum = stored_checksum;
            self.unverified += 1;
        }
    }

    /// Records the checksum of a part whose PUT has already started. If S3 has stored other bytes, the part no longer
    /// counts as stored.
    #[inline(never)]
    pub(super) fn verified(&mut self, part: Part, checksum: PartChecksum) -> Hashed {
        self.verifying -= 1;
        self.hashed_bytes += part.length;
        let slot = self.slot(part.number);
        slot.is_verifying = false;
        slot.read_failures = 0;
        slot.checksum = Some(checksum);
        let stored_checksum = slot.stored_checksum.take();
        if !matches!(slot.state, State::Stored { .. }) {
            return Hashed::Accepted;
        }
        self.unverified -= 1;
        if stored_checksum.is_none_or(|stored| stored == checksum.to_text()) {
            return Hashed::Accepted;
        }
        self.stored -= 1;
        self.stored_bytes -= part.length;
        Hashed::IsCorrupted
    }
}
