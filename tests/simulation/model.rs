//! Exhaustive test of a small case: a file of three parts with two PUTs in flight. The test tries every order of
//! answers, losses, wake-ups and user actions, up to a depth.
//!
//! The search is breadth-first and visits each state once. A state consists of the engine, its open actions, and S3.

use std::collections::HashSet;
use std::fmt::Write;
use std::hash::{DefaultHasher, Hasher};

use directput::checksum::Sha256Digest;
use directput::engine::{Action, ApiCall, Call, Config, Engine, Event, Failure, FileInfo, Now, Put};
use directput::protocol::{ContentType, ErrorCode, FileName, FileSize};

use crate::calls::Request;
use crate::puts::{answer, login_page};
use crate::storage::{Server, Storage};

/// Three parts: two of 8 MiB and one of a byte.
const SIZE: u64 = (16 << 20) + 1;

/// Maximum number of events in one history.
const DEPTH: usize = 12;

/// Maximum number of lost answers in one history. With more of them, retries would use up the depth.
const MAX_LOSSES: u32 = 1;

/// Maximum time that a cancel waits for an answer, in milliseconds. Later answers are ignored.
const CANCEL_MS: u64 = 10_000;

/// Outcome of a request.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Fate {
    Answered,
    LostBefore,
    LostAfter,
    /// Answered by a portal or proxy. The request has not reached S3 or the API.
    AlienBefore,
    /// Answered by a portal or proxy. The request has reached S3 or the API.
    AlienAfter,
}

/// All outcomes except the good one.
const LOSSES: [Fate; 4] = [Fate::LostBefore, Fate::LostAfter, Fate::AlienBefore, Fate::AlienAfter];

#[derive(Debug, Clone)]
enum Choice {
    Answer(usize, Fate),
    Wake(u64),
    Tell(Event),
}

/// Text of a state without the engine's reports. No check depends on the reports.
#[derive(Default)]
struct Text {
    text: String,
    is_skipping: bool,
}

impl Write for Text {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        // These fields are neighbours in the engine's `Debug` output, and no other fields have their names.
        match text {
            "reported" => self.is_skipping = true,
            "may_decrease" => self.is_skipping = false,
            _ => {}
        }
        if !self.is_skipping {
            self.text.push_str(text);
        }
        Ok(())
    }
}

/// Sort key of open actions, so that a state does not depend on their order.
fn rank(action: &Action) -> (u8, u32) {
    match action {
        Action::HashPart { part, .. } => (0, part.number.get()),
        Action::Put(put) => (1, put.id.0),
        Action::Call(ApiCall::Create(_)) => (2, 0),
        Action::Call(ApiCall::Sign { .. }) => (3, 0),
        Action::Call(ApiCall::Complete { .. }) => (4, 0),
        _ => (5, 0),
    }
}

#[derive(Debug, Clone)]
struct State {
    engine: Engine,
    /// Actions without an answer.
    open: Vec<Action>,
    storage: Storage,
    now_ms: u64,
    alarm_ms: Option<u64>,
    is_paused: bool,
    has_paused: bool,
    aborted_ms: Option<u64>,
    losses: u32,
    is_over: bool,
}

impl State {
    fn first() -> Self {
        let config = Config { parts_in_flight: 2, hashers: 2, ..Config::default() };
        let file = FileInfo {
            name: FileName::fit("file"),
            content_type: ContentType::unknown(),
            size: FileSize::new(SIZE).expect("in range"),
        };
        Self {
            engine: Engine::new(config, file),
            open: Vec::new(),
            storage: Storage::new(Server::default()),
            now_ms: 0,
            alarm_ms: None,
            is_paused: false,
            has_paused: false,
            aborted_ms: None,
            losses: 0,
            is_over: false,
        }
    }

    fn key(&self) -> u64 {
        let mut text = Text::default();
        write!(text, "{self:?}").expect("writing to a hasher can't fail");
        assert!(!text.is_skipping, "the fields of the engine have other names now");
        let mut hasher = DefaultHasher::new();
        hasher.write(text.text.as_bytes());
        hasher.finish()
    }

    fn choices(&self) -> Vec<Choice> {
        let mut choices: Vec<_> = self.alarm_ms.map(Choice::Wake).into_iter().collect();
        // Parts are hashed in the order in which their hashing began. Other orders are left out, because the order of
        // reads does not matter.
        let first_hash = self.open.iter().position(|action| matches!(action, Action::HashPart { .. }));
        for (index, action) in self.open.iter().enumerate() {
            if matches!(action, Action::HashPart { .. }) && Some(index) != first_hash {
                continue;
            }
            choices.push(Choice::Answer(index, Fate::Answered));
            if !matches!(action, Action::HashPart { .. }) && self.losses < MAX_LOSSES {
                choices.extend(LOSSES.map(|fate| Choice::Answer(index, fate)));
            }
        }
        if self.is_paused {
            choices.push(Choice::Tell(Event::Unpause));
        } else if !self.has_paused {
            choices.push(Choice::Tell(Event::Pause));
        }
        if self.aborted_ms.is_none() {
            choices.push(Choice::Tell(Event::Abort));
        }
        choices
    }

    /// Returns the state after a choice.
    fn after(&self, choice: &Choice) -> Result<Self, String> {
        let mut state = self.clone();
        let event = match choice {
            Choice::Wake(at_ms) => {
                state.now_ms = state.now_ms.max(*at_ms);
                state.alarm_ms = None;
                Event::Tick
            }
            Choice::Answer(index, fate) => {
                let action = state.open.remove(*index);
                state.losses += u32::from(*fate != Fate::Answered);
                state.answer(action, *fate)
            }
            Choice::Tell(event) => {
                state.has_paused |= matches!(event, Event::Pause);
                state.is_paused =
                    matches!(event, Event::Pause) || (state.is_paused && !matches!(event, Event::Unpause));
                if matches!(event, Event::Abort) {
                    state.aborted_ms = Some(state.now_ms);
                }
                event.clone()
            }
        };
        state.tell(event)?;
        Ok(state)
    }

    fn answer(&mut self, action: Action, fate: Fate) -> Event {
        match action {
            Action::HashPart { part, .. } => {
                Event::PartHashed { part, checksum: Sha256Digest::of(&part.offset.to_le_bytes()).into() }
            }
            Action::Put(put) => self.answer_put(&put, fate),
            Action::Call(ApiCall::Create(request)) => self.answer_call(Call::Create, Request::Create(request), fate),
            Action::Call(ApiCall::Sign { token, request }) => {
                self.answer_call(Call::Sign, Request::Sign(token, request), fate)
            }
            Action::Call(ApiCall::Complete { token, request }) => {
                self.answer_call(Call::Complete, Request::Complete(token, request), fate)
            }
            Action::Call(ApiCall::Abort { token }) => self.answer_call(Call::Abort, Request::Abort(token), fate),
            other => unreachable!("{other:?} is not answered"),
        }
    }

    fn answer_put(&mut self, put: &Put, fate: Fate) -> Event {
        let content = Sha256Digest::of(&put.part.offset.to_le_bytes());
        let stored = match fate {
            Fate::LostBefore | Fate::AlienBefore => None,
            _ => Some(self.storage.check(self.now_ms, &put.url).and_then(|()| self.storage.put(&put.url, content))),
        };
        let put = put.id;
        match (fate, stored) {
            (Fate::AlienBefore | Fate::AlienAfter, _) => Event::PutDone { put, answer: login_page() },
            (Fate::Answered, Some(Ok(stored))) => Event::PutDone { put, answer: answer(stored) },
            (Fate::Answered, Some(Err(failure))) => Event::PutFailed { put, failure },
            _ => Event::PutFailed { put, failure: ErrorCode::Network.into() },
        }
    }

    fn answer_call(&mut self, call: Call, request: Request, fate: Fate) -> Event {
        let failed = |failure| Event::CallFailed { call, failure };
        if fate == Fate::LostBefore {
            return failed(ErrorCode::Network.into());
        }
        let alien = Failure::unexpected(200, Some("text/html"));
        if fate == Fate::AlienBefore {
            return failed(alien);
        }
        let event = request.serve(&mut self.storage, self.now_ms);
        match fate {
            Fate::LostAfter => return failed(ErrorCode::Timeout.into()),
            Fate::AlienAfter => return failed(alien),
            _ => {}
        }
        if let Event::Created(reply) = &event {
            self.storage.is_told(&reply.token);
        }
        event
    }

    fn tell(&mut self, event: Event) -> Result<(), String> {
        self.engine.handle(Now { ms: self.now_ms, random: 1 << 31 }, event);
        let mut refreshes = false;
        while let Some(action) = self.engine.poll() {
            if self.is_over {
                return Err(format!("the engine has the action {action:?} after the end"));
            }
            match action {
                Action::WakeAt(at_ms) => self.alarm_ms = Some(at_ms),
                Action::CancelPut(id) => {
                    let live = self.open.len();
                    self.open.retain(|action| !matches!(action, Action::Put(put) if put.id == id));
                    if self.open.len() == live {
                        return Err("the engine cancels a PUT that is not under way".to_owned());
                    }
                }
                Action::Finished(outcome) => {
                    self.is_over = true;
                    self.check_end(outcome.is_ok())?;
                }
                Action::Report(_) | Action::Retry(_) | Action::Rest { .. } | Action::Stalled { .. } => {}
                // The driver has no other credentials.
                Action::RefreshCredentials => refreshes = true,
                action => self.open.push(action),
            }
        }
        if refreshes {
            return self.tell(Event::CredentialsFailed(ErrorCode::Unauthorized.into()));
        }
        self.open.sort_by_key(rank);
        self.check()
    }

    fn check(&self) -> Result<(), String> {
        let puts = self.open.iter().filter_map(|action| match action {
            Action::Put(put) => Some(put),
            _ => None,
        });
        let numbers: Vec<_> = puts.clone().map(|put| put.part.number).collect();
        let distinct: HashSet<_> = numbers.iter().collect();
        if numbers.len() > 2 || distinct.len() < numbers.len() {
            return Err(format!("parts {numbers:?} are under way at once"));
        }
        if !self.is_over && !self.is_paused && self.open.is_empty() && self.alarm_ms.is_none() {
            return Err("silence".to_owned());
        }
        Ok(())
    }

    fn check_end(&self, is_stored: bool) -> Result<(), String> {
        if self.open.iter().any(|action| matches!(action, Action::Put(_))) {
            return Err("PUTs are under way after the end".to_owned());
        }
        let is_late = self.aborted_ms.is_some_and(|at_ms| self.now_ms >= at_ms + CANCEL_MS);
        if !is_late && self.open.iter().any(|action| matches!(action, Action::Call(ApiCall::Create(_)))) {
            return Err("the answer that opens the upload will be lost".to_owned());
        }
        if is_stored != (self.storage.objects.len() == 1) && self.aborted_ms.is_none() {
            return Err("the outcome does not agree with the object in S3".to_owned());
        }
        match self.storage.orphans("file").next() {
            _ if is_late => Ok(()),
            Some(upload) => Err(format!("{} is left behind", upload.key)),
            None => Ok(()),
        }
    }
}

#[test]
fn every_order_of_events_keeps_every_promise() {
    let mut first = State::first();
    first.tell(Event::Start).expect("a start");
    let mut seen = HashSet::from([first.key()]);
    let mut level = vec![(first, Vec::new())];
    let (mut stored, mut removed) = (0, 0);
    for depth in 1..=DEPTH {
        let mut next = Vec::new();
        for (state, history) in &level {
            for choice in state.choices() {
                let longer = || history.iter().chain([&choice]).cloned().collect::<Vec<_>>();
                let after = state.after(&choice).unwrap_or_else(|broken| panic!("{broken}, after {:#?}", longer()));
                if after.is_over {
                    *if after.storage.objects.is_empty() { &mut removed } else { &mut stored } += 1;
                } else if depth < DEPTH && seen.insert(after.key()) {
                    next.push((after, longer()));
                }
            }
        }
        level = next;
    }
    eprintln!("{} states up to depth {DEPTH}; {stored} ends with the object, {removed} without", seen.len());
    assert!(stored > 0 && removed > 0, "{stored} {removed}");
}
