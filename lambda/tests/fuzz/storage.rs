//! A fake S3 that accepts every call and counts the calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::config::http::{HttpRequest, HttpResponse};
use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};
use aws_sdk_s3::primitives::SdkBody;
use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use directput::checksum::{CompositeChecksum, Sha256Digest};
use directput_lambda::storage::Storage;

pub const BUCKET: &str = "fuzzed-bucket";

/// Returns the bucket, and the counter of the calls to S3.
pub async fn open() -> (Storage, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let connector = SharedHttpConnector::new(Counting(Arc::clone(&calls)));
    let client = http_client_fn(move |_, _| connector.clone());
    let config = Builder::new().behavior_version(BehaviorVersion::latest()).region(Region::new("eu-central-1"));
    let credentials = Credentials::new("AKIDFUZZED", "secret", None, None, "fuzz");
    (Storage::open(config.http_client(client), credentials, BUCKET).await.unwrap(), calls)
}

#[derive(Debug)]
struct Counting(Arc<AtomicUsize>);

impl HttpConnector for Counting {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        self.0.fetch_add(1, Ordering::Relaxed);
        HttpConnectorFuture::ready(Ok(answer(&request)))
    }
}

/// Checks that a `Content-Disposition` is short and valid (RFC 6266).
pub fn check_disposition(disposition: &str) {
    let (kind, names) = disposition.split_once("; ").unwrap_or((disposition, ""));
    assert!(["attachment", "inline"].contains(&kind), "{disposition}");
    let is_short = disposition.len() <= 1_100 && disposition.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    assert!(is_short && !disposition.contains("  "), "{disposition}");
    if names.is_empty() {
        return;
    }
    let (plain, encoded) = names.strip_prefix("filename=\"").unwrap().split_once("\"; filename*=UTF-8''").unwrap();
    assert!(!plain.contains(['"', '\\', '/', '%']) && plain.len() <= 255, "{disposition}");
    let is_encoded = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    assert!(encoded.bytes().all(is_encoded) && !encoded.contains("%2F") && !encoded.contains("%0"), "{disposition}");
}

fn answer(request: &HttpRequest) -> HttpResponse {
    if let Some(disposition) = request.headers().get("content-disposition") {
        check_disposition(disposition);
    }
    let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
    let xml = match request.method() {
        "POST" if request.uri().contains("uploadId=") => {
            let digests: Vec<_> = body.split("<ChecksumSHA256>").skip(1).map(digest).collect();
            let composite = CompositeChecksum::of(&digests).to_string();
            format!(
                "<CompleteMultipartUploadResult><ETag>\"e\"</ETag><ChecksumSHA256>{composite}</ChecksumSHA256>\
                 </CompleteMultipartUploadResult>"
            )
        }
        "POST" => "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>".to_owned(),
        "GET" => "<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>".to_owned(),
        _ => String::new(),
    };
    let status: u16 = if xml.is_empty() { 204 } else { 200 };
    HttpResponse::new(status.try_into().unwrap(), SdkBody::from(xml))
}

fn digest(rest: &str) -> Sha256Digest {
    Sha256Digest::parse(rest.split('<').next().unwrap()).unwrap()
}
