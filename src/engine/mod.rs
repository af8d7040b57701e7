//! The engine of one upload, as data: events in, actions out, time as an argument.
//!
//! The engine owns no socket, timer, task, clock or random source. A driver performs its actions and reports the
//! outcomes as events, and decides nothing itself. The contract of the loop:
//!
//! 1. hand in an event with [`Engine::handle`]; [`Event::Start`] begins the upload;
//! 2. take actions with [`Engine::poll`] until there are none, and perform each;
//! 3. when something has happened, or the time of the latest [`Action::WakeAt`] has come, go to 1.
//!
//! The last action is [`Action::Finished`]. Until then, an action is outstanding, a wake-up is set, or the upload waits
//! for the end of a pause or for a larger share.
//!
//! The stages of an upload (`stage`):
//!
//! ```text
//!  Start ──► HashingFirst ──► Creating ──► Sending ──► Completing ──► Finished: stored
//!                                          ▲     │      (multipart)        ▲
//!  Start ──► Listing ──────────────────────┘     │                         │
//!  (resume)     ▲                                └─ single PUT stored ─────┘
//!               └── S3 refuses to join the parts, once
//!
//!  any stage ──► Ending (what was sent is removed) ──► Finished: failed or cancelled
//!  any stage ──► Finished: failed, what was sent is kept for a later session
//! ```
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
//! // The first part is hashed before the API is asked, so that its URL comes with the answer.
//! let actions: Vec<Action> = std::iter::from_fn(|| engine.poll()).collect();
//! assert!(actions.iter().any(|action| matches!(action, Action::HashPart { .. })));
//! ```

mod action;
mod call;
mod config;
mod congestion;
mod demand;
mod event;
mod holds;
mod meter;
mod parts;
mod record;
mod report;
mod retry;
mod stage;
mod stall_limit;

pub use action::{Action, Put, PutId};
pub use call::{ApiCall, BATCH_PATH, Body, CALL_TIMEOUT_MS, Call, HttpRequest};
pub use config::{Config, DEFAULT_PARTS_IN_FLIGHT, DEFAULT_STALL_SECONDS, FileInfo, PARTS_IN_FLIGHT, STALL_SECONDS};
pub use demand::{Demand, Share};
pub use event::{Event, Now};
pub use record::Record;
pub use report::{Failure, Held, Phase, Progress, PutAnswer, Remains, Retry, Uploaded};
pub(crate) use stall_limit::Pace;

use call::Calls;
use congestion::Congestion;
use holds::Holds;
use meter::Meter;
use parts::Parts;
use retry::Patience;
use stage::{Cancel, Stage};

use crate::checksum::ChecksumAlgorithm;
use crate::plan::{Plan, SINGLE_PUT_BYTES};
use crate::protocol::{CompleteUpload, ErrorCode, PartNumber};

/// One upload. The [module](self) describes how to drive it.
#[derive(Debug, Clone)]
pub struct Engine {
    config: Config,
    file: FileInfo,
    stage: Stage,

    // State of the upload
    /// Record of the upload; `None` until the API has opened the upload.
    open: Option<Record>,
    parts: Parts,
    /// Part after which the next page of S3's list starts; `None` for the first page.
    listed_until: Option<PartNumber>,
    completion: Option<CompleteUpload>,
    /// Whether this session resumes the upload of an earlier session.
    is_restored: bool,
    /// Whether the upload was started again because its first upload id or token was lost.
    has_restarted: bool,
    /// When the upload token expires, in milliseconds of [`Now::ms`].
    token_until_ms: u64,
    /// Whether S3's list was read a second time, because S3 had refused to join the parts.
    has_listed_again: bool,
    /// Whether a single PUT that got no answer may have made an object.
    may_have_stored: bool,

    // Limits, retries and waits
    calls: Calls,
    holds: Holds,
    patience: Patience,
    congestion: Congestion,
    pace: Pace,
    share: Share,
    /// Lane of the latest request for URLs.
    asked_lane: u32,
    /// Lane that the upload no longer uses, because a PUT on it has failed.
    failed_lane: Option<u32>,
    /// Deadline of the user's cancel; `None` if the user has not cancelled the upload.
    cancel: Option<Cancel>,
    /// Time of the latest [`Action::WakeAt`] that has not passed, in milliseconds of [`Now::ms`].
    alarm: Option<u64>,

    // Reports to the user
    meter: Meter,
    /// Last reported progress, and its time in milliseconds of [`Now::ms`].
    reported: Option<(u64, Progress)>,
    /// Whether the next report may show less progress than the last one.
    may_decrease: bool,

    outbox: Vec<Action>,
}

impl Engine {
    /// Creates an upload that waits for [`Event::Start`].
    pub fn new(config: Config, file: FileInfo) -> Self {
        let plan = Plan::new(file.size, SINGLE_PUT_BYTES);
        let config =
            Config { parts_in_flight: config.parts_in_flight.max(1), hashers: config.hashers.max(1), ..config };
        Self {
            config,
            file,
            stage: Stage::New,
            open: None,
            completion: None,
            parts: Parts::new(plan, config.algorithm),
            listed_until: None,
            calls: Calls::default(),
            holds: Holds::default(),
            patience: Patience::default(),
            congestion: Congestion::new(config.parts_in_flight),
            pace: Pace::default(),
            share: Share::default(),
            asked_lane: 0,
            failed_lane: None,
            cancel: None,
            may_have_stored: false,
            may_decrease: false,
            is_restored: false,
            has_restarted: false,
            token_until_ms: 0,
            has_listed_again: false,
            meter: Meter::default(),
            reported: None,
            alarm: None,
            outbox: Vec::new(),
        }
    }

    /// Restores an upload of an earlier session from the record of [`Action::Persist`]. The engine sends the parts that
    /// S3 lacks. If the record is marked for removal, the engine only removes the upload.
    pub fn restore(config: Config, file: FileInfo, record: Record) -> Self {
        let mut engine = Self::new(Config { algorithm: record.algorithm, ..config }, file);
        if let Some(plan) = Plan::restore(engine.file.size, record.part_size, true) {
            engine.parts.restart(plan);
        }
        engine.completion = record.completion.clone();
        // The answers to the completion and the PUTs of the earlier session may have been lost.
        engine.calls.may_be_complete = record.completion.is_some();
        engine.calls.abort_again = true;
        Self { open: Some(record), is_restored: true, ..engine }
    }

    /// Handles one event. Ignores stale events, and all events after [`Action::Finished`].
    pub fn handle(&mut self, now: Now, event: Event) {
        if self.is_finished() {
            return;
        }
        self.patience.pass(now, self.holds.held(now).is_some());
        self.alarm = self.alarm.filter(|&alarm_ms| alarm_ms > now.ms);
        match event {
            Event::Start => self.begin(now),
            // A browser's timer may fire early. `set_alarm` then requests the wake-up again.
            Event::Tick => self.alarm = None,
            Event::PartHashed { part, checksum } => self.part_hashed(now, part, checksum),
            Event::HashFailed { part, failure } => self.hash_failed(now, part, failure),
            Event::CreateSent { lane } => self.create_sent(now, lane),
            Event::Created(reply) => self.created(now, reply),
            Event::Listed(reply) => self.listed(now, reply),
            Event::Signed(reply) => self.signed(now, reply),
            Event::PutProgress { put, sent_bytes } => self.put_progressed(now, put, sent_bytes),
            Event::PutDone { put, answer } => self.put_done(now, put, &answer),
            Event::PutFailed { put, failure } => self.put_failed(now, put, failure),
            Event::Completed(reply) => self.completed(now, reply),
            Event::Aborted => self.aborted(now),
            Event::CallFailed { call, failure } => self.call_failed(now, call, failure),
            Event::CredentialsRefreshed => self.credentials(now, Ok(())),
            Event::CredentialsFailed(failure) => self.credentials(now, Err(failure)),
            Event::Share(share) => self.set_share(now, share),
            Event::Busy { wait_ms } => self.holds.rest(now, wait_ms),
            Event::Pause => self.holds.pause(),
            Event::Unpause => self.holds.unpause(),
            Event::Offline => self.holds.go_offline(now),
            Event::Online => self.online(),
            Event::Abort => self.cancel(now),
            Event::Close => self.end_and_keep(now, ErrorCode::Closed.into()),
        }
        self.advance(now);
    }

    /// Returns the next action, or `None` if there is nothing to do until the next event.
    pub fn poll(&mut self) -> Option<Action> {
        (!self.outbox.is_empty()).then(|| self.outbox.remove(0))
    }

    /// Returns the checksum algorithm for [`Action::HashPart`]. With [`ChecksumAlgorithm::None`] the engine never asks
    /// for a hash.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.config.algorithm
    }

    /// Returns whether S3 is known to hold a part.
    pub fn is_stored(&self, number: PartNumber) -> bool {
        self.parts.is_stored(number)
    }

    /// Returns whether the upload has ended.
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Finished)
    }

    /// Returns the connections that the upload uses, and those that it could use.
    pub fn demand(&self, now: Now) -> Demand {
        let may_start = matches!(self.stage, Stage::Sending) && self.holds.may_put(now);
        let more = if may_start { self.parts.ready() } else { 0 };
        let in_flight = self.parts.in_flight();
        let wanted = (in_flight + more).min(self.congestion.limit().max(in_flight));
        Demand { in_flight, wanted, bytes_in_flight: self.parts.bytes_under_way() }
    }

    /// Starts every action that is possible now, then reports the progress and sets the wake-up. Runs after every
    /// event.
    fn advance(&mut self, now: Now) {
        self.advance_cancel(now);
        if self.holds.is_time_to_probe(now) {
            self.skip_backoff();
        }
        self.measure(now);
        if matches!(self.stage, Stage::HashingFirst) {
            self.advance_first();
        }
        match self.stage {
            Stage::Creating => {
                self.advance_create(now);
                self.hash_ahead();
            }
            Stage::Listing => self.advance_list(now),
            Stage::Sending => self.advance_parts(now),
            _ => {}
        }
        // Must come after `advance_parts`, which enters this stage when all parts are stored.
        if matches!(self.stage, Stage::Completing) {
            self.advance_complete(now);
        }
        if matches!(self.stage, Stage::Ending(_)) {
            self.advance_abort(now);
        }
        self.holds.asked(now);
        self.report(now);
        self.set_alarm(now);
    }

    #[inline(never)]
    fn set_alarm(&mut self, now: Now) {
        let calls = &self.calls;
        let held = self.holds.wakes_at(now);
        let wakes_at = match self.stage {
            Stage::New | Stage::HashingFirst | Stage::Finished => None,
            Stage::Ending(_) if calls.is_checking_completion => calls.complete.wakes_at(),
            Stage::Ending(_) => calls.abort.wakes_at(),
            // PUTs in flight can also stall during a pause or while offline.
            _ if !self.holds.may_call(now) => held.into_iter().chain(self.stalls_at(now)).min(),
            Stage::Creating => calls.create.wakes_at().into_iter().chain(held).min(),
            Stage::Listing => calls.list.wakes_at().into_iter().chain(held).min(),
            Stage::Completing => calls.complete.wakes_at().into_iter().chain(held).min(),
            Stage::Sending => {
                let parts = self.parts.wakes_at().into_iter().chain(self.stalls_at(now));
                let sign = calls.sign.wakes_at().filter(|_| self.wants_urls());
                parts.chain(sign).chain(held).chain(self.reports_at(now)).min()
            }
        };
        let looks_at = self.patience.wakes_at(now).filter(|_| wakes_at.is_some());
        let wakes_at = [wakes_at, looks_at, self.cancel_wakes_at()].into_iter().flatten().min();
        let wakes_at = wakes_at.filter(|_| !self.is_finished());
        // Only an earlier wake-up replaces the one that is set. A wake-up that is too early is harmless and costs less
        // than a new timer.
        if let Some(at_ms) = wakes_at.filter(|&at_ms| self.alarm.is_none_or(|alarm_ms| at_ms < alarm_ms)) {
            self.alarm = wakes_at;
            self.outbox.push(Action::WakeAt(at_ms));
        }
    }
}
