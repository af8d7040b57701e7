//! Middleware of every request. Sets the request's id, logs the request, and turns an error into a problem document.
//!
//! A line of the log has the request's method and route, the object's key, and a hash of the caller. No line has a
//! path, query, header or body, because these can contain URLs, tokens and file names. Each line has the request ids of
//! Lambda and of API Gateway. API Gateway's access log has the same ids and the client's address.

use std::io::Stderr;
use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use directput::protocol::{Problem, REQUEST_ID_HEADER};
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

/// The caller of a request, or `None` if the caller is anonymous. The server that runs the router adds the caller to
/// the request's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller(pub Option<String>);

impl Caller {
    /// Returns the caller that a verified JWT names. A subject is unique only within its issuer (RFC 7519, section
    /// 4.1.2), so the caller's name consists of issuer and subject. If the issuer is `home_issuer` or absent, the name
    /// is the subject alone. Most deployments accept only the `home_issuer`.
    pub fn of(issuer: Option<&str>, subject: Option<&str>, home_issuer: Option<&str>) -> Self {
        let subject = subject.filter(|subject| !subject.is_empty());
        Self(subject.map(|subject| match issuer {
            // A line break separates issuer and subject, because no issuer contains a line break. The issuer is never
            // omitted if the subject contains a line break, so the subject can't imitate a caller of another issuer.
            Some(issuer) if Some(issuer) != home_issuer || subject.contains('\n') => format!("{issuer}\n{subject}"),
            _ => subject.to_owned(),
        }))
    }
}

/// Id of a request in API Gateway's access log. The server that runs the router may add the id to the request's
/// extensions.
#[derive(Debug, Clone)]
pub struct GatewayRequestId(pub String);

/// Id of a request in the log. In AWS, this is Lambda's request id. The server that runs the router may add the id to
/// the request's extensions. Default: a random UUID.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Starts the log: one JSON object per line on standard error. `RUST_LOG` sets the filter (default: `info`). If
/// `METRICS_STAGE` names a stage, such as `dev`, the log also has lines of metrics for that stage.
pub fn log_as_json() {
    let stage = std::env::var("METRICS_STAGE").ok();
    let metrics = stage.map(|stage| Metrics::new(stage, std::io::stderr as fn() -> Stderr));
    start(std::io::stderr, "info", metrics);
}

/// Starts the log with `writer` and without metrics. `RUST_LOG` sets the filter (default: `filter`).
pub fn log_as_json_to(writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static, filter: &str) {
    start(writer, filter, None);
}

fn start(
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
    filter: &str,
    metrics: Option<Metrics<fn() -> Stderr>>,
) {
    let from_env = std::env::var("RUST_LOG").ok();
    let filter = from_env.as_deref().unwrap_or(filter).parse();
    let filter = filter.unwrap_or_else(|_| Targets::new().with_default(LevelFilter::INFO));
    let lines = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false)
        .with_target(false)
        .with_writer(writer);
    // `try_init` fails if the process already has a log, as in tests. The earlier log stays in use.
    let _ = tracing_subscriber::registry().with(filter).with(lines).with(metrics).try_init();
}

/// Handles a request by `next`, logs the request, and adds the id and the common headers to the response.
pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let RequestId(id) = request.extensions().get().cloned().unwrap_or_else(|| RequestId(Uuid::new_v4().to_string()));
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let gateway = request.extensions().get::<GatewayRequestId>().map(|GatewayRequestId(id)| id.clone());
    let method = known_method(request.method());
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
        let field = error.as_ref().and_then(ApiError::loggable_field);
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
            // The original response can have headers such as `Allow`.
            for (name, value) in &headers {
                response.headers_mut().entry(name).or_insert(value.clone());
            }
        }
        if let Ok(value) = HeaderValue::from_str(&id) {
            response.headers_mut().insert(HeaderName::from_static(REQUEST_ID_HEADER), value);
        }
        // Responses contain tokens and URLs, which caches must not store.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        response
    }
    .instrument(span)
    .await
}

/// Adds a hash of the caller to all further log lines of the current request.
pub(crate) fn log_caller(caller: &str) {
    Span::current().record("caller", hash_of_caller(caller));
}

/// Adds the object's key to all further log lines of the current request.
pub(crate) fn log_key(key: &str) {
    Span::current().record("key", key);
}

/// Returns the method's name for the log. Returns `other` for an unknown method, because the log must contain no text
/// of the client.
fn known_method(method: &Method) -> &'static str {
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
    fn callers_differ_if_issuer_or_subject_differs() {
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
            assert!(!all[..index].contains(caller), "two callers have the name {caller:?}");
        }
        assert_eq!(Caller::of(Some("https://home"), Some("alice"), None).0.as_deref(), Some("https://home\nalice"));
        for missing in [None, Some("")] {
            assert_eq!(Caller::of(Some("https://other"), missing, None), Caller(None));
        }
    }
}
