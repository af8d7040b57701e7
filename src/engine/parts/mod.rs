//! The parts of one upload: what each is waiting for, and which is next to be hashed and signed.
//!
//! Queues hold the numbers of the parts that wait, lowest first, so that a step costs the same for 10
//! parts as for 10,000.

mod hashing;
mod puts;
mod signing;

pub(super) use hashing::Hashed;
pub(super) use puts::{Attempt, Moved};

use super::action::PutId;
use super::event::Now;
use crate::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use crate::ordered::Ordered;
use crate::plan::Plan;
use crate::protocol::{CompleteUpload, CompletedPart, ETag, Headers, PartNumber, StoredPart};

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
enum State {
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
struct Sending {
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
struct Slot {
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

/// All parts of one upload.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    plan: Plan,
    algorithm: ChecksumAlgorithm,
    slots: Vec<Slot>,
    never_hashed: u32,
    to_hash: Ordered<PartNumber>,
    /// Parts that S3 holds from an earlier session, to be compared with the file.
    to_compare: Ordered<PartNumber>,
    comparing: u32,
    to_sign: Ordered<PartNumber>,
    ready: Ordered<PartNumber>,
    resting: Ordered<(u64, PartNumber)>,
    in_flight: Vec<(PutId, PartNumber)>,
    hashing: u32,
    signing: Vec<PartNumber>,
    next_put: u32,
    stored: u32,
    hashed_bytes: u64,
    stored_bytes: u64,
    in_flight_bytes: u64,
    moved_bytes: u64,
    /// When a byte of any part was last seen to leave, or an attempt was started.
    moved_ms: u64,
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

    fn slot(&mut self, number: PartNumber) -> &mut Slot {
        &mut self.slots[number.index()]
    }

    fn length(&self, number: PartNumber) -> u64 {
        self.plan.part(number).map_or(0, |part| part.length)
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
    fn wait_for_turn(&mut self, number: PartNumber, presigned: Option<Presigned>) {
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
