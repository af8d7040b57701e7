//! The page's files, their security headers, and the CORS rules of the API and the bucket. In AWS, CloudFront serves
//! the files with their headers, and API Gateway and S3 apply the CORS rules.

use std::path::Path;

use axum::extract::Request;
use axum::http::header::InvalidHeaderValue;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::routing::get;
use axum::{Json, Router};
use directput::protocol::{REQUEST_ID_HEADER, TOKEN_HEADER};
use tower::ServiceExt;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// Options of the site.
#[derive(Debug)]
pub struct Site<'a> {
    /// Addresses of the S3 server in presigned URLs, one for each lane. The first is the default.
    pub bucket_urls: &'a [String],
    /// Folder of the page.
    pub www: &'a Path,
    /// Folder of the package.
    pub package: &'a Path,
    /// Whether the page has a lab, in which the user sets faults.
    pub control: bool,
    /// Whether the page has security headers.
    pub guarded: bool,
}

/// Returns a router of the page, its `config.json`, the package and the API.
///
/// # Errors
/// One of `bucket_urls` has characters that a header can't have.
pub fn with_page(api: Router, site: &Site) -> Result<Router, InvalidHeaderValue> {
    let &Site { bucket_urls, www, package, control, guarded } = site;
    let config = serde_json::json!({ "endpoint": "/uploads", "preconnect": bucket_urls.first(), "lab": control });
    let files = Router::new()
        .route("/config.json", get(async || Json(config)))
        .nest_service("/directput", ServeDir::new(package))
        .fallback_service(ServeDir::new(www))
        // `no-cache` makes browsers ask for newer files, so that they load the files of a new build.
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    let files = if guarded { guard(files, &bucket_urls.join(" "))? } else { files };
    Ok(Router::new().fallback(async move |request: Request| {
        let path = request.uri().path();
        let is_call = path == "/uploads" || path.starts_with("/uploads/");
        if is_call { api.oneshot(request).await } else { files.oneshot(request).await }
    }))
}

/// Policy of the page. The page may load its own files and send requests to the API and the bucket. The worker's script
/// has the same policy, because a worker obeys the policy of its script and not that of the page.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; base-uri 'none'; connect-src 'self' {bucket}; \
    form-action 'none'; frame-ancestors 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    worker-src 'self'; require-trusted-types-for 'script'; trusted-types directput";

/// Other security headers, the same as in `aws/template.yaml`, without those that need TLS.
const SECURITY_HEADERS: [(HeaderName, &str); 5] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), "camera=(), geolocation=(), microphone=()"),
];

fn guard(files: Router, bucket_urls: &str) -> Result<Router, InvalidHeaderValue> {
    let policy = CONTENT_SECURITY_POLICY.replace("{bucket}", bucket_urls);
    let policy = (header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(&policy)?);
    let others = SECURITY_HEADERS.map(|(name, value)| (name, HeaderValue::from_static(value)));
    Ok(std::iter::once(policy)
        .chain(others)
        .fold(files, |files, (name, value)| files.layer(SetResponseHeaderLayer::overriding(name, value))))
}

fn origins(origins: &[String]) -> AllowOrigin {
    AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
}

/// Returns the CORS rule of the bucket, the same as in `aws/template.yaml`.
pub fn bucket_cors(allowed: &[String]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins(allowed))
        .allow_methods([Method::PUT])
        .allow_headers(BUCKET_HEADERS.map(HeaderName::from_static))
        .expose_headers(BUCKET_EXPOSED.map(HeaderName::from_static))
        .max_age(std::time::Duration::from_secs(3_000))
}

/// Returns the CORS rule of the API, the same as in `aws/template.yaml`.
pub fn api_cors(allowed: &[String]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins(allowed))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, HeaderName::from_static(TOKEN_HEADER)])
        .expose_headers([HeaderName::from_static(REQUEST_ID_HEADER), header::RETRY_AFTER])
        .max_age(std::time::Duration::from_secs(3_000))
}

/// Headers that a presigned PUT can have.
const BUCKET_HEADERS: [&str; 7] = [
    "content-disposition",
    "content-encoding",
    "content-type",
    "if-none-match",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha256",
    "x-amz-meta-name",
];

/// Headers of S3's responses that the page may read.
const BUCKET_EXPOSED: [&str; 5] =
    ["etag", "retry-after", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha256", "x-amz-request-id"];
