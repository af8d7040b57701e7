//! What surrounds every request: its id, its line in the log, and the problem that a refusal becomes.
//!
//! The log has a request's method and route, never its path, query, headers or body: those can hold
//! URLs, tokens and the names of files.

use std::time::Instant;

use axum::Json;
use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use directput::protocol::{ErrorCode, Problem, REQUEST_ID_HEADER};
use tracing::level_filters::LevelFilter;
use tracing::{Instrument, info, info_span};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use uuid::Uuid;

use crate::error::ApiError;

/// Who calls, as whoever runs the router has found out; put into the request's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller(pub Option<String>);

/// The name of a request in the logs; put into the request's extensions, or made up here.
#[derive(Debug, Clone)]
pub struct RequestId(pub String);

/// Logs to standard error in one JSON object a line, at the level of the environment variable `RUST_LOG` (`info`).
pub fn log_as_json() {
    log_as_json_to(std::io::stderr, "info");
}

/// The same to somewhere else, filtered as `RUST_LOG` says or, without it, by `filter`.
pub fn log_as_json_to(writer: impl for<'w> MakeWriter<'w> + Send + Sync + 'static, filter: &str) {
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
    let _ = tracing_subscriber::registry().with(filter).with(lines).try_init();
}

pub(crate) async fn trace(request: Request, next: Next) -> Response {
    let RequestId(id) = request.extensions().get().cloned().unwrap_or_else(|| RequestId(Uuid::new_v4().to_string()));
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let span = info_span!("request", request_id = %id, method = known(request.method()), route);
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
