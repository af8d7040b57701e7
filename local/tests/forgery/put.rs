//! A PUT that the API has signed, and forged PUTs that differ from it in one place.

use reqwest::Method;
use serde_json::Value;

use directput::checksum::Sha256Digest;

use crate::common::{Running, other_s3};

/// Status that a test assumes if the server closes the connection before the end of the body: a refusal.
const LOST_ANSWER: u16 = 400;

/// A PUT that the API has signed, or a changed copy of it.
#[derive(Debug, Clone)]
pub struct Put {
    method: Method,
    pub url: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Put {
    pub fn of(signed: &Value, body: &[u8]) -> Self {
        let headers = signed["headers"].as_object().unwrap();
        let headers = headers.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()));
        Self {
            method: Method::PUT,
            url: signed["url"].as_str().unwrap().to_owned(),
            headers: headers.collect(),
            body: body.to_vec(),
        }
    }

    pub fn url(&self, from: &str, to: &str) -> Self {
        assert!(self.url.contains(from), "{from}");
        Self { url: self.url.replacen(from, to, 1), ..self.clone() }
    }

    /// Returns this PUT with the URL of `other`.
    pub fn at(&self, other: &Self) -> Self {
        Self { url: other.url.clone(), ..self.clone() }
    }

    /// Returns the PUT with a changed query parameter. An empty value removes the parameter.
    pub fn set_query(&self, name: &str, value: &str) -> Self {
        let pair = format!("{name}={}", self.query(name));
        self.url(&pair, &if value.is_empty() { String::new() } else { format!("{name}={value}") })
    }

    pub fn query(&self, name: &str) -> String {
        let pairs = self.url.split(['?', '&']);
        pairs.filter_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).next().unwrap().to_owned()
    }

    /// Sends the PUT of a part. Returns whether the server refuses it because the upload is not open.
    pub async fn is_too_late(&self, server: &Running) -> bool {
        let status = self.send(server).await;
        status == 404 || (other_s3().is_some() && status == LOST_ANSWER)
    }

    /// Sends the PUT, and returns the status of the answer.
    pub async fn send(&self, server: &Running) -> u16 {
        let mut request = server.http.request(self.method.clone(), &self.url).body(self.body.clone());
        for (name, value) in &self.headers {
            request = request.header(name, value);
        }
        match request.send().await {
            Ok(reply) => reply.status().as_u16(),
            // If Garage refuses a body, it closes the connection, and the client does not get the answer.
            Err(error) if other_s3().is_some() && error.is_request() => LOST_ANSWER,
            Err(error) => panic!("{error}"),
        }
    }

    fn also(&self, query: &str) -> Self {
        Self { url: format!("{}&{query}", self.url), ..self.clone() }
    }

    fn method(&self, method: Method) -> Self {
        Self { method, ..self.clone() }
    }

    pub fn body(&self, body: &[u8]) -> Self {
        Self { body: body.to_vec(), ..self.clone() }
    }

    fn without(&self, name: &str) -> Self {
        let headers = self.headers.iter().filter(|(other, _)| other != name).cloned().collect();
        Self { headers, ..self.clone() }
    }

    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut put = self.without(name);
        put.headers.push((name.to_owned(), value.to_owned()));
        put
    }
}

/// Returns the name and the request of each forgery of `put`. `other` is a PUT that was signed for another caller.
pub fn forgeries(put: &Put, key: &str, bucket: &str, other: &Put) -> Vec<(String, Put)> {
    let mut all = Vec::new();
    let mut add = |name: &str, put: Put| all.push((name.to_owned(), put));
    let (_, file) = key.rsplit_once('/').unwrap();
    let other_file = format!("{}{}", if file.starts_with('0') { '1' } else { '0' }, &file[1..]);
    add("another key", put.url(file, &other_file));
    add("a key elsewhere", put.url("/uploads/", "/secrets/"));
    add("a key of no caller", put.url(key, &format!("uploads/{file}")));
    add("a key of another caller", put.url(key, &format!("uploads/0123456789abcdef0123456789abcdef/{file}")));
    add("a key that climbs", put.url("/uploads/", "/uploads/%2E%2E/"));
    add("another extension", put.url(".png", ".html"));
    add("another bucket", put.url(&format!("/{bucket}/"), "/another-bucket/"));
    for method in [Method::GET, Method::HEAD, Method::POST, Method::DELETE] {
        add(&format!("the method {method}"), put.method(method));
    }
    add("a byte less", put.body(&put.body[1..]));
    add("a byte more", put.body(&[put.body.as_slice(), b"x"].concat()));
    add("no bytes", put.body(b""));
    let bytes: Vec<u8> = put.body.iter().map(|byte| byte ^ 1).collect();
    let checksum = Sha256Digest::of(&bytes).to_string();
    add("other bytes", put.body(&bytes));
    add("another checksum", put.with("x-amz-checksum-sha256", &checksum));
    add("other bytes with their checksum", put.body(&bytes).with("x-amz-checksum-sha256", &checksum));
    for (name, value) in &put.headers {
        add(&format!("without {name}"), put.without(name));
        add(&format!("with another {name}"), put.with(name, &format!("{value}x")));
    }
    for (name, value) in [
        ("x-amz-acl", "public-read"),
        ("x-amz-storage-class", "GLACIER"),
        ("x-amz-tagging", "owner=me"),
        ("x-amz-meta-owner", "me"),
        ("x-amz-website-redirect-location", "https://example.com"),
        ("x-amz-server-side-encryption", "aws:kms"),
        ("x-amz-object-lock-mode", "COMPLIANCE"),
        ("x-amz-copy-source", "/another-bucket/secret"),
    ] {
        add(&format!("{name}, unsigned"), put.with(name, value));
        let names = put.query("X-Amz-SignedHeaders");
        let claimed = put.with(name, value).set_query("X-Amz-SignedHeaders", &format!("{names}%3B{name}"));
        add(&format!("{name}, claimed to be signed"), claimed);
    }
    for (name, forged) in [
        ("X-Amz-Expires", "604800".to_owned()),
        ("X-Amz-Date", "20300101T000000Z".to_owned()),
        ("X-Amz-Algorithm", "AWS4-HMAC-SHA1".to_owned()),
        ("X-Amz-SignedHeaders", "host".to_owned()),
        ("X-Amz-Signature", put.query("X-Amz-Signature").chars().rev().collect()),
        ("X-Amz-Credential", put.query("X-Amz-Credential").replace("us-east-1", "eu-west-1")),
    ] {
        add(&format!("another {name}"), put.set_query(name, &forged));
        add(&format!("without {name}"), put.set_query(name, ""));
    }
    let theirs = |name| other.query(name);
    add("the signature of another caller's URL", put.set_query("X-Amz-Signature", &theirs("X-Amz-Signature")));
    add("another caller's URL, for these bytes", put.at(other));
    for query in ["acl=", "tagging=", "uploads=", "partNumber=1&uploadId=x", "x-amz-acl=public-read", "versionId=1"] {
        add(&format!("with {query}"), put.also(query));
    }
    all
}
