//! Reads the rest of a request's body after the request was refused.
//!
//! If a server answers before it has read the body and closes the connection, browsers report a network error instead
//! of the answer. Therefore, the rest of a body that is dropped is read in the background.

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll};

/// Maximum number of bytes that are read after a refusal.
const MAX_DRAIN_BYTES: usize = 64 << 20;

/// A body whose rest is read in the background when it is dropped. `None` after the end of the body.
struct DrainOnDrop(Option<BodyDataStream>);

impl Stream for DrainOnDrop {
    type Item = Result<Bytes, axum::Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let item = std::task::ready!(body.poll_next_unpin(cx));
        if !matches!(item, Some(Ok(_))) {
            self.0 = None;
        }
        Poll::Ready(item)
    }
}

impl Drop for DrainOnDrop {
    fn drop(&mut self) {
        if let Some(mut body) = self.0.take() {
            tokio::spawn(async move {
                let mut left = MAX_DRAIN_BYTES;
                while let Some(Ok(bytes)) = body.next().await {
                    left = left.saturating_sub(bytes.len());
                    if left == 0 {
                        break;
                    }
                }
            });
        }
    }
}

/// Wraps the body of a request in [`DrainOnDrop`].
pub async fn drain(request: Request, next: Next) -> Response {
    // An empty body is not wrapped, because a wrapped body has no known length. `s3s` needs the length if the request
    // has no Content-Length.
    let wrap = |body: Body| match body.is_end_stream() {
        true => body,
        false => Body::from_stream(DrainOnDrop(Some(body.into_data_stream()))),
    };
    let request = request.map(wrap);
    next.run(request).await
}
