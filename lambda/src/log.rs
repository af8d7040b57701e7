//! What surrounds every request: its id, its line in the log, and the problem that a refusal becomes.
//!
//! The log has a request's method and route, the key that the API has chosen and a hash of the caller. It never has the
//! path, query, headers or body: those can hold URLs, tokens and the names of files. The ids of Lambda and API Gateway join
//! it with the access log, which says from where a request came.

use std::io::Stderr;
use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use directput::protocol::{ErrorCode, Problem, REQUEST_ID_HEADER};
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Span, field, info, info_span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use uuid::Uuid;

use crate::error::ApiError;
use crate::metrics::Metrics;
use crate::object_key::hash_of_caller;

/// Who calls, as the runner of the router has found out; put into the request's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller(pub Option<String>);

impl Caller {
    /// The caller that a verified token names. A subject is unique within its issuer only (RFC 7519, section 4.1.2), so both
    /// together say who it is. A subject of the `home` issuer, the only one of most deployments, stands for itself.
    pub fn of(issuer: Option<&str>, subject: Option<&str>, home: Option<&str>) -> Self {
        let subject = subject.filter(|subject| !subject.is_empty());
        Self(subject.map(|subject| match issuer {
            // A line break, which no issuer has, marks the names that have both; a subject with one can't pass for such.
            Some(issuer) if Some(issuer) != home || subject.contains('\n') => format!("{issuer}\n{subject}"),
            _ => subject.to_owned(),
        }))
    }
}

/// API Gateway's id of a request, by which its access log has it; put into the request's extensions.
#[derive(Debug, Clone)]
pub struct GatewayRequestId(pub String);

/// The name of a request in the logs, Lambda's in AWS; put into the request's extensions, or made up here.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Logs to standard error in one JSON object a line, at the level of the environment variable `RUST_LOG` (`info`). In the
/// stage that `METRICS_STAGE` names, lines of metrics are among them.
pub fn log_as_json() {
    let stage = std::env::var("METRICS_STAGE").ok();
    let metrics = stage.map(|stage| Metrics::new(stage, std::io::stderr as fn() -> Stderr));
    start(std::io::stderr, "info", metrics);
}

/// The same to somewhere else and without metrics, filtered as `RUST_LOG` says or, without it, by `filter`.
pub fn log_as_json_to(writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static, filter: &str) {
    start(writer, filter, None);
}

fn start(
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
    filter: &str,
    metrics: Option<Metrics<fn() -> Stderr>>,
) {
    let wanted = std::env::var("RUST_LOG").ok();
    let filter = wanted.as_deref().unwrap_or(filter).parse();
    let filter = filter.unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    // A second call, as in tests, changes nothing.
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_writer(writer);
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(metrics).try_init();
}

pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let RequestId(id) = request.extensions().get().cloned().unwrap_or_else(|| RequestId(Uuid::new_v4().to_string()));
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let gateway = request.extensions().get::<GatewayRequestId>().map(|GatewayRequestId(id)| id.clone());
    let method = known(request.method());
    let span = info_span!(
        "request",
        request_id = %id,
        gateway_request_id = gateway,
        method,
        route,
        caller = field::Empty,
        key = field::Empty
    );
    async move {
        let started = Instant::now();
        let mut response = next.run(request).await;
        let error = response.extensions_mut().remove::<ApiError>();
        let code = error.as_ref().map(|error| error.code.as_str());
        // The name of a field that isn't known is the client's own words.
        let named = error.as_ref().filter(|error| error.code != ErrorCode::UnknownField);
        let field = named.and_then(|error| error.field.clone());
        info!(
            status = response.status().as_u16(),
            milliseconds = started.elapsed().as_millis() as u64,
            code,
            field,
            "answered"
        );
        if let Some(error) = error {
            let headers = std::mem::take(response.headers_mut());
            response = problem(error, id.clone());
            // `Allow`, for one.
            for (name, value) in &headers {
                response.headers_mut().entry(name).or_insert(value.clone());
            }
        }
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
        }
        // Replies hold tokens and URLs.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
    .instrument(span)
    .await
}

/// Notes who calls, for all lines of the request that follow.
pub(crate) fn log_caller(caller: &str) {
    Span::current().record("caller", hash_of_caller(caller));
}

/// Notes which object a request is about, for all its lines that follow.
pub(crate) fn log_key(key: &str) {
    Span::current().record("key", key);
}

/// A method by its name, or that it is another: whoever makes up a method can write what they like.
fn known(method: &Method) -> &'static str {
    let names = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    names.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}

fn problem(error: ApiError, request_id: String) -> Response {
    let problem =
        Problem { detail: error.detail.clone(), field: error.field.clone(), ..Problem::new(error.code, request_id) };
    let mut response = (error.into_response().status(), Json(problem)).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    response.headers_mut().remove(header::CONTENT_LENGTH);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_is_an_issuers_subject() {
        let of = |issuer, subject| Caller::of(issuer, Some(subject), Some("https://home")).0.expect("a caller");
        assert_eq!(of(Some("https://home"), "alice"), "alice");
        assert_eq!(of(None, "alice"), "alice");
        let all = [
            of(Some("https://home"), "alice"),
            of(Some("https://other"), "alice"),
            of(Some("https://othera"), "lice"),
            of(Some("https://home"), "https://other\nalice"),
            of(Some("https://other"), "https://home\nalice"),
        ];
        for (index, caller) in all.iter().enumerate() {
            assert!(!all[..index].contains(caller), "{caller:?} is somebody else");
        }
        assert_eq!(Caller::of(Some("https://home"), Some("alice"), None).0.as_deref(), Some("https://home\nalice"));
        for nobody in [None, Some("")] {
            assert_eq!(Caller::of(Some("https://other"), nobody, None), Caller(None));
        }
    }
}
