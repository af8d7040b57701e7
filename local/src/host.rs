//! Refuses requests for unknown hosts, to prevent DNS rebinding.
//!
//! An attacker can let a host name resolve to 127.0.0.1. A page of that host then has the same origin as this server,
//! and could read objects and set faults. This server refuses the page's requests, because their header `Host` has the
//! attacker's host name. Requests for an IP address are accepted, because an attacker can't change where an address
//! leads.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::uri::Authority;
use axum::http::{StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// The server's host names, besides `localhost` and IP addresses.
#[derive(Debug, Clone)]
pub(crate) struct Hosts(Arc<[String]>);

impl Hosts {
    /// Returns the hosts of these URLs.
    pub fn of<'a>(urls: impl IntoIterator<Item = &'a str>) -> Self {
        let hosts = urls.into_iter().filter_map(|url| Some(url.parse::<Uri>().ok()?.host()?.to_ascii_lowercase()));
        Self(hosts.collect())
    }

    fn has(&self, request: &Request) -> bool {
        let header = request.headers().get(header::HOST).and_then(|value| value.to_str().ok());
        let authority = header.and_then(|text| text.parse::<Authority>().ok());
        let Some(host) = authority.map(|authority| authority.host().to_ascii_lowercase()) else { return false };
        let address = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || address.parse::<IpAddr>().is_ok() || self.0.contains(&host)
    }
}

/// Answers 421 to requests whose `Host` is unknown.
pub(crate) async fn only_known(State(hosts): State<Hosts>, request: Request, next: Next) -> Response {
    if hosts.has(&request) {
        return next.run(request).await;
    }
    let hint = "This server does not serve that host. Add its origin with --allow-origin.\n";
    (StatusCode::MISDIRECTED_REQUEST, hint).into_response()
}
