//! Presigned PUTs by AWS Signature Version 4 in the query (S3 API Reference, "Authenticating Requests: Using
//! Query Parameters").
//!
//! The crate `aws-sigv4` does the cryptography. This module builds the request to sign, with every header that a PUT
//! must have. For each URL, the SDK's presigner runs a client's whole pipeline. This module is much faster: it derives
//! the signing key once a day, and builds two strings for each URL. `tests/sign.rs` compares the URLs with the SDK's,
//! byte for byte.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use aws_smithy_types::date_time::{DateTime, Format};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256};

use super::Credentials;

/// Characters that are percent-encoded in a query: all but the unreserved ones of RFC 3986, section 2.3.
pub(crate) const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Characters that are percent-encoded in a path: all but the unreserved ones and `/`.
const PATH: &AsciiSet = &UNRESERVED.remove(b'/');

/// Address and region of a bucket, and the signing key of the day.
#[derive(Debug)]
pub struct Signer {
    /// Scheme and host.
    origin: String,
    /// Host, with the port if it is not the scheme's default port.
    host: String,
    /// Path before the key: `/`, or `/<bucket>/` if the bucket is not part of the host.
    path: String,
    region: String,
    key: Mutex<Option<SigningKey>>,
}

struct SigningKey {
    day: String,
    secret: String,
    bytes: Vec<u8>,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKey").field("day", &self.day).finish_non_exhaustive()
    }
}

/// A PUT to sign.
#[derive(Debug)]
pub struct Put<'a> {
    /// S3's name of the operation, such as `UploadPart`.
    pub operation: &'static str,
    /// Key of the object.
    pub key: &'a str,
    /// Query parameters sorted by name, without those of the signature.
    pub query: &'a [(&'static str, &'a str)],
    /// All required headers sorted by lower-case name, without `host`.
    pub headers: &'a [(&'static str, &'a str)],
    /// Lifetime of the URL. Fractions of a second are dropped.
    pub lifetime: Duration,
}

impl Signer {
    /// Returns the signer of a bucket in `region`. `path` is the path before the key: `/`, or `/<bucket>/`.
    pub(super) fn new(scheme: &str, host: &str, path: String, region: &str) -> Self {
        Self {
            origin: format!("{scheme}://{host}"),
            host: host.to_owned(),
            path,
            region: region.to_owned(),
            key: Mutex::default(),
        }
    }

    /// Returns the region of the bucket.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns the URL of the object `key`, with its characters percent-encoded.
    pub(super) fn url_of(&self, key: &str) -> String {
        format!("{}{}{}", self.origin, self.path, utf8_percent_encode(key, PATH))
    }

    /// Returns a [`Signing`] for these credentials and this time, with the values that all URLs of a batch share.
    /// Returns `None` if the time is outside the range of S3's date format.
    pub fn begin<'a>(&'a self, credentials: &Credentials, now: SystemTime) -> Option<Signing<'a>> {
        let written = DateTime::from(now).fmt(Format::DateTime).ok()?;
        // `written` has the form 2026-11-25T12:00:00.5Z.
        let seconds = written.split(['.', 'Z']).next()?;
        let time: String = seconds.chars().filter(|character| !"-:".contains(*character)).collect::<String>() + "Z";
        let day = time.split('T').next()?.to_owned();
        let scope = format!("{day}/{}/s3/aws4_request", self.region);
        let credential = format!("{}/{scope}", credentials.access_key_id);
        let token = credentials.session_token.as_ref().map(|token| utf8_percent_encode(token, UNRESERVED).to_string());
        Some(Signing {
            signer: self,
            key: self.key_of(&day, &credentials.secret_access_key, now),
            credential: utf8_percent_encode(&credential, UNRESERVED).to_string(),
            scope,
            time,
            token,
        })
    }

    fn key_of(&self, day: &str, secret: &str, now: SystemTime) -> Vec<u8> {
        let mut cached = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        match &*cached {
            Some(key) if key.day == day && key.secret == secret => key.bytes.clone(),
            _ => {
                let bytes = generate_signing_key(secret, now, &self.region, "s3").as_ref().to_vec();
                *cached = Some(SigningKey { day: day.to_owned(), secret: secret.to_owned(), bytes: bytes.clone() });
                bytes
            }
        }
    }
}

/// Signs any number of PUTs with the same credentials and time.
pub struct Signing<'a> {
    signer: &'a Signer,
    key: Vec<u8>,
    /// Percent-encoded access key id and scope.
    credential: String,
    scope: String,
    time: String,
    /// Percent-encoded session token.
    token: Option<String>,
}

impl Signing<'_> {
    /// Returns the presigned URL of a PUT.
    pub fn url(&self, put: &Put<'_>) -> String {
        let Self { signer, key, credential, scope, time, token } = self;
        let Signer { origin, host, path, .. } = signer;
        let seconds = put.lifetime.as_secs();
        let path = format!("{path}{}", utf8_percent_encode(put.key, PATH));
        // The header names must be sorted, so `host` is inserted at its place in alphabetical order.
        let (before, after) = put.headers.split_at(put.headers.partition_point(|(name, _)| *name < "host"));
        let host = [("host", host.as_str())];
        let headers = || before.iter().chain(&host).chain(after);
        let names = headers().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
        let encoded_names = names.replace(';', "%3B");
        let mut own_query = String::new();
        for (name, value) in put.query {
            // Writing to a `String` never fails.
            let _ = write!(own_query, "{name}={}&", utf8_percent_encode(value, UNRESERVED));
        }
        let token_before = token.as_ref().map_or(String::new(), |token| format!("X-Amz-Security-Token={token}&"));
        let operation = put.operation;

        // The query of the canonical request must be sorted by name.
        let mut canonical = format!(
            "PUT\n{path}\nX-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={credential}&X-Amz-Date={time}\
             &X-Amz-Expires={seconds}&{token_before}X-Amz-SignedHeaders={encoded_names}&{own_query}x-id={operation}\n"
        );
        for (name, value) in headers() {
            let _ = write!(canonical, "{name}:");
            push_folded(&mut canonical, value);
            canonical.push('\n');
        }
        let _ = write!(canonical, "\n{names}\nUNSIGNED-PAYLOAD");

        let mut to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n");
        push_hex(&mut to_sign, &Sha256::digest(canonical.as_bytes()));
        let signature = calculate_signature(key, to_sign.as_bytes());
        let token_after = token.as_ref().map_or(String::new(), |token| format!("&X-Amz-Security-Token={token}"));
        format!(
            "{origin}{path}?x-id={operation}&{own_query}X-Amz-Algorithm=AWS4-HMAC-SHA256\
             &X-Amz-Credential={credential}&X-Amz-Date={time}&X-Amz-Expires={seconds}\
             &X-Amz-SignedHeaders={encoded_names}&X-Amz-Signature={signature}{token_after}"
        )
    }
}

/// Appends a header's value in the canonical form of the signature: trimmed, with single spaces.
fn push_folded(canonical: &mut String, value: &str) {
    let mut words = value.split(' ').filter(|word| !word.is_empty());
    canonical.push_str(words.next().unwrap_or_default());
    for word in words {
        canonical.push(' ');
        canonical.push_str(word);
    }
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for &byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
}
