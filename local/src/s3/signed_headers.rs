//! Refuses presigned requests with `x-amz-*` headers that are not signed.
//!
//! S3 refuses such requests ("There were headers present in the request which were not signed"), so that the holder of
//! a URL can't add an ACL or a storage class. The crate `s3s` accepts such requests.

use std::collections::HashSet;

use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

/// Answers 403 to a presigned request with an unsigned `x-amz-*` header.
pub(crate) async fn only_signed(request: Request, next: Next) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let signed = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-SignedHeaders="));
    let is_refused = signed.is_some_and(|names| {
        let names: HashSet<_> = names.split("%3B").flat_map(|names| names.split(';')).collect();
        request.headers().keys().any(|name| name.as_str().starts_with("x-amz-") && !names.contains(name.as_str()))
    });
    if !is_refused {
        return next.run(request).await;
    }
    let document = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code>\
                    <Message>There were headers present in the request which were not signed</Message></Error>";
    (StatusCode::FORBIDDEN, [(header::CONTENT_TYPE, "application/xml")], document).into_response()
}
