//! Signs URLs as a careless backend would (S3 API Reference, "Authenticating Requests: Using Query Parameters").

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use directput_local::S3Connection;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::proxy::{Reply, World};

/// How a URL differs from the one that the API has signed.
pub struct Changes {
    /// Names of headers that are not signed, and that the answer does not name.
    pub drops: &'static [&'static str],
    /// Names of headers that are not signed, but that the answer names.
    pub forgets: &'static [&'static str],
    /// Header with another value.
    pub sets: Option<(&'static str, &'static str)>,
    /// Whether `content-length` is signed.
    pub signs_length: bool,
    /// Lifetime in seconds.
    pub expires: u64,
    /// Age of the signature in seconds.
    pub age: u64,
    /// Key, if it is not the API's.
    pub key: Option<fn() -> String>,
}

pub const NONE: Changes =
    Changes { drops: &[], forgets: &[], sets: None, signs_length: true, expires: 300, age: 0, key: None };

/// Signs all single PUTs in an answer of the API once more.
pub fn sign_again(body: &Value, reply: &mut Reply, world: &World, changes: &Changes) {
    let mut json = reply.json();
    let Some(key) = json["key"].as_str().filter(|_| json["kind"] == "single").map(str::to_owned) else { return };
    let key = changes.key.map_or(key, |key| key());
    json["key"] = json!(key);
    for part in json["parts"].as_array_mut().into_iter().flatten() {
        let named = part["headers"].as_object().unwrap().clone();
        let mut named: Vec<(String, String)> =
            named.into_iter().map(|(name, value)| (name, value.as_str().unwrap().to_owned())).collect();
        named.retain(|(name, _)| !changes.drops.contains(&name.as_str()));
        if let Some((name, value)) = changes.sets {
            named.retain(|(other, _)| other != name);
            named.push((name.to_owned(), value.to_owned()));
        }
        let mut signed = named.clone();
        signed.retain(|(name, _)| !changes.forgets.contains(&name.as_str()));
        if changes.signs_length {
            signed.push(("content-length".to_owned(), body["size"].to_string()));
        }
        part["url"] = json!(url(world.s3.get().unwrap(), &key, signed, changes));
        part["headers"] = named.into_iter().collect::<std::collections::BTreeMap<_, _>>().into_iter().collect();
        part["expiresInSeconds"] = json!(changes.expires - changes.age);
    }
    reply.set_json(&json);
}

fn url(s3: &S3Connection, key: &str, mut headers: Vec<(String, String)>, changes: &Changes) -> String {
    let host = s3.url.strip_prefix("http://").unwrap();
    headers.push(("host".to_owned(), host.to_owned()));
    headers.sort();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() - Duration::from_secs(changes.age);
    let time = amz_date(now.as_secs());
    let scope = format!("{}/{}/s3/aws4_request", &time[..8], s3.region);
    let names = headers.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(";");
    let query = format!(
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}&X-Amz-Date={time}&X-Amz-Expires={}\
         &X-Amz-SignedHeaders={}",
        format!("{}/{scope}", s3.access_key).replace('/', "%2F"),
        changes.expires,
        names.replace(';', "%3B"),
    );
    let path = format!("/{}/{key}", s3.bucket);
    let lines: String = headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
    let canonical = format!("PUT\n{path}\n{query}\n{lines}\n{names}\nUNSIGNED-PAYLOAD");
    let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(canonical.as_bytes())));
    let first = hmac(format!("AWS4{}", s3.secret_key).as_bytes(), &time.as_bytes()[..8]);
    let keys = [s3.region.as_str(), "s3", "aws4_request"];
    let signing_key = keys.iter().fold(first, |key, text| hmac(&key, text.as_bytes()));
    format!("{}{path}?{query}&X-Amz-Signature={}", s3.url, hex(&hmac(&signing_key, to_sign.as_bytes())))
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    if key.len() > 64 {
        block[..32].copy_from_slice(&Sha256::digest(key));
    } else {
        block[..key.len()].copy_from_slice(key);
    }
    let pad = |byte: u8| block.map(|of_key| of_key ^ byte).to_vec();
    let inner = Sha256::digest([pad(0x36), text.to_vec()].concat());
    Sha256::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns a time such as `20261128T120000Z`, from the form of HTTP dates.
fn amz_date(seconds: u64) -> String {
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds));
    let words: Vec<_> = date.split(' ').collect();
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let month = months.iter().position(|month| *month == words[2]).unwrap() + 1;
    format!("{}{month:02}{}T{}Z", words[3], words[1], words[4].replace(':', ""))
}
