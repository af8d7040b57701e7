//! An HTTP client for the calls to S3.

use std::time::Duration;

use bytes::Bytes;
use http::Response;
use reqwest::redirect::Policy;
use reqwest::{Client, Request};
use tracing::warn;

use super::SendToS3;
use crate::s3::{S3Reply, S3Request};

/// Timeout for connecting to S3.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Returns a function that sends requests to S3 with a new `reqwest` client.
///
/// # Errors
/// The error of `reqwest` if TLS can't be set up.
pub fn reqwest_client() -> Result<SendToS3, reqwest::Error> {
    // A signature is valid for one host, so a redirect can't be followed.
    let client = Client::builder().connect_timeout(CONNECT_TIMEOUT).redirect(Policy::none()).build()?;
    Ok(Box::new(move |request| {
        let client = client.clone();
        Box::pin(async move {
            // The error's text has the URL, which the log must not contain.
            let outcome = send(&client, request).await.map_err(reqwest::Error::without_url);
            outcome.inspect_err(|error| warn!(%error, "the storage can't be reached")).ok().flatten()
        })
    }))
}

async fn send(client: &Client, request: S3Request) -> Result<S3Reply, reqwest::Error> {
    let reply = client.execute(Request::try_from(request)?).await?;
    let mut response = Response::builder().status(reply.status());
    if let Some(headers) = response.headers_mut() {
        *headers = reply.headers().clone();
    }
    let body: Bytes = reply.bytes().await?;
    Ok(response.body(body).ok())
}
