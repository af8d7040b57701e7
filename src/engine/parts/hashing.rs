//! Which parts are hashed next, and what their checksums mean: for sending, or against what S3 holds already.

use super::{Parts, State};
use crate::checksum::{ChecksumAlgorithm, PartChecksum};
use crate::plan::Part;
use crate::protocol::{ETag, PartNumber, StoredPart};

/// What a digest meant for its part.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::engine) enum Hashed {
    /// The part can be signed, or is stored already.
    Accepted,
    /// Nothing waits for it.
    Unexpected,
    /// The same part was hashed before in this session, with another outcome.
    Differs,
    /// S3 holds other bytes of this part from an earlier session.
    IsAnother,
}

impl Parts {
    /// Takes note of a part that S3 holds. It counts once the file has been seen to have the same bytes; where
    /// nothing is verified it counts at once.
    pub fn hold(&mut self, stored: StoredPart) {
        let fits = self.plan.part(stored.number).is_some_and(|part| part.length == stored.size)
            && matches!(self.slot(stored.number).state, State::Waiting);
        let Some(etag) = ETag::parse(&stored.etag).ok().filter(|_| fits) else { return };
        let known = self.slot(stored.number).checksum.map(|checksum| checksum.to_text());
        if self.algorithm == ChecksumAlgorithm::None || (known.is_some() && known == stored.checksum) {
            self.compared(stored.number, etag, stored.size);
        } else if known.is_none() {
            let number = stored.number;
            self.to_compare.insert(number);
            self.slot(number).held = Some(Box::new(stored));
        }
    }

    /// What S3 holds is to be listed again, and what it turns out not to hold is to be sent again.
    pub fn list_again(&mut self) {
        for slot in &mut self.slots {
            slot.state = State::Waiting;
        }
        self.never_hashed = 1;
        self.stored = 0;
        self.stored_bytes = 0;
    }

    /// A part that S3 holds is that of the file.
    fn compared(&mut self, number: PartNumber, etag: ETag, length: u64) {
        self.slot(number).state = State::Stored { etag: Some(etag) };
        self.stored += 1;
        self.stored_bytes += length;
    }

    /// The next part to hash in order to send it, first those that have to be hashed again.
    pub fn start_hash(&mut self) -> Option<Part> {
        let number = self.to_hash.pop_first().or_else(|| self.next_never_hashed())?;
        self.slot(number).state = State::Hashing;
        self.hashing += 1;
        self.plan.part(number)
    }

    fn next_never_hashed(&mut self) -> Option<PartNumber> {
        loop {
            let number = PartNumber::new(self.never_hashed)?;
            self.plan.part(number)?;
            self.never_hashed += 1;
            // What S3 holds has been compared by now, or will be.
            let slot = self.slot(number);
            if matches!(slot.state, State::Waiting) && slot.held.is_none() {
                return Some(number);
            }
        }
    }

    /// Lets the next part be signed as it is, where nothing is verified. Says whether there was one.
    pub fn skip_hash(&mut self) -> bool {
        let Some(number) = self.to_hash.pop_first().or_else(|| self.next_never_hashed()) else { return false };
        self.slot(number).state = State::Hashed;
        self.to_sign.insert(number);
        true
    }

    /// The next part to hash in order to compare it with what S3 holds.
    pub fn start_compare(&mut self) -> Option<Part> {
        let number = self.to_compare.pop_first()?;
        self.slot(number).state = State::Hashing;
        self.hashing += 1;
        self.comparing += 1;
        self.plan.part(number)
    }

    pub fn hashed(&mut self, part: Part, checksum: PartChecksum) -> Hashed {
        let number = part.number;
        // Another range was hashed for a plan that the server has replaced since.
        if self.plan.part(number) != Some(part) || !matches!(self.slot(number).state, State::Hashing) {
            return Hashed::Unexpected;
        }
        self.hashing -= 1;
        let slot = self.slot(number);
        slot.state = State::Hashed;
        slot.unread = 0;
        let held = slot.held.take();
        match slot.checksum.replace(checksum) {
            Some(before) if before != checksum => return Hashed::Differs,
            Some(_) => {}
            None => self.hashed_bytes += part.length,
        }
        match held {
            None => self.to_sign.insert(number),
            Some(held) => {
                self.comparing -= 1;
                if held.checksum != Some(checksum.to_text()) {
                    return Hashed::IsAnother;
                }
                if let Ok(etag) = ETag::parse(&held.etag) {
                    self.compared(number, etag, part.length);
                }
            }
        }
        Hashed::Accepted
    }

    /// Whether every part that S3 holds from an earlier session was compared with the file.
    pub fn is_compared(&self) -> bool {
        self.comparing == 0 && self.to_compare.is_empty()
    }

    /// A part could not be read in time and is read again. Says how often in a row that has happened; nothing if nothing
    /// waits for it.
    pub fn unread(&mut self, part: Part) -> Option<u32> {
        let number = part.number;
        if self.plan.part(number) != Some(part) || !matches!(self.slot(number).state, State::Hashing) {
            return None;
        }
        self.hashing -= 1;
        let slot = self.slot(number);
        slot.unread += 1;
        slot.state = State::Waiting;
        let (unread, is_held) = (slot.unread, slot.held.is_some());
        if is_held {
            self.comparing -= 1;
            self.to_compare.insert(number);
        } else {
            self.to_hash.insert(number);
        }
        Some(unread)
    }

    /// The part has to be read again.
    pub fn hash_again(&mut self, number: PartNumber) {
        self.slot(number).state = State::Waiting;
        self.to_hash.insert(number);
    }
}
