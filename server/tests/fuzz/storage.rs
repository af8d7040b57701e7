//! A fake S3 that accepts every call and counts the calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::Bytes;
use axum::http::Response;
use directput::checksum::{CompositeChecksum, Sha256Digest};
use directput_server::host::SendToS3;
use directput_server::s3::S3Request;

pub const BUCKET: &str = "fuzzed-bucket";

/// Returns the function that sends requests to this S3, and the counter of the calls.
pub fn open() -> (SendToS3, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let send: SendToS3 = Box::new(move |request| {
        counter.fetch_add(1, Ordering::Relaxed);
        Box::pin(std::future::ready(Some(answer(&request))))
    });
    (send, calls)
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

fn answer(request: &S3Request) -> Response<Bytes> {
    if let Some(disposition) = request.headers().get("content-disposition") {
        check_disposition(disposition.to_str().unwrap());
    }
    let body = String::from_utf8_lossy(request.body());
    let xml = match request.method().as_str() {
        "POST" if request.uri().query().unwrap().contains("uploadId=") => {
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
    Response::builder().status(status).body(Bytes::from(xml)).unwrap()
}

fn digest(rest: &str) -> Sha256Digest {
    Sha256Digest::parse(rest.split('<').next().unwrap()).unwrap()
}
