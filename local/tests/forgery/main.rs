//! Forged requests: S3 refuses a signed PUT with any change, and the API or S3 refuses a forged completion.
//!
//! The tests use the embedded S3 server, or the server that `USE_S3` names. `make conformance` runs them with Garage.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;
mod completions;
mod deleted;
mod names;
mod put;
mod puts;
mod verdict;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use common::{Running, start_against};
use directput::checksum::Sha256Digest;
use directput_local::Auth;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

const SECRET: &str = "a secret of thirty-two characters";

/// Returns the keys that verify the callers' tokens.
fn auth() -> Auth {
    format!("hs256:{SECRET}").parse().unwrap()
}

/// Starts a server that requires a token of its callers.
async fn start() -> Running {
    start_against(&[], Some(auth())).await
}

/// Returns a call of the API by a caller.
fn call(server: &Running, caller: &str, method: Method, path: &str) -> RequestBuilder {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(600);
    let claims = json!({ "sub": caller, "exp": now.as_secs() });
    let bearer = encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET.as_bytes()));
    server.http.request(method, format!("{}{path}", server.api)).bearer_auth(bearer.unwrap())
}

/// An open upload, with the signed PUTs of its first parts.
struct Opened {
    caller: &'static str,
    token: String,
    key: String,
    parts: Vec<Value>,
}

impl Opened {
    /// Returns the upload in the API's answer.
    fn of(caller: &'static str, reply: &Value) -> Self {
        let text = |name: &str| reply[name].as_str().unwrap().to_owned();
        let parts = reply["parts"].as_array().cloned().unwrap_or_default();
        Self { caller, token: text("token"), key: text("key"), parts }
    }
}

/// Returns the request that opens an upload of a picture that consists of these parts.
fn opening(name: &str, parts: &[&[u8]]) -> Value {
    let wanted = parts.iter().enumerate().map(|(index, bytes)| {
        json!({ "number": index + 1, "length": bytes.len(), "checksum": Sha256Digest::of(bytes).to_string() })
    });
    let size: usize = parts.iter().map(|bytes| bytes.len()).sum();
    json!({ "name": name, "type": "image/png", "size": size, "parts": wanted.collect::<Vec<_>>() })
}

/// Opens an upload of a file that consists of these parts.
async fn open(server: &Running, caller: &'static str, parts: &[&[u8]]) -> Opened {
    let reply = call(server, caller, Method::POST, "").json(&opening("a.png", parts)).send().await.unwrap();
    assert_eq!(reply.status(), 201);
    Opened::of(caller, &reply.json().await.unwrap())
}

async fn abort(server: &Running, upload: &Opened) -> u16 {
    let request = call(server, upload.caller, Method::DELETE, "").header("upload-token", &upload.token);
    request.send().await.unwrap().status().as_u16()
}
