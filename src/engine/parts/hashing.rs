//! Chooses the next parts to hash, and records their checksums. A checksum is then signed, or compared with S3's
//! checksum.

use super::{Parts, Slot, State};
use crate::checksum::{ChecksumAlgorithm, PartChecksum};
use crate::plan::Part;
use crate::protocol::{ETag, PartNumber, StoredPart};

/// Outcome of hashing a part.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) enum Hashed {
    /// The part can be signed, is being sent, or is already stored.
    Accepted,
    /// The event is stale: the part is not being hashed.
    Unexpected,
    /// The part had another checksum earlier in this session, so the file has changed.
    Differs,
    /// S3 holds other bytes of this part from an earlier session, so the file is another file.
    IsAnother,
    /// The part was sent before it was hashed, and S3 has stored other bytes.
    IsCorrupted,
}

impl Parts {
    /// Records a part that S3 lists. The part counts as stored when its checksum has shown that the file has the same
    /// bytes. If the upload has no checksums, the part counts as stored at once.
    pub fn add_listed(&mut self, stored: StoredPart) {
        let fits = self.plan.part(stored.number).is_some_and(|part| part.length == stored.size)
            && matches!(self.slot(stored.number).state, State::Waiting);
        let Some(etag) = ETag::parse(&stored.etag).ok().filter(|_| fits) else { return };
        let known = self.slot(stored.number).checksum.map(|checksum| checksum.to_text());
        if self.algorithm == ChecksumAlgorithm::None || (known.is_some() && known == stored.checksum) {
            self.compared(stored.number, etag, stored.size);
        } else if known.is_none() {
            let number = stored.number;
            self.to_compare.insert(number);
            self.slot(number).listed = Some(Box::new(stored));
        }
    }

    /// Resets every part before S3's list of stored parts is read again. Parts that S3 does not list are sent again.
    pub fn list_again(&mut self) {
        for slot in &mut self.slots {
            slot.state = State::Waiting;
        }
        self.never_hashed = 1;
        self.stored = 0;
        self.unverified = 0;
        self.stored_bytes = 0;
    }

    /// Marks a part as stored: S3 holds the same bytes as the file.
    fn compared(&mut self, number: PartNumber, etag: ETag, length: u64) {
        self.slot(number).state = State::Stored { etag: Some(etag) };
        self.stored += 1;
        self.stored_bytes += length;
    }

    /// Returns the next part to hash before it is sent. Parts that have to be hashed again come first.
    pub fn start_hash(&mut self) -> Option<Part> {
        let again = self.to_hash.pop_first();
        let number = again.or_else(|| if self.sends_unhashed() { None } else { self.next_never_hashed() })?;
        self.slot(number).state = State::Hashing;
        self.hashing += 1;
        self.plan.part(number)
    }

    fn next_never_hashed(&mut self) -> Option<PartNumber> {
        loop {
            let number = PartNumber::new(self.never_hashed)?;
            self.plan.part(number)?;
            self.never_hashed += 1;
            // Parts that S3 lists are in `to_compare`, or have been compared.
            let slot = self.slot(number);
            if matches!(slot.state, State::Waiting) && slot.listed.is_none() {
                return Some(number);
            }
        }
    }

    /// Queues the next part for signing without a checksum. Returns whether there was such a part.
    pub fn skip_hash(&mut self) -> bool {
        let again = if self.algorithm == ChecksumAlgorithm::None { self.to_hash.pop_first() } else { None };
        let Some(number) = again.or_else(|| self.next_never_hashed()) else { return false };
        self.slot(number).state = State::Hashed;
        self.to_sign.insert(number);
        true
    }

    /// Returns the next part to hash and compare with S3's list.
    pub fn start_compare(&mut self) -> Option<Part> {
        let number = self.to_compare.pop_first()?;
        self.slot(number).state = State::Hashing;
        self.hashing += 1;
        self.comparing += 1;
        self.plan.part(number)
    }

    /// Returns whether exactly this part is being hashed. The server's plan may have replaced the plan of `part`, and
    /// then the part with the same number has another range.
    pub fn is_hashing(&self, part: Part) -> bool {
        let is_read = |slot: &Slot| slot.is_verifying || matches!(slot.state, State::Hashing);
        self.plan.part(part.number) == Some(part) && is_read(&self.slots[part.number.index()])
    }

    /// Records the checksum of a part.
    pub fn hashed(&mut self, part: Part, checksum: PartChecksum) -> Hashed {
        let number = part.number;
        if !self.is_hashing(part) {
            return Hashed::Unexpected;
        }
        if self.slot(number).is_verifying {
            return self.verified(part, checksum);
        }
        self.hashing -= 1;
        let slot = self.slot(number);
        slot.state = State::Hashed;
        slot.read_failures = 0;
        let listed = slot.listed.take();
        match slot.checksum.replace(checksum) {
            Some(before) if before != checksum => return Hashed::Differs,
            Some(_) => {}
            None => self.hashed_bytes += part.length,
        }
        match listed {
            None => self.to_sign.insert(number),
            Some(listed) => {
                self.comparing -= 1;
                if listed.checksum != Some(checksum.to_text()) {
                    // S3 may have stored other bytes than the earlier session sent.
                    return if self.verifies_after() { Hashed::IsCorrupted } else { Hashed::IsAnother };
                }
                if let Ok(etag) = ETag::parse(&listed.etag) {
                    self.compared(number, etag, part.length);
                }
            }
        }
        Hashed::Accepted
    }

    /// Returns whether every part that S3 holds from an earlier session has been compared with the file.
    pub fn is_compared(&self) -> bool {
        self.comparing == 0 && self.to_compare.is_empty()
    }

    /// Counts a failed read of a part. Returns the number of consecutive failed reads.
    pub fn count_read_failure(&mut self, number: PartNumber) -> u32 {
        let slot = self.slot(number);
        slot.read_failures += 1;
        slot.read_failures
    }

    /// Queues a part to be read and hashed again.
    pub fn hash_again(&mut self, number: PartNumber) {
        self.slot(number).state = State::Waiting;
        self.to_hash.insert(number);
    }
}
