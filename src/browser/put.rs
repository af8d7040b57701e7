//! One PUT with XMLHttpRequest, because `fetch` reports no progress of uploads.

use js_sys::Promise;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, ProgressEvent, XmlHttpRequest};

use crate::engine::{Failure, PutAnswer};
use crate::protocol::{ErrorCode, Headers, retry_after_ms};

/// Opens a PUT. Returns its request, which can be aborted.
///
/// # Errors
/// [`ErrorCode::InvalidReply`] if the browser refuses the URL or a header.
pub fn open(url: &str, headers: &Headers) -> Result<XmlHttpRequest, Failure> {
    let opened = || {
        let request = XmlHttpRequest::new()?;
        request.open_with_async("PUT", url, true)?;
        for (name, value) in headers.iter() {
            request.set_request_header(name, value)?;
        }
        Ok::<_, wasm_bindgen::JsValue>(request)
    };
    opened().map_err(|_| ErrorCode::InvalidReply.into())
}

/// Sends the blob and waits for the answer. `checksum_header` is the name of the answer's header that has S3's
/// checksum. Calls `on_progress` with the number of bytes sent so far.
///
/// # Errors
/// [`ErrorCode::Network`] if there is no answer; [`ErrorCode::StorageRefused`], with S3's code, if the status is not
/// from 200 to 299.
pub async fn send(
    request: &XmlHttpRequest,
    blob: &Blob,
    checksum_header: Option<&str>,
    on_progress: impl FnMut(u64) + 'static,
) -> Result<PutAnswer, Failure> {
    let mut on_progress = on_progress;
    let progress = Closure::<dyn FnMut(ProgressEvent)>::new(move |event: ProgressEvent| {
        on_progress(event.loaded() as u64);
    });
    if let Ok(upload) = request.upload() {
        upload.set_onprogress(Some(wasm_bindgen::JsCast::unchecked_ref(progress.as_ref())));
    }
    // `loadend` follows success, failure and abort, so one promise covers all three.
    let ended = Promise::new(&mut |resolve, _| request.set_onloadend(Some(&resolve)));
    let outcome = match request.send_with_opt_blob(Some(blob)) {
        Ok(()) => JsFuture::from(ended).await.map(drop),
        Err(error) => Err(error),
    };
    // The closure is dropped when this function returns, so the browser must not call it later.
    request.set_onloadend(None);
    if let Ok(upload) = request.upload() {
        upload.set_onprogress(None);
    }
    outcome.map_err(|_| Failure::from(ErrorCode::Network))?;
    answer(request, checksum_header)
}

/// Returns what the bucket's CORS rule lets the page read of the answer.
fn answer(request: &XmlHttpRequest, checksum_header: Option<&str>) -> Result<PutAnswer, Failure> {
    let header = |name| request.get_response_header(name).ok().flatten();
    let status = request.status().unwrap_or(0);
    if status == 0 {
        return Err(ErrorCode::Network.into());
    }
    let body = request.response_text().ok().flatten().unwrap_or_default();
    let media_type = header("content-type");
    if (200..300).contains(&status) {
        let (etag, checksum) = (header("etag"), checksum_header.and_then(header));
        return Ok(PutAnswer { status, etag, checksum, media_type, is_empty: body.is_empty() });
    }
    let failure = Failure::of_storage(status, &body, media_type.as_deref());
    Err(Failure {
        request_id: header("x-amz-request-id").or(failure.request_id),
        retry_after_ms: retry_after_ms(header("retry-after").as_deref()),
        ..failure
    })
}
