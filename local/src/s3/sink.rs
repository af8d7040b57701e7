//! An S3 server that takes everything and keeps nothing, for measuring how fast clients are.
//!
//! It answers as S3 does to what uploaders call, reads bodies to their end, and checks nothing. Checksums
//! that a request claims are answered as if they had been computed, and so is the composite of what parts claim.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use directput::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use futures::StreamExt;
use tower_http::cors::{Any, CorsLayer};

/// Headers by which a client claims a checksum, and S3's names for them in XML.
const CHECKSUMS: [(&str, &str); 2] =
    [("x-amz-checksum-sha256", "ChecksumSHA256"), ("x-amz-checksum-crc64nvme", "ChecksumCRC64NVME")];

/// The sink, open to pages of every origin and to every header.
pub fn sink() -> Router {
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(Any)
        .allow_headers(Any)
        .expose_headers(Any)
        .max_age(std::time::Duration::from_secs(3_000));
    Router::new().fallback(swallow).layer(cors)
}

async fn swallow(request: Request) -> Response {
    let (head, body) = request.into_parts();
    let mut text = Vec::new();
    if !body.is_end_stream() {
        let mut body = body.into_data_stream();
        while let Some(frame) = body.next().await {
            let Ok(frame) = frame else { return StatusCode::BAD_REQUEST.into_response() };
            if head.method == Method::POST {
                text.extend_from_slice(&frame);
            }
        }
    }
    let query = head.uri.query().unwrap_or_default();
    let asks_for = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    match head.method {
        Method::PUT => stored(&head.headers),
        Method::POST if asks_for("uploads") => {
            let id = next();
            xml(format!("<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"))
        }
        Method::POST => {
            let claimed = CHECKSUMS.iter().filter_map(|(name, element)| {
                let value = head.headers.get(*name)?.to_str().ok()?;
                Some(format!("<{element}>{value}</{element}>"))
            });
            let composite = composite(&String::from_utf8_lossy(&text));
            let composite =
                composite.map(|composite| format!("<ChecksumSHA256>{}</ChecksumSHA256>", composite.to_text()));
            let claimed: String = claimed.chain(composite).collect();
            let path = head.uri.path();
            let (bucket, key) = path.trim_start_matches('/').split_once('/').unwrap_or_default();
            xml(format!(
                "<CompleteMultipartUploadResult><Location>{path}</Location><Bucket>{bucket}</Bucket><Key>{key}</Key>\
                 <ETag>\"{}-2\"</ETag>{claimed}</CompleteMultipartUploadResult>",
                next()
            ))
        }
        Method::GET => {
            xml("<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>".to_owned()).into_response()
        }
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

/// The composite of the digests that a completion names, if it names any.
fn composite(completion: &str) -> Option<ObjectChecksum> {
    let texts = completion.split("<ChecksumSHA256>").skip(1).filter_map(|rest| rest.split('<').next());
    // Only a CRC needs the lengths.
    let digests: Vec<_> = texts.map(|text| (PartChecksum::parse(text).ok(), 0)).collect();
    if digests.is_empty() { None } else { ObjectChecksum::of(ChecksumAlgorithm::Sha256, digests) }
}

fn stored(claimed: &HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", next())) {
        headers.insert(header::ETAG, etag);
    }
    for (name, _) in CHECKSUMS {
        if let Some(value) = claimed.get(name) {
            headers.insert(name, value.clone());
        }
    }
    response
}

fn xml(body: String) -> Response {
    let document = format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{body}");
    ([(header::CONTENT_TYPE, "application/xml")], document).into_response()
}

/// A name that nothing else here has, as long as an entity tag.
fn next() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:032x}", COUNT.fetch_add(1, Ordering::Relaxed))
}
