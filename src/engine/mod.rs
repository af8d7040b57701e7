//! The upload as data: events in, actions out, time as an argument.
//!
//! The engine owns no socket, timer, task, clock or random source. Whoever drives it turns actions
//! into calls and calls into events, and holds no policy. The contract of the loop:
//!
//! 1. hand in an event with [`Engine::handle`], the first being [`Event::Start`];
//! 2. take actions with [`Engine::poll`] until there are none, and see to each;
//! 3. when something happened, or the time of the latest [`Action::WakeAt`] has come, go to 1.
//!
//! It ends with [`Action::Finished`]. Until then there is always an action that waits for its answer,
//! or a time to wake at.
//!
//! ```
//! use directput::engine::{Action, Config, Engine, Event, FileInfo, Now};
//! use directput::protocol::{ContentType, FileName, FileSize};
//!
//! let mut engine = Engine::new(Config::default(), FileInfo {
//!     name: FileName::fit("holiday.mp4"),
//!     content_type: ContentType::unknown(),
//!     size: FileSize::new(300_000_000).expect("within S3's limits"),
//! });
//! engine.handle(Now { ms: 0, random: 7 }, Event::Start);
//! // A large file is announced while its first parts are hashed.
//! let actions: Vec<Action> = std::iter::from_fn(|| engine.poll()).collect();
//! assert!(matches!(actions[0], Action::Create(_)));
//! assert!(matches!(actions[1], Action::HashPart(_)));
//! ```

mod event;
mod meter;
mod parts;
mod retry;
mod stages;

use std::collections::VecDeque;

use event::Phase as P;
pub use event::{Action, Call, Config, Event, Failure, FileInfo, Now, Phase, Progress, Put, PutId, Retry, Uploaded};
use meter::Meter;
use parts::Parts;
use retry::CallState;

use crate::plan::{Plan, SINGLE_PUT_BYTES};
use crate::protocol::{CreateUpload, ErrorCode, PartNumber};

/// How far ahead of the PUTs parts are hashed, in parts for each PUT that may run. Far enough that a
/// batch of URLs is worth its call, near enough that a cancelled upload has not read the whole file.
const HASH_AHEAD: u32 = 3;

/// Progress is reported no more often than this, in milliseconds, unless the phase changes.
const REPORT_EVERY_MS: u64 = 100;

/// Where the upload is.
#[derive(Debug)]
enum Stage {
    /// Before [`Event::Start`].
    New,
    /// A small file is hashed before it is announced.
    HashingWhole,
    /// The API is asked to open the upload.
    Creating,
    /// Parts are hashed, signed and sent.
    Sending,
    /// S3 is asked to join the parts.
    Completing,
    /// It has failed or was cancelled, and what it left behind is being removed.
    Ending(Failure),
    /// [`Action::Finished`] was given out.
    Finished,
}

/// What the API said about an open upload.
#[derive(Debug)]
struct Open {
    token: String,
    key: String,
    max_parts_per_request: usize,
}

/// One upload. See the [module](self) for how to drive it.
#[derive(Debug)]
pub struct Engine {
    config: Config,
    file: FileInfo,
    stage: Stage,
    open: Option<Open>,
    parts: Parts,
    create: CallState,
    sign: CallState,
    complete: CallState,
    abort: CallState,
    meter: Meter,
    reported: Option<(u64, Progress)>,
    alarm: Option<u64>,
    outbox: VecDeque<Action>,
}

impl Engine {
    /// An upload that waits for [`Event::Start`].
    pub fn new(config: Config, file: FileInfo) -> Self {
        let plan = Plan::new(file.size, SINGLE_PUT_BYTES);
        Self {
            config: Config { parts_in_flight: config.parts_in_flight.max(1), hashers: config.hashers.max(1), ..config },
            file,
            stage: Stage::New,
            open: None,
            parts: Parts::new(plan),
            create: CallState::default(),
            sign: CallState::default(),
            complete: CallState::default(),
            abort: CallState::default(),
            meter: Meter::default(),
            reported: None,
            alarm: None,
            outbox: VecDeque::new(),
        }
    }

    /// Takes note of what happened. News that nobody waits for any more is ignored.
    pub fn handle(&mut self, now: Now, event: Event) {
        match event {
            Event::Start => self.begin(),
            Event::Tick => {}
            Event::PartHashed { part, digest } => self.part_hashed(part, digest),
            Event::HashFailed { failure, .. } => self.end(failure),
            Event::Created(reply) => self.created(now, reply),
            Event::Signed(reply) => self.signed(now, reply),
            Event::PutProgress { put, sent_bytes } => {
                self.parts.progress(put, sent_bytes);
            }
            Event::PutDone { put, etag, checksum } => self.put_done(now, put, etag, checksum),
            Event::PutFailed { put, failure } => self.put_failed(now, put, failure),
            Event::Completed(reply) => self.completed(reply),
            Event::Aborted => self.cleaned_up(),
            Event::CallFailed { call, failure } => self.call_failed(now, call, failure),
            Event::Abort => self.end(ErrorCode::Aborted.into()),
        }
        self.advance(now);
    }

    /// The next thing to do, or nothing until the next event.
    pub fn poll(&mut self) -> Option<Action> {
        self.outbox.pop_front()
    }

    /// Whether [`Action::Finished`] was given out.
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Finished)
    }

    /// Starts whatever can be started, then says how far it is and when to come back.
    fn advance(&mut self, now: Now) {
        match self.stage {
            Stage::Creating => {
                self.advance_create(now);
                self.hash_ahead();
            }
            Stage::Sending => self.advance_parts(now),
            _ => {}
        }
        // Sending may just have ended.
        if matches!(self.stage, Stage::Completing) {
            self.advance_complete(now);
        }
        if matches!(self.stage, Stage::Ending(_)) {
            self.advance_abort(now);
        }
        self.report(now);
        self.set_alarm();
    }

    fn advance_create(&mut self, now: Now) {
        if self.create.may_start(now) {
            self.create.start();
            let checksum = self.parts.digest(PartNumber::FIRST);
            self.outbox.push_back(Action::Create(CreateUpload {
                name: self.file.name.clone(),
                content_type: self.file.content_type.clone(),
                size: self.file.size,
                checksum: checksum.filter(|_| !self.parts.plan().is_multipart()),
                network: self.config.network,
            }));
        }
    }

    fn report(&mut self, now: Now) {
        // A failure is no progress, least of all the end of it.
        if matches!(self.outbox.back(), Some(Action::Finished(Err(_)))) {
            return;
        }
        self.meter.sample(now.ms, self.parts.sent_bytes());
        let progress = self.progress();
        let is_due = match &self.reported {
            None => true,
            Some((_, before)) if before == &progress => false,
            Some((at_ms, before)) => before.phase != progress.phase || now.ms >= at_ms + REPORT_EVERY_MS,
        };
        if is_due && !matches!(self.stage, Stage::New) && self.reported.is_none_or(|(_, p)| p.phase != P::Done) {
            self.reported = Some((now.ms, progress));
            // The report of the end comes before the end.
            let at = self.outbox.len() - usize::from(matches!(self.outbox.back(), Some(Action::Finished(_))));
            self.outbox.insert(at, Action::Report(progress));
        }
    }

    fn progress(&self) -> Progress {
        let size = self.file.size.bytes();
        let sent_bytes = self.parts.sent_bytes();
        let bytes_per_second = self.meter.bytes_per_second().unwrap_or(0.0);
        Progress {
            phase: self.phase(),
            size,
            hashed_bytes: self.parts.hashed_bytes(),
            sent_bytes,
            confirmed_bytes: self.parts.stored_bytes(),
            parts: if self.open.is_some() { self.parts.plan().part_count() } else { 0 },
            confirmed_parts: self.parts.stored(),
            bytes_per_second,
            seconds_left: (bytes_per_second > 0.0).then(|| (size - sent_bytes) as f64 / bytes_per_second),
        }
    }

    fn phase(&self) -> Phase {
        match self.stage {
            Stage::New | Stage::HashingWhole => P::Hash,
            Stage::Creating | Stage::Sending => {
                // Once bytes were on their way it stays so, also while every part rests.
                let has_sent = self.parts.in_flight() > 0
                    || self.parts.stored() > 0
                    || self.reported.is_some_and(|(_, before)| before.phase == P::Upload);
                match self.parts.digest(PartNumber::FIRST) {
                    _ if has_sent => P::Upload,
                    Some(_) => P::Sign,
                    None => P::Hash,
                }
            }
            Stage::Completing => P::Complete,
            Stage::Ending(_) => P::Abort,
            Stage::Finished => P::Done,
        }
    }

    fn set_alarm(&mut self) {
        let wakes_at = match self.stage {
            Stage::Creating => self.create.wakes_at(),
            Stage::Sending => self.parts.wakes_at().into_iter().chain(self.sign.wakes_at()).min(),
            Stage::Completing => self.complete.wakes_at(),
            Stage::Ending(_) => self.abort.wakes_at(),
            Stage::New | Stage::HashingWhole | Stage::Finished => None,
        };
        if wakes_at != self.alarm {
            self.alarm = wakes_at;
            self.outbox.extend(wakes_at.map(Action::WakeAt));
        }
    }
}
