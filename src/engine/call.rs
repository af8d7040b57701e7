//! API calls: the HTTP request of each call, and whether the call is idle, in flight or waiting for its next attempt.

use serde::Serialize;

use super::event::Now;
use crate::protocol::{CompleteUpload, CreateUpload, PartNumber, SignParts};

/// Timeout of every API call, in milliseconds. Within this time, the driver must send the answer or
/// [`Event::CallFailed`](super::Event::CallFailed). API Gateway gives up after 30 s (HTTP API quotas), so no answer
/// comes later.
pub const CALL_TIMEOUT_MS: u32 = 35_000;

/// Path of the call that opens several uploads, below the address of the API. The call is a POST with a
/// [`CreateUploads`](crate::protocol::CreateUploads) as its body.
pub const BATCH_PATH: &str = "/batch";

/// Kind of API call. At most one call of each kind is in flight.
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
    /// Returns the HTTP status of a successful answer (`docs/openapi.yaml`). Any other status below 400 is
    /// [`ErrorCode::UnexpectedAnswer`](crate::protocol::ErrorCode::UnexpectedAnswer).
    pub fn success_status(self) -> u16 {
        match self {
            Self::Create => 201,
            Self::List | Self::Sign | Self::Complete => 200,
            Self::Abort => 204,
        }
    }
}

/// An API call to make.
#[derive(Debug, Clone)]
pub enum ApiCall {
    /// Opens the upload; answered by [`Event::Created`](super::Event::Created).
    Create(CreateUpload),
    /// Asks which parts S3 holds; answered by [`Event::Listed`](super::Event::Listed).
    List {
        /// The upload token.
        token: String,
        /// The list starts after this part; `None` starts it at the first part.
        after: Option<PartNumber>,
    },
    /// Asks for URLs; answered by [`Event::Signed`](super::Event::Signed).
    Sign {
        /// The upload token.
        token: String,
        /// The body.
        request: SignParts,
    },
    /// Joins the parts; answered by [`Event::Completed`](super::Event::Completed).
    Complete {
        /// The upload token.
        token: String,
        /// The body.
        request: CompleteUpload,
    },
    /// Removes what was sent; answered by [`Event::Aborted`](super::Event::Aborted).
    Abort {
        /// The upload token.
        token: String,
    },
}

/// An API call as an HTTP request (`docs/openapi.yaml`).
#[derive(Debug)]
pub struct HttpRequest<'a> {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query below the address of the API, such as `/parts?after=3`; may be empty.
    pub path: String,
    /// Value of the header [`TOKEN_HEADER`](crate::protocol::TOKEN_HEADER). A secret: never log it.
    pub token: Option<&'a str>,
    /// Body, to be sent as JSON.
    pub body: Option<Body<'a>>,
}

/// Body of an API call.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Body<'a> {
    /// Body of [`ApiCall::Create`].
    Create(&'a CreateUpload),
    /// Body of [`ApiCall::Sign`].
    Sign(&'a SignParts),
    /// Body of [`ApiCall::Complete`].
    Complete(&'a CompleteUpload),
}

impl ApiCall {
    /// Returns the kind of the call.
    pub fn kind(&self) -> Call {
        match self {
            Self::Create(_) => Call::Create,
            Self::List { .. } => Call::List,
            Self::Sign { .. } => Call::Sign,
            Self::Complete { .. } => Call::Complete,
            Self::Abort { .. } => Call::Abort,
        }
    }

    /// Returns the HTTP request of the call.
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

/// State of the API calls of one upload.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    pub create: CallState,
    pub list: CallState,
    pub sign: CallState,
    pub complete: CallState,
    pub abort: CallState,

    // Lost and stale answers
    /// Whether the signing call in flight is for an upload id that has been given up.
    pub sign_is_stale: bool,
    /// Whether S3 may have joined the parts although no answer has confirmed this.
    pub may_be_complete: bool,
    /// Whether the completion is repeated after the removal, to learn whether S3 had joined the parts before.
    pub is_checking_completion: bool,
    /// Whether the removal must be repeated, because S3 may still store parts of PUTs that ended without an answer (S3
    /// API Reference, "AbortMultipartUpload").
    pub abort_again: bool,

    // Credentials
    /// Whether fresh credentials were requested since the API last accepted a call.
    pub has_refreshed: bool,
    pub is_refreshing: bool,

    /// Duration of the last answered call, in milliseconds.
    pub turnaround_ms: u64,
}

impl Calls {
    /// Returns the state of a kind of call.
    pub fn of(&mut self, call: Call) -> &mut CallState {
        match call {
            Call::Create => &mut self.create,
            Call::List => &mut self.list,
            Call::Sign => &mut self.sign,
            Call::Complete => &mut self.complete,
            Call::Abort => &mut self.abort,
        }
    }

    /// Returns the states of all kinds of calls.
    pub fn all(&mut self) -> [&mut CallState; 5] {
        [&mut self.create, &mut self.list, &mut self.sign, &mut self.complete, &mut self.abort]
    }
}

/// State of one kind of API call: idle, in flight, or waiting for its next attempt.
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
        /// Earliest time that the server allows for the next attempt, in milliseconds of [`Now::ms`].
        not_before_ms: u64,
    },
    NeedsCredentials,
}

impl CallState {
    /// Returns whether the call waits for fresh credentials.
    pub fn is_waiting_for_credentials(&self) -> bool {
        self.step == Step::NeedsCredentials
    }

    /// Returns whether the call is in flight.
    pub fn is_under_way(&self) -> bool {
        self.step == Step::UnderWay
    }

    /// Returns whether the call may be made now.
    pub fn may_start(&self, now: Now) -> bool {
        match self.step {
            Step::AtRest => true,
            Step::UnderWay | Step::NeedsCredentials => false,
            Step::Waiting { until_ms, .. } => until_ms <= now.ms,
        }
    }

    /// Returns when the wait for the next attempt ends, in milliseconds of [`Now::ms`]; `None` without a wait.
    pub fn wakes_at(&self) -> Option<u64> {
        match self.step {
            Step::Waiting { until_ms, .. } => Some(until_ms),
            _ => None,
        }
    }

    /// Records that the call is made.
    pub fn start(&mut self, now: Now) {
        self.step = Step::UnderWay;
        self.started_ms = now.ms;
    }

    /// Records that the call is sent now, after it has waited for its batch.
    pub fn sent(&mut self, now: Now) {
        if self.is_under_way() {
            self.started_ms = now.ms;
        }
    }

    /// Returns when the call was made, in milliseconds of [`Now::ms`]. Lifetimes in the answer are counted from this
    /// time, because the server cannot have started them earlier.
    pub fn started_ms(&self) -> u64 {
        self.started_ms
    }

    /// Resets the call, after its answer or when its answer has become stale.
    pub fn settle(&mut self) {
        *self = Self::default();
    }

    /// Counts a failure. Returns the number of failures in a row.
    pub fn fail(&mut self) -> u32 {
        self.failures += 1;
        self.step = Step::AtRest;
        self.failures
    }

    /// Records a failure without counting it.
    pub fn fail_uncounted(&mut self) {
        self.step = Step::AtRest;
    }

    /// Schedules the next attempt at `until_ms`. [`Self::skip_backoff`] may move the attempt forward to
    /// `not_before_ms`.
    pub fn wait_until(&mut self, until_ms: u64, not_before_ms: u64) {
        self.step = Step::Waiting { until_ms, not_before_ms };
    }

    /// Moves the next attempt to the earliest time that the server allows, because the reason for the backoff is gone.
    pub fn skip_backoff(&mut self) {
        if let Step::Waiting { until_ms, not_before_ms } = &mut self.step {
            *until_ms = (*not_before_ms).min(*until_ms);
        }
    }

    /// Holds the next attempt back until there are fresh credentials.
    pub fn wait_for_credentials(&mut self) {
        self.step = Step::NeedsCredentials;
    }

    /// Ends the wait for credentials: fresh ones are there, or none will come.
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
