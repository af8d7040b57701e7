//! Refuses requests for a host that this server does not go by.
//!
//! A page elsewhere can point a name of its own at 127.0.0.1 (DNS rebinding), and is then of one origin with this server: it
//! could read objects and switch faults. Its requests still name its host. Addresses can't be pointed elsewhere.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The names that a server goes by, besides its addresses and `localhost`.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Arc<[String]>);

impl Hosts {
    /// The hosts of these URLs.
    pub fn of<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        let hosts = urls.into_iter().filter_map(|url| Some(url.parse::<Uri>().ok()?.host()?.to_ascii_lowercase()));
        Self(hosts.collect())
    }

    fn has(&self, request: &Request) -> bool {
        let named = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
        let authority = named.and_then(|text| text.parse::<Authority>().ok());
        let Some(host) = authority.map(|authority| authority.host().to_ascii_lowercase()) else { return false };
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse::<IpAddr>().is_ok() || self.0.contains(&host)
    }
}

/// Lets requests through whose `Host` is known.
pub(crate) async fn only_known(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if hosts.has(&request) {
        return next.run(request).await;
    }
    let hint = "This server does not go by that host. --allow-origin names origins that it serves.\n";
    (StatusCode::MISDIRECTED_REQUEST, hint).into_response()
}
