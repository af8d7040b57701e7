//! One upload as data: events in, actions out, time as an argument.
//!
//! The engine owns no socket, timer, task, clock or random source. A driver turns actions into calls and calls into
//! events, and holds no policy. The contract of the loop:
//!
//! 1. hand in an event with [`Engine::handle`], the first being [`Event::Start`];
//! 2. take actions with [`Engine::poll`] until there are none, and perform each;
//! 3. when something happened, or the time of the latest [`Action::WakeAt`] has come, go to 1.
//!
//! It ends with [`Action::Finished`]. Until then, either an action is outstanding or a wake-up is set.
//!
//! The stages of an upload (`stage`):
//!
//! ```text
//!  Start ──► HashingFirst ──► Creating ──► Sending ──► Completing ──► Finished: stored
//!                                          ▲     │      (multipart)        ▲
//!  Start ──► Listing ──────────────────────┘     │                         │
//!  (resume)     ▲                                └─ single PUT stored ─────┘
//!               └── S3 has refused to join the parts, once
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
//! assert!(actions.iter().any(|action| matches!(action, Action::HashPart(_))));
//! ```

mod action;
mod call;
mod config;
mod congestion;
mod event;
mod holds;
mod meter;
mod parts;
mod record;
mod report;
mod retry;
mod share;
mod stage;
mod stall;

pub use action::{Action, Put, PutId};
pub use call::{ApiCall, Body, CALL_TIMEOUT_MS, Call, HttpRequest};
pub use config::{Config, DEFAULT_PARTS_IN_FLIGHT, DEFAULT_STALL_SECONDS, FileInfo, PARTS_IN_FLIGHT, STALL_SECONDS};
pub use event::{Event, Now};
pub use record::Record;
pub use report::{Failure, Held, Phase, Progress, PutAnswer, Remains, Retry, Uploaded};
pub use share::{Demand, Share};
pub(crate) use stall::Pace;

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

/// One upload. See the [module](self) for how to drive it.
#[derive(Debug, Clone)]
pub struct Engine {
    config: Config,
    file: FileInfo,
    stage: Stage,

    // What is known of the upload
    /// What the API said about it, once it is open.
    open: Option<Record>,
    parts: Parts,
    /// S3 was asked for its parts up to this one.
    listed_until: Option<PartNumber>,
    completion: Option<CompleteUpload>,
    /// It resumes the upload of an earlier session.
    is_restored: bool,
    has_restarted: bool,
    /// When the token has had its time, in milliseconds.
    token_until_ms: u64,
    /// S3 was asked for its parts after it had refused to join them.
    has_listed_again: bool,
    /// S3 may have received the whole of a PUT without its answer having come.
    in_doubt: bool,

    // What decides when something is tried, and how often
    calls: Calls,
    holds: Holds,
    patience: Patience,
    congestion: Congestion,
    pace: Pace,
    share: Share,
    /// The user has cancelled it.
    cancel: Option<Cancel>,
    alarm: Option<u64>,

    // What the user is told
    meter: Meter,
    reported: Option<(u64, Progress)>,
    /// The next report may say less than the one before.
    may_go_back: bool,

    outbox: Vec<Action>,
}

impl Engine {
    /// An upload that waits for [`Event::Start`].
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
            cancel: None,
            in_doubt: false,
            may_go_back: false,
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

    /// An upload of an earlier session, from what [`Action::Persist`] gave out. It goes on where S3 is, or
    /// is removed if that is all that was missing.
    pub fn restore(config: Config, file: FileInfo, record: Record) -> Self {
        let mut engine = Self::new(Config { algorithm: record.algorithm, ..config }, file);
        if let Some(plan) = Plan::restore(engine.file.size, record.part_size, true) {
            engine.parts.restart(plan);
        }
        engine.completion = record.completion.clone();
        // What the earlier session did last may have been heard or stored without its knowing.
        engine.calls.may_be_complete = record.completion.is_some();
        engine.calls.abort_again = true;
        Self { open: Some(record), is_restored: true, ..engine }
    }

    /// Takes note of what happened. Stale events are ignored, and all events after the end.
    pub fn handle(&mut self, now: Now, event: Event) {
        if self.is_finished() {
            return;
        }
        self.patience.pass(now, self.holds.held(now).is_some());
        self.alarm = self.alarm.filter(|&alarm_ms| alarm_ms > now.ms);
        match event {
            Event::Start => self.begin(now),
            // Browsers' timers fire early now and then. Whatever is still waited for is asked for again.
            Event::Tick => self.alarm = None,
            Event::PartHashed { part, checksum } => self.part_hashed(now, part, checksum),
            Event::HashFailed { part, failure } => self.hash_failed(now, part, failure),
            Event::Created(reply) => self.created(now, reply),
            Event::Listed(reply) => self.listed(now, reply),
            Event::Signed(reply) => self.signed(now, reply),
            Event::PutProgress { put, sent_bytes } => self.put_moved(now, put, sent_bytes),
            Event::PutDone { put, answer } => self.put_done(now, put, &answer),
            Event::PutFailed { put, failure } => self.put_failed(now, put, failure),
            Event::Completed(reply) => self.completed(now, reply),
            Event::Aborted => self.aborted(now),
            Event::CallFailed { call, failure } => self.call_failed(now, call, failure),
            Event::CredentialsRefreshed => self.credentials(now, Ok(())),
            Event::CredentialsFailed(failure) => self.credentials(now, Err(failure)),
            Event::Share(share) => self.share = share,
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

    /// The next thing to do, or nothing until the next event.
    pub fn poll(&mut self) -> Option<Action> {
        (!self.outbox.is_empty()).then(|| self.outbox.remove(0))
    }

    /// What the parts that [`Action::HashPart`] names are to be verified by: never
    /// [`ChecksumAlgorithm::None`] where it names any.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        self.config.algorithm
    }

    /// Whether S3 is known to hold a part.
    pub fn is_stored(&self, number: PartNumber) -> bool {
        self.parts.is_stored(number)
    }

    /// Whether [`Action::Finished`] was given out.
    pub fn is_finished(&self) -> bool {
        matches!(self.stage, Stage::Finished)
    }

    /// The PUTs that it has under way, and those that it would have if it only had the lanes.
    pub fn demand(&self, now: Now) -> Demand {
        let may_start = matches!(self.stage, Stage::Sending) && self.holds.may_put(now);
        let more = if may_start { self.parts.ready() } else { 0 };
        let in_flight = self.parts.in_flight();
        let wanted = (in_flight + more).min(self.congestion.limit().max(in_flight));
        Demand { in_flight, wanted, bytes_in_flight: self.parts.bytes_under_way() }
    }

    /// Starts whatever can be started, then says how far it is and when to come back.
    fn advance(&mut self, now: Now) {
        self.advance_cancel(now);
        if self.holds.is_time_to_probe(now) {
            self.hurry();
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
        // Sending may just have ended.
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
            Stage::Ending(_) if calls.asks_outcome => calls.complete.wakes_at(),
            Stage::Ending(_) => calls.abort.wakes_at(),
            // In-flight PUTs of an upload that waits for a network can stall like all others.
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
        // A wake-up that comes earlier than is needed does no harm, and setting timers costs browsers more.
        if let Some(at_ms) = wakes_at.filter(|&at_ms| self.alarm.is_none_or(|alarm_ms| at_ms < alarm_ms)) {
            self.alarm = wakes_at;
            self.outbox.push(Action::WakeAt(at_ms));
        }
    }
}
