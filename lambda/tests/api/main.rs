//! Tests of each call of the API, with a fake S3 whose answers the test sets.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod batch;
mod calls;
mod log;
mod memory;
mod metrics;
mod owner;
mod quota;
mod refusals;
mod s3;
mod storage;
mod verified_after;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use directput::checksum::{CompositeChecksum, Sha256Digest};
use directput::plan::DEFAULT_PART_BYTES;
use directput_lambda::config::Config;
use directput_lambda::keyring::Keyring;
use directput_lambda::storage::Storage;
use directput_lambda::token::TokenKeys;
use directput_lambda::{App, Caller, router};
use s3::{BUCKET, S3};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Methods and paths of the calls of one upload, in their usual order.
const CALLS: [(&str, &str); 5] = [
    ("POST", "/uploads"),
    ("POST", "/uploads/parts"),
    ("GET", "/uploads/parts"),
    ("POST", "/uploads/complete"),
    ("DELETE", "/uploads"),
];

/// S3's answer to the call that opens a multipart upload.
const CREATED: &str = "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>";

/// The API, and the fake S3 that the API calls.
struct Api {
    router: Router,
    s3: S3,
}

/// Status and body of an answer of the API.
type Answer = (u16, Value);

impl Api {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let mut config = Config::for_bucket(BUCKET);
        change(&mut config);
        let s3 = S3::default();
        let storage = s3.bucket().await;
        Self::of(s3, storage, config)
    }

    fn of(s3: S3, storage: Storage, config: Config) -> Self {
        let keys = Keyring::fixed(TokenKeys::new(&[7; 32], None, BUCKET).unwrap());
        Self { router: router(App { config, storage, keys }), s3 }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let reply = self.router.clone().oneshot(request).await.unwrap();
        let status = reply.status().as_u16();
        let body = to_bytes(reply.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    /// Sends a call with this caller, or an anonymous call. Sends no token if `token` is empty.
    async fn call(&self, (method, path): (&str, &str), caller: Option<&str>, token: &str, body: Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = if token.is_empty() { request } else { request.header("upload-token", token) };
        let request = request.extension(Caller(caller.map(str::to_owned)));
        self.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.call(("POST", path), None, token, body).await
    }

    /// Opens an upload in three parts, with the upload id `id`, and returns its token.
    async fn token_of_three_parts(&self) -> String {
        self.s3.answers(200, CREATED);
        let (status, created) = self.post("/uploads", "", large_file()).await;
        assert_eq!((status, self.s3.take_calls().len()), (201, 1), "{created}");
        created["token"].as_str().unwrap().to_owned()
    }
}

/// Returns the request for a file of three parts.
fn large_file() -> Value {
    json!({ "name": "photo.png", "type": "image/png", "size": 20 << 20 })
}

/// Returns the request for a file of one part with a known checksum.
fn small_file() -> Value {
    json!({ "name": "photo.png", "type": "image/png", "size": 1_000, "parts": [part(1, 1_000)] })
}

fn digest() -> Sha256Digest {
    Sha256Digest::of(b"x")
}

/// Returns a part as a request for signatures names it.
fn part(number: u64, length: u64) -> Value {
    json!({ "number": number, "length": length, "checksum": digest().to_string() })
}

/// Returns the three parts of a large file.
fn three_parts() -> Vec<Value> {
    vec![part(1, DEFAULT_PART_BYTES), part(2, DEFAULT_PART_BYTES), part(3, 4 << 20)]
}

/// Returns a stored part as a completion names it.
fn stored(number: u64) -> Value {
    json!({ "number": number, "etag": "e", "checksum": digest().to_string() })
}

/// Returns the request that completes a large file.
fn completion() -> Value {
    json!({ "parts": [stored(1), stored(2), stored(3)], "checksum": composite() })
}

fn composite() -> String {
    CompositeChecksum::of([&digest(); 3]).to_string()
}

/// Asserts that an answer is a problem with this status, code and field.
#[track_caller]
fn refused((status, problem): &Answer, expected_status: u16, code: &str, field: impl Into<Value>) {
    assert_eq!((*status, &problem["code"]), (expected_status, &json!(code)), "{problem}");
    assert_eq!((&problem["field"], &problem["status"]), (&field.into(), &json!(expected_status)), "{problem}");
    assert_eq!(problem["type"], json!(format!("urn:directput:error:{code}")));
}
