//! One history: an engine driven as a browser drives it, in a world that a seed has drawn.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use directput::checksum::{ChecksumAlgorithm, Sha256Digest};
use directput::engine::{Action, Config, Engine, Event, Failure, FileInfo, Held, Now, Put, PutId, Record};
use directput::protocol::{ContentType, ErrorCode, FileName, FileSize, NetworkHint};
use fastrand::Rng;

use crate::checks::Checks;
use crate::disk::Disk;
use crate::link::Request;
use crate::scenario::{FAULTS_END_MS, Incident, Scenario};
use crate::storage::{Storage, UploadState};

/// A history with more steps than this has gone round in circles.
const MAX_STEPS: u32 = 300_000;

/// A defect put in on purpose, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defect {
    /// The driver says that an upload was removed without asking anybody.
    RemovesNothing,
    /// URLs are thought to live ten times as long.
    TrustsUrlsForTooLong,
}

/// What will happen.
pub enum What {
    Incident(Incident),
    FaultsEnd,
    NewSession,
    Alarm { session: u32, at_ms: u64 },
    ToEngine { session: u32, event: Box<Event> },
    CallArrives { session: u32, call: Request },
    PutBegins { session: u32, put: Put },
    PutEnds { session: u32, put: Put, content: Sha256Digest },
}

/// A tab: it lives until it is closed.
pub struct Session {
    pub number: u32,
    pub engine: Engine,
    pub alarm_ms: Option<u64>,
    pub is_restored: bool,
    pub is_paused: bool,
    /// Whether the API has stopped taking its credentials.
    pub is_stale: bool,
    /// The file that it has open was changed on disk.
    pub file_is_unreadable: bool,
}

/// The world of one seed.
pub struct World {
    pub scenario: Scenario,
    pub defect: Option<Defect>,
    pub rng: Rng,
    pub now_ms: u64,
    pub agenda: BinaryHeap<Reverse<(u64, u64)>>,
    pub plans: BTreeMap<u64, What>,
    pub storage: Storage,
    pub session: Option<Session>,
    pub sessions: u32,
    pub record: Option<Record>,
    pub dead_until_ms: u64,
    pub asleep_until_ms: u64,
    /// PUTs that were cut off, and when.
    pub cut_off: BTreeMap<(u32, PutId), u64>,
    pub disk: Disk,
    pub gave_up: bool,
    seen: BTreeSet<&'static str>,
    pub checks: Checks,
    pub trace: bool,
}

impl World {
    pub fn new(seed: u64, defect: Option<Defect>, trace: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        let scenario = Scenario::draw(&mut rng);
        let storage = Storage::new(scenario.url_seconds, scenario.part_bytes);
        let checks = Checks::new(scenario.clone());
        let mut world = Self {
            defect,
            rng,
            now_ms: 0,
            agenda: BinaryHeap::new(),
            plans: BTreeMap::new(),
            storage,
            session: None,
            sessions: 0,
            record: None,
            dead_until_ms: 0,
            asleep_until_ms: 0,
            cut_off: BTreeMap::new(),
            disk: Disk::default(),
            gave_up: false,
            seen: BTreeSet::new(),
            checks,
            trace,
            scenario,
        };
        world.at(0, What::NewSession);
        for (at_ms, incident) in world.scenario.incidents.clone() {
            world.at(at_ms, What::Incident(incident));
        }
        world.at(FAULTS_END_MS, What::FaultsEnd);
        world
    }

    /// Lives through it all. Says what kinds of things happened.
    ///
    /// # Errors
    /// Says which promise was broken.
    pub fn run(&mut self) -> Result<BTreeSet<&'static str>, String> {
        self.note(|world| format!("{:?}", world.scenario));
        for _ in 0..MAX_STEPS {
            let Some(Reverse((at_ms, order))) = self.agenda.pop() else {
                self.checks.at_the_end(&self.storage, self.record.as_ref())?;
                return Ok(std::mem::take(&mut self.seen));
            };
            let what = self.plans.remove(&order).expect("planned");
            self.now_ms = self.now_ms.max(at_ms);
            self.step(what)?;
            self.check_silence()?;
            self.checks.time(self.now_ms, self.session.is_some())?;
        }
        Err("it goes round in circles".to_owned())
    }

    fn note(&self, words: impl Fn(&Self) -> String) {
        if self.trace {
            eprintln!("{:>9} ms  {}", self.now_ms, words(self));
        }
    }

    fn at(&mut self, at_ms: u64, what: What) {
        let order = self.checks.next_order();
        self.agenda.push(Reverse((at_ms, order)));
        self.plans.insert(order, what);
    }

    pub fn after(&mut self, ms: u64, what: What) {
        self.at(self.now_ms + ms, what);
    }

    pub fn happens(&mut self, odds: f64) -> bool {
        self.now_ms < FAULTS_END_MS && self.rng.f64() < odds
    }

    pub fn half_trip(&mut self) -> u64 {
        let half = self.scenario.round_trip_ms / 2 + 1;
        self.rng.u64(half..=half * 2)
    }

    pub fn is_dead(&self) -> bool {
        self.now_ms < self.dead_until_ms
    }

    fn step(&mut self, what: What) -> Result<(), String> {
        match what {
            What::NewSession => self.open_tab(),
            What::FaultsEnd => self.end_faults(),
            What::Incident(incident) => self.happen(incident),
            What::Alarm { session, at_ms } => {
                if self.is_asleep_for(session) {
                    self.at(self.asleep_until_ms, What::Alarm { session, at_ms });
                    return Ok(());
                }
                match &mut self.session {
                    Some(tab) if tab.number == session && tab.alarm_ms == Some(at_ms) => {
                        tab.alarm_ms = None;
                        self.tell(Event::Tick)
                    }
                    _ => Ok(()),
                }
            }
            What::ToEngine { session, event } => {
                if self.is_asleep_for(session) {
                    self.at(self.asleep_until_ms, What::ToEngine { session, event });
                    return Ok(());
                }
                match &self.session {
                    Some(tab) if tab.number == session => self.tell(*event),
                    _ => Ok(()),
                }
            }
            What::CallArrives { session, call } => {
                self.serve(session, call);
                Ok(())
            }
            What::PutBegins { session, put } => {
                self.begin_put(session, put);
                Ok(())
            }
            What::PutEnds { session, put, content } => {
                self.end_put(session, put, content);
                Ok(())
            }
        }
    }

    fn is_asleep_for(&self, session: u32) -> bool {
        self.now_ms < self.asleep_until_ms && self.session.as_ref().is_some_and(|tab| tab.number == session)
    }

    fn open_tab(&mut self) -> Result<(), String> {
        if self.session.is_some() {
            return Ok(());
        }
        let config = Config {
            parts_in_flight: self.scenario.parts_in_flight,
            network: NetworkHint::Wifi,
            keeps_records: self.scenario.keeps_records,
            algorithm: match self.scenario.is_verified {
                true => ChecksumAlgorithm::Sha256,
                false => ChecksumAlgorithm::None,
            },
            ..Config::default()
        };
        let file = FileInfo {
            name: FileName::fit("file"),
            content_type: ContentType::unknown(),
            size: FileSize::new(self.scenario.size).expect("in range"),
        };
        let engine = match self.record.clone() {
            Some(record) => Engine::restore(config, file, record),
            None => Engine::new(config, file),
        };
        self.sessions += 1;
        let number = self.sessions;
        self.checks.new_session(self.record.as_ref());
        self.session = Some(Session {
            number,
            engine,
            alarm_ms: None,
            is_restored: self.record.is_some(),
            is_paused: false,
            is_stale: false,
            file_is_unreadable: false,
        });
        self.tell(Event::Start)
    }

    fn end_faults(&mut self) -> Result<(), String> {
        self.dead_until_ms = 0;
        if self.session.is_some() {
            self.happen(Incident::Resume)?;
            return self.tell(Event::Online);
        }
        Ok(())
    }

    fn happen(&mut self, incident: Incident) -> Result<(), String> {
        self.note(|_| format!("{incident:?}"));
        match incident {
            Incident::Outage { ms } => self.dead_until_ms = self.now_ms + ms,
            Incident::FileChangesUnseen if self.session.is_none() => self.change_file(),
            Incident::FileChangesUnseen => {}
            Incident::UploadExpires => {
                for upload in self.storage.uploads.iter_mut().filter(|upload| upload.state == UploadState::Open) {
                    upload.state = UploadState::Gone;
                    upload.parts.clear();
                }
            }
            Incident::TokenExpires => {
                for upload in &mut self.storage.uploads {
                    upload.token_is_good = false;
                }
            }
            _ => {}
        }
        let Some(session) = &mut self.session else { return Ok(()) };
        match incident {
            Incident::Pause => {
                session.is_paused = true;
                return self.tell(Event::Pause);
            }
            Incident::Resume => {
                session.is_paused = false;
                return self.tell(Event::Resume);
            }
            Incident::Abort => {
                self.gave_up = true;
                return self.tell(Event::Abort);
            }
            Incident::Offline => return self.tell(Event::Offline),
            Incident::Online => return self.tell(Event::Online),
            Incident::Kill { away_ms } => self.close_tab(away_ms),
            Incident::FileChanges => {
                session.file_is_unreadable = true;
                self.change_file();
            }
            Incident::Sleep { ms } => {
                self.asleep_until_ms = self.now_ms + ms;
                let number = session.number;
                for put in self.checks.live_puts() {
                    self.cut_off.insert((number, put), self.now_ms);
                    let event = Box::new(Event::PutFailed { put, failure: ErrorCode::Network.into() });
                    self.after(ms, What::ToEngine { session: number, event });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn change_file(&mut self) {
        let from = self.rng.u64(0..=self.scenario.size);
        self.disk.change(from);
    }

    fn close_tab(&mut self, away_ms: u64) {
        let Some(tab) = self.session.take() else { return };
        for put in self.checks.live_puts() {
            self.cut_off.insert((tab.number, put), self.now_ms);
        }
        if !self.scenario.keeps_records {
            // Nobody can know of it any more; the lifecycle rule removes it.
            self.storage.uploads.iter_mut().for_each(|upload| upload.is_known = false);
        }
        if !self.gave_up || self.record.is_some() {
            self.after(away_ms, What::NewSession);
        }
    }

    /// Hands an event to the engine and does what it asks for.
    fn tell(&mut self, event: Event) -> Result<(), String> {
        self.note(|_| format!("  -> {event:?}"));
        let Some(mut session) = self.session.take() else { return Ok(()) };
        self.checks.told(&event);
        if let Event::Created(reply) = &event {
            let index: usize = reply.token.parse().expect("a token of ours");
            self.storage.uploads[index].is_known = true;
        }
        let event = match (self.defect, event) {
            (Some(Defect::TrustsUrlsForTooLong), Event::Signed(mut reply)) => {
                reply.parts.iter_mut().for_each(|part| part.expires_in_seconds *= 10);
                Event::Signed(reply)
            }
            (_, event) => event,
        };
        let now = Now { ms: self.now_ms, random: self.rng.u32(..) };
        session.engine.handle(now, event);
        let mut outcome = None;
        while let Some(action) = session.engine.poll() {
            self.note(|_| format!("  <- {action:?}"));
            self.checks.asked(self.now_ms, &action, &self.storage)?;
            match action {
                Action::Finished(result) => outcome = Some(result),
                action => self.perform(&mut session, action),
            }
        }
        match outcome {
            None => self.session = Some(session),
            Some(outcome) => self.finish(&session, &outcome)?,
        }
        Ok(())
    }

    fn finish(
        &mut self,
        session: &Session,
        outcome: &Result<directput::engine::Uploaded, Failure>,
    ) -> Result<(), String> {
        self.checks.finished(outcome, &self.storage, self.record.as_ref(), &self.disk)?;
        self.seen.insert(match outcome {
            Ok(_) if session.is_restored => "stored by a later session",
            Ok(_) => "stored",
            Err(failure) => failure.code.as_str(),
        });
        if !session.engine.is_finished() {
            return Err("it says Finished and is not".to_owned());
        }
        // Who is told that this is another file gives the upload up.
        if let (Err(failure), Some(record)) = (outcome, &mut self.record)
            && failure.code == ErrorCode::WrongFile
        {
            record.discard = true;
        }
        // What was kept is resumed, or removed, after a while.
        if self.record.is_some() {
            let away_ms = self.rng.u64(1_000..100_000);
            self.after(away_ms, What::NewSession);
        }
        Ok(())
    }

    fn perform(&mut self, session: &mut Session, action: Action) {
        let number = session.number;
        match action {
            Action::HashPart(part) => {
                let event = if session.file_is_unreadable {
                    Event::HashFailed { part, failure: ErrorCode::FileChanged.into() }
                } else {
                    Event::PartHashed { part, checksum: self.disk.digest(part).into() }
                };
                self.after(1 + part.length / 500_000, What::ToEngine { session: number, event: Box::new(event) });
            }
            Action::Create(request) => self.call(number, Request::Create(request)),
            Action::List { token, after } => self.call(number, Request::List(token, after)),
            Action::SignParts { token, request } => self.call(number, Request::Sign(token, request)),
            Action::Complete { token, request } => self.call(number, Request::Complete(token, request)),
            Action::Abort { .. } if self.defect == Some(Defect::RemovesNothing) => {
                self.after(1, What::ToEngine { session: number, event: Box::new(Event::Aborted) });
            }
            Action::Abort { token } => self.call(number, Request::Abort(token)),
            Action::Put(put) => {
                let ms = self.scenario.round_trip_ms + self.half_trip();
                self.after(ms, What::PutBegins { session: number, put });
            }
            Action::CancelPut(put) => {
                self.cut_off.insert((number, put), self.now_ms);
            }
            Action::RefreshCredentials => {
                let event = if self.scenario.has_credentials {
                    session.is_stale = false;
                    Event::CredentialsRefreshed
                } else {
                    Event::CredentialsFailed(ErrorCode::Unauthorized.into())
                };
                self.after(50, What::ToEngine { session: number, event: Box::new(event) });
            }
            Action::Persist(record) => self.record = Some(record),
            Action::Forget => self.record = None,
            Action::WakeAt(at_ms) => {
                session.alarm_ms = Some(at_ms);
                self.at(at_ms.max(self.now_ms), What::Alarm { session: number, at_ms });
            }
            Action::Report(progress) => {
                self.seen.extend(progress.held.map(|held| match held {
                    Held::Paused => "paused",
                    Held::Offline => "offline",
                    Held::Busy => "busy",
                }));
            }
            Action::Retry(retry) => {
                self.seen.insert(if retry.code == ErrorCode::Timeout { "retry after silence" } else { "retry" });
            }
            Action::Finished(_) => {}
        }
    }

    /// Something must lie ahead for a tab that is open, unless its user wants it to wait.
    fn check_silence(&self) -> Result<(), String> {
        let Some(tab) = &self.session else { return Ok(()) };
        let number = tab.number;
        let lies_ahead = |what: &What| match what {
            What::Alarm { session, at_ms } => *session == number && tab.alarm_ms == Some(*at_ms),
            What::ToEngine { session, .. } | What::CallArrives { session, .. } => *session == number,
            _ => false,
        };
        if tab.is_paused || self.plans.values().any(lies_ahead) {
            return Ok(());
        }
        Err("silence: nothing lies ahead, and it is not over".to_owned())
    }
}
