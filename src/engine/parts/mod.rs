//! The parts of one upload: the state of each part, and the queues of parts to hash, sign and send.
//!
//! Each queue holds part numbers, lowest first, so a step costs the same with 10 parts as with 10,000.

mod hashing;
mod puts;
mod signing;
mod verifying;

pub(super) use hashing::Hashed;
pub(super) use puts::{Attempt, Moved};

use super::action::PutId;
use super::event::Now;
use crate::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use crate::ordered::Ordered;
use crate::plan::Plan;
use crate::protocol::{CompleteUpload, CompletedPart, ETag, Headers, PartNumber, StoredPart};

/// A presigned URL, with the headers and the lane of its PUT.
#[derive(Debug, Clone)]
pub(super) struct Presigned {
    pub url: String,
    pub headers: Headers,
    /// Lane for which the URL was signed.
    pub lane: u32,
    /// Last time at which a PUT with the URL may start, in milliseconds of [`Now::ms`].
    pub usable_until_ms: u64,
}

/// State of a part. The variants are in the order in which a part passes through the states.
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

/// A PUT in flight.
#[derive(Debug, Clone)]
struct Sending {
    pub presigned: Presigned,
    pub sent_bytes: u64,
    /// Bytes of all parts that this session had sent when the last byte of this PUT left; 0 until a progress event
    /// reports the last byte.
    pub left_bytes: u64,
    /// Start of the PUT, in milliseconds of [`Now::ms`].
    pub started_ms: u64,
    /// Time of the last progress or, without progress, of the start, in milliseconds of [`Now::ms`].
    pub progress_ms: u64,
    /// Number of times that the deadline was extended after a stall.
    pub extensions: u32,
    /// When S3 last stored a part whose PUT shared the link with this PUT, in milliseconds of [`Now::ms`].
    pub peer_stored_ms: Option<u64>,
}

/// State, checksums and counters of one part.
#[derive(Debug, Clone)]
struct Slot {
    pub state: State,
    /// Checksum from the first hashing of the part. A later hashing must give the same checksum.
    pub checksum: Option<PartChecksum>,
    /// Entry of the part in S3's list, until the part has been compared with the file.
    pub listed: Option<Box<StoredPart>>,
    /// S3's checksum, in Base64, of a part that S3 stored before the part was hashed; `None` if S3's answer hides the
    /// checksum.
    pub stored_checksum: Option<String>,
    /// Whether the part is being hashed although its PUT has already started.
    pub is_verifying: bool,

    // Failures
    /// Number of attempts that failed because of the network or the server.
    pub failures: u32,
    /// Number of times that S3 refused the signature or the bytes of the part.
    pub refusals: u32,
    /// Number of stalls since S3 last confirmed the part.
    pub timeouts: u32,
    /// Number of reads in a row that failed or took too long.
    pub read_failures: u32,

    /// Maximum number of bytes of the part that one attempt has sent.
    pub most_sent_bytes: u64,
}

const NEW_SLOT: Slot = Slot {
    state: State::Waiting,
    checksum: None,
    listed: None,
    stored_checksum: None,
    is_verifying: false,
    failures: 0,
    refusals: 0,
    timeouts: 0,
    read_failures: 0,
    most_sent_bytes: 0,
};

/// All parts of one upload.
#[derive(Debug, Clone)]
pub(super) struct Parts {
    plan: Plan,
    algorithm: ChecksumAlgorithm,
    slots: Vec<Slot>,

    // Queues
    /// Number of the next part to consider for its first hashing.
    never_hashed: u32,
    /// Parts to hash again.
    to_hash: Ordered<PartNumber>,
    /// Parts that S3 lists and that must be compared with the file.
    to_compare: Ordered<PartNumber>,
    /// Parts whose PUTs have started before the parts are hashed. Each part is then hashed and compared with S3's
    /// checksum.
    to_verify: Ordered<PartNumber>,
    to_sign: Ordered<PartNumber>,
    /// Parts with a presigned URL.
    ready: Ordered<PartNumber>,
    /// Parts that wait after a failed attempt, ordered by the end of their wait in milliseconds of [`Now::ms`].
    resting: Ordered<(u64, PartNumber)>,

    // Work under way
    /// Number of parts that are being hashed, including the parts that `comparing` counts.
    hashing: u32,
    /// Number of parts that are being hashed to compare them with S3's list.
    comparing: u32,
    /// Number of parts that are being hashed although their PUTs have already started. `hashing` does not count these
    /// parts.
    verifying: u32,
    signing: Vec<PartNumber>,
    in_flight: Vec<(PutId, PartNumber)>,
    next_put: u32,

    // Totals
    stored: u32,
    /// Number of parts that are stored and not yet hashed.
    unverified: u32,
    hashed_bytes: u64,
    stored_bytes: u64,
    in_flight_bytes: u64,
    /// Bytes sent in this session, including bytes that were sent again.
    total_sent_bytes: u64,
    /// Time of the last progress of any part or the last start of an attempt, in milliseconds of [`Now::ms`].
    progress_ms: u64,
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
            to_verify: Ordered::default(),
            comparing: 0,
            verifying: 0,
            to_sign: Ordered::default(),
            ready: Ordered::default(),
            resting: Ordered::default(),
            in_flight: Vec::new(),
            hashing: 0,
            signing: Vec::new(),
            next_put: 0,
            stored: 0,
            unverified: 0,
            hashed_bytes: 0,
            stored_bytes: 0,
            in_flight_bytes: 0,
            total_sent_bytes: 0,
            progress_ms: 0,
        }
    }

    /// Starts all parts from the beginning, with another plan. Ids of attempts continue, so that no stale event matches
    /// a new attempt. `total_sent_bytes` keeps its value.
    pub fn restart(&mut self, plan: Plan) {
        *self = Self {
            next_put: self.next_put,
            total_sent_bytes: self.total_sent_bytes,
            ..Self::new(plan, self.algorithm)
        };
    }

    pub fn plan(&self) -> Plan {
        self.plan
    }

    pub fn stored(&self) -> u32 {
        self.stored
    }

    /// Returns whether S3 holds every part, and no stored part still has to be hashed.
    pub fn is_all_stored(&self) -> bool {
        self.stored == self.plan.part_count() && self.unverified == 0
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

    /// Returns the bytes sent in this session, including bytes that were sent again.
    pub fn total_sent_bytes(&self) -> u64 {
        self.total_sent_bytes
    }

    pub fn in_flight(&self) -> u32 {
        self.in_flight.len() as u32
    }

    pub fn ready(&self) -> u32 {
        self.ready.len() as u32
    }

    /// Returns the number of parts that are being hashed, without parts whose PUTs have already started.
    pub fn hashing(&self) -> u32 {
        self.hashing
    }

    /// Returns the number of parts that are being read and hashed.
    pub fn reading(&self) -> u32 {
        self.hashing + self.verifying
    }

    /// Returns the number of parts that are being hashed, wait for a URL or wait for their PUT. Parts in S3's list do
    /// not count.
    pub fn ahead(&self) -> u32 {
        self.hashing - self.comparing + (self.to_sign.len() + self.signing.len() + self.ready.len()) as u32
    }

    /// Returns when the first waiting part may be sent again, in milliseconds of [`Now::ms`].
    pub fn wakes_at(&self) -> Option<u64> {
        self.resting.first().map(|(until_ms, _)| until_ms)
    }

    fn slot(&mut self, number: PartNumber) -> &mut Slot {
        &mut self.slots[number.index()]
    }

    fn length(&self, number: PartNumber) -> u64 {
        self.plan.part(number).map_or(0, |part| part.length)
    }

    /// Returns whether S3 holds the part.
    pub fn is_stored(&self, number: PartNumber) -> bool {
        self.slots.get(number.index()).is_some_and(|slot| matches!(slot.state, State::Stored { .. }))
    }

    /// Returns the checksum of a part, or `None` if it was not hashed.
    pub fn checksum(&self, number: PartNumber) -> Option<PartChecksum> {
        self.slots.get(number.index())?.checksum
    }

    /// Returns whether the first part has been hashed, or is sent without being hashed first.
    pub fn is_first_hashed(&self) -> bool {
        self.slots.first().is_some_and(|slot| !matches!(slot.state, State::Waiting | State::Hashing))
            || self.checksum(PartNumber::FIRST).is_some()
    }

    /// Makes the parts whose wait is over ready for their next attempt.
    pub fn wake(&mut self, now: Now) {
        while self.resting.first().is_some_and(|(until_ms, _)| until_ms <= now.ms) {
            self.wake_first();
        }
    }

    /// Makes all waiting parts ready for their next attempt, because the reason for their wait is gone.
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

    /// Queues a part to be sent, or to be signed if `presigned` is `None`.
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

    /// Returns the body of the completion: the list of all parts, and the checksum that the object must have. Returns
    /// `None` while a part is not stored or has no entity tag.
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

    /// Returns the entity tag of the first part. After a single PUT this is the entity tag of the object.
    pub fn first_etag(&self) -> Option<&ETag> {
        match &self.slots.first()?.state {
            State::Stored { etag } => etag.as_ref(),
            _ => None,
        }
    }
}
