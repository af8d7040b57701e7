//! An S3 server that accepts everything and stores nothing, to measure the speed of clients.
//!
//! The sink reads bodies to their end, checks nothing, and gives S3's answers to the calls of uploaders. An answer has
//! the checksums in the headers of the request. The answer to a completion also has the composite of the digests in its
//! body.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::HttpBody;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use directput::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use futures::StreamExt;
use tower_http::cors::{Any, CorsLayer};

/// Headers of checksums, and the names of the checksums in S3's XML.
const CHECKSUMS: [(&str, &str); 2] =
    [("x-amz-checksum-sha256", "ChecksumSHA256"), ("x-amz-checksum-crc64nvme", "ChecksumCRC64NVME")];

/// Returns the router of the sink. The sink accepts every origin and every header.
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
    let has_parameter = |name: &str| query.split('&').any(|pair| pair.split('=').next() == Some(name));
    match head.method {
        Method::PUT => stored(&head.headers),
        Method::POST if has_parameter("uploads") => {
            let id = next_id();
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
                next_id()
            ))
        }
        Method::GET => {
            xml("<ListPartsResult><IsTruncated>false</IsTruncated></ListPartsResult>".to_owned()).into_response()
        }
        _ => StatusCode::NO_CONTENT.into_response(),
    }
}

/// Returns the composite of the digests in the body of a completion, or `None` if the body has no digests.
fn composite(completion: &str) -> Option<ObjectChecksum> {
    let texts = completion.split("<ChecksumSHA256>").skip(1).filter_map(|rest| rest.split('<').next());
    // The length of each part is given as 0, because only a CRC depends on the lengths.
    let digests: Vec<_> = texts.map(|text| (PartChecksum::parse(text).ok(), 0)).collect();
    if digests.is_empty() { None } else { ObjectChecksum::of(ChecksumAlgorithm::Sha256, digests) }
}

fn stored(claimed: &HeaderMap) -> Response {
    let mut response = StatusCode::OK.into_response();
    let headers = response.headers_mut();
    if let Ok(etag) = HeaderValue::from_str(&format!("\"{}\"", next_id())) {
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

/// Returns a unique text with the length of an entity tag.
fn next_id() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{:032x}", COUNT.fetch_add(1, Ordering::Relaxed))
}
