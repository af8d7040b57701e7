//! Opened uploads. Answers are read member by member, so that a check can name each wrong field.

use directput::plan::MAX_PARTS;
use reqwest::Method;
use serde_json::{Value, json};

use super::probe::Probe;
use super::put::SignedPut;

/// An upload that the API has opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Upload token. It is a secret.
    pub token: String,
    /// Key of the object.
    pub key: String,
    /// Whether the file is sent in parts.
    pub is_multipart: bool,
    /// Length of every part but the last, in bytes.
    pub part_bytes: u64,
    /// Number of parts.
    pub part_count: u64,
    /// Maximum number of files of a batch, or 0 if there is no such call.
    pub batch_files: u64,
    /// Number of lanes.
    pub lanes: u64,
    /// Signed PUTs, with the bytes of their parts as bodies.
    pub puts: Vec<SignedPut>,
}

/// Returns the body of a request that opens an upload and names the whole file as part 1.
pub fn opening(probe: &Probe, name: &str, bytes: &[u8]) -> Value {
    let mut body = opening_unhashed(probe, name, bytes.len() as u64);
    body["parts"] = json!([{ "number": 1, "length": bytes.len(), "checksum": probe.checksum_of(bytes) }]);
    body
}

/// Returns the body of a request that opens an upload and names no part.
pub fn opening_unhashed(probe: &Probe, name: &str, bytes: u64) -> Value {
    json!({ "name": name, "type": probe.content_type, "size": bytes, "algorithm": probe.algorithm.as_str() })
}

impl Opened {
    /// Reads an answer to `POST /uploads`. `bytes` is the whole file.
    ///
    /// # Errors
    /// The paths of the fields that are missing or wrong.
    pub fn read(answer: &Value, bytes: &[u8]) -> Result<Self, Vec<String>> {
        let mut wrong = Vec::new();
        let kind = answer["kind"].as_str().unwrap_or_default();
        let opened = Self {
            token: text(answer, "token", "token", &mut wrong),
            key: text(answer, "key", "key", &mut wrong),
            is_multipart: kind == "multipart",
            part_bytes: number(answer, "partSize", "partSize", 0..=u64::MAX, &mut wrong),
            part_count: number(answer, "partCount", "partCount", 1..=MAX_PARTS.into(), &mut wrong),
            batch_files: optional(answer, "maxUploadsPerRequest", 0, &mut wrong),
            lanes: optional(answer, "laneCount", 1, &mut wrong).max(1),
            puts: read_puts(answer, bytes, &mut wrong),
        };
        number(answer, "maxPartsPerRequest", "maxPartsPerRequest", 1..=u64::MAX, &mut wrong);
        number(answer, "expiresInSeconds", "expiresInSeconds", 1..=u64::MAX, &mut wrong);
        if !["single", "multipart"].contains(&kind) {
            wrong.push("kind".to_owned());
        }
        if wrong.is_empty() { Ok(opened) } else { Err(wrong) }
    }
}

/// Reads the signed PUTs in an answer. `bytes` is the body of each. Adds the paths of wrong fields to `wrong`.
pub fn read_puts(answer: &Value, bytes: &[u8], wrong: &mut Vec<String>) -> Vec<SignedPut> {
    let parts = match &answer["parts"] {
        Value::Array(parts) => parts.as_slice(),
        Value::Null => &[],
        _ => {
            wrong.push("parts".to_owned());
            &[]
        }
    };
    let read = |(index, part): (usize, &Value)| {
        let path = |name: &str| format!("parts[{index}].{name}");
        number(part, "number", &path("number"), 1..=MAX_PARTS.into(), wrong);
        let url = text(part, "url", &path("url"), wrong);
        if reqwest::Url::parse(&url).is_err() && !url.is_empty() {
            wrong.push(path("url"));
        }
        let headers = part["headers"].as_object().map(|headers| {
            let pairs = headers.iter().filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())));
            pairs.collect::<Vec<_>>()
        });
        if headers.as_ref().map(Vec::len) != part["headers"].as_object().map(serde_json::Map::len) || headers.is_none()
        {
            wrong.push(path("headers"));
        }
        let expires_in_seconds = number(part, "expiresInSeconds", &path("expiresInSeconds"), 0..=u64::MAX, wrong);
        let headers = headers.unwrap_or_default();
        SignedPut { method: Method::PUT, url, headers, body: bytes.to_vec(), expires_in_seconds }
    };
    parts.iter().enumerate().map(read).collect()
}

fn text(object: &Value, name: &str, path: &str, wrong: &mut Vec<String>) -> String {
    match object[name].as_str() {
        Some(text) if !text.is_empty() => text.to_owned(),
        _ => {
            wrong.push(path.to_owned());
            String::new()
        }
    }
}

fn number(
    object: &Value,
    name: &str,
    path: &str,
    range: std::ops::RangeInclusive<u64>,
    wrong: &mut Vec<String>,
) -> u64 {
    let number = object[name].as_u64().filter(|number| range.contains(number));
    if number.is_none() {
        wrong.push(path.to_owned());
    }
    number.unwrap_or_default()
}

/// Returns a number that may be absent.
fn optional(object: &Value, name: &str, default: u64, wrong: &mut Vec<String>) -> u64 {
    if object[name].is_null() { default } else { number(object, name, name, 0..=u64::MAX, wrong) }
}
