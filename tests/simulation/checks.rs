//! Promises of the engine, which are checked after every step.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use directput::engine::{Action, ApiCall, Call, Event, Failure, Put, PutId, Record, Remains, Retry, Uploaded};
use directput::protocol::{ErrorCode, PartNumber};

use crate::outcome;
use crate::patience::PatienceCheck;
use crate::progress::ProgressCheck;
use crate::scenario::Scenario;
use crate::storage::{Storage, Upload, UploadState};
use crate::world::UserFile;

/// Maximum number of requests per second that do not follow from a success.
const MAX_REQUESTS_PER_SECOND: usize = 80;

/// Maximum time that a cancelled upload waits for an answer, in milliseconds.
const CANCEL_MS: u64 = 10_000;

/// Maximum `Retry-After` that is respected, in milliseconds.
const LONGEST_RETRY_AFTER_MS: u64 = 5 * 60_000;

/// Observed state of one run, against which its actions are checked. Times are on the engine's clock.
pub struct Checks {
    keeps_records: bool,
    puts: BTreeMap<PutId, PartNumber>,
    all_puts: BTreeSet<PutId>,
    is_opening: bool,
    requests: VecDeque<u64>,
    /// Wait that S3 has requested with the last failure.
    wanted_rest_ms: Option<u64>,
    /// Time before which the API must not be called again, by call.
    call_rests: Vec<(Call, u64)>,
    removals_failed: bool,
    /// Time at which the user has cancelled the upload.
    aborted_ms: Option<u64>,
    /// Whether the engine has requested the removal.
    has_removed: bool,
    /// Whether S3 may hold bytes of the current upload.
    has_sent: bool,
    /// Keys of the uploads that this run knows. The last one is the current upload.
    keys: Vec<String>,
    progress: ProgressCheck,
    patience: PatienceCheck,
}

impl Checks {
    pub fn new(scenario: &Scenario, file: usize, record: Option<&Record>) -> Self {
        Self {
            keeps_records: scenario.keeps_records,
            puts: BTreeMap::new(),
            all_puts: BTreeSet::new(),
            is_opening: false,
            requests: VecDeque::new(),
            wanted_rest_ms: None,
            call_rests: Vec::new(),
            removals_failed: false,
            aborted_ms: None,
            has_removed: false,
            has_sent: record.is_some(),
            keys: record.into_iter().map(|record| record.key.clone()).collect(),
            progress: ProgressCheck::new(scenario.files[file].size),
            patience: PatienceCheck::default(),
        }
    }

    pub fn live_puts(&self) -> Vec<PutId> {
        self.puts.keys().copied().collect()
    }

    pub fn is_live(&self, put: PutId) -> bool {
        self.puts.contains_key(&put)
    }

    /// Checks an event before the engine handles it.
    pub fn told(&mut self, now_ms: u64, event: &Event) {
        self.wanted_rest_ms = None;
        self.patience.told(now_ms, event, &self.puts);
        self.progress.told(event);
        match event {
            Event::PutDone { put, .. } => {
                self.puts.remove(put);
                self.requests.pop_front();
            }
            Event::PutFailed { put, failure } => {
                let was_under_way = self.puts.remove(put).is_some();
                if was_under_way && matches!(failure.status, 429 | 503) {
                    self.wanted_rest_ms = Some(failure.retry_after_ms.unwrap_or(0).min(LONGEST_RETRY_AFTER_MS));
                }
            }
            Event::Created(reply) => {
                (self.is_opening, self.has_sent) = (false, false);
                self.keys.push(reply.key.clone());
                self.call_rests.clear();
            }
            Event::Signed(_) | Event::Listed(_) => drop(self.requests.pop_front()),
            Event::CallFailed { call, failure } => {
                self.is_opening &= *call != Call::Create;
                self.removals_failed |= *call == Call::Abort;
                if let Some(ms) = failure.retry_after_ms.filter(|_| failure.code.is_retryable()) {
                    self.call_rests.push((*call, now_ms + ms.min(LONGEST_RETRY_AFTER_MS)));
                }
            }
            Event::CredentialsFailed(_) => self.removals_failed = true,
            Event::Abort => drop(self.aborted_ms.get_or_insert(now_ms)),
            _ => {}
        }
    }

    /// Checks an action of the engine.
    pub fn asked(&mut self, now_ms: u64, action: &Action, storage: &Storage) -> Result<(), String> {
        match action {
            Action::Put(put) => self.check_put(now_ms, put)?,
            Action::CancelPut(put) => {
                self.puts.remove(put).ok_or("the engine cancels a PUT that is not under way")?;
            }
            Action::Call(ApiCall::Create(_)) => {
                self.is_opening = true;
                self.call_rests.retain(|(call, _)| *call == Call::Create);
                self.check_call(now_ms, Call::Create)?;
            }
            Action::Call(ApiCall::List { .. }) => self.check_call(now_ms, Call::List)?,
            Action::Call(ApiCall::Sign { .. }) => self.check_call(now_ms, Call::Sign)?,
            // After the removal, the completion need not respect `Retry-After`, because the wait of a cancel is
            // bounded.
            Action::Call(ApiCall::Complete { .. }) if self.has_removed => self.count_request(now_ms)?,
            Action::Call(ApiCall::Complete { .. }) => self.check_call(now_ms, Call::Complete)?,
            Action::Call(ApiCall::Abort { .. }) => {
                self.has_removed = true;
                self.check_call(now_ms, Call::Abort)?;
            }
            Action::Retry(retry) => self.check_retry(retry)?,
            Action::Report(progress) => self.progress.check(*progress)?,
            Action::Finished(Ok(uploaded)) if !storage.objects.contains_key(&uploaded.key) => {
                return Err("the engine reports an object that S3 does not have".to_owned());
            }
            Action::Finished(Err(failure)) if !self.has_removed => self.patience.check_end(failure)?,
            Action::WakeAt(at_ms) if *at_ms <= now_ms => return Err("the engine sets a wake-up in the past".to_owned()),
            _ => {}
        }
        Ok(())
    }

    fn check_put(&mut self, now_ms: u64, put: &Put) -> Result<(), String> {
        self.count_request(now_ms)?;
        if self.puts.values().any(|&number| number == put.part.number) {
            return Err(format!("part {} is sent twice at once", put.part.number.get()));
        }
        if !self.all_puts.insert(put.id) {
            return Err(format!("{:?} names two attempts", put.id));
        }
        self.puts.insert(put.id, put.part.number);
        self.has_sent = true;
        Ok(())
    }

    fn check_call(&mut self, now_ms: u64, call: Call) -> Result<(), String> {
        self.count_request(now_ms)?;
        match self.call_rests.iter().any(|&(other, until_ms)| other == call && now_ms < until_ms) {
            true => Err(format!("{call:?} does not respect Retry-After")),
            false => Ok(()),
        }
    }

    fn check_retry(&mut self, retry: &Retry) -> Result<(), String> {
        self.progress.retries(retry);
        match self.wanted_rest_ms {
            Some(ms) if retry.part.is_some() && matches!(retry.status, 429 | 503) && retry.wait_ms < ms => {
                Err(format!("S3 requested a wait of {ms} ms, and the engine reports {retry:?}"))
            }
            _ => Ok(()),
        }
    }

    fn count_request(&mut self, now_ms: u64) -> Result<(), String> {
        self.requests.push_back(now_ms);
        while self.requests.front().is_some_and(|&at_ms| at_ms + 1_000 <= now_ms) {
            self.requests.pop_front();
        }
        if self.requests.len() > MAX_REQUESTS_PER_SECOND { Err("it hammers".to_owned()) } else { Ok(()) }
    }

    /// Checks the end of an upload: the outcome agrees with S3, and the client knows everything that is left behind.
    pub fn finished(
        &self,
        now_ms: u64,
        outcome: &Result<Uploaded, Failure>,
        storage: &Storage,
        file: &UserFile,
    ) -> Result<(), String> {
        let is_late = self.aborted_ms.is_some_and(|at_ms| now_ms >= at_ms + CANCEL_MS);
        if self.is_opening && !is_late {
            return Err("the answer that opens the upload will be lost".to_owned());
        }
        if !self.puts.is_empty() {
            return Err("PUTs are under way after the end".to_owned());
        }
        match outcome {
            Ok(_) if file.record.is_some() => return Err("the record of a stored upload is kept".to_owned()),
            Ok(_) => {}
            Err(failure) => {
                outcome::check_remains(failure, &self.keys, storage)?;
                self.check_is_kept(failure, storage, file)?;
            }
        }
        let is_kept = |key: &str| file.record.as_ref().is_some_and(|record| record.key == key);
        match storage.orphans(&file.name).find(|upload| !is_kept(&upload.key)) {
            Some(_) if !self.keeps_records && (self.removals_failed || self.is_left(outcome)) => Ok(()),
            Some(upload) => Err(format!("{} is neither resumable nor removed", upload.key)),
            None => Ok(()),
        }
    }

    /// Checks that the record is kept if a later session could resume the upload.
    fn check_is_kept(&self, failure: &Failure, storage: &Storage, file: &UserFile) -> Result<(), String> {
        let is_good =
            |upload: &Upload| upload.plan.is_multipart() && upload.token_is_good && upload.state != UploadState::Gone;
        let is_open = |key: &String| storage.of_file(&file.name).any(|upload| upload.key == *key && is_good(upload));
        let is_retryable = self.keeps_records && failure.code.is_retryable();
        let is_worth_it = is_retryable && self.has_sent && self.keys.last().is_some_and(is_open);
        let is_kept = file.record.as_ref().is_some_and(|record| Some(&record.key) == self.keys.last());
        if is_worth_it && (self.has_removed || !is_kept) {
            return Err(format!("the record is not kept after the failure {:?}", failure.code));
        }
        Ok(())
    }

    /// Returns whether the removal was not answered in time, according to the outcome.
    fn is_left(&self, outcome: &Result<Uploaded, Failure>) -> bool {
        outcome.as_ref().is_err_and(|failure| failure.code == ErrorCode::Aborted && failure.remains != Remains::Nothing)
    }
}
