//! Outcomes of API calls. A call may be lost, refused, answered in time or answered too late. A portal or a proxy may
//! also answer instead of the API.

use directput::engine::{CALL_TIMEOUT_MS, Call, Event, Failure};
use directput::protocol::{CompleteUpload, CreateUpload, ErrorCode, PartNumber, SignParts, code_of_refusal};

use crate::storage::{Storage, api_refusal};
use crate::world::{What, World};

/// A call of the API.
pub enum Request {
    Create(CreateUpload),
    List(String, Option<PartNumber>),
    Sign(String, SignParts),
    Complete(String, CompleteUpload),
    Abort(String),
}

impl Request {
    fn call(&self) -> Call {
        match self {
            Self::Create(_) => Call::Create,
            Self::List(..) => Call::List,
            Self::Sign(..) => Call::Sign,
            Self::Complete(..) => Call::Complete,
            Self::Abort(_) => Call::Abort,
        }
    }

    /// Returns the API's answer.
    pub fn serve(self, storage: &mut Storage, now_ms: u64) -> Event {
        let call = self.call();
        let outcome = match self {
            Self::Create(request) => Ok(Event::Created(storage.create(now_ms, &request))),
            Self::List(token, after) => storage.list(&token, after).map(Event::Listed),
            Self::Sign(token, request) => storage.sign(now_ms, &token, &request).map(Event::Signed),
            Self::Complete(token, request) => storage.complete(&token, &request).map(Event::Completed),
            Self::Abort(token) => storage.abort(&token).map(|()| Event::Aborted),
        };
        outcome.unwrap_or_else(|failure| Event::CallFailed { call, failure })
    }
}

/// Returns a refusal that does not come from the API.
fn alien(status: u16, media_type: &str) -> Failure {
    let code = code_of_refusal(status, Some(media_type));
    Failure { status, ..code.into() }
}

impl World {
    /// Lets a call end without an answer: the connection breaks, or the driver's timeout expires.
    fn call_is_lost(&mut self, run: u32, call: Call) {
        let (ms, code) = match self.rng.bool() {
            true => (self.rng.u64(1..5_000), ErrorCode::Network),
            false => (CALL_TIMEOUT_MS.into(), ErrorCode::Timeout),
        };
        self.reply(run, ms, Event::CallFailed { call, failure: code.into() });
    }

    fn call_fails(&mut self, run: u32, call: Call, failure: Failure) {
        let ms = self.half_trip();
        self.reply(run, ms, Event::CallFailed { call, failure });
    }

    pub fn call(&mut self, run: u32, call: Request) {
        let odds = self.scenario.odds;
        if self.happens(odds.late_headers) {
            self.saw("call without credentials");
            let failure = ErrorCode::HeadersTimeout.into();
            return self.reply(run, 30_000, Event::CallFailed { call: call.call(), failure });
        }
        if self.happens(odds.lost_request) {
            return self.call_is_lost(run, call.call());
        }
        let ms = self.half_trip();
        self.after(ms, What::CallArrives { run, call });
    }

    pub fn serve(&mut self, run: u32, request: Request) {
        let call = request.call();
        let odds = self.scenario.odds;
        if self.is_dead() {
            return self.call_is_lost(run, call);
        }
        if let Some(failure) = self.refuse_call(run, call) {
            return self.call_fails(run, call, failure);
        }
        let event = request.serve(&mut self.storage, self.now_ms);
        self.saw_answer(&event);
        if self.happens(odds.lost_answer) {
            return self.call_is_lost(run, call);
        }
        if self.happens(odds.gateway) {
            let status = if self.rng.bool() { 502 } else { 504 };
            self.saw("gateway's error after a call was processed");
            return self.call_fails(run, call, alien(status, "application/json"));
        }
        if self.happens(odds.portal) {
            self.saw("unreadable answer to a call");
            let failure = self.portal_failure();
            return self.call_fails(run, call, failure);
        }
        let event = match event {
            Event::Completed(mut reply) if self.happens(odds.foreign) => {
                self.saw("completion of another upload");
                reply.key = "uploads/another".to_owned();
                Event::Completed(reply)
            }
            event => event,
        };
        let ms = self.half_trip();
        self.reply(run, ms, event);
    }

    fn saw_answer(&mut self, event: &Event) {
        if let Event::CallFailed { call: Call::Complete, failure } = event {
            match failure.code {
                ErrorCode::AlreadyComplete => self.saw("already-complete"),
                ErrorCode::UploadGone => self.saw("completion that the storage has forgotten"),
                _ => {}
            }
        }
    }

    /// Returns the refusal of a call before it is processed, or `None`.
    fn refuse_call(&mut self, run: u32, call: Call) -> Option<Failure> {
        let odds = self.scenario.odds;
        let becomes_stale = self.happens(odds.unauthorized);
        if self.run_of(run).is_some()
            && let Some(tab) = &mut self.tab
        {
            tab.is_stale |= becomes_stale;
            if tab.is_stale {
                return Some(api_refusal(ErrorCode::Unauthorized));
            }
        }
        if self.happens(odds.busy) {
            return Some(Failure { retry_after_ms: self.retry_after(), ..api_refusal(ErrorCode::TooManyRequests) });
        }
        if self.happens(odds.error) {
            return Some(api_refusal(ErrorCode::Internal));
        }
        if self.happens(odds.portal) {
            return Some(self.portal_failure());
        }
        if call != Call::Create && self.happens(odds.other_user) {
            let code = if self.rng.bool() { ErrorCode::NotYourUpload } else { ErrorCode::TokenInvalid };
            return Some(api_refusal(code));
        }
        None
    }

    /// Returns an answer that does not come from the API: a page, a redirect to one, or an unexpected body.
    fn portal_failure(&mut self) -> Failure {
        match self.rng.u8(0..4) {
            0 => ErrorCode::UnexpectedAnswer.into(),
            1 => Failure::unexpected(200, Some("text/html")),
            2 => Failure::unexpected(200, Some("application/json")),
            _ => alien([403, 404, 407, 413, 511][self.rng.usize(0..5)], "text/html"),
        }
    }
}
