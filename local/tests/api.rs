//! Bad input to the API. Each answer is a problem document with a status of 4xx, a code and the field's name. Refused
//! requests create nothing in S3.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use common::{Running, start, start_with};
use directput::checksum::{CompositeChecksum, Sha256Digest};
use reqwest::Method;
use serde_json::{Value, json};

async fn call(server: &Running, method: Method, path: &str, token: Option<&str>, body: Option<String>) -> (u16, Value) {
    let mut request = server.http.request(method, format!("{}{path}", server.api));
    if let Some(token) = token {
        request = request.header("upload-token", token);
    }
    if let Some(body) = body {
        request = request.header("content-type", "application/json").body(body);
    }
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    let kind = reply.headers().get("content-type").map(|value| value.to_str().unwrap().to_owned());
    let value: Value = reply.json().await.unwrap_or_default();
    if status >= 400 {
        assert_eq!(kind.as_deref(), Some("application/problem+json"));
        assert_eq!(value["status"], status);
        assert!(value["requestId"].as_str().is_some_and(|id| !id.is_empty()));
    }
    (status, value)
}

async fn post(server: &Running, path: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    call(server, Method::POST, path, token, Some(body.to_string())).await
}

fn refused(answer: &(u16, Value), status: u16, code: &str, field: Value) {
    assert_eq!((answer.0, &answer.1["code"], &answer.1["field"]), (status, &json!(code), &field), "{}", answer.1);
}

fn large_file() -> Value {
    json!({ "name": "a.bin", "type": "image/png", "size": 20 << 20, "network": "wifi" })
}

#[tokio::test]
async fn wrong_fields_are_named_and_nothing_is_created() {
    let server = start_with(&[("ALLOWED_TYPES", "image/*"), ("MAX_FILE_BYTES", "1000000000")]).await;
    for (field, value, code) in [
        ("name", json!(""), "empty-field"),
        ("name", json!("x".repeat(1025)), "field-too-long"),
        ("name", json!(5), "wrong-type"),
        ("name", Value::Null, "wrong-type"),
        ("type", json!(""), "empty-field"),
        ("type", json!("image"), "invalid-value"),
        ("type", json!("image/png\r\nx: y"), "invalid-value"),
        ("size", json!("5"), "wrong-type"),
        ("size", json!(-1), "out-of-range"),
        ("size", json!(1.5), "wrong-type"),
        ("size", json!(1e300), "out-of-range"),
        ("size", json!(u64::MAX), "out-of-range"),
        ("algorithm", json!("md5"), "invalid-value"),
        ("algorithm", json!("none"), "invalid-value"),
        ("network", json!("5g"), "invalid-value"),
        ("key", json!("uploads/mine"), "unknown-field"),
    ] {
        let mut body = large_file();
        body[field] = value.clone();
        refused(&post(&server, "", None, &body).await, 400, code, json!(field));
    }
    for field in ["name", "type", "size"] {
        let mut body = large_file();
        body.as_object_mut().unwrap().remove(field);
        refused(&post(&server, "", None, &body).await, 400, "missing-field", json!(field));
    }
    let mut body = large_file();
    body["type"] = json!("text/html");
    refused(&post(&server, "", None, &body).await, 415, "type-not-allowed", json!("type"));
    body = large_file();
    body["size"] = json!(1_000_000_001);
    refused(&post(&server, "", None, &body).await, 413, "file-too-large", json!("size"));
    assert_eq!(server.leftovers(), (0, 0, 0));
}

#[tokio::test]
async fn wrong_requests_are_refused() {
    let server = start().await;
    let text = |body: &str| call(&server, Method::POST, "", None, Some(body.to_owned()));
    refused(&text("{").await, 400, "invalid-json", Value::Null);
    refused(&text("").await, 400, "invalid-json", Value::Null);
    refused(&text("[]").await, 400, "wrong-type", Value::Null);
    refused(&text("5").await, 400, "wrong-type", Value::Null);
    refused(&text(&format!("\"{}\"", "x".repeat(300_000))).await, 413, "body-too-large", Value::Null);
    refused(&call(&server, Method::POST, "", None, None).await, 415, "unsupported-media-type", Value::Null);
    refused(&call(&server, Method::GET, "/nothing", None, None).await, 404, "not-found", Value::Null);
    refused(&call(&server, Method::PUT, "", None, None).await, 405, "method-not-allowed", Value::Null);
    assert_eq!(server.leftovers(), (0, 0, 0));
}

fn part(number: u64, length: u64) -> Value {
    json!({ "number": number, "length": length, "checksum": Sha256Digest::of(b"x").to_string() })
}

#[tokio::test]
async fn tokens_and_parts_are_checked_against_the_plan() {
    let server = start().await;
    let (status, created) = post(&server, "", None, &large_file()).await;
    assert_eq!((status, &created["kind"], &created["partCount"]), (201, &json!("multipart"), &json!(3)));
    let token = created["token"].as_str().unwrap().to_owned();
    let tampered = format!("{token}x");
    let token = Some(token.as_str());
    let one = json!({ "parts": [part(1, 8 << 20)] });

    refused(&post(&server, "/parts", None, &one).await, 401, "token-missing", json!("upload-token"));
    refused(&post(&server, "/parts", Some("x.y.z"), &one).await, 401, "token-invalid", json!("upload-token"));
    for (method, path) in [(Method::GET, "/parts"), (Method::DELETE, "")] {
        let answer = call(&server, method, path, Some(&tampered), None).await;
        refused(&answer, 401, "token-invalid", json!("upload-token"));
    }
    for (parts, code, field) in [
        (json!([]), "empty-field", "parts"),
        (json!([part(0, 8 << 20)]), "out-of-range", "parts[0].number"),
        (json!([part(4, 8 << 20)]), "part-out-of-range", "parts[0].number"),
        (json!([part(10_001, 8 << 20)]), "out-of-range", "parts[0].number"),
        (json!([part(1, 5)]), "part-wrong-length", "parts[0].length"),
        (json!([part(3, 8 << 20)]), "part-wrong-length", "parts[0].length"),
        (json!([part(1, 8 << 20), part(1, 8 << 20)]), "part-repeated", "parts[1].number"),
        (json!([{ "number": 1, "length": 8 << 20 }]), "missing-field", "parts[0].checksum"),
        (json!([{ "number": 1, "length": 8 << 20, "checksum": "rosUhgp5mIg=" }]), "invalid-value", "parts[0].checksum"),
        (json!(vec![part(1, 8 << 20); 129]), "too-many-parts", "parts"),
    ] {
        refused(&post(&server, "/parts", token, &json!({ "parts": parts })).await, 400, code, json!(field));
    }
    let (status, signed) = post(&server, "/parts", token, &one).await;
    assert_eq!((status, &signed["parts"][0]["number"]), (200, &json!(1)));
    let lifetime = signed["parts"][0]["expiresInSeconds"].as_u64().unwrap();
    assert!((60..=300).contains(&lifetime), "{lifetime}");

    let digest = Sha256Digest::of(b"x");
    let entry = |number: u64| json!({ "number": number, "etag": "abc", "checksum": digest.to_string() });
    let composite = CompositeChecksum::of([&digest; 3]).to_string();
    for (parts, checksum, code, field) in [
        (json!([]), &composite, "parts-incomplete", "parts"),
        (json!([entry(1), entry(2)]), &composite, "parts-incomplete", "parts"),
        (json!([entry(1), entry(3), entry(2)]), &composite, "parts-incomplete", "parts[1].number"),
        (json!([entry(1), entry(1), entry(2)]), &composite, "part-repeated", "parts[1].number"),
        (json!([entry(1), entry(2), entry(4)]), &composite, "part-out-of-range", "parts[2].number"),
        (json!([entry(1), entry(2), entry(3)]), &format!("{digest}-3"), "invalid-value", "checksum"),
    ] {
        let body = json!({ "parts": parts, "checksum": checksum });
        refused(&post(&server, "/complete", token, &body).await, 400, code, json!(field));
    }
    let body = json!({ "parts": [entry(1), entry(2), entry(3)], "checksum": composite });
    refused(&post(&server, "/complete", token, &body).await, 409, "parts-refused", Value::Null);

    assert_eq!(call(&server, Method::GET, "/parts", token, None).await, (200, json!({ "parts": [] })));
    let answer = call(&server, Method::GET, "/parts?after=x", token, None).await;
    refused(&answer, 400, "wrong-type", json!("after"));
    assert_eq!(call(&server, Method::DELETE, "", token, None).await.0, 204);
    assert_eq!(call(&server, Method::DELETE, "", token, None).await.0, 204, "aborting twice succeeds");
    refused(&call(&server, Method::GET, "/parts", token, None).await, 404, "upload-gone", Value::Null);
    assert_eq!(server.leftovers(), (0, 0, 0));
}

#[tokio::test]
async fn a_small_file_has_nothing_to_list_or_complete() {
    let server = start().await;
    let file = json!({ "name": "a", "type": "a/b", "size": 1, "parts": [part(1, 1)] });
    let (_, created) = post(&server, "", None, &file).await;
    assert_eq!((&created["kind"], created["parts"].as_array().map(Vec::len)), (&json!("single"), Some(1)));
    let token = created["token"].as_str();
    refused(&call(&server, Method::GET, "/parts", token, None).await, 409, "not-multipart", json!("upload-token"));
    assert_eq!(call(&server, Method::DELETE, "", token, None).await.0, 204);
    assert_eq!(server.leftovers(), (0, 0, 0));
}

/// The test sets the caller of each request, as API Gateway's authorizer does.
#[tokio::test]
async fn another_callers_token_is_refused_by_every_call() {
    use axum::body::{Body, to_bytes};
    use directput_server::host::{Caller, Host, Keyring, fixed, reqwest_client, router};
    use directput_server::{Api, Bucket, Config, TokenKeys};
    use tower::ServiceExt;

    let server = start().await;
    let s3 = &server.connection;
    let app = router(Host {
        api: Api {
            config: Config::for_bucket(&s3.bucket),
            bucket: Bucket::at(&s3.url, &s3.bucket, &s3.region).unwrap(),
            daily_limits: None,
        },
        keys: Keyring::fixed(TokenKeys::new(&[7; 32], None, &s3.bucket).unwrap()),
        credentials: fixed(s3.credentials()),
        send: reqwest_client().unwrap(),
        count: None,
    });
    let call = async |caller: Option<&str>, method: &str, path: &str, token: &str, body: Value| {
        let request = axum::http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", "application/json")
            .header("upload-token", token)
            .extension(Caller(caller.map(str::to_owned)))
            .body(Body::from(body.to_string()))
            .unwrap();
        let reply = app.clone().oneshot(request).await.unwrap();
        let status = reply.status().as_u16();
        let bytes = to_bytes(reply.into_body(), 1 << 20).await.unwrap();
        (status, serde_json::from_slice::<Value>(&bytes).unwrap_or_default())
    };
    let (status, created) = call(Some("alice"), "POST", "/uploads", "", large_file()).await;
    assert_eq!(status, 201, "{created}");
    let token = created["token"].as_str().unwrap();
    let one = json!({ "parts": [part(1, 8 << 20)] });
    for caller in [Some("bob"), None] {
        for (method, path) in [
            ("POST", "/uploads/parts"),
            ("GET", "/uploads/parts"),
            ("POST", "/uploads/complete"),
            ("DELETE", "/uploads"),
        ] {
            let answer = call(caller, method, path, token, one.clone()).await;
            refused(&answer, 403, "not-your-upload", json!("upload-token"));
        }
    }
    assert_eq!(call(Some("alice"), "POST", "/uploads/parts", token, one).await.0, 200);
    assert_eq!(server.leftovers(), (0, 0, 1), "alice's upload is still open");
}
