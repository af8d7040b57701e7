//! Lets a client finish sending a request that was refused before its end.
//!
//! A server that answers early and closes makes browsers report a broken connection instead of the
//! answer. So a body that is dropped half-read is read to its end in the background.

use axum::body::{Body, BodyDataStream, Bytes, HttpBody};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use futures::{Stream, StreamExt};
use std::pin::Pin;
use std::task::{Context, Poll};

/// No more than this is read on behalf of a refused request, in bytes.
const MAX_DRAIN_BYTES: usize = 64 << 20;

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

/// Wraps the body of every request.
pub async fn drain(request: Request, next: Next) -> Response {
    // An empty body stays as it is: `s3s` takes its known length for a missing Content-Length.
    let wrap = |body: Body| match body.is_end_stream() {
        true => body,
        false => Body::from_stream(DrainOnDrop(Some(body.into_data_stream()))),
    };
    let request = request.map(wrap);
    next.run(request).await
}
