//! The parts of one upload: what each is waiting for, and which is next to be hashed and signed.
//!
//! Queues hold the numbers of the parts that wait, lowest first, so that a step costs the same for 10
//! parts as for 10,000. How parts are sent is in [`super::sending`].

use super::event::{Now, PutId};
use super::ordered::Ordered;
use crate::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use crate::plan::{Part, Plan};
use crate::protocol::{CompleteUpload, CompletedPart, ETag, Headers, PartNumber, PartToSign, SignedPart, StoredPart};

/// A URL is not used in its last seconds: the request has to arrive before it expires, in milliseconds.
const URL_MARGIN_MS: u64 = 5_000;

/// A presigned URL as the engine keeps it.
#[derive(Debug, Clone)]
pub(super) struct Presigned {
    pub url: String,
    pub headers: Headers,
    /// The last moment to start a PUT with it.
    pub usable_until_ms: u64,
}

/// The life of a part.
#[derive(Debug, Clone)]
pub(super) enum State {
    Waiting,
    Hashing,
    Hashed,
    Signing,
    Ready(Presigned),
    Sending(Sending),
    Resting { presigned: Option<Presigned> },
    Stored { etag: Option<ETag> },
}

/// A part on its way.
#[derive(Debug, Clone)]
pub(super) struct Sending {
    pub presigned: Presigned,
    pub sent_bytes: u64,
    /// How many bytes of all parts had left with its last one; 0 until that is seen to leave.
    pub left_bytes: u64,
    /// When it was started.
    pub started_ms: u64,
    /// When its last byte was seen to leave, or it was started.
    pub moved_ms: u64,
    /// How often it got more time although it was silent for too long.
    pub spared: u32,
    /// When an attempt that has shared the link with it was last answered.
    pub rival_ms: Option<u64>,
}

#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub state: State,
    /// From the first time that it was hashed; a second one must agree.
    pub checksum: Option<PartChecksum>,
    /// What S3 holds of it from an earlier session, until it has been compared with the file.
    pub held: Option<Box<StoredPart>>,
    /// How often it failed for the network's or the server's sake.
    pub failures: u32,
    /// How often S3 refused its signature or its bytes.
    pub refusals: u32,
    /// How often it was silent for too long since anything of it was confirmed.
    pub timeouts: u32,
    /// How often in a row it could not be read in time.
    pub unread: u32,
    /// The most bytes of it that have left in one attempt.
    pub most_sent_bytes: u64,
}

const NEW_SLOT: Slot = Slot {
    state: State::Waiting,
    checksum: None,
    held: None,
    failures: 0,
    refusals: 0,
    timeouts: 0,
    unread: 0,
    most_sent_bytes: 0,
};

/// What a digest meant for its part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hashed {
    /// The part can be signed, or is stored already.
    Accepted,
    /// Nothing waits for it.
    Unexpected,
    /// The same part was hashed before in this session, with another outcome.
    Differs,
    /// S3 holds other bytes of this part from an earlier session.
    IsAnother,
}

/// All parts of one upload.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    plan: Plan,
    algorithm: ChecksumAlgorithm,
    pub(super) slots: Vec<Slot>,
    never_hashed: u32,
    to_hash: Ordered<PartNumber>,
    /// Parts that S3 holds from an earlier session, to be compared with the file.
    to_compare: Ordered<PartNumber>,
    comparing: u32,
    pub(super) to_sign: Ordered<PartNumber>,
    pub(super) ready: Ordered<PartNumber>,
    pub(super) resting: Ordered<(u64, PartNumber)>,
    pub(super) in_flight: Vec<(PutId, PartNumber)>,
    hashing: u32,
    signing: Vec<PartNumber>,
    pub(super) next_put: u32,
    pub(super) stored: u32,
    hashed_bytes: u64,
    pub(super) stored_bytes: u64,
    pub(super) in_flight_bytes: u64,
    pub(super) moved_bytes: u64,
    /// When a byte of any part was last seen to leave, or an attempt was started.
    pub(super) moved_ms: u64,
}

impl Parts {
    pub fn new(plan: Plan, algorithm: ChecksumAlgorithm) -> Self {
        Self {
            plan,
            algorithm,
            slots: vec![NEW_SLOT; plan.part_count() as usize],
            never_hashed: 1,
            to_hash: Ordered::default(),
            to_compare: Ordered::default(),
            comparing: 0,
            to_sign: Ordered::default(),
            ready: Ordered::default(),
            resting: Ordered::default(),
            in_flight: Vec::new(),
            hashing: 0,
            signing: Vec::new(),
            next_put: 0,
            stored: 0,
            hashed_bytes: 0,
            stored_bytes: 0,
            in_flight_bytes: 0,
            moved_bytes: 0,
            moved_ms: 0,
        }
    }

    /// All from the beginning, by another plan. Attempts go on being numbered, so that late news of an
    /// earlier one is not mistaken for news of these; bytes that have left have left.
    pub fn restart(&mut self, plan: Plan) {
        *self = Self { next_put: self.next_put, moved_bytes: self.moved_bytes, ..Self::new(plan, self.algorithm) };
    }

    pub fn plan(&self) -> Plan {
        self.plan
    }

    pub fn stored(&self) -> u32 {
        self.stored
    }

    pub fn is_all_stored(&self) -> bool {
        self.stored == self.plan.part_count()
    }

    pub fn hashed_bytes(&self) -> u64 {
        self.hashed_bytes
    }

    pub fn stored_bytes(&self) -> u64 {
        self.stored_bytes
    }

    pub fn sent_bytes(&self) -> u64 {
        self.stored_bytes + self.in_flight_bytes
    }

    /// Bytes that have left in this session, those that had to be sent again counted again.
    pub fn moved_bytes(&self) -> u64 {
        self.moved_bytes
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight.len() as u32
    }

    pub fn ready(&self) -> u32 {
        self.ready.len() as u32
    }

    pub fn hashing(&self) -> u32 {
        self.hashing
    }

    /// Parts that are hashed, or being hashed, and not yet on their way.
    pub fn ahead(&self) -> u32 {
        self.hashing - self.comparing + (self.to_sign.len() + self.signing.len() + self.ready.len()) as u32
    }

    /// When the first resting part may be sent again.
    pub fn wakes_at(&self) -> Option<u64> {
        self.resting.first().map(|(until_ms, _)| until_ms)
    }

    pub(super) fn slot(&mut self, number: PartNumber) -> &mut Slot {
        &mut self.slots[number.index()]
    }

    pub(super) fn length(&self, number: PartNumber) -> u64 {
        self.plan.part(number).map_or(0, |part| part.length)
    }

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

    /// Whether S3 holds the part.
    pub fn is_stored(&self, number: PartNumber) -> bool {
        self.slots.get(number.index()).is_some_and(|slot| matches!(slot.state, State::Stored { .. }))
    }

    /// The checksum of a part, once it is known.
    pub fn checksum(&self, number: PartNumber) -> Option<PartChecksum> {
        self.slots.get(number.index())?.checksum
    }

    /// Whether the first part has been read as far as it has to be.
    pub fn has_begun(&self) -> bool {
        self.slots.first().is_some_and(|slot| !matches!(slot.state, State::Waiting | State::Hashing))
            || self.checksum(PartNumber::FIRST).is_some()
    }

    /// The part has to be read again.
    pub(super) fn hash_again(&mut self, number: PartNumber) {
        self.slot(number).state = State::Waiting;
        self.to_hash.insert(number);
    }

    /// How many parts wait for a URL that nobody has asked for.
    pub fn unsigned(&self) -> u32 {
        self.to_sign.len() as u32
    }

    /// Takes the next parts to sign, at most `limit`.
    pub fn start_signing(&mut self, limit: usize) -> Vec<PartToSign> {
        let mut batch = Vec::new();
        while batch.len() < limit
            && let Some(number) = self.to_sign.pop_first()
        {
            let length = self.length(number);
            let slot = self.slot(number);
            slot.state = State::Signing;
            batch.push(PartToSign { number, length, checksum: slot.checksum });
            self.signing.push(number);
        }
        batch
    }

    /// The parts that were being signed wait for it again.
    pub fn signing_failed(&mut self) {
        for number in std::mem::take(&mut self.signing) {
            self.slot(number).state = State::Hashed;
            self.to_sign.insert(number);
        }
    }

    /// Takes the URLs that were asked for at `asked_ms`, the moment from which their lifetimes surely
    /// have not begun to run out. Parts for which none came wait for the next batch.
    pub fn signed(&mut self, asked_ms: u64, parts: Vec<SignedPart>) {
        for signed in parts {
            let is_wanted = self.plan.part(signed.number).is_some()
                && matches!(self.slot(signed.number).state, State::Signing | State::Hashed);
            if is_wanted {
                let lifetime_ms = (signed.expires_in_seconds * 1_000).saturating_sub(URL_MARGIN_MS);
                self.signing.retain(|&number| number != signed.number);
                self.to_sign.remove(signed.number);
                self.ready.insert(signed.number);
                self.slot(signed.number).state = State::Ready(Presigned {
                    url: signed.url,
                    headers: signed.headers,
                    usable_until_ms: asked_ms + lifetime_ms,
                });
            }
        }
        self.signing_failed();
    }

    /// Moves parts that have rested enough to where they wait for their next attempt.
    pub fn wake(&mut self, now: Now) {
        while self.resting.first().is_some_and(|(until_ms, _)| until_ms <= now.ms) {
            self.wake_first();
        }
    }

    /// Moves all resting parts there: what they failed for is over.
    pub fn wake_all(&mut self) {
        while !self.resting.is_empty() {
            self.wake_first();
        }
    }

    fn wake_first(&mut self) {
        let Some((_, number)) = self.resting.pop_first() else { return };
        let slot = self.slot(number);
        if let State::Resting { presigned } = std::mem::replace(&mut slot.state, State::Hashed) {
            self.wait_for_turn(number, presigned);
        }
    }

    /// The part can be sent, or signed first if it has no URL.
    pub(super) fn wait_for_turn(&mut self, number: PartNumber, presigned: Option<Presigned>) {
        match presigned {
            Some(presigned) => {
                self.slot(number).state = State::Ready(presigned);
                self.ready.insert(number);
            }
            None => {
                self.slot(number).state = State::Hashed;
                self.to_sign.insert(number);
            }
        }
    }

    /// The list that completes the upload, with the checksum that the object must have; nothing while
    /// a part is not stored, or stored without an entity tag.
    pub fn completion(&self) -> Option<CompleteUpload> {
        let mut parts = Vec::with_capacity(self.slots.len());
        for (part, slot) in self.plan.parts().zip(&self.slots) {
            let State::Stored { etag: Some(etag) } = &slot.state else { return None };
            parts.push(CompletedPart { number: part.number, etag: etag.clone(), checksum: slot.checksum });
        }
        let lengths = self.plan.parts().map(|part| part.length);
        let checksums = self.slots.iter().map(|slot| slot.checksum).zip(lengths);
        Some(CompleteUpload { parts, checksum: ObjectChecksum::of(self.algorithm, checksums) })
    }

    /// The entity tag of the first part, for a single PUT.
    pub fn first_etag(&self) -> Option<&ETag> {
        match &self.slots.first()?.state {
            State::Stored { etag } => etag.as_ref(),
            _ => None,
        }
    }
}
