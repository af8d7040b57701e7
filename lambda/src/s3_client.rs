//! Calls to S3 with the SDK's HTTP client. All calls of the function share one connection pool and one set of TLS
//! roots.

use aws_smithy_runtime_api::client::http::{HttpConnector, SharedHttpConnector};
use aws_smithy_runtime_api::http::Request;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use axum::http::Response;
use directput_server::host::SendToS3;
use directput_server::s3::{S3Reply, S3Request};
use tracing::warn;

/// Returns a function that sends requests to S3 by `connector`.
pub fn send_by(connector: SharedHttpConnector) -> SendToS3 {
    Box::new(move |request| {
        let connector = connector.clone();
        Box::pin(async move { send(&connector, request).await })
    })
}

async fn send(connector: &SharedHttpConnector, request: S3Request) -> S3Reply {
    let request = Request::try_from(request.map(SdkBody::from)).ok()?;
    let reply = connector.call(request).await;
    let reply = reply.inspect_err(|error| warn!(%error, "the storage can't be reached")).ok()?;
    let (parts, body) = reply.try_into_http1x().ok()?.into_parts();
    let body = ByteStream::new(body).collect().await;
    let body = body.inspect_err(|error| warn!(%error, "the storage's answer was cut off")).ok()?;
    Some(Response::from_parts(parts, body.into_bytes()))
}
