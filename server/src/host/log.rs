//! The log of the router.
//!
//! A line of the log has the request's method and route, the object's key, and a hash of the caller. No line has a
//! path, query, header or body, because these can contain URLs, tokens and file names. Each line has the request ids of
//! the host and of API Gateway. API Gateway's access log has the same ids and the client's address.

use std::time::Instant;

use axum::http::Method;
use axum::http::request::Parts;
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, Span, field, info, info_span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::error::ApiError;
use crate::request::{Answer, Route};

/// Id of a request in API Gateway's access log. The application may add the id to the request's extensions.
#[derive(Debug, Clone)]
pub struct GatewayRequestId(pub String);

/// Id of a request in the log and in the answer. In AWS, this is Lambda's request id. The application may add the id to
/// the request's extensions. Default: a random UUID.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Starts the log of this process: one JSON object per line, written by `writer`. `RUST_LOG` sets the filter (default:
/// `filter`). `more` gets the same events. An application with its own log does not need this function.
pub fn log_as_json_to(
    writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static,
    filter: &str,
    more: Option<Box<dyn Layer<Registry> + Send + Sync>>,
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
    let _ = tracing_subscriber::registry().with(more).with(filter).with(lines).try_init();
}

/// Returns the span of a request.
pub(super) fn span(parts: &Parts, id: &str) -> Span {
    let gateway = parts.extensions.get().map(|GatewayRequestId(id)| id.as_str());
    info_span!(
        "request",
        request_id = %id,
        gateway_request_id = gateway,
        method = known_method(&parts.method),
        route = Route::path_for_log(parts.uri.path()),
        caller = field::Empty,
        key = field::Empty
    )
}

/// Waits for the answer in the request's span, and logs it.
pub(super) async fn logged(span: Span, answer: impl Future<Output = Answer>) -> Answer {
    async {
        let started = Instant::now();
        let answer = answer.await;
        let code = answer.error.as_ref().map(|error| error.code.as_str());
        let field = answer.error.as_ref().and_then(ApiError::loggable_field);
        let milliseconds = started.elapsed().as_millis() as u64;
        info!(status = answer.status, milliseconds, code, field, "answered");
        answer
    }
    .instrument(span)
    .await
}

/// Returns the method's name for the log. Returns `other` for an unknown method, because the log must contain no text
/// of the client.
fn known_method(method: &Method) -> &'static str {
    let names = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    names.into_iter().find(|name| *name == method.as_str()).unwrap_or("other")
}
