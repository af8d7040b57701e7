//! Calls of the API: what each asks for, and whether it is at rest, under way or waiting for its next attempt.

use serde::Serialize;

use super::event::Now;
use crate::protocol::{CompleteUpload, CreateUpload, PartNumber, SignParts};

/// Every call of the API must have its answer, or [`super::Event::CallFailed`], after so long, in milliseconds.
/// API Gateway gives up after 30 s (HTTP API quotas), so no answer comes later.
pub const CALL_TIMEOUT_MS: u32 = 35_000;

/// The API calls, of which each kind has at most one under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `POST /uploads`.
    Create,
    /// `GET /uploads/parts`.
    List,
    /// `POST /uploads/parts`.
    Sign,
    /// `POST /uploads/complete`.
    Complete,
    /// `DELETE /uploads`.
    Abort,
}

impl Call {
    /// The HTTP status of the documented answer (`docs/openapi.yaml`). An answer with any other status below 400 is
    /// [`ErrorCode::UnexpectedAnswer`](crate::protocol::ErrorCode::UnexpectedAnswer).
    pub fn success_status(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::List | Self::Sign | Self::Complete => 200,
            Self::Abort => 204,
        }
    }
}

/// A call to make.
#[derive(Debug, Clone)]
pub enum ApiCall {
    /// Opens the upload; answered by [`super::Event::Created`].
    Create(CreateUpload),
    /// Asks which parts S3 holds; answered by [`super::Event::Listed`].
    List {
        /// The upload token.
        token: String,
        /// List the parts behind this one.
        after: Option<PartNumber>,
    },
    /// Asks for URLs; answered by [`super::Event::Signed`].
    Sign {
        /// The upload token.
        token: String,
        /// The body.
        request: SignParts,
    },
    /// Joins the parts; answered by [`super::Event::Completed`].
    Complete {
        /// The upload token.
        token: String,
        /// The body.
        request: CompleteUpload,
    },
    /// Removes what was sent; answered by [`super::Event::Aborted`].
    Abort {
        /// The upload token.
        token: String,
    },
}

/// A call as an HTTP request (`docs/openapi.yaml`).
#[derive(Debug)]
pub struct HttpRequest<'a> {
    /// The HTTP method.
    pub method: &'static str,
    /// What follows the address of the API, query included.
    pub path: String,
    /// The value of the header [`TOKEN_HEADER`](crate::protocol::TOKEN_HEADER). A secret: not to be logged.
    pub token: Option<&'a str>,
    /// The body, to be sent as JSON.
    pub body: Option<Body<'a>>,
}

/// The body of a call.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Body<'a> {
    /// Of [`ApiCall::Create`].
    Create(&'a CreateUpload),
    /// Of [`ApiCall::Sign`].
    Sign(&'a SignParts),
    /// Of [`ApiCall::Complete`].
    Complete(&'a CompleteUpload),
}

impl ApiCall {
    /// Its kind.
    pub fn kind(&self) -> Call {
        match self {
            Self::Create(_) => Call::Create,
            Self::List { .. } => Call::List,
            Self::Sign { .. } => Call::Sign,
            Self::Complete { .. } => Call::Complete,
            Self::Abort { .. } => Call::Abort,
        }
    }

    /// The request that makes it.
    pub fn http(&self) -> HttpRequest<'_> {
        let (method, path, token, body) = match self {
            Self::Create(request) => ("POST", "", None, Some(Body::Create(request))),
            Self::List { token, .. } => ("GET", "/parts", Some(token), None),
            Self::Sign { token, request } => ("POST", "/parts", Some(token), Some(Body::Sign(request))),
            Self::Complete { token, request } => ("POST", "/complete", Some(token), Some(Body::Complete(request))),
            Self::Abort { token } => ("DELETE", "", Some(token), None),
        };
        let mut path = path.to_owned();
        if let Self::List { after: Some(part), .. } = self {
            path.push_str("?after=");
            path.push_str(itoa::Buffer::new().format(part.get()));
        }
        HttpRequest { method, path, token: token.map(String::as_str), body }
    }
}

/// The calls of one upload, each at rest or not.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    pub create: CallState,
    pub list: CallState,
    pub sign: CallState,
    pub complete: CallState,
    pub abort: CallState,

    // What answers that were lost or came late mean
    /// The signing call under way is for an upload that was given up since.
    pub sign_is_stale: bool,
    /// An answer to a completion may have been lost, so S3 may have joined the parts already.
    pub may_be_complete: bool,
    /// The removal is answered, and the completion is sent once more to learn whether it came too late.
    pub asks_outcome: bool,
    /// PUTs ended without an answer, and S3 may still store what it had received of them: the removal is repeated (S3
    /// API Reference, "AbortMultipartUpload").
    pub abort_again: bool,

    // Credentials
    /// Fresh credentials were asked for since the API last accepted some.
    pub has_refreshed: bool,
    pub is_refreshing: bool,

    /// Duration of the last call that was answered, in milliseconds.
    pub turnaround_ms: u64,
}

impl Calls {
    /// The state of a kind of call.
    pub fn of(&mut self, call: Call) -> &mut CallState {
        match call {
            Call::Create => &mut self.create,
            Call::List => &mut self.list,
            Call::Sign => &mut self.sign,
            Call::Complete => &mut self.complete,
            Call::Abort => &mut self.abort,
        }
    }

    /// The states of all kinds.
    pub fn all(&mut self) -> [&mut CallState; 5] {
        [&mut self.create, &mut self.list, &mut self.sign, &mut self.complete, &mut self.abort]
    }
}

/// One kind of API call: at rest, under way, or waiting for its next attempt.
#[derive(Debug, Clone, Default)]
pub(super) struct CallState {
    failures: u32,
    step: Step,
    started_ms: u64,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Step {
    #[default]
    AtRest,
    UnderWay,
    Waiting {
        until_ms: u64,
        /// Until when it must not be made, whatever happens.
        not_before_ms: u64,
    },
    NeedsCredentials,
}

impl CallState {
    /// Whether it waits for fresh credentials.
    pub fn is_waiting_for_credentials(&self) -> bool {
        self.step == Step::NeedsCredentials
    }

    /// Whether an answer is still to come.
    pub fn is_under_way(&self) -> bool {
        self.step == Step::UnderWay
    }

    /// Whether the call may be made now.
    pub fn may_start(&self, now: Now) -> bool {
        match self.step {
            Step::AtRest => true,
            Step::UnderWay | Step::NeedsCredentials => false,
            Step::Waiting { until_ms, .. } => until_ms <= now.ms,
        }
    }

    /// When its wait ends, if it waits.
    pub fn wakes_at(&self) -> Option<u64> {
        match self.step {
            Step::Waiting { until_ms, .. } => Some(until_ms),
            _ => None,
        }
    }

    /// It is made.
    pub fn start(&mut self, now: Now) {
        self.step = Step::UnderWay;
        self.started_ms = now.ms;
    }

    /// When it was made: what the answer calls "from now" has begun no earlier, in milliseconds.
    pub fn started_ms(&self) -> u64 {
        self.started_ms
    }

    /// It was answered, or nobody wants the answer any more.
    pub fn settle(&mut self) {
        *self = Self::default();
    }

    /// It has failed; says how often in a row.
    pub fn fail(&mut self) -> u32 {
        self.failures += 1;
        self.step = Step::AtRest;
        self.failures
    }

    /// It has failed for a reason that doesn't count.
    pub fn fail_uncounted(&mut self) {
        self.step = Step::AtRest;
    }

    /// It is made again at `until_ms`. [`Self::hurry`] makes the wait shorter, but not below `not_before_ms`.
    pub fn wait_until(&mut self, until_ms: u64, not_before_ms: u64) {
        self.step = Step::Waiting { until_ms, not_before_ms };
    }

    /// It is made again as soon as the server allows: what it waited for has come.
    pub fn hurry(&mut self) {
        if let Step::Waiting { until_ms, not_before_ms } = &mut self.step {
            *until_ms = (*not_before_ms).min(*until_ms);
        }
    }

    /// It is made again when there are fresh credentials.
    pub fn wait_for_credentials(&mut self) {
        self.step = Step::NeedsCredentials;
    }

    /// Fresh credentials have come, or never will.
    pub fn take_credentials(&mut self) {
        if self.is_waiting_for_credentials() {
            self.step = Step::AtRest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_waits_for_its_time_or_for_credentials() {
        let now = Now { ms: 1_000, random: 1 << 31 };
        let mut call = CallState::default();
        call.start(now);
        assert!(!call.may_start(now));
        assert_eq!(call.fail(), 1);
        call.wait_until(1_250, 0);
        assert!(!call.may_start(now) && call.may_start(Now { ms: 1_250, ..now }));
        call.wait_for_credentials();
        assert!(!call.may_start(Now { ms: 1 << 40, ..now }));
        call.take_credentials();
        assert!(call.may_start(now));
    }
}
