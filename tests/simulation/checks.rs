//! The promises of the engine, checked after every step: DESIGN.md's "States that must never exist".

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use directput::checksum::CompositeChecksum;
use directput::engine::{Action, Call, Event, Failure, Phase, Progress, PutId, Record, Remains, Uploaded};
use directput::plan::Plan;
use directput::protocol::{ErrorCode, FileSize, PartNumber};

use crate::disk::Disk;
use crate::scenario::{FAULTS_END_MS, Scenario};
use crate::storage::Storage;

/// No more requests begin within one second.
const MAX_REQUESTS_PER_SECOND: usize = 80;

/// How long a cancelled upload waits for an answer, in milliseconds.
const CANCEL_MS: u64 = 10_000;

/// What one session was seen to do, and what it may do.
pub struct Checks {
    scenario: Scenario,
    order: u64,
    puts: BTreeMap<PutId, PartNumber>,
    all_puts: BTreeSet<PutId>,
    hashing: u32,
    is_opening: bool,
    /// When the client learnt that each URL will expire, by URL.
    expires_ms: BTreeMap<String, u64>,
    now_ms: u64,
    reported: Option<Progress>,
    may_go_back: bool,
    requests: VecDeque<u64>,
    /// S3 has asked for a rest until then.
    rests_until_ms: u64,
    removals_failed: bool,
    /// When the user has cancelled it.
    aborted_ms: Option<u64>,
    /// The keys of the uploads that this session knows.
    keys: BTreeSet<String>,
    finished: bool,
}

impl Checks {
    pub fn new(scenario: Scenario) -> Self {
        Self {
            scenario,
            order: 0,
            puts: BTreeMap::new(),
            all_puts: BTreeSet::new(),
            hashing: 0,
            is_opening: false,
            expires_ms: BTreeMap::new(),
            now_ms: 0,
            reported: None,
            may_go_back: false,
            requests: VecDeque::new(),
            rests_until_ms: 0,
            removals_failed: false,
            aborted_ms: None,
            keys: BTreeSet::new(),
            finished: false,
        }
    }

    pub fn next_order(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    /// A tab is opened, with what was kept of an upload.
    pub fn new_session(&mut self, record: Option<&Record>) {
        let Self { scenario, order, now_ms, .. } = self;
        let keys = record.into_iter().map(|record| record.key.clone()).collect();
        *self = Self { order: *order, now_ms: *now_ms, keys, ..Self::new(scenario.clone()) };
    }

    pub fn live_puts(&self) -> Vec<PutId> {
        self.puts.keys().copied().collect()
    }

    /// It must come to an end, and not long after the last fault.
    pub fn time(&mut self, now_ms: u64, is_open: bool) -> Result<(), String> {
        self.now_ms = now_ms;
        let Scenario { size, bytes_per_second, .. } = self.scenario;
        let limit_ms = FAULTS_END_MS.max(self.last_incident_ms()) + 60 * 60_000 + 6_000 * size / bytes_per_second;
        if is_open && now_ms > limit_ms { Err("it does not come to an end".to_owned()) } else { Ok(()) }
    }

    fn last_incident_ms(&self) -> u64 {
        use crate::scenario::Incident;
        let end = |&(at_ms, incident): &(u64, Incident)| match incident {
            Incident::Sleep { ms } | Incident::Outage { ms } | Incident::Kill { away_ms: ms } => at_ms + ms,
            _ => at_ms,
        };
        self.scenario.incidents.iter().map(end).max().unwrap_or(0)
    }

    /// The engine is about to be told something.
    pub fn told(&mut self, event: &Event) {
        match event {
            Event::PutDone { put, .. } | Event::PutFailed { put, .. } => {
                self.puts.remove(put);
            }
            Event::PartHashed { .. } | Event::HashFailed { .. } => self.hashing -= 1,
            Event::Created(reply) => {
                self.is_opening = false;
                self.keys.insert(reply.key.clone());
            }
            Event::CallFailed { call: Call::Create, .. } => self.is_opening = false,
            Event::Signed(reply) => {
                for part in &reply.parts {
                    self.expires_ms.insert(part.url.clone(), self.now_ms + part.expires_in_seconds * 1_000);
                }
            }
            Event::CallFailed { call: Call::Abort, .. } | Event::CredentialsFailed(_) => {
                self.removals_failed = true;
            }
            // Their users have asked for it.
            Event::Pause => self.may_go_back = true,
            Event::Abort => {
                self.may_go_back = true;
                self.aborted_ms.get_or_insert(self.now_ms);
            }
            _ => {}
        }
    }

    /// The engine has asked for something.
    pub fn asked(&mut self, now_ms: u64, action: &Action, storage: &Storage) -> Result<(), String> {
        self.now_ms = now_ms;
        if self.finished {
            return Err(format!("after the end it asks for {action:?}"));
        }
        match action {
            Action::Put(put) => {
                self.count_request()?;
                if now_ms < self.rests_until_ms {
                    return Err("it does not give S3 the rest that it asked for".to_owned());
                }
                if self.expires_ms.get(&put.url).is_some_and(|&expires_ms| expires_ms < now_ms) {
                    return Err(format!("part {} is sent with an expired URL", put.part.number.get()));
                }
                if self.puts.values().any(|&number| number == put.part.number) {
                    return Err(format!("part {} is sent twice at once", put.part.number.get()));
                }
                if !self.all_puts.insert(put.id) {
                    return Err(format!("{:?} names two attempts", put.id));
                }
                self.puts.insert(put.id, put.part.number);
                if self.puts.len() > self.scenario.parts_in_flight as usize {
                    return Err("more parts in flight than allowed".to_owned());
                }
            }
            Action::CancelPut(put) => {
                self.puts.remove(put).ok_or("it cancels a PUT that is not under way")?;
            }
            Action::HashPart(_) => self.hashing += 1,
            Action::Create(_) => {
                self.is_opening = true;
                self.count_request()?;
            }
            Action::List { .. } | Action::SignParts { .. } | Action::Complete { .. } | Action::Abort { .. } => {
                self.count_request()?
            }
            Action::Retry(retry) => {
                self.may_go_back = true;
                if retry.part.is_some() && retry.status == 503 {
                    self.rests_until_ms = self.rests_until_ms.max(now_ms + retry.wait_ms);
                }
            }
            Action::Report(progress) => self.check_progress(*progress)?,
            Action::Finished(outcome) => {
                self.finished = true;
                if let Ok(uploaded) = outcome
                    && !storage.objects.contains_key(&uploaded.key)
                {
                    return Err("it calls an object stored that S3 doesn't have".to_owned());
                }
            }
            Action::WakeAt(at_ms) if *at_ms <= now_ms => return Err("it waits for a time that has come".to_owned()),
            Action::RefreshCredentials | Action::Persist(_) | Action::Forget | Action::WakeAt(_) => {}
        }
        Ok(())
    }

    fn count_request(&mut self) -> Result<(), String> {
        self.requests.push_back(self.now_ms);
        while self.requests.front().is_some_and(|&at_ms| at_ms + 1_000 <= self.now_ms) {
            self.requests.pop_front();
        }
        if self.requests.len() > MAX_REQUESTS_PER_SECOND { Err("it hammers".to_owned()) } else { Ok(()) }
    }

    fn check_progress(&mut self, progress: Progress) -> Result<(), String> {
        let Progress { size, hashed_bytes, sent_bytes, confirmed_bytes, .. } = progress;
        if hashed_bytes > size || sent_bytes > size || confirmed_bytes > sent_bytes {
            return Err(format!("impossible progress: {progress:?}"));
        }
        if let Some(before) = &self.reported
            && !self.may_go_back
            && progress.phase != Phase::Abort
            && (before.sent_bytes > sent_bytes || before.confirmed_bytes > confirmed_bytes)
        {
            return Err(format!("progress goes back without a notice: {before:?} {progress:?}"));
        }
        self.may_go_back = false;
        self.reported = Some(progress);
        Ok(())
    }

    /// The engine has finished: either the object is the file, or it can be told what is left behind.
    pub fn finished(
        &self,
        outcome: &Result<Uploaded, Failure>,
        storage: &Storage,
        record: Option<&Record>,
        disk: &Disk,
    ) -> Result<(), String> {
        let is_late = self.aborted_ms.is_some_and(|at_ms| self.now_ms >= at_ms + CANCEL_MS);
        if self.is_opening && !is_late {
            return Err("nobody will hear of the upload that is being opened".to_owned());
        }
        if !self.puts.is_empty() {
            return Err("PUTs are under way after the end".to_owned());
        }
        if outcome.as_ref().is_err_and(|failure| failure.code == ErrorCode::PartsRefused) {
            return Err("only S3 noticed that the parts are not those of one file".to_owned());
        }
        if let Ok(uploaded) = outcome {
            self.check_object(uploaded, storage, disk)?;
            if record.is_some() {
                return Err("a record is kept of an upload that is done".to_owned());
            }
        }
        if let Err(failure) = outcome
            && failure.remains != Remains::Unknown
            && self.keys.iter().any(|key| storage.objects.contains_key(key))
        {
            return Err(format!("S3 has an object, and it says {:?}", failure.remains));
        }
        let is_kept = |key: &str| record.is_some_and(|record| record.key == key);
        match storage.orphans().find(|upload| !is_kept(&upload.key)) {
            Some(_) if !self.scenario.keeps_records && (self.removals_failed || self.is_left(outcome)) => Ok(()),
            Some(upload) => Err(format!("{} is neither resumable nor removed", upload.key)),
            None => Ok(()),
        }
    }

    /// Whether it says that its removal was not answered in time.
    fn is_left(&self, outcome: &Result<Uploaded, Failure>) -> bool {
        outcome.as_ref().is_err_and(|failure| failure.code == ErrorCode::Aborted && failure.remains != Remains::Nothing)
    }

    fn check_object(&self, uploaded: &Uploaded, storage: &Storage, disk: &Disk) -> Result<(), String> {
        let size = FileSize::new(self.scenario.size).expect("in range");
        let digests = &storage.objects[&uploaded.key];
        let usual = Plan::new(size, directput::plan::SINGLE_PUT_BYTES);
        let plan = match self.scenario.part_bytes {
            Some(bytes) => Plan::restore(size, bytes, true).expect("sound"),
            None => usual,
        };
        // The file as it was at some time; no mixture.
        let is_version =
            |version: usize| plan.parts().map(|part| disk.digest_of(version, part)).eq(digests.iter().copied());
        if !(0..=disk.version()).any(is_version) {
            return Err("the object is not the file".to_owned());
        }
        let checksum = match plan.is_multipart() {
            true => CompositeChecksum::of(digests).to_string(),
            false => digests[0].to_string(),
        };
        let checksum = self.scenario.is_verified.then_some(checksum);
        if uploaded.checksum != checksum || uploaded.size != self.scenario.size {
            return Err("it tells of another object than S3 has".to_owned());
        }
        Ok(())
    }

    /// Nothing will happen any more.
    pub fn at_the_end(&self, storage: &Storage, record: Option<&Record>) -> Result<(), String> {
        if record.is_some() {
            return Err("a record is left and nobody will ever look at it".to_owned());
        }
        let is_single = self.scenario.size <= directput::plan::SINGLE_PUT_BYTES && self.scenario.part_bytes.is_none();
        if storage.objects.len() > 1 && self.scenario.keeps_records && !is_single {
            return Err("a second object of one file".to_owned());
        }
        match storage.orphans().next() {
            Some(_) if !self.scenario.keeps_records => Ok(()),
            Some(upload) => Err(format!("{} is left behind: somebody pays for it", upload.key)),
            None => Ok(()),
        }
    }
}
