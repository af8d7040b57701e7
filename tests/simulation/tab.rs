//! Simulated browser tab: it passes events to engines, executes their actions, and lets the hub share connections.

use directput::engine::{Action, ApiCall, Config, Engine, Event, Failure, FileInfo, Held, Share};
use directput::protocol::{ContentType, CreateUpload, ErrorCode, FileName, FileSize, NetworkHint};
use directput::queue::Hub;

use crate::calls::Request;
use crate::checks::Checks;
use crate::disk::checksum_of;
use crate::link::Told;
use crate::world::{Defect, OnWay, Run, Tab, What, World};

/// Time after which a slow read or a late answer with headers has timed out, in milliseconds.
const TOO_LONG_MS: u64 = 30_000;

impl World {
    /// Begins or resumes the upload of a file, in the open tab or in a new one.
    pub fn open(&mut self, file: usize) -> Result<(), String> {
        let is_wanted = !self.files[file].gave_up || self.files[file].record.is_some();
        if !is_wanted || self.files[file].is_over || self.run_of_file(file).is_some() {
            return Ok(());
        }
        let dropped = self.scenario.files[file];
        let config = Config {
            parts_in_flight: self.scenario.connections,
            network: NetworkHint::Wifi,
            keeps_records: self.scenario.keeps_records,
            has_service_worker: self.scenario.link.told == Told::Nothing,
            algorithm: self.scenario.algorithm,
            ..Config::default()
        };
        let info = FileInfo {
            name: FileName::fit(&self.files[file].name),
            content_type: ContentType::unknown(),
            size: FileSize::new(dropped.size).expect("in range"),
        };
        let record = self.files[file].record.clone();
        let is_restored = record.is_some();
        let checks = Checks::new(&self.scenario, file, record.as_ref());
        let engine = match record {
            Some(record) => Engine::restore(config, info, record),
            None => Engine::new(config, info),
        };
        let number = self.next_run;
        self.next_run += 1;
        let run = Run {
            number,
            file,
            engine,
            timer: None,
            has_begun: false,
            connections: u32::MAX,
            is_restored,
            is_paused: false,
            opening: None,
            file_is_unreadable: false,
            checks,
        };
        let (connections, is_offline) = (self.scenario.connections, self.is_offline);
        let tab = self.tab.get_or_insert_with(|| {
            let mut hub = Hub::new(connections);
            hub.set_online(!is_offline);
            Tab { hub, runs: Vec::new(), ended: Vec::new(), rests_until_ms: 0, is_stale: false }
        });
        // The user has signed in before resuming.
        tab.is_stale = false;
        tab.runs.push(run);
        tab.hub.add(number, dropped.size, dropped.priority);
        if tab.runs.len() > 1 {
            self.saw("several at once");
        }
        self.balance()
    }

    /// Passes an event to an engine, and executes the actions of this and of the other engines.
    pub fn tell(&mut self, run: u32, event: Event) -> Result<(), String> {
        self.handle(run, event)?;
        self.balance()
    }

    /// Lets the hub share the connections until nothing changes.
    pub fn balance(&mut self) -> Result<(), String> {
        loop {
            let now = self.engine_now();
            let Some(tab) = &mut self.tab else { return Ok(()) };
            tab.hub.begin(now);
            let begun = self.deliver()?;
            let Some(tab) = &mut self.tab else { return Ok(()) };
            let Tab { hub, runs, .. } = tab;
            hub.share(|id| {
                runs.iter().find(|run| run.number == id).map(|run| run.engine.demand(now)).unwrap_or_default()
            });
            let has_batch = self.open_batch();
            if !(self.deliver()? || begun || has_batch) {
                return Ok(());
            }
        }
    }

    /// Opens the uploads of a batch, if a batch is due. Each upload has faults of its own, although a real batch is one
    /// call. So the simulation covers more histories than a browser can have.
    fn open_batch(&mut self) -> bool {
        let Some(tab) = &mut self.tab else { return false };
        let mut requests = Vec::new();
        for (number, lane) in tab.hub.next_batch() {
            let run = tab.runs.iter_mut().find(|run| run.number == number);
            let request = run.and_then(|run| run.opening.take()).expect("it waits to be opened");
            requests.push((number, CreateUpload { lane, ..request }));
        }
        let is_any = !requests.is_empty();
        for (number, request) in requests {
            self.saw("opened together with others");
            self.call(number, Request::Create(request));
        }
        if is_any {
            let ms = 2 * self.half_trip();
            self.after(ms, What::BatchEnds);
        }
        is_any
    }

    /// Passes the hub's events to its uploads. Returns whether there were any.
    fn deliver(&mut self) -> Result<bool, String> {
        let mut is_any = false;
        while let Some((id, event)) = self.tab.as_mut().and_then(|tab| tab.hub.poll()) {
            is_any = true;
            self.handle(id, event)?;
        }
        Ok(is_any)
    }

    fn handle(&mut self, number: u32, event: Event) -> Result<(), String> {
        let now = self.engine_now();
        let Some(tab) = &mut self.tab else { return Ok(()) };
        if let Some((_, engine)) = tab.ended.iter_mut().find(|(ended, _)| *ended == number) {
            engine.handle(now, event.clone());
            return match engine.poll() {
                None => Ok(()),
                Some(action) => Err(format!("after the end, the event {event:?} causes the action {action:?}")),
            };
        }
        let Some(at) = tab.runs.iter().position(|run| run.number == number) else { return Ok(()) };
        let mut run = tab.runs.remove(at);
        self.note(|_| format!("  {number} -> {event:?}"));
        run.checks.told(now.ms, &event);
        let done = self.heed(&mut run, &event);
        let event = match (self.defect, event) {
            (Some(Defect::TrustsUrlsForTooLong), Event::Signed(mut reply)) => {
                reply.parts.iter_mut().for_each(|part| part.expires_in_seconds *= 10);
                Event::Signed(reply)
            }
            (_, event) => event,
        };
        run.engine.handle(now, event);
        if let Some(OnWay { put, started_ms }) = done {
            let is_stored = run.engine.is_stored(put.part.number);
            let hub = &mut self.tab.as_mut().expect("the tab is open").hub;
            match is_stored {
                true => hub.confirmed(now, put.lane, put.part.length, started_ms),
                false => hub.failed(put.lane),
            }
            if is_stored && put.lane > 0 {
                self.saw("stored on another lane");
            }
        }
        let mut outcome = None;
        while let Some(action) = run.engine.poll() {
            self.note(|_| format!("  {number} <- {action:?}"));
            self.check_action(&mut run, &action)?;
            match action {
                Action::Finished(result) => outcome = Some(result),
                action => self.perform(&mut run, action),
            }
        }
        match outcome {
            Some(outcome) => self.finish(run, &outcome)?,
            None => self.tab.as_mut().expect("the tab is open").runs.insert(at, run),
        }
        Ok(())
    }

    /// Updates the world after an event. Returns the PUT that has ended.
    fn heed(&mut self, run: &mut Run, event: &Event) -> Option<OnWay> {
        match event {
            Event::Created(reply) => {
                self.storage.is_told(&reply.token);
                self.tab.as_mut().expect("the tab is open").hub.learn_server(reply);
            }
            Event::Start => run.has_begun = true,
            Event::Share(Share { connections, .. }) => run.connections = *connections,
            Event::PutDone { put, .. } | Event::PutFailed { put, .. } => {
                return self.on_way.remove(&(run.number, *put));
            }
            _ => {}
        }
        None
    }

    fn check_action(&mut self, run: &mut Run, action: &Action) -> Result<(), String> {
        let now_ms = self.clock_ms();
        run.checks.asked(now_ms, action, &self.storage)?;
        let tab = self.tab.as_mut().expect("the tab is open");
        match action {
            Action::Put(put) => {
                let elsewhere: usize = tab.runs.iter().map(|run| run.checks.live_puts().len()).sum();
                if elsewhere + run.checks.live_puts().len() > self.scenario.most_puts() as usize {
                    return Err("more parts in flight than allowed".to_owned());
                }
                if now_ms < tab.rests_until_ms {
                    return Err("the engine does not respect S3's throttling".to_owned());
                }
                if self.storage.expires_ms(&put.url) < self.now_ms {
                    return Err(format!("part {} is sent with an expired URL", put.part.number.get()));
                }
            }
            Action::Retry(retry) if retry.part.is_some() && matches!(retry.status, 429 | 503) => {
                tab.rests_until_ms = tab.rests_until_ms.max(now_ms + retry.wait_ms);
            }
            _ => {}
        }
        Ok(())
    }

    fn perform(&mut self, run: &mut Run, action: Action) {
        let number = run.number;
        match action {
            Action::HashPart { part, after_ms } => {
                let ms = u64::from(after_ms) + 1 + part.length / 500_000;
                let failed = |code: ErrorCode| Event::HashFailed { part, failure: code.into() };
                if run.file_is_unreadable {
                    self.reply(number, ms, failed(ErrorCode::FileChanged));
                } else if self.happens(self.scenario.odds.slow_disk) {
                    self.reply(number, TOO_LONG_MS, failed(ErrorCode::ReadTimeout));
                } else {
                    let content = self.files[run.file].disk.content(part);
                    let checksum =
                        checksum_of(run.engine.algorithm(), content).expect("parts are hashed only with an algorithm");
                    self.reply(number, ms, Event::PartHashed { part, checksum });
                }
            }
            Action::Call(ApiCall::Create(request)) => {
                let hub = &mut self.tab.as_mut().expect("it is open").hub;
                match hub.open(number, request.size.bytes()) {
                    true => run.opening = Some(request),
                    false => self.call(number, Request::Create(request)),
                }
            }
            Action::Call(ApiCall::List { token, after }) => self.call(number, Request::List(token, after)),
            Action::Call(ApiCall::Sign { token, request }) => self.call(number, Request::Sign(token, request)),
            Action::Call(ApiCall::Complete { token, request }) => self.call(number, Request::Complete(token, request)),
            Action::Call(ApiCall::Abort { .. }) if self.defect == Some(Defect::RemovesNothing) => {
                self.reply(number, 1, Event::Aborted);
            }
            Action::Call(ApiCall::Abort { token }) => self.call(number, Request::Abort(token)),
            Action::Put(put) => {
                let ms = self.scenario.round_trip_ms + self.half_trip();
                let started_ms = self.clock_ms();
                self.after(ms, What::PutBegins { run: number, put, started_ms });
            }
            Action::CancelPut(put) => self.cut_off((number, put)),
            Action::RefreshCredentials => self.refresh_credentials(number),
            Action::Persist(record) => self.files[run.file].record = Some(record),
            Action::Forget => self.files[run.file].record = None,
            Action::WakeAt(at_ms) => self.set_timer(run, at_ms),
            Action::Report(progress) => {
                self.seen.kinds.extend(progress.held.map(|held| match held {
                    Held::Pausing => "pausing",
                    Held::Paused => "paused",
                    Held::Offline => "offline",
                    Held::Busy => "busy",
                }));
            }
            Action::Retry(retry) => {
                let is_silence = retry.part.is_some() && retry.code == ErrorCode::Timeout;
                self.saw(if is_silence { "retry after silence" } else { "retry" });
            }
            Action::Rest { wait_ms } => {
                let now = self.engine_now();
                self.tab.as_mut().expect("the tab is open").hub.rest(now, number, wait_ms);
            }
            Action::Stalled { lane } => self.tab.as_mut().expect("the tab is open").hub.stalled(lane),
            Action::Finished(_) => {}
        }
    }

    fn refresh_credentials(&mut self, run: u32) {
        let tab = self.tab.as_mut().expect("the tab is open");
        let failed = |code: ErrorCode| Event::CredentialsFailed(code.into());
        if !self.scenario.has_credentials {
            return self.reply(run, 50, failed(ErrorCode::Unauthorized));
        }
        tab.is_stale = false;
        if self.happens(self.scenario.odds.late_headers) {
            self.saw("credentials that come too late");
            return self.reply(run, TOO_LONG_MS, failed(ErrorCode::HeadersTimeout));
        }
        self.reply(run, 50, Event::CredentialsRefreshed);
    }

    /// Sets the timer of a run, which may fire early, late, or twice.
    fn set_timer(&mut self, run: &mut Run, at_ms: u64) {
        let wait_ms = at_ms.saturating_sub(self.clock_ms());
        let clocks = self.scenario.clocks;
        let mut ms = wait_ms;
        if self.happens(clocks.early) {
            self.saw("early timer");
            let early_ms = if self.rng.bool() { self.rng.u64(1..=20) } else { wait_ms / 2 };
            ms = wait_ms.saturating_sub(early_ms).max(1);
        } else if self.happens(clocks.late) {
            self.saw("late timer");
            ms += self.rng.u64(1..2_000);
        }
        let timer = self.rng.u64(..);
        run.timer = Some(timer);
        self.after(ms, What::Alarm { run: run.number, timer });
        if self.happens(clocks.twice) {
            self.saw("timer that fires twice");
            let again_ms = ms + self.rng.u64(0..50);
            self.reply(run.number, again_ms, Event::Tick);
        }
    }

    /// Checks that an event after the end of an upload has no effect.
    pub fn disturb_the_dead(&mut self, run: u32) -> Result<(), String> {
        let failure = || Failure::from(ErrorCode::Network);
        let news = [
            Event::Tick,
            Event::Online,
            Event::Offline,
            Event::Abort,
            Event::Pause,
            Event::Unpause,
            Event::Busy { wait_ms: 1_000 },
            Event::Share(Share { connections: 3, lane: 0, bytes_elsewhere: 0, bytes_per_second: None }),
            Event::CredentialsFailed(failure()),
            Event::CallFailed { call: directput::engine::Call::Abort, failure: failure() },
            Event::Aborted,
            Event::Start,
        ];
        let first = self.rng.usize(0..news.len());
        news.into_iter().cycle().skip(first).take(3).try_for_each(|event| self.handle(run, event))
    }
}
