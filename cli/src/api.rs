//! Calls of the signing API with reqwest.

use std::time::Duration;

use directput::engine::{ApiCall, CALL_TIMEOUT_MS, Call, Event, Failure, HttpRequest};
use directput::protocol::{
    Endpoint, ErrorCode, Problem, REQUEST_ID_HEADER, TOKEN_HEADER, code_of_refusal, retry_after_ms,
};
use reqwest::header::HeaderMap;
use reqwest::{Client, Method, Response, Url};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Address of the API, and the headers of every call.
#[derive(Debug, Clone)]
pub struct Api {
    client: Client,
    endpoint: Endpoint,
    headers: HeaderMap,
}

impl Api {
    /// Returns the API at `endpoint`. Every call has `headers`.
    pub fn new(client: Client, endpoint: &Url, headers: HeaderMap) -> Self {
        Self { client, endpoint: Endpoint::new(endpoint.as_str()), headers }
    }

    /// Makes a call and returns its outcome as an event.
    pub async fn run(self, request: ApiCall) -> Event {
        let call = request.kind();
        self.answer(call, request).await.unwrap_or_else(|failure| Event::CallFailed { call, failure })
    }

    async fn answer(self, call: Call, request: ApiCall) -> Result<Event, Failure> {
        let response = self.send(request).await?;
        if response.status().as_u16() != call.success_status() {
            return Err(unexpected(&response));
        }
        Ok(match call {
            Call::Create => Event::Created(parse(response).await?),
            Call::List => Event::Listed(parse(response).await?),
            Call::Sign => Event::Signed(parse(response).await?),
            Call::Complete => Event::Completed(parse(response).await?),
            Call::Abort => Event::Aborted,
        })
    }

    async fn send(self, request: ApiCall) -> Result<Response, Failure> {
        let HttpRequest { method, path, token, body } = request.http();
        // The method of a call is always valid, so the default is never used.
        let method = Method::from_bytes(method.as_bytes()).unwrap_or_default();
        let timeout = Duration::from_millis(CALL_TIMEOUT_MS.into());
        let mut request = self.client.request(method, self.endpoint.of(&path)).timeout(timeout).headers(self.headers);
        if let Some(token) = token {
            request = request.header(TOKEN_HEADER, token);
        }
        if let Some(body) = body {
            request = request.header("content-type", "application/json").body(json(&body));
        }
        let response = request.send().await.map_err(|error| unanswered(&error))?;
        if response.status().is_success() { Ok(response) } else { Err(refusal(response).await) }
    }
}

fn json(request: &impl Serialize) -> Vec<u8> {
    // Serialising plain data never fails.
    serde_json::to_vec(request).unwrap_or_default()
}

async fn parse<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    let unexpected = unexpected(&response);
    let body = response.bytes().await.map_err(|error| unanswered(&error))?;
    serde_json::from_slice(&body).map_err(|_| unexpected)
}

/// Returns the failure for an answer that the API does not document.
fn unexpected(response: &Response) -> Failure {
    Failure::unexpected(response.status().as_u16(), header(response, "content-type"))
}

/// Returns the failure for a request without an answer. The failure has no detail, because the error's text may contain
/// the URL.
pub fn unanswered(error: &reqwest::Error) -> Failure {
    if error.is_timeout() { ErrorCode::Timeout.into() } else { ErrorCode::Network.into() }
}

/// Returns a header of an answer, or `None` if the header is absent or not a text.
pub fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response.headers().get(name)?.to_str().ok()
}

/// Returns the failure for a refusal by the API or by a proxy in front of it.
async fn refusal(response: Response) -> Failure {
    let status = response.status().as_u16();
    let request_id = header(&response, REQUEST_ID_HEADER).map(str::to_owned);
    let retry_after_ms = retry_after_ms(header(&response, "retry-after"));
    let code_of_refusal = code_of_refusal(status, header(&response, "content-type"));
    let unexpected = unexpected(&response);
    let body = response.bytes().await.unwrap_or_default();
    let (code, detail) = match serde_json::from_slice::<Problem>(&body) {
        Ok(Problem { code, field, detail, .. }) => {
            let texts: Vec<_> = [field, detail].into_iter().flatten().collect();
            (code, (!texts.is_empty()).then(|| texts.join(": ")))
        }
        Err(_) => (code_of_refusal, unexpected.detail.filter(|_| code_of_refusal == ErrorCode::UnexpectedAnswer)),
    };
    Failure { status, request_id, retry_after_ms, detail, ..code.into() }
}
