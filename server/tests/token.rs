//! Tokens with wrong claims, algorithms, keys, lengths and times. Some are signed with the right key.
#![allow(missing_docs, clippy::unwrap_used)]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use directput::checksum::ChecksumAlgorithm;
use directput::protocol::{ContentType, ErrorCode, FileSize};
use directput_server::token::{NewUpload, TokenKeys};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::{Value, json};

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";
const OTHER: &[u8; 32] = b"fedcba9876543210fedcba9876543210";

fn keys() -> TokenKeys {
    TokenKeys::new(KEY, None, "bucket").unwrap()
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// Returns the claims of a good token, changed by `change`.
fn claims(change: impl FnOnce(&mut Value)) -> Value {
    let mut claims = json!({
        "v": 1, "key": "uploads/key", "upload": "id", "size": 20 << 20, "part": 8 << 20, "type": "image/png",
        "name": null, "sum": "sha256", "sub": "alice", "aud": "bucket", "iat": now(), "exp": now() + 3_600,
    });
    change(&mut claims);
    claims
}

fn signed(algorithm: Algorithm, claims: &Value, key: &[u8]) -> String {
    encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(key)).unwrap()
}

fn open(token: &str) -> Option<ErrorCode> {
    keys().open(token, Some("alice"), SystemTime::now()).err()
}

fn upload() -> NewUpload {
    NewUpload {
        key: "uploads/key".to_owned(),
        upload: Some("id".to_owned()),
        size: FileSize::new(20 << 20).unwrap(),
        part_bytes: 8 << 20,
        content_type: ContentType::unknown(),
        name: None,
        algorithm: ChecksumAlgorithm::Sha256,
        bytes: None,
        caller: Some("alice".to_owned()),
    }
}

#[test]
fn a_token_with_good_claims_and_the_right_key_is_accepted() {
    assert_eq!(open(&signed(Algorithm::HS256, &claims(|_| {}), KEY)), None);
}

#[test]
fn sealed_claims_have_the_names_that_other_versions_of_the_function_open() {
    let token = keys().seal(upload(), Duration::from_secs(60), SystemTime::now()).unwrap();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&["bucket"]);
    let mut sealed = decode::<Value>(&token, &DecodingKey::from_secret(KEY), &validation).unwrap().claims;
    let times = ["iat", "exp"].map(|name| sealed.as_object_mut().unwrap().remove(name).unwrap());
    assert!(times.iter().all(Value::is_u64));
    let expected = json!({
        "v": 1, "key": "uploads/key", "upload": "id", "size": 20 << 20, "part": 8 << 20,
        "type": "application/octet-stream", "name": null, "sum": "sha256", "sub": "alice", "aud": "bucket",
    });
    assert_eq!(sealed, expected);
}

#[test]
fn another_algorithm_is_refused_though_the_key_is_right() {
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        assert_eq!(open(&signed(algorithm, &claims(|_| {}), KEY)), Some(ErrorCode::TokenInvalid), "{algorithm:?}");
    }
    // The signature is by HS256, but the header names another algorithm.
    let good = signed(Algorithm::HS256, &claims(|_| {}), KEY);
    let (_, rest) = good.split_once('.').unwrap();
    // The headers are {"alg":"none"}, {"alg":"RS256"}, {"alg":"ES256"}, {"alg":"HS512"} and {}.
    for header in ["eyJhbGciOiJub25lIn0", "eyJhbGciOiJSUzI1NiJ9", "eyJhbGciOiJFUzI1NiJ9", "eyJhbGciOiJIUzUxMiJ9", "e30"]
    {
        assert_eq!(open(&format!("{header}.{rest}")), Some(ErrorCode::TokenInvalid), "{header}");
    }
}

#[test]
fn another_key_is_refused() {
    for key in [OTHER.as_slice(), b"", &KEY[..31], b"0123456789abcdef0123456789abcdef0"] {
        assert_eq!(open(&signed(Algorithm::HS256, &claims(|_| {}), key)), Some(ErrorCode::TokenInvalid));
    }
}

#[test]
fn additional_missing_and_wrong_claims_are_refused() {
    let refused =
        |claims: Value| assert_eq!(open(&signed(Algorithm::HS256, &claims, KEY)), Some(ErrorCode::TokenInvalid));
    refused(claims(|it| it["admin"] = json!(true)));
    refused(claims(|it| it["nbf"] = json!(now())));
    refused(claims(|it| it["v"] = json!(2)));
    refused(claims(|it| it["aud"] = json!("elsewhere")));
    refused(claims(|it| it["size"] = json!(u64::MAX)));
    refused(claims(|it| it["part"] = json!(1)));
    refused(claims(|it| it["part"] = json!(0)));
    refused(claims(|it| it["sum"] = json!("md5")));
    refused(claims(|it| it["type"] = json!("a\r\nb: c")));
    for name in ["v", "key", "size", "part", "type", "sum", "aud", "iat", "exp"] {
        refused(claims(|it| drop(it.as_object_mut().unwrap().remove(name))));
    }
}

#[test]
fn a_single_puts_token_without_a_checksum_counts_as_expired() {
    // Versions before 0.1.0 sealed such tokens. `TokenExpired` makes clients start the upload from the beginning.
    let single = |it: &mut Value| (it["upload"], it["part"]) = (Value::Null, json!(20 << 20));
    let of = |change: &dyn Fn(&mut Value)| {
        let claims = claims(|it| {
            single(it);
            change(it);
        });
        open(&signed(Algorithm::HS256, &claims, KEY))
    };
    assert_eq!(of(&|_| {}), Some(ErrorCode::TokenExpired));
    assert_eq!(
        of(&|it| it["bytes"] = json!("rosUhgp5mIg=")),
        Some(ErrorCode::TokenExpired),
        "a checksum of another algorithm"
    );
    assert_eq!(of(&|it| it["bytes"] = json!("x")), Some(ErrorCode::TokenInvalid));
    assert_eq!(of(&|it| it["bytes"] = json!("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=")), None);
    assert_eq!(of(&|it| it["sum"] = json!("none")), None, "an upload without checksums");
}

#[test]
fn a_token_ends_its_lifetime_after_it_was_sealed() {
    let token = keys().seal(upload(), Duration::from_secs(604_800), SystemTime::now()).unwrap();
    let mut validation = Validation::new(Algorithm::HS256);
    validation.set_audience(&["bucket"]);
    let claims = decode::<Value>(&token, &DecodingKey::from_secret(KEY), &validation).unwrap().claims;
    let (issued, ends) = (claims["iat"].as_u64().unwrap(), claims["exp"].as_u64().unwrap());
    assert!(now() - issued < 60 && ends == issued + 604_800, "{claims}");
}

#[test]
fn a_token_is_opened_up_to_8000_bytes() {
    let of = |length: usize| {
        let tokens = (5_000..6_500)
            .map(|name| signed(Algorithm::HS256, &claims(|it| it["name"] = json!("n".repeat(name))), KEY));
        tokens.into_iter().find(|token| token.len() == length).expect("a token of that length")
    };
    assert_eq!(open(&of(8_000)), None);
    for length in [8_001, 8_003] {
        assert_eq!(open(&of(length)), Some(ErrorCode::TokenInvalid), "{length} bytes");
    }
}

#[test]
fn a_key_has_32_bytes_or_more() {
    for (length, is_taken) in [(0, false), (31, false), (32, true), (33, true)] {
        assert_eq!(TokenKeys::new(&vec![1; length], None, "bucket").is_some(), is_taken, "{length} bytes");
        assert_eq!(
            TokenKeys::new(KEY, Some(&vec![1; length]), "bucket").is_some(),
            is_taken,
            "previous key of {length} bytes"
        );
    }
}

#[test]
fn a_token_expires_to_the_second_and_one_issued_in_the_future_is_refused() {
    let at = |iat: u64, exp: u64| {
        open(&signed(Algorithm::HS256, &claims(|it| (it["iat"], it["exp"]) = (json!(iat), json!(exp))), KEY))
    };
    assert_eq!(at(now() - 3_600, now() - 1), Some(ErrorCode::TokenExpired));
    assert_eq!(at(0, 0), Some(ErrorCode::TokenExpired));
    assert_eq!(at(now() + 60, now() + 3_600), None, "a clock may be wrong by a minute");
    assert_eq!(at(now() + 120, now() + 3_600), Some(ErrorCode::TokenInvalid));
    assert_eq!(at(u64::MAX, now() + 3_600), Some(ErrorCode::TokenInvalid));
}

#[test]
fn a_token_that_is_cut_or_extended_is_refused() {
    let token = keys().seal(upload(), Duration::from_secs(60), SystemTime::now()).unwrap();
    for length in 0..token.len() {
        assert_eq!(open(&token[..length]), Some(ErrorCode::TokenInvalid), "the first {length} letters");
    }
    for more in [".", "A", "=", ".A", " ", "\u{e9}"] {
        assert_eq!(open(&format!("{token}{more}")), Some(ErrorCode::TokenInvalid), "{more:?} after the token");
        assert_eq!(open(&format!("{more}{token}")), Some(ErrorCode::TokenInvalid), "{more:?} before the token");
    }
}
