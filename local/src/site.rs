//! What stands in front of the API and the S3 server here, and in AWS is API Gateway's and the
//! bucket's: the page's files and CORS.

use std::path::Path;

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, Method, header};
use axum::routing::get;
use axum::{Json, Router};
use directput::protocol::{REQUEST_ID_HEADER, TOKEN_HEADER};
use tower::ServiceExt;
use tower_http::cors::{AllowOrigin, CorsLayer};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;

/// The page, its `config.json` and the package, in front of the API. Presigned URLs begin with `bucket_url`.
pub fn with_page(api: Router, bucket_url: &str, www: &Path, package: &Path) -> Router {
    let config = serde_json::json!({ "endpoint": "/uploads", "preconnect": bucket_url });
    let files = Router::new()
        .route("/config.json", get(async || Json(config)))
        .nest_service("/directput", ServeDir::new(package))
        .fallback_service(ServeDir::new(www))
        // What was rebuilt is what is shown.
        .layer(SetResponseHeaderLayer::overriding(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")));
    Router::new().fallback(async move |request: Request| {
        let path = request.uri().path();
        let is_call = path == "/uploads" || path.starts_with("/uploads/");
        if is_call { api.oneshot(request).await } else { files.oneshot(request).await }
    })
}

fn origins(origins: &[String]) -> AllowOrigin {
    AllowOrigin::list(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()))
}

/// The CORS rule of the bucket, the same as in `lambda/template.yaml`.
pub fn bucket_cors(allowed: &[String]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins(allowed))
        .allow_methods([Method::PUT])
        .allow_headers(BUCKET_HEADERS.map(HeaderName::from_static))
        .expose_headers(BUCKET_EXPOSED.map(HeaderName::from_static))
        .max_age(std::time::Duration::from_secs(3_000))
}

/// The CORS rule of the API, the same as in `lambda/template.yaml`.
pub fn api_cors(allowed: &[String]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(origins(allowed))
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([header::CONTENT_TYPE, header::AUTHORIZATION, HeaderName::from_static(TOKEN_HEADER)])
        .expose_headers([HeaderName::from_static(REQUEST_ID_HEADER), header::RETRY_AFTER])
        .max_age(std::time::Duration::from_secs(3_000))
}

/// Headers that a presigned PUT carries.
const BUCKET_HEADERS: [&str; 6] = [
    "content-disposition",
    "content-type",
    "if-none-match",
    "x-amz-checksum-crc64nvme",
    "x-amz-checksum-sha256",
    "x-amz-meta-name",
];

/// Headers of S3's answers that the page may read.
const BUCKET_EXPOSED: [&str; 5] =
    ["etag", "retry-after", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha256", "x-amz-request-id"];
