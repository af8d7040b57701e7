//! What becomes of requests on their way: lost, late, refused, answered, or answered in vain.

use directput::checksum::Sha256Digest;
use directput::engine::{CALL_TIMEOUT_MS, Call, Event, Failure, Put, PutAnswer, PutId};
use directput::protocol::{CompleteUpload, CreateUpload, ErrorCode, PartNumber, SignParts};

use crate::storage::Stored;
use crate::world::{What, World};

/// What had arrived when a PUT was cut off may still be stored, but no later than this, in milliseconds.
const LATE_MS: u64 = 600;

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
}

/// What the browser can read of S3's answer.
pub fn answer((etag, checksum): Stored) -> PutAnswer {
    PutAnswer { status: 200, etag: Some(etag), checksum, media_type: None, is_empty: true }
}

impl World {
    fn reply(&mut self, session: u32, ms: u64, event: Event) {
        self.after(ms, What::ToEngine { session, event: Box::new(event) });
    }

    /// No answer comes: the connection breaks, or the driver's time-out ends the wait.
    fn call_is_lost(&mut self, session: u32, call: Call) {
        let (ms, code) = match self.rng.bool() {
            true => (self.rng.u64(1..5_000), ErrorCode::Network),
            false => (CALL_TIMEOUT_MS.into(), ErrorCode::Timeout),
        };
        self.reply(session, ms, Event::CallFailed { call, failure: code.into() });
    }

    pub fn call(&mut self, session: u32, call: Request) {
        if self.happens(self.scenario.odds.lost_request) {
            return self.call_is_lost(session, call.call());
        }
        let ms = self.half_trip();
        self.after(ms, What::CallArrives { session, call });
    }

    pub fn serve(&mut self, session: u32, request: Request) {
        let call = request.call();
        let odds = self.scenario.odds;
        if self.is_dead() {
            return self.call_is_lost(session, call);
        }
        if self.happens(odds.unauthorized)
            && let Some(tab) = &mut self.session
        {
            tab.is_stale = true;
        }
        let refusal = if self.session.as_ref().is_some_and(|tab| tab.is_stale && tab.number == session) {
            Some(Failure { status: 401, ..ErrorCode::Unauthorized.into() })
        } else if self.happens(odds.busy) {
            let retry_after_ms = Some(self.rng.u64(0..8_000)).filter(|ms| ms % 2 == 0);
            Some(Failure { status: 429, retry_after_ms, ..ErrorCode::TooManyRequests.into() })
        } else if self.happens(odds.error) {
            Some(Failure { status: 500, ..ErrorCode::Internal.into() })
        } else {
            None
        };
        if let Some(failure) = refusal {
            let ms = self.half_trip();
            return self.reply(session, ms, Event::CallFailed { call, failure });
        }
        let now_ms = self.now_ms;
        let outcome = match request {
            Request::Create(request) => Ok(Event::Created(self.storage.create(now_ms, &request))),
            Request::List(token, after) => self.storage.list(&token, after).map(Event::Listed),
            Request::Sign(token, request) => self.storage.sign(now_ms, &token, &request).map(Event::Signed),
            Request::Complete(token, request) => self.storage.complete(&token, &request).map(Event::Completed),
            Request::Abort(token) => self.storage.abort(&token).map(|()| Event::Aborted),
        };
        if self.happens(odds.lost_answer) {
            return self.call_is_lost(session, call);
        }
        let ms = self.half_trip();
        self.reply(session, ms, outcome.unwrap_or_else(|failure| Event::CallFailed { call, failure }));
    }

    fn put_fails(&mut self, session: u32, ms: u64, put: PutId, failure: Failure) {
        self.reply(session, ms, Event::PutFailed { put, failure });
    }

    pub fn begin_put(&mut self, session: u32, put: Put) {
        let odds = self.scenario.odds;
        let id = put.id;
        if self.is_dead() || self.happens(odds.lost_request) {
            // Half of them break, half of them hang.
            if self.rng.bool() {
                let ms = self.rng.u64(1..3_000);
                self.put_fails(session, ms, id, ErrorCode::Network.into());
            }
            return;
        }
        if self.session.as_ref().is_some_and(|tab| tab.number == session && tab.file_is_unreadable) {
            return self.put_fails(session, 1, id, ErrorCode::FileChanged.into());
        }
        let refusal = if self.happens(odds.denied) {
            Some((403, "AccessDenied"))
        } else if self.happens(odds.busy) {
            Some((503, "SlowDown"))
        } else if self.happens(odds.error) {
            Some((500, "InternalError"))
        } else {
            None
        };
        let checked = match refusal {
            Some((status, code)) => {
                Err(Failure { status, storage_code: Some(code.to_owned()), ..ErrorCode::StorageRefused.into() })
            }
            None => self.storage.check(self.now_ms, &put.url),
        };
        if let Err(failure) = checked {
            let ms = self.half_trip();
            return self.put_fails(session, ms, id, failure);
        }
        let others = self.checks.live_puts().len().max(1) as u64;
        let ms = put.part.length * 1_000 * others / self.scenario.bytes_per_second;
        let stalls = self.happens(odds.stall);
        for third in 1..=if stalls { 1 } else { 3 } {
            let sent_bytes = put.part.length * third / 3;
            self.reply(session, ms * third / 3, Event::PutProgress { put: id, sent_bytes });
        }
        if !stalls {
            let is_corrupted = self.happens(odds.corruption);
            let content = if is_corrupted { Sha256Digest::of(b"something else") } else { self.disk.digest(put.part) };
            self.after(ms + 1, What::PutEnds { session, put, content });
        }
    }

    pub fn end_put(&mut self, session: u32, put: Put, content: Sha256Digest) {
        let id = put.id;
        if let Some(&at_ms) = self.cut_off.get(&(session, id)) {
            if self.now_ms - at_ms <= LATE_MS && self.rng.bool() {
                self.storage.put_late(&put.url, content);
            }
            return;
        }
        if self.is_dead() {
            return self.put_fails(session, 100, id, ErrorCode::Network.into());
        }
        let outcome = self.storage.put(&put.url, content);
        if self.happens(self.scenario.odds.lost_answer) {
            // It breaks, or S3 is never heard of again.
            if self.rng.bool() {
                self.put_fails(session, 100, id, ErrorCode::Network.into());
            }
            return;
        }
        let ms = self.half_trip();
        let event = match outcome {
            Ok(stored) => Event::PutDone { put: id, answer: answer(stored) },
            Err(failure) => Event::PutFailed { put: id, failure },
        };
        self.reply(session, ms, event);
    }
}
