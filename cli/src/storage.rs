//! PUT of a part to a presigned URL with reqwest.

use std::io::SeekFrom;

use directput::engine::{Failure, Put, PutAnswer};
use directput::protocol::{ErrorCode, retry_after_ms};
use futures::StreamExt;
use reqwest::header::CONTENT_LENGTH;
use reqwest::{Body, Client, Response};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use crate::api::{header, unanswered};
use crate::disk::Source;

/// Length of one read from disk, in bytes.
const READ_BYTES: usize = 256 << 10;

/// Sends a part and waits for the answer. Calls `on_progress` with the number of bytes that have been sent so far.
///
/// # Errors
/// [`ErrorCode::Network`] or [`ErrorCode::Timeout`] if there is no answer; [`ErrorCode::FileChanged`] if the file has
/// changed; otherwise the failure for S3's answer.
pub async fn put(
    client: Client,
    source: Source,
    put: &Put,
    on_progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<PutAnswer, Failure> {
    let outcome = send(client, &source, put, on_progress).await;
    // S3 refuses bytes that differ from the checksum. If the file has changed, the file is the cause and not S3.
    if outcome.is_err() && !source.is_unchanged() { Err(ErrorCode::FileChanged.into()) } else { outcome }
}

async fn send(
    client: Client,
    source: &Source,
    put: &Put,
    on_progress: impl Fn(u64) + Send + Sync + 'static,
) -> Result<PutAnswer, Failure> {
    let changed = |_| Failure::from(ErrorCode::FileChanged);
    let mut file = File::open(&source.path).await.map_err(changed)?;
    file.seek(SeekFrom::Start(put.part.offset)).await.map_err(changed)?;
    let mut sent = 0;
    let bytes = ReaderStream::with_capacity(file.take(put.part.length), READ_BYTES).inspect(move |read| {
        sent += read.as_ref().map_or(0, |bytes| bytes.len() as u64);
        on_progress(sent);
    });
    // S3 refuses chunked bodies, so the length must be set.
    let mut request = client.put(&put.url).header(CONTENT_LENGTH, put.part.length).body(Body::wrap_stream(bytes));
    for (name, value) in put.headers.iter() {
        request = request.header(name, value);
    }
    let response = request.send().await.map_err(|error| unanswered(&error))?;
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let text = |name| header(&response, name).map(str::to_owned);
    let answer = PutAnswer {
        status: response.status().as_u16(),
        etag: text("etag"),
        checksum: put.checksum_header().and_then(text),
        media_type: text("content-type"),
        is_empty: false,
    };
    let body = response.bytes().await.map_err(|error| unanswered(&error))?;
    Ok(PutAnswer { is_empty: body.is_empty(), ..answer })
}

async fn refusal(response: Response) -> Failure {
    let status = response.status().as_u16();
    let retry_after_ms = retry_after_ms(header(&response, "retry-after"));
    let request_id = header(&response, "x-amz-request-id").map(str::to_owned);
    let media_type = header(&response, "content-type").map(str::to_owned);
    let body = response.text().await.unwrap_or_default();
    let failure = Failure::of_storage(status, &body, media_type.as_deref());
    Failure { request_id: request_id.or(failure.request_id), retry_after_ms, ..failure }
}
