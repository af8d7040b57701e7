//! Fault injection, to test how uploads react to failures of the API and of S3.
//!
//! A fault is a JSON object. The members `on`, `every`, `firstOfEach` and `times` select requests. The other members
//! describe the fault. `docs/testing.md` lists all members. The flag `--fault` adds a fault. If the flag `--control` is
//! set, a test can replace all faults by `PUT /-/faults`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

/// Kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Target {
    /// `POST /uploads` and `POST /uploads/batch`.
    Create,
    /// `GET /uploads/parts`.
    List,
    /// `POST /uploads/parts`.
    Sign,
    /// `POST /uploads/complete`.
    Complete,
    /// `DELETE /uploads`.
    Abort,
    /// A PUT to the bucket.
    Put,
    /// All requests of the kinds above.
    Any,
}

/// Point of a request at which the connection breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum When {
    /// Before the body is read.
    Before,
    /// After half of the body was read.
    Midway,
    /// After the request was processed. The object or part of a PUT is then stored.
    After,
}

/// A fault, and the requests that it applies to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Fault {
    // Requests
    on: Target,
    /// Applies only to every n-th request. Default: 1, all requests.
    #[serde(default = "one")]
    every: u64,
    /// Applies only to the first n requests for each part. Requests that name no part are counted for each path.
    first_of_each: Option<u64>,
    /// Maximum number of requests that the fault applies to.
    times: Option<u64>,

    // Delays
    /// Delay before the fault's other effects and before the request is processed, in milliseconds.
    #[serde(default)]
    latency_ms: u64,
    /// Speed at which the bodies of all affected requests together are read, in bytes per second.
    bytes_per_second: Option<u64>,

    // Refusals
    /// Status of the answer, from 400 to 599. The request is not processed.
    status: Option<u16>,
    /// S3's code in the answer, such as `SlowDown`.
    code: Option<String>,
    /// Header `Retry-After` of the answer, in seconds.
    retry_after: Option<u32>,

    // Damage
    /// Breaks the connection.
    drop: Option<When>,
    /// Changes the first byte of the body.
    #[serde(default)]
    corrupt: bool,
    /// Neither reads the body nor answers, until the client closes the connection.
    #[serde(default)]
    stall: bool,
    /// Number of seconds by which S3's clock is ahead. S3 then refuses a URL with this lifetime or a shorter one.
    #[serde(default)]
    clock_ahead_seconds: u64,
}

fn one() -> u64 {
    1
}

impl std::str::FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let fault: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        fault.check().map(|()| fault)
    }
}

impl Fault {
    fn check(&self) -> Result<(), String> {
        match self {
            Self { every: 0, .. } => Err("every: expected a whole number from 1".to_owned()),
            Self { bytes_per_second: Some(0), .. } => Err("bytesPerSecond: expected a whole number from 1".to_owned()),
            Self { status: Some(status), .. } if !(400..600).contains(status) => {
                Err("status: expected a number from 400 to 599".to_owned())
            }
            _ => Ok(()),
        }
    }
}

/// A fault and its counters.
#[derive(Debug, Serialize)]
struct Active {
    fault: Fault,
    seen: u64,
    hits: u64,
    #[serde(skip)]
    attempts: HashMap<String, u64>,
    /// Time at which the throttled link has carried all bytes so far.
    #[serde(skip)]
    free_at: Arc<Mutex<Option<Instant>>>,
}

impl Active {
    fn new(fault: Fault) -> Self {
        Self { fault, seen: 0, hits: 0, attempts: HashMap::new(), free_at: Arc::default() }
    }

    /// Counts a request for `place`, and returns whether the fault applies to the request.
    fn hits(&mut self, target: Target, place: &str) -> bool {
        let Fault { on, every, first_of_each, times, .. } = self.fault;
        if on != target && on != Target::Any {
            return false;
        }
        self.seen += 1;
        let attempts = self.attempts.entry(place.to_owned()).or_default();
        *attempts += 1;
        let is_hit = self.seen.is_multiple_of(every)
            && first_of_each.is_none_or(|first| *attempts <= first)
            && times.is_none_or(|times| self.hits < times);
        self.hits += u64::from(is_hit);
        is_hit
    }
}

/// The faults of a server.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Mutex<Vec<Active>>>);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

type Link = Arc<Mutex<Option<Instant>>>;

impl Faults {
    /// Replaces all faults.
    pub fn replace(&self, faults: Vec<Fault>) {
        *lock(&self.0) = faults.into_iter().map(Active::new).collect();
    }

    /// Returns the faults that apply to a request.
    fn for_request(&self, target: Target, request: &Request) -> Vec<(Fault, Link)> {
        let query = request.uri().query().unwrap_or_default();
        let part = query.split('&').find(|pair| pair.starts_with("partNumber=")).unwrap_or_default();
        let place = format!("{} {}?{part}", request.method(), request.uri().path());
        let mut faults = lock(&self.0);
        let hit = faults.iter_mut().filter_map(|active| {
            active.hits(target, &place).then(|| (active.fault.clone(), Arc::clone(&active.free_at)))
        });
        hit.collect()
    }
}

fn target_of(request: &Request) -> Option<Target> {
    match (request.method(), request.uri().path()) {
        (&Method::POST, "/uploads" | "/uploads/batch") => Some(Target::Create),
        (&Method::GET, "/uploads/parts") => Some(Target::List),
        (&Method::POST, "/uploads/parts") => Some(Target::Sign),
        (&Method::POST, "/uploads/complete") => Some(Target::Complete),
        (&Method::DELETE, "/uploads") => Some(Target::Abort),
        (&Method::PUT, _) => Some(Target::Put),
        _ => None,
    }
}

/// Injects the faults that apply to a request.
pub async fn inject(State(faults): State<Faults>, mut request: Request, next: Next) -> Response {
    let Some(target) = target_of(&request) else { return next.run(request).await };
    let is_put = target == Target::Put;
    let mut breaks_after = false;
    for (fault, link) in faults.for_request(target, &request) {
        tokio::time::sleep(Duration::from_millis(fault.latency_ms)).await;
        if fault.stall {
            // This future never completes. It keeps the request, so the connection stays open and the body unread.
            std::future::pending::<()>().await;
        }
        if fault.drop == Some(When::Before) {
            return broken();
        }
        if fault.drop == Some(When::Midway) {
            read_half(request).await;
            return broken();
        }
        if let Some(bytes_per_second) = fault.bytes_per_second {
            request = request.map(|body| throttled(body, bytes_per_second, link));
        }
        if fault.corrupt {
            request = request.map(corrupted);
        }
        if let Some(status) = fault.status {
            read_to_end(request).await;
            return refusal(status, fault.code.as_deref(), fault.retry_after, is_put);
        }
        if fault.clock_ahead_seconds > 0 && is_put && has_expired(request.uri().query(), fault.clock_ahead_seconds) {
            read_to_end(request).await;
            return refusal(403, Some("AccessDenied"), None, true);
        }
        breaks_after |= fault.drop == Some(When::After);
    }
    let response = next.run(request).await;
    if breaks_after { broken() } else { response }
}

/// Reads the whole body, because browsers read an answer only after they have sent the body.
async fn read_to_end(request: Request) {
    let mut body = request.into_body().into_data_stream();
    while let Some(Ok(_)) = body.next().await {}
}

async fn read_half(request: Request) {
    let mut left = request.body().size_hint().exact().unwrap_or(0) / 2;
    let mut body = request.into_body().into_data_stream();
    while left > 0
        && let Some(Ok(bytes)) = body.next().await
    {
        left = left.saturating_sub(bytes.len() as u64);
    }
}

/// Returns an answer whose body ends with an error, so that the server breaks the connection.
fn broken() -> Response {
    let cut = futures::stream::iter([Err::<Bytes, _>(std::io::Error::from(std::io::ErrorKind::ConnectionReset))]);
    Body::from_stream(cut).into_response()
}

fn refusal(status: u16, code: Option<&str>, retry_after: Option<u32>, is_put: bool) -> Response {
    let code = code.unwrap_or(if status == 503 { "SlowDown" } else { "InternalError" });
    let (kind, body) = if is_put {
        let xml = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code></Error>");
        ("application/xml", xml)
    } else {
        // This is an error document of API Gateway, which is not a problem document of this API.
        ("application/json", serde_json::json!({ "message": "injected fault" }).to_string())
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn throttled(body: Body, bytes_per_second: u64, link: Link) -> Body {
    if body.is_end_stream() {
        return body;
    }
    Body::from_stream(body.into_data_stream().then(move |frame| {
        let link = Arc::clone(&link);
        async move {
            let bytes = frame.as_ref().map_or(0, Bytes::len) as f64;
            let until = {
                let mut free_at = lock(&link);
                let from = free_at.unwrap_or_else(Instant::now).max(Instant::now());
                *free_at.insert(from + Duration::from_secs_f64(bytes / bytes_per_second as f64))
            };
            tokio::time::sleep_until(until).await;
            frame
        }
    }))
}

fn corrupted(body: Body) -> Body {
    if body.is_end_stream() {
        return body;
    }
    let mut is_first = true;
    Body::from_stream(body.into_data_stream().map(move |frame| {
        frame.map(|bytes| {
            let mut bytes = bytes.to_vec();
            if std::mem::take(&mut is_first)
                && let Some(byte) = bytes.first_mut()
            {
                *byte ^= 1;
            }
            Bytes::from(bytes)
        })
    }))
}

/// Returns whether a URL with this query, if it was signed just now, has expired by a clock that is `ahead_seconds`
/// ahead.
fn has_expired(query: Option<&str>, ahead_seconds: u64) -> bool {
    let expires = query.unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("X-Amz-Expires="));
    expires.and_then(|text| text.parse::<u64>().ok()).is_some_and(|seconds| seconds <= ahead_seconds)
}

/// Returns a router with two routes. `GET /-/faults` returns the faults and their counters. `PUT /-/faults` replaces
/// all faults.
pub fn control(faults: Faults) -> Router {
    let show = async |State(faults): State<Faults>| Json(serde_json::json!(*lock(&faults.0))).into_response();
    let replace = async |State(faults): State<Faults>, body: String| {
        let list: Result<Vec<Fault>, _> = serde_json::from_str(&body);
        let checked = list.map_err(|error| error.to_string()).and_then(|list| {
            list.iter().try_for_each(Fault::check)?;
            Ok(list)
        });
        match checked {
            Ok(list) => {
                faults.replace(list);
                StatusCode::NO_CONTENT.into_response()
            }
            Err(message) => (StatusCode::BAD_REQUEST, message).into_response(),
        }
    };
    Router::new().route("/-/faults", get(show).put(replace)).with_state(faults)
}
