//! Counts the requests of clients, so that a benchmark can report the number of requests of an upload.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::{any, get};
use axum::{Json, Router};

/// Numbers of requests since the server was started.
#[derive(Debug, Default)]
pub struct Counts {
    api_calls: AtomicU64,
    puts: AtomicU64,
    preflights: AtomicU64,
    /// Time at which the latest PUT began to arrive, in microseconds since 1970.
    newest_put_us: AtomicU64,
}

/// Counts a call of the API. Does not count preflights.
pub async fn count_call(State(counts): State<Arc<Counts>>, request: Request, next: Next) -> Response {
    if request.method() != Method::OPTIONS {
        counts.api_calls.fetch_add(1, Ordering::Relaxed);
    }
    next.run(request).await
}

/// Counts a PUT to the bucket or its preflight.
pub async fn count_put(State(counts): State<Arc<Counts>>, request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        counts.preflights.fetch_add(1, Ordering::Relaxed);
    } else if request.method() == Method::PUT {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        counts.newest_put_us.store(now.as_micros() as u64, Ordering::Relaxed);
        counts.puts.fetch_add(1, Ordering::Relaxed);
    }
    next.run(request).await
}

/// Returns a router with two routes. `GET /-/counts` returns the counters. `/-/peer` emulates the signing API of
/// another uploader: it answers immediately, and each request counts as a call of the API.
pub fn counters(counts: Arc<Counts>) -> Router {
    let show = async |State(counts): State<Arc<Counts>>| {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Json(serde_json::json!({
            "apiCalls": of(&counts.api_calls),
            "puts": of(&counts.puts),
            "preflights": of(&counts.preflights),
            "newestPutMs": of(&counts.newest_put_us) as f64 / 1_000.0,
        }))
    };
    let peer = async |State(counts): State<Arc<Counts>>| {
        counts.api_calls.fetch_add(1, Ordering::Relaxed);
        Json(serde_json::json!({}))
    };
    Router::new().route("/-/counts", get(show)).route("/-/peer", any(peer)).with_state(counts)
}
