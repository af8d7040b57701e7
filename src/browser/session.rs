//! One upload under way: passes events to the engine, and executes the engine's actions in the browser.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;

use gloo_timers::callback::Timeout;
use js_sys::{Function, Promise};
use serde::Serialize;
use wasm_bindgen::JsValue;
use web_sys::{Blob, XmlHttpRequest};

use super::api::Api;
use super::convert::{UploadOptions, error_to_js, to_js};
use super::dispatcher::Dispatcher;
use super::global::{now, sleep, spawn};
use super::hash::checksum;
use super::put;
use super::read::{is_readable, slice};
use crate::engine::{Action, ApiCall, Demand, Engine, Event, Failure, Now, Put, PutId, Uploaded};
use crate::plan::Part;
use crate::protocol::{CreateUpload, ErrorCode, PartNumber};
use crate::queue::UploadId;

/// A PUT under way.
struct PutUnderWay {
    id: PutId,
    part: Part,
    lane: u32,
    /// Start of the PUT, in milliseconds of [`Now::ms`].
    started_ms: u64,
    /// Request of the PUT; `None` if the request could not be opened.
    request: Option<XmlHttpRequest>,
}

/// An upload from its start to its end. The hub drops the session when the upload has ended.
pub struct Session {
    id: UploadId,
    dispatcher: Rc<Dispatcher>,
    file: Blob,
    api: Api,
    on_progress: Option<Function>,
    on_retry: Option<Function>,
    on_record: Option<Function>,
    on_step: Option<Function>,
    settle: RefCell<Option<(Function, Function)>>,
    engine: RefCell<Engine>,
    /// Request that opens the upload, while it waits to be sent in a batch with other files.
    opening: RefCell<Option<CreateUpload>>,
    puts: RefCell<Vec<PutUnderWay>>,
    timer: RefCell<Option<Timeout>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The engine holds presigned URLs and the token.
        formatter.debug_struct("Session").field("id", &self.id).finish_non_exhaustive()
    }
}

impl Session {
    /// Creates an upload that waits in its hub. The promise settles when the upload ends.
    pub fn new(
        id: UploadId,
        dispatcher: &Rc<Dispatcher>,
        api: Api,
        engine: Engine,
        file: Blob,
        options: UploadOptions,
    ) -> (Rc<Self>, Promise) {
        let mut settle = None;
        let promise = Promise::new(&mut |resolve, reject| settle = Some((resolve, reject)));
        let session = Rc::new(Self {
            id,
            dispatcher: Rc::clone(dispatcher),
            file,
            api,
            on_progress: options.on_progress,
            on_retry: options.on_retry,
            on_record: options.on_record,
            on_step: options.on_step,
            settle: RefCell::new(settle),
            engine: RefCell::new(engine),
            opening: RefCell::default(),
            puts: RefCell::default(),
            timer: RefCell::default(),
        });
        (session, promise)
    }

    /// Returns the id in the hub.
    pub fn id(&self) -> UploadId {
        self.id
    }

    /// Returns the connections that the upload uses and could use.
    pub fn demand(&self, now: Now) -> Demand {
        self.engine.borrow().demand(now)
    }

    /// Passes an event to the engine, and executes its actions.
    #[inline(never)]
    pub fn handle(self: &Rc<Self>, event: Event) {
        match &event {
            Event::Created(created) => self.dispatcher.change(|rules| rules.learn_server(created)),
            Event::Listed(listed) => listed.parts.iter().for_each(|part| self.report_part(part.number, "stored")),
            _ => {}
        }
        let has_failed = matches!(event, Event::PutFailed { .. });
        let ended = match &event {
            Event::PutDone { put, .. } | Event::PutFailed { put, .. } => self.take_put(*put),
            _ => None,
        };
        self.engine.borrow_mut().handle(now(), event);
        loop {
            let action = self.engine.borrow_mut().poll();
            let Some(action) = action else { break };
            self.perform(action);
        }
        ended.inspect(|put| self.put_ended(put, has_failed));
    }

    /// Returns whether the upload has ended.
    pub fn is_finished(&self) -> bool {
        self.engine.borrow().is_finished()
    }

    /// Queues an event. The event is handled in a later task.
    pub fn send(&self, event: Event) {
        self.dispatcher.change(|rules| rules.send(self.id, event));
    }

    /// Runs a call, and passes its outcome to the engine.
    fn spawn(self: &Rc<Self>, call: impl Future<Output = Event> + 'static) {
        self.spawn_boxed(Box::pin(call));
    }

    /// Runs a call as [`Self::spawn`] does. All calls have the same type of future, so that the module contains only
    /// one copy of the code that runs them.
    fn spawn_boxed(self: &Rc<Self>, call: Pin<Box<dyn Future<Output = Event>>>) {
        let session = Rc::clone(self);
        spawn(async move { session.send(call.await) });
    }

    #[inline(never)]
    fn perform(self: &Rc<Self>, action: Action) {
        match action {
            Action::Call(ApiCall::Create(request)) => {
                if self.dispatcher.change(|rules| rules.open(self.id, request.size.bytes())) {
                    *self.opening.borrow_mut() = Some(request);
                } else {
                    self.call(ApiCall::Create(request));
                }
            }
            Action::Call(call) => self.call(call),
            Action::HashPart { part, after_ms } => self.hash(part, after_ms),
            Action::RefreshCredentials => {
                let api = self.api.clone();
                self.spawn(async move {
                    match api.refresh_credentials().await {
                        Ok(()) => Event::CredentialsRefreshed,
                        Err(failure) => Event::CredentialsFailed(failure),
                    }
                });
            }
            Action::Put(put) => self.put(put),
            Action::CancelPut(id) => {
                let Some(put) = self.take_put(id) else { return };
                // The browser fires `loadend` at once. The engine ignores the stale event that results.
                put.request.as_ref().inspect(|request| drop(request.abort()));
                self.put_ended(&put, false);
            }
            Action::Report(progress) => call(self.on_progress.as_ref(), &progress),
            Action::Retry(retry) => call(self.on_retry.as_ref(), &retry),
            Action::Rest { wait_ms } => self.dispatcher.change(|rules| rules.rest(now(), self.id, wait_ms)),
            Action::Stalled { lane } => self.dispatcher.change(|rules| rules.stalled(lane)),
            Action::Persist(record) => call(self.on_record.as_ref(), &record),
            Action::Forget => call(self.on_record.as_ref(), &()),
            Action::WakeAt(ms) => self.wake_at(ms),
            Action::Finished(outcome) => self.finish(outcome),
        }
    }

    fn call(self: &Rc<Self>, call: ApiCall) {
        self.spawn(self.api.clone().run(call));
    }

    /// Takes the request that opens the upload in a batch. Returns it for this lane as a JavaScript object; `undefined`
    /// if there is none.
    pub fn take_opening(&self, lane: u32) -> JsValue {
        self.opening.take().map_or(JsValue::UNDEFINED, |request| to_js(&CreateUpload { lane, ..request }))
    }

    /// Returns the API, which all uploads of a hub share.
    pub fn api(&self) -> &Api {
        &self.api
    }

    fn take_put(&self, id: PutId) -> Option<PutUnderWay> {
        let mut puts = self.puts.borrow_mut();
        let at = puts.iter().position(|put| put.id == id)?;
        Some(puts.swap_remove(at))
    }

    /// Returns whether a PUT was neither cancelled nor answered.
    fn is_under_way(&self, id: PutId) -> bool {
        self.puts.borrow().iter().any(|put| put.id == id)
    }

    fn report_part(&self, number: PartNumber, state: &'static str) {
        let Some(on_step) = &self.on_step else { return };
        // This callback is part of the package and does not throw.
        let _ = on_step.call2(&JsValue::UNDEFINED, &number.get().into(), &state.into());
    }

    /// Returns the blob of a part. A file of one part is not sliced: browsers send a whole file directly from disk, but
    /// another process reads a slice. Slices take Chromium three times the work.
    fn slice(&self, part: Part) -> Result<Blob, Failure> {
        let range = part.range();
        if range.start == 0 && range.end as f64 == self.file.size() {
            return Ok(self.file.clone());
        }
        slice(&self.file, range.start as f64, range.end as f64)
    }

    fn hash(self: &Rc<Self>, part: Part, after_ms: u32) {
        let slice = self.slice(part);
        let algorithm = self.engine.borrow().algorithm();
        self.report_part(part.number, "hashing");
        let session = Rc::clone(self);
        self.spawn(async move {
            if after_ms > 0 {
                drop(sleep(after_ms).await);
            }
            let hashed = match slice {
                Ok(slice) => checksum(&slice, algorithm).await,
                Err(failure) => Err(failure),
            };
            match hashed {
                Ok(checksum) => {
                    session.report_part(part.number, "hashed");
                    Event::PartHashed { part, checksum }
                }
                Err(failure) => Event::HashFailed { part, failure },
            }
        });
    }

    /// Reports the state of a part after its PUT. Must come after the engine has handled the outcome.
    fn put_ended(&self, put: &PutUnderWay, has_failed: bool) {
        let Part { number, length, .. } = put.part;
        if self.engine.borrow().is_stored(number) {
            self.dispatcher.change(|rules| rules.confirmed(now(), put.lane, length, put.started_ms));
            self.report_part(number, "stored");
        } else {
            if has_failed {
                self.dispatcher.change(|rules| rules.failed(put.lane));
            }
            self.report_part(number, "hashed");
        }
    }

    fn put(self: &Rc<Self>, put: Put) {
        let (id, number, lane) = (put.id, put.part.number, put.lane);
        let opened = put::open(&put.url, &put.headers).and_then(|request| Ok((request, self.slice(put.part)?)));
        let request = opened.as_ref().ok().map(|(request, _)| request.clone());
        // Must come before the first await: the engine may cancel the PUT before the future is polled.
        self.puts.borrow_mut().push(PutUnderWay { id, part: put.part, lane, started_ms: now().ms, request });
        let session = Rc::clone(self);
        spawn(async move {
            let outcome = match opened {
                // The PUT was cancelled meanwhile. `abort` has no effect on a request that was not sent yet.
                Ok(_) if !session.is_under_way(id) => Err(ErrorCode::Aborted.into()),
                Ok((request, slice)) => {
                    session.report_part(number, "sending");
                    let watching = Rc::clone(&session);
                    let on_progress = move |sent_bytes| watching.send(Event::PutProgress { put: id, sent_bytes });
                    match put::send(&request, &slice, put.checksum_header(), on_progress).await {
                        // The browser also reports a network error if it can no longer read the file.
                        Err(failure)
                            if failure.status == 0 && session.is_under_way(id) && !is_readable(&slice).await =>
                        {
                            Err(ErrorCode::FileChanged.into())
                        }
                        outcome => outcome,
                    }
                }
                Err(failure) => Err(failure),
            };
            let event = match outcome {
                Ok(answer) => Event::PutDone { put: id, answer },
                Err(failure) => Event::PutFailed { put: id, failure },
            };
            session.send(event);
        });
    }

    fn wake_at(self: &Rc<Self>, ms: u64) {
        let wait_ms = ms.saturating_sub(now().ms).min(i32::MAX as u64) as u32;
        let session = Rc::clone(self);
        let timer = Timeout::new(wait_ms, move || session.send(Event::Tick));
        *self.timer.borrow_mut() = Some(timer);
    }

    fn finish(&self, outcome: Result<Uploaded, Failure>) {
        // The timer contains the session. Dropping the timer breaks the reference cycle.
        self.timer.take();
        if let Some((resolve, reject)) = self.settle.take() {
            let settled = match outcome {
                Ok(uploaded) => resolve.call1(&JsValue::UNDEFINED, &to_js(&uploaded)),
                Err(failure) => reject.call1(&JsValue::UNDEFINED, &error_to_js(&failure)),
            };
            debug_assert!(settled.is_ok(), "the functions of a promise don't throw");
        }
    }
}

/// Calls the user's function. Its exceptions are rethrown to the page, and do not fail the upload.
fn call(function: Option<&Function>, value: &impl Serialize) {
    function.inspect(|function| call_with(function, &to_js(value)));
}

fn call_with(function: &Function, value: &JsValue) {
    if let Err(error) = function.call1(&JsValue::UNDEFINED, value) {
        spawn(async move { wasm_bindgen::throw_val(error) });
    }
}
