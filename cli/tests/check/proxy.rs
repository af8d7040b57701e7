//! A proxy in front of a server. It changes requests and answers, so that the server seems to be misconfigured.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, OnceLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use directput_local::S3Connection;
use serde_json::Value;

/// A request that passes the proxy.
pub struct Seen {
    pub method: Method,
    /// Path without the query.
    pub path: String,
    pub query: String,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Seen {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn set_json(&mut self, value: &Value) {
        self.body = value.to_string().into_bytes();
    }

    pub fn is(&self, method: &str, path: &str) -> bool {
        self.method == method && self.path == path
    }

    pub fn is_preflight(&self) -> bool {
        self.method == Method::OPTIONS
    }

    /// Returns whether the request is a presigned PUT of a client, and not a call of the API.
    pub fn is_signed_put(&self) -> bool {
        self.method == Method::PUT && self.query.contains("X-Amz-Signature")
    }

    pub fn is_part(&self) -> bool {
        self.is_signed_put() && self.query.contains("partNumber=")
    }

    /// Returns whether the body has the checksum in the header.
    pub fn has_right_checksum(&self) -> bool {
        use directput::checksum::Sha256Digest;
        Sha256Digest::of(&self.body).to_string() == self.header("x-amz-checksum-sha256")
    }
}

/// An answer that passes the proxy.
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn new(status: u16, body: &str) -> Self {
        Self { status, headers: HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    pub fn set(&mut self, name: &'static str, value: &str) {
        self.headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub fn set_json(&mut self, value: &Value) {
        self.body = value.to_string().into_bytes();
    }

    pub fn remove_from_list(&mut self, name: &str, item: &str) {
        let Some(list) = self.headers.get(name) else { return };
        let list = list.to_str().unwrap().to_owned();
        let rest: Vec<_> = list.split(',').filter(|other| !other.trim().eq_ignore_ascii_case(item)).collect();
        self.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::from_str(&rest.join(",")).unwrap());
    }

    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

/// What both proxies of a server know.
pub struct World {
    /// Address and keys of the S3 server, to sign URLs. The URL is the proxy's.
    pub s3: OnceLock<S3Connection>,
    /// Upload tokens that the API has issued.
    pub tokens: Mutex<Vec<String>>,
    /// Paths of URLs that the API has signed.
    pub paths: Mutex<HashSet<String>>,
    /// Texts that a fault remembers.
    pub memory: Mutex<HashSet<String>>,
}

impl World {
    pub fn new() -> Self {
        Self { s3: OnceLock::new(), tokens: Mutex::default(), paths: Mutex::default(), memory: Mutex::default() }
    }

    /// Notes a text. Returns whether it was new.
    pub fn remember(&self, text: &str) -> bool {
        self.memory.lock().unwrap().insert(text.to_owned())
    }

    pub fn knows(&self, text: &str) -> bool {
        self.memory.lock().unwrap().contains(text)
    }

    pub fn has_issued(&self, token: &str) -> bool {
        self.tokens.lock().unwrap().iter().any(|other| other == token)
    }

    fn note(&self, reply: &Value) {
        if let Some(token) = reply["token"].as_str() {
            self.tokens.lock().unwrap().push(token.to_owned());
        }
        for part in reply["parts"].as_array().into_iter().flatten() {
            if let Some(url) = part["url"].as_str() {
                self.paths.lock().unwrap().insert(url.split('?').next().unwrap().to_owned());
            }
        }
        reply["uploads"].as_array().into_iter().flatten().for_each(|entry| self.note(entry));
    }
}

/// Changes a request. May answer it in the server's place.
pub type Before = fn(&mut Seen, &World) -> Option<Reply>;

/// Changes an answer.
pub type After = fn(&Seen, &mut Reply, &World);

/// What a proxy changes.
#[derive(Clone, Copy)]
pub struct Fault {
    pub before: Before,
    pub after: After,
}

/// A proxy that changes nothing.
pub const HONEST: Fault = Fault { before: |_, _| None, after: |_, _, _| {} };

#[derive(Clone)]
struct Shared {
    fault: Fault,
    world: Arc<World>,
    target: Arc<OnceLock<String>>,
    http: reqwest::Client,
}

/// A proxy that has an address, and gets its target later.
pub struct Proxy {
    pub url: String,
    target: Arc<OnceLock<String>>,
}

impl Proxy {
    pub async fn start(fault: Fault, world: Arc<World>, http: reqwest::Client) -> Self {
        let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let target = Arc::new(OnceLock::new());
        let shared = Shared { fault, world, target: Arc::clone(&target), http };
        let router = Router::new().fallback(pass).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, target }
    }

    pub fn lead_to(&self, target: String) {
        self.target.set(target).unwrap();
    }
}

/// Headers that belong to one connection.
const OF_CONNECTION: [HeaderName; 3] = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION];

async fn pass(State(shared): State<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let mut seen = Seen {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: to_bytes(body, 64 << 20).await.unwrap().to_vec(),
    };
    // The API calls S3 through the proxy too. These calls have a header `authorization` and are not changed.
    let is_own = seen.header("authorization").starts_with("AWS4-");
    let fault = if is_own { HONEST } else { shared.fault };
    if let Some(reply) = (fault.before)(&mut seen, &shared.world) {
        return answer(allow_origin(&seen, reply));
    }
    let question = if seen.query.is_empty() { "" } else { "?" };
    let url = format!("{}{}{question}{}", shared.target.get().unwrap(), seen.path, seen.query);
    let mut headers = seen.headers.clone();
    OF_CONNECTION.iter().for_each(|name| drop(headers.remove(name)));
    let request = shared.http.request(seen.method.clone(), url).headers(headers).body(seen.body.clone());
    let Ok(response) = request.send().await else { return StatusCode::BAD_GATEWAY.into_response() };
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut reply = Reply { status, headers, body: response.bytes().await.unwrap_or_default().to_vec() };
    (fault.after)(&seen, &mut reply, &shared.world);
    shared.world.note(&reply.json());
    answer(reply)
}

/// Adds the CORS headers that the server would add.
fn allow_origin(seen: &Seen, mut reply: Reply) -> Reply {
    if seen.header("origin") == "https://app.example" && !seen.is_preflight() {
        reply.set("access-control-allow-origin", "https://app.example");
        reply.set(
            "access-control-expose-headers",
            "etag,retry-after,x-amz-checksum-sha256,x-amz-request-id,x-request-id",
        );
    }
    reply
}

fn answer(reply: Reply) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap();
    *response.headers_mut() = reply.headers;
    OF_CONNECTION.iter().for_each(|name| drop(response.headers_mut().remove(name)));
    response
}
