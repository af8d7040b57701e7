//! The calls of the signing API, by gloo-net.

use std::rc::Rc;

use gloo_net::http::{Method, RequestBuilder, Response};
use js_sys::JSON;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::JsValue;
use web_sys::AbortSignal;

use super::credentials::Credentials;
use crate::engine::{CALL_TIMEOUT_MS, Failure};
use crate::protocol::{
    CompleteUpload, CreateUpload, ErrorCode, PartNumber, PartsListed, PartsSigned, Problem, REQUEST_ID_HEADER,
    SignParts, TOKEN_HEADER, UploadCompleted, UploadCreated,
};

/// Where the API is and what else it wants to be told.
#[derive(Debug, Clone)]
pub struct Api {
    endpoint: String,
    credentials: Rc<Credentials>,
}

impl Api {
    /// The API below `endpoint`, such as `/uploads`, with headers for every call.
    pub fn new(endpoint: &str, credentials: Credentials) -> Self {
        Self { endpoint: endpoint.trim_end_matches('/').to_owned(), credentials: Rc::new(credentials) }
    }

    /// Asks for fresh credentials. Says whether there are any.
    pub async fn refresh_credentials(&self) -> bool {
        self.credentials.refresh().await
    }

    /// `GET /uploads/parts`.
    pub async fn list(&self, token: &str, after: Option<PartNumber>) -> Result<PartsListed, Failure> {
        let path = after.map_or("/parts".to_owned(), |part| format!("/parts?after={}", part.get()));
        read(self.send(Method::GET, &path, Some(token), None).await?).await
    }

    /// `POST /uploads`.
    pub async fn create(&self, request: &CreateUpload) -> Result<UploadCreated, Failure> {
        read(self.send(Method::POST, "", None, Some(body(request)?)).await?).await
    }

    /// `POST /uploads/parts`.
    pub async fn sign(&self, token: &str, request: &SignParts) -> Result<PartsSigned, Failure> {
        read(self.send(Method::POST, "/parts", Some(token), Some(body(request)?)).await?).await
    }

    /// `POST /uploads/complete`.
    pub async fn complete(&self, token: &str, request: &CompleteUpload) -> Result<UploadCompleted, Failure> {
        read(self.send(Method::POST, "/complete", Some(token), Some(body(request)?)).await?).await
    }

    /// `DELETE /uploads`.
    pub async fn abort(&self, token: &str) -> Result<(), Failure> {
        self.send(Method::DELETE, "", Some(token), None).await.map(drop)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        token: Option<&str>,
        body: Option<JsValue>,
    ) -> Result<Response, Failure> {
        let headers = self.credentials.headers().await?;
        let timeout = AbortSignal::timeout_with_u32(CALL_TIMEOUT_MS);
        let url = [self.endpoint.as_str(), path].concat();
        let mut request = RequestBuilder::new(&url).method(method).abort_signal(Some(&timeout));
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        if let Some(token) = token {
            request = request.header(TOKEN_HEADER, token);
        }
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body),
            None => request.build(),
        };
        let request = request.map_err(|_| Failure::from(ErrorCode::InvalidOption))?;
        match request.send().await {
            Ok(response) if response.ok() => Ok(response),
            Ok(response) => Err(refusal(response).await),
            Err(_) if timeout.aborted() => Err(ErrorCode::Timeout.into()),
            Err(_) => Err(ErrorCode::Network.into()),
        }
    }
}

fn body(request: &impl Serialize) -> Result<JsValue, Failure> {
    let internal = || Failure::from(ErrorCode::Internal);
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    let value = request.serialize(&serializer).map_err(|_| internal())?;
    JSON::stringify(&value).map(JsValue::from).map_err(|_| internal())
}

/// The body as a `T`; nothing if it is something else.
///
/// # Errors
/// [`ErrorCode::Network`] if it broke off.
async fn parse<T: DeserializeOwned>(response: &Response) -> Result<Option<T>, Failure> {
    let text = response.text().await.map_err(|_| Failure::from(ErrorCode::Network))?;
    Ok(JSON::parse(&text).ok().and_then(|value| serde_wasm_bindgen::from_value(value).ok()))
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, Failure> {
    let failure = Failure { status: response.status(), ..ErrorCode::InvalidReply.into() };
    parse(&response).await?.ok_or(failure)
}

/// Why the API, or what stands in front of it, refused.
async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let request_id = response.headers().get(REQUEST_ID_HEADER);
    let retry_after_ms = retry_after_ms(response.headers().get("retry-after"));
    let is_problem = response.headers().get("content-type").is_some_and(|kind| kind.contains("problem+json"));
    let problem: Option<Problem> = if is_problem { parse(&response).await.unwrap_or(None) } else { None };
    if let Some(problem) = problem {
        let Problem { code, field, detail, .. } = problem;
        let detail = match (field, detail) {
            (Some(field), Some(detail)) => Some([field, detail].join(": ")),
            (field, detail) => field.or(detail),
        };
        return Failure { status, request_id, retry_after_ms, detail, ..code.into() };
    }
    let code = match status {
        401 | 403 => ErrorCode::Unauthorized,
        404 => ErrorCode::NotFound,
        413 => ErrorCode::BodyTooLarge,
        429 => ErrorCode::TooManyRequests,
        500..=599 => ErrorCode::Internal,
        _ => ErrorCode::InvalidReply,
    };
    Failure { status, request_id, retry_after_ms, ..code.into() }
}

/// A header `Retry-After` in seconds (RFC 9110, section 10.2.3), in milliseconds. A date is taken as no
/// header: the client's clock may be wrong by more than it asks for.
pub fn retry_after_ms(header: Option<String>) -> Option<u64> {
    header?.trim().parse::<u32>().ok().map(|seconds| u64::from(seconds) * 1_000)
}
