//! The parts of one upload: what each is waiting for, and which is next.
//!
//! Queues hold the numbers of the parts that wait, lowest first, so that a step costs the same for 10
//! parts as for 10,000.

use std::collections::{BTreeMap, BTreeSet};

use super::event::{Now, Put, PutId};
use crate::checksum::{CompositeChecksum, Sha256Digest};
use crate::plan::{Part, Plan};
use crate::protocol::{CompletedPart, ETag, PartNumber, PartToSign, SignedPart};

/// A URL is not used in its last seconds: the request has to arrive before it expires, in milliseconds.
const URL_MARGIN_MS: u64 = 5_000;

/// A presigned URL as the engine keeps it.
#[derive(Debug, Clone)]
struct Presigned {
    url: String,
    headers: BTreeMap<String, String>,
    /// The last moment to start a PUT with it.
    usable_until_ms: u64,
}

/// The life of a part.
#[derive(Debug, Clone)]
enum State {
    Waiting,
    Hashing,
    Hashed,
    Signing,
    Ready(Presigned),
    Sending { put: PutId, presigned: Presigned, sent_bytes: u64 },
    Resting { presigned: Option<Presigned> },
    Stored { etag: Option<ETag> },
}

#[derive(Debug, Clone)]
struct Slot {
    state: State,
    /// From the first time that it was hashed; a second one must agree.
    digest: Option<Sha256Digest>,
    failures: u32,
}

/// What a digest meant for its part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hashed {
    /// The part can be signed.
    Accepted,
    /// Nobody was waiting for it.
    Unexpected,
    /// The same part was hashed before, with another outcome.
    Differs,
}

/// All parts of one upload.
#[derive(Debug)]
pub(super) struct Parts {
    plan: Plan,
    slots: Vec<Slot>,
    never_hashed: u32,
    to_hash: BTreeSet<PartNumber>,
    to_sign: BTreeSet<PartNumber>,
    ready: BTreeSet<PartNumber>,
    resting: BTreeSet<(u64, PartNumber)>,
    in_flight: BTreeMap<PutId, PartNumber>,
    hashing: u32,
    signing: Vec<PartNumber>,
    next_put: u32,
    stored: u32,
    hashed_bytes: u64,
    stored_bytes: u64,
    in_flight_bytes: u64,
}

impl Parts {
    pub fn new(plan: Plan) -> Self {
        let slot = Slot { state: State::Waiting, digest: None, failures: 0 };
        Self {
            plan,
            slots: vec![slot; plan.part_count() as usize],
            never_hashed: 1,
            to_hash: BTreeSet::new(),
            to_sign: BTreeSet::new(),
            ready: BTreeSet::new(),
            resting: BTreeSet::new(),
            in_flight: BTreeMap::new(),
            hashing: 0,
            signing: Vec::new(),
            next_put: 0,
            stored: 0,
            hashed_bytes: 0,
            stored_bytes: 0,
            in_flight_bytes: 0,
        }
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
        self.hashing + (self.to_sign.len() + self.signing.len() + self.ready.len()) as u32
    }

    /// When the first resting part may be sent again.
    pub fn wakes_at(&self) -> Option<u64> {
        self.resting.first().map(|&(until_ms, _)| until_ms)
    }

    fn slot(&mut self, number: PartNumber) -> &mut Slot {
        &mut self.slots[number.index()]
    }

    fn length(&self, number: PartNumber) -> u64 {
        self.plan.part(number).map_or(0, |part| part.length)
    }

    /// The next part to hash, first those that have to be hashed again.
    pub fn start_hash(&mut self) -> Option<Part> {
        let number = self.to_hash.pop_first().or_else(|| {
            let number = PartNumber::new(self.never_hashed)?;
            self.plan.part(number)?;
            self.never_hashed += 1;
            Some(number)
        })?;
        self.slot(number).state = State::Hashing;
        self.hashing += 1;
        self.plan.part(number)
    }

    pub fn hashed(&mut self, part: Part, digest: Sha256Digest) -> Hashed {
        let number = part.number;
        // Another range was hashed for a plan that the server has replaced since.
        if self.plan.part(number) != Some(part) || !matches!(self.slot(number).state, State::Hashing) {
            return Hashed::Unexpected;
        }
        self.hashing -= 1;
        let slot = self.slot(number);
        slot.state = State::Hashed;
        match slot.digest.replace(digest) {
            Some(before) if before != digest => return Hashed::Differs,
            Some(_) => {}
            None => self.hashed_bytes += part.length,
        }
        self.to_sign.insert(number);
        Hashed::Accepted
    }

    /// The digest of a part, once it is known.
    pub fn digest(&self, number: PartNumber) -> Option<Sha256Digest> {
        self.slots.get(number.index())?.digest
    }

    /// Whether parts wait for a URL that nobody has asked for.
    pub fn has_unsigned(&self) -> bool {
        !self.to_sign.is_empty()
    }

    /// Takes the next parts to sign, at most `limit`.
    pub fn start_signing(&mut self, limit: usize) -> Vec<PartToSign> {
        let mut batch = Vec::new();
        while batch.len() < limit
            && let Some(number) = self.to_sign.pop_first()
        {
            let length = self.length(number);
            let slot = self.slot(number);
            if let Some(checksum) = slot.digest {
                slot.state = State::Signing;
                batch.push(PartToSign { number, length, checksum });
                self.signing.push(number);
            }
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

    /// Takes the URLs that were asked for. Parts for which none came wait for the next batch.
    pub fn signed(&mut self, now: Now, parts: Vec<SignedPart>) {
        for signed in parts {
            let is_wanted = self.plan.part(signed.number).is_some()
                && matches!(self.slot(signed.number).state, State::Signing | State::Hashed);
            if is_wanted {
                let lifetime_ms = (signed.expires_in_seconds * 1_000).saturating_sub(URL_MARGIN_MS);
                self.signing.retain(|&number| number != signed.number);
                self.to_sign.remove(&signed.number);
                self.ready.insert(signed.number);
                self.slot(signed.number).state = State::Ready(Presigned {
                    url: signed.url,
                    headers: signed.headers,
                    usable_until_ms: now.ms + lifetime_ms,
                });
            }
        }
        self.signing_failed();
    }

    /// The next part whose URL is still good; parts whose URL has expired are signed again.
    pub fn start_put(&mut self, now: Now) -> Option<Put> {
        while let Some(number) = self.ready.pop_first() {
            let part = self.plan.part(number)?;
            let State::Ready(presigned) = self.slot(number).state.clone() else { continue };
            if presigned.usable_until_ms < now.ms {
                self.slot(number).state = State::Hashed;
                self.to_sign.insert(number);
                continue;
            }
            let id = PutId(self.next_put);
            self.next_put += 1;
            self.in_flight.insert(id, number);
            let put = Put { id, part, url: presigned.url.clone(), headers: presigned.headers.clone() };
            self.slot(number).state = State::Sending { put: id, presigned, sent_bytes: 0 };
            return Some(put);
        }
        None
    }

    /// Notes that bytes have left; says whether the attempt is still the current one.
    pub fn progress(&mut self, put: PutId, bytes: u64) -> bool {
        let Some(&number) = self.in_flight.get(&put) else { return false };
        let length = self.length(number);
        let State::Sending { sent_bytes, .. } = &mut self.slot(number).state else { return false };
        let more = bytes.min(length).saturating_sub(*sent_bytes);
        *sent_bytes += more;
        self.in_flight_bytes += more;
        true
    }

    /// Ends an attempt. Says which part it was for, and the URL that it used; nothing for an attempt
    /// that had been given up.
    fn end_put(&mut self, put: PutId) -> Option<(PartNumber, Presigned)> {
        let number = self.in_flight.remove(&put)?;
        match std::mem::replace(&mut self.slot(number).state, State::Hashed) {
            State::Sending { put: current, presigned, sent_bytes } if current == put => {
                self.in_flight_bytes -= sent_bytes;
                Some((number, presigned))
            }
            other => {
                self.slot(number).state = other;
                None
            }
        }
    }

    /// Which part an attempt is for.
    pub fn part_of(&self, put: PutId) -> Option<PartNumber> {
        self.in_flight.get(&put).copied()
    }

    pub fn put_done(&mut self, put: PutId, etag: Option<ETag>) {
        if let Some((number, _)) = self.end_put(put) {
            self.slot(number).state = State::Stored { etag };
            self.stored += 1;
            self.stored_bytes += self.length(number);
        }
    }

    /// Counts a failed attempt; says how many there have been.
    pub fn count_failure(&mut self, number: PartNumber) -> u32 {
        let slot = self.slot(number);
        slot.failures += 1;
        slot.failures
    }

    /// The part rests, then is sent again: with its URL, or with a new one.
    pub fn put_rests(&mut self, put: PutId, until_ms: u64, keep_url: bool) {
        if let Some((number, presigned)) = self.end_put(put) {
            self.slot(number).state = State::Resting { presigned: keep_url.then_some(presigned) };
            self.resting.insert((until_ms, number));
        }
    }

    /// The part has to be read again.
    pub fn put_needs_hash(&mut self, put: PutId) {
        if let Some((number, _)) = self.end_put(put) {
            self.slot(number).state = State::Waiting;
            self.to_hash.insert(number);
        }
    }

    /// Moves parts that have rested enough to where they wait for their next attempt.
    pub fn wake(&mut self, now: Now) {
        while let Some(&(until_ms, number)) = self.resting.first() {
            if until_ms > now.ms {
                break;
            }
            self.resting.pop_first();
            let slot = self.slot(number);
            if let State::Resting { presigned } = std::mem::replace(&mut slot.state, State::Hashed) {
                match presigned {
                    Some(presigned) => {
                        slot.state = State::Ready(presigned);
                        self.ready.insert(number);
                    }
                    None => {
                        self.to_sign.insert(number);
                    }
                }
            }
        }
    }

    /// Gives up every PUT under way and says which they were.
    pub fn cancel_all(&mut self) -> Vec<PutId> {
        let puts: Vec<_> = self.in_flight.keys().copied().collect();
        for &put in &puts {
            self.end_put(put);
        }
        puts
    }

    /// The list that completes the upload, with the checksum that the object must have; nothing while
    /// a part is not stored, or stored without an entity tag.
    pub fn completion(&self) -> Option<(Vec<CompletedPart>, CompositeChecksum)> {
        let mut parts = Vec::with_capacity(self.slots.len());
        for (part, slot) in self.plan.parts().zip(&self.slots) {
            let State::Stored { etag: Some(etag) } = &slot.state else { return None };
            parts.push(CompletedPart { number: part.number, etag: etag.clone(), checksum: slot.digest? });
        }
        let checksum = CompositeChecksum::of(parts.iter().map(|part| &part.checksum));
        Some((parts, checksum))
    }

    /// The entity tag of the first part, for a single PUT.
    pub fn first_etag(&self) -> Option<&ETag> {
        match &self.slots.first()?.state {
            State::Stored { etag } => etag.as_ref(),
            _ => None,
        }
    }
}
