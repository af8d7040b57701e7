//! The embedded S3 server: S3's operations on a folder, or a sink that stores nothing. Also the address and credentials of
//! an S3 server.

mod access;
mod connection;
mod drain;
mod operations;
mod signed_headers;
mod sink;
mod store;

use std::sync::Arc;

use axum::Router;
use axum::error_handling::HandleError;
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use axum::middleware::from_fn;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use tower_http::set_header::SetResponseHeaderLayer;

use access::AccessRules;
pub use connection::S3Connection;
pub(crate) use drain::drain;
use operations::Operations;
use signed_headers::only_signed;
pub(crate) use sink::sink;
pub(crate) use store::Store;

/// Returns a router with S3's operations on one bucket, for requests that are signed with these keys.
pub(crate) fn router(store: Store, bucket: &str, access_key: &str, secret_key: &str) -> Router {
    let mut builder = S3ServiceBuilder::new(Operations(Arc::new(store)));
    builder.set_auth(SimpleAuth::from_single(access_key, secret_key));
    builder.set_access(AccessRules { bucket: bucket.to_owned() });
    let service = HandleError::new(builder.build(), async |_| StatusCode::INTERNAL_SERVER_ERROR);
    let request_id = |_: &Response<_>| HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()).ok();
    Router::new()
        .fallback_service(service)
        .layer(SetResponseHeaderLayer::if_not_present(HeaderName::from_static("x-amz-request-id"), request_id))
        .layer(from_fn(only_signed))
}
