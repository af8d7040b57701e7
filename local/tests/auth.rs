//! Sign-in: calls without a valid token are refused, and a caller can use only their own uploads.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Running, start_as};
use directput_local::Auth;
use directput_server::object_key::hash_of_caller;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

const SECRET: &str = "a secret of thirty-two characters";

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn hs256(secret: &str, claims: &Value) -> String {
    encode(&Header::new(Algorithm::HS256), claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

fn token_of(sub: &str) -> String {
    hs256(SECRET, &json!({ "sub": sub, "exp": now() + 60 }))
}

async fn start_with(auth: Auth) -> Running {
    start_as(&[], |options| options.auth = Some(auth)).await
}

async fn call(
    server: &Running,
    bearer: Option<&str>,
    method: Method,
    path: &str,
    upload: &str,
    body: Value,
) -> (u16, Value) {
    let mut request = server.http.request(method, format!("{}{path}", server.api)).header("upload-token", upload);
    if let Some(bearer) = bearer {
        request = request.header("authorization", format!("Bearer {bearer}"));
    }
    let reply = request.json(&body).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap_or_default())
}

async fn open(server: &Running, bearer: Option<&str>) -> (u16, Value) {
    let file = json!({ "name": "a.bin", "type": "image/png", "size": 20 << 20 });
    call(server, bearer, Method::POST, "", "", file).await
}

#[tokio::test]
async fn only_a_good_token_opens_an_upload() {
    let auth: Auth = format!("hs256:{SECRET}").parse().unwrap();
    let server = start_with(auth.only(Some("https://issuer".into()), Some("directput".into()))).await;
    let good = json!({ "sub": "alice", "exp": now() + 60, "iss": "https://issuer", "aud": "directput" });
    let with = |name: &str, value: Value| {
        let mut claims = good.clone();
        claims[name] = value;
        hs256(SECRET, &claims)
    };
    let sealed = hs256(SECRET, &good);
    let payload = sealed.split('.').nth(1).unwrap();
    let unsigned = format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#));
    for (case, bearer) in [
        ("none", None),
        ("empty", Some(String::new())),
        ("no token", Some("alice".to_owned())),
        ("unsigned", Some(unsigned)),
        ("truncated", Some(sealed[..sealed.len() - 2].to_owned())),
        ("extended", Some(format!("{sealed}AA"))),
        ("another secret", Some(hs256("another secret of the same length", &good))),
        ("expired", Some(with("exp", json!(now() - 2)))),
        ("without an expiry", Some(with("exp", Value::Null))),
        ("not yet valid", Some(with("nbf", json!(now() + 60)))),
        ("another issuer", Some(with("iss", json!("https://elsewhere")))),
        ("without an issuer", Some(with("iss", Value::Null))),
        ("another audience", Some(with("aud", json!("elsewhere")))),
        ("without an audience", Some(with("aud", Value::Null))),
        ("without a subject", Some(with("sub", Value::Null))),
        ("an empty subject", Some(with("sub", json!("")))),
    ] {
        let (status, body) = open(&server, bearer.as_deref()).await;
        assert_eq!(status, 401, "{case}: {body}");
    }
    assert_eq!(server.leftovers(), (0, 0, 0));
    let (status, created) = open(&server, Some(&sealed)).await;
    assert_eq!(status, 201, "{created}");
    let key = created["key"].as_str().unwrap();
    assert_eq!(key.split('/').count(), 3, "uploads/<caller's hash>/<id>: {key}");
    assert!(!key.contains("alice"));
}

#[tokio::test]
async fn a_caller_can_not_use_another_callers_upload() {
    let server = start_with(format!("hs256:{SECRET}").parse().unwrap()).await;
    let (alice, bob) = (token_of("alice"), token_of("bob"));
    let (status, created) = open(&server, Some(&alice)).await;
    assert_eq!(status, 201, "{created}");
    let upload = created["token"].as_str().unwrap();
    let none = json!({ "parts": [] });
    for (method, path) in
        [(Method::POST, "/parts"), (Method::GET, "/parts"), (Method::POST, "/complete"), (Method::DELETE, "")]
    {
        let answer = call(&server, Some(&bob), method.clone(), path, upload, none.clone()).await;
        assert_eq!((answer.0, &answer.1["code"]), (403, &json!("not-your-upload")), "{method} {path}");
        let answer = call(&server, None, method.clone(), path, upload, none.clone()).await;
        assert_eq!(answer.0, 401, "{method} {path}");
    }
    assert_eq!(server.open_uploads().await, 1, "alice's upload is still open");
    assert_eq!(call(&server, Some(&alice), Method::DELETE, "", upload, none).await.0, 204);
}

#[tokio::test]
async fn a_shared_secret_may_come_from_a_file_or_the_environment() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secret");
    std::fs::write(&path, format!("{SECRET}\n")).unwrap();
    let server = start_with(format!("hs256-file:{}", path.display()).parse().unwrap()).await;
    assert_eq!(open(&server, Some(&token_of("alice"))).await.0, 201);
    // `CARGO_PKG_DESCRIPTION` is set by cargo for tests.
    let server = start_with("hs256-env:CARGO_PKG_DESCRIPTION".parse().unwrap()).await;
    let claims = json!({ "sub": "alice", "exp": now() + 60 });
    assert_eq!(open(&server, Some(&hs256(env!("CARGO_PKG_DESCRIPTION"), &claims))).await.0, 201);
    assert_eq!(open(&server, Some(&token_of("alice"))).await.0, 401);
}

#[tokio::test]
async fn callers_of_two_issuers_with_the_same_name_are_different_callers() {
    let auth = || -> Auth { format!("hs256:{SECRET}").parse().unwrap() };
    let server = start_with(auth()).await;
    let of = |issuer: &str| hs256(SECRET, &json!({ "iss": issuer, "sub": "alice", "exp": now() + 60 }));
    let (one, other) = (of("https://one"), of("https://other"));
    let (_, created) = open(&server, Some(&one)).await;
    let upload = created["token"].as_str().unwrap();
    let answer = call(&server, Some(&other), Method::GET, "/parts", upload, Value::Null).await;
    assert_eq!((answer.0, &answer.1["code"]), (403, &json!("not-your-upload")));
    assert_eq!(call(&server, Some(&one), Method::GET, "/parts", upload, Value::Null).await.0, 200);
    let folder = |created: &Value| created["key"].as_str().unwrap().rsplit_once('/').unwrap().0.to_owned();
    assert_ne!(folder(&open(&server, Some(&other)).await.1), folder(&created));

    // If the server accepts a single issuer, the folder depends only on the subject.
    let server = start_with(auth().only(Some("https://one".to_owned()), None)).await;
    let single = folder(&open(&server, Some(&one)).await.1);
    assert_eq!(single, format!("uploads/{}", hash_of_caller("alice")));
}

#[tokio::test]
async fn a_key_set_verifies_tokens_and_its_public_key_does_not_work_as_a_secret() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    // The public key is an uncompressed point: the byte 4, x, y (SEC 1, section 2.3.3).
    let point = pair.public_key().as_ref();
    let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
    let key = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": "one", "x": x, "y": y });
    let set = json!({ "keys": [key] }).to_string();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("jwks.json");
    std::fs::write(&path, &set).unwrap();
    let server = start_with(format!("jwks:{}", path.display()).parse().unwrap()).await;

    let pkcs8 = pair.to_pkcs8v1().unwrap();
    let claims = json!({ "sub": "alice", "exp": now() + 60 });
    let signed = |kid: Option<&str>| {
        let header = Header { kid: kid.map(str::to_owned), ..Header::new(Algorithm::ES256) };
        encode(&header, &claims, &EncodingKey::from_ec_der(pkcs8.as_ref())).unwrap()
    };
    assert_eq!(open(&server, Some(&signed(Some("one")))).await.0, 201);
    assert_eq!(open(&server, Some(&signed(None))).await.0, 201);
    assert_eq!(open(&server, Some(&signed(Some("two")))).await.0, 401);
    // The tokens are signed by HS256, with public values of the key set as the secret.
    for public in [set.as_str(), &x, &y] {
        assert_eq!(open(&server, Some(&hs256(public, &claims))).await.0, 401);
    }
    let public = EncodingKey::from_secret(point);
    let swapped = encode(&Header::new(Algorithm::HS256), &claims, &public).unwrap();
    assert_eq!(open(&server, Some(&swapped)).await.0, 401);
}

#[tokio::test]
async fn a_preflight_needs_no_token_and_pages_can_read_a_refusal() {
    let server = start_with(format!("hs256:{SECRET}").parse().unwrap()).await;
    let page = server.api.trim_end_matches("/uploads");
    let preflight = server.http.request(Method::OPTIONS, &server.api).header("origin", page);
    let preflight = preflight
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type");
    let reply = preflight.send().await.unwrap();
    assert_eq!(reply.status(), 200);
    let refused = server.http.post(&server.api).header("origin", page).send().await.unwrap();
    assert_eq!(refused.status(), 401);
    assert_eq!(refused.headers()["access-control-allow-origin"], page);
}

#[tokio::test]
async fn the_api_itself_refuses_anonymous_calls_if_a_caller_is_required() {
    // The server has no authorizer, as if someone had removed it by mistake.
    let server = start_as(&[("NEEDS_CALLER", "true")], |_| {}).await;
    let (status, body) = open(&server, None).await;
    assert_eq!((status, &body["code"]), (401, &json!("unauthorized")));
    assert_eq!(server.leftovers(), (0, 0, 0));
}

#[test]
fn keys_that_can_not_be_used_are_refused_at_the_start() {
    for (text, expected) in [
        ("", "expected jwks:<file>, hs256-file:<file>, hs256-env:<variable> or hs256:<secret>"),
        ("rs256:x", "expected jwks:<file>"),
        ("hs256:short", "at least 32 characters"),
        ("hs256-file:/no/such/file", "hs256-file: No such file"),
        ("hs256-env:NO_SUCH_VARIABLE", "hs256-env: NO_SUCH_VARIABLE is not set"),
        ("hs256-env:CARGO_PKG_NAME", "at least 32 characters"),
        ("jwks:/no/such/file", "jwks: No such file"),
    ] {
        let error = text.parse::<Auth>().unwrap_err();
        assert!(error.contains(expected), "{text}: {error}");
    }
}
