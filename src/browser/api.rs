//! Calls of the signing API with gloo-net.

use std::rc::Rc;

use gloo_net::http::{Request as Fetch, Response};
use js_sys::{Array, JSON, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Headers, RequestCredentials, RequestInit, RequestRedirect, ResponseType};

use super::convert::{invalid, to_js};
use super::credentials::Credentials;
use super::wire;
use crate::engine::{ApiCall, BATCH_PATH, CALL_TIMEOUT_MS, Call, Event, Failure, HttpRequest};
use crate::protocol::{Endpoint, ErrorCode, REQUEST_ID_HEADER, TOKEN_HEADER, code_of_refusal, retry_after_ms};

/// Client of the signing API.
#[derive(Debug, Clone)]
pub struct Api {
    endpoint: Endpoint,
    credentials: Rc<Credentials>,
    sends_cookies: bool,
}

impl Api {
    /// Returns the API at `endpoint`, such as `/uploads`. `sends_cookies` sets whether calls to another origin
    /// include cookies (Fetch standard, credentials mode `include`).
    pub fn new(endpoint: &str, credentials: Credentials, sends_cookies: bool) -> Self {
        Self { endpoint: Endpoint::new(endpoint), credentials: Rc::new(credentials), sends_cookies }
    }

    /// Requests fresh credentials from the page.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorized`] if there are none, [`ErrorCode::HeadersTimeout`] if none came in time.
    pub async fn refresh_credentials(&self) -> Result<(), Failure> {
        self.credentials.refresh().await
    }

    /// Makes a call and returns the event of its outcome.
    pub async fn run(self, request: ApiCall) -> Event {
        let call = request.kind();
        match self.answer(call, request).await {
            Ok(event) => event,
            Err(failure) => Event::CallFailed { call, failure },
        }
    }

    /// Opens several uploads with one call. Each item of `uploads` is a `CreateUpload` as a JavaScript object. Returns
    /// an array with one entry for each upload, in the same order.
    ///
    /// # Errors
    /// The failure of the call as a whole.
    pub async fn open(self, uploads: Array) -> Result<Array, Failure> {
        let request = Object::new();
        // Setting a member of a new object never fails.
        drop(Reflect::set(&request, &"uploads".into(), &uploads));
        let (response, body) = self.exchange("POST", BATCH_PATH, None, json(&request)).await?;
        wire::member(&body, "uploads").dyn_into().map_err(|_| unexpected(&response))
    }

    async fn answer(self, call: Call, request: ApiCall) -> Result<Event, Failure> {
        let HttpRequest { method, path, token, body } = request.http();
        let body = body.map_or(JsValue::UNDEFINED, |body| json(&to_js(&body)));
        let (response, body) = self.exchange(method, &path, token, body).await?;
        if response.status() != call.success_status() {
            return Err(unexpected(&response));
        }
        let event = match call {
            Call::Abort => Some(Event::Aborted),
            Call::Create => wire::upload_created(&body).map(Event::Created),
            Call::List => wire::parts_listed(&body).map(Event::Listed),
            Call::Sign => wire::parts_signed(&body).map(Event::Signed),
            Call::Complete => wire::upload_completed(&body).map(Event::Completed),
        };
        event.ok_or_else(|| unexpected(&response))
    }

    /// Makes a call. Returns the answer, and its body as a JavaScript value; `undefined` if the body is not JSON.
    async fn exchange(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: JsValue,
    ) -> Result<(Response, JsValue), Failure> {
        let credentials = self.credentials.headers().await?;
        let headers = Headers::new().map_err(|_| Failure::from(ErrorCode::Internal))?;
        let set = |name, value| {
            headers.set(name, value).map_err(|_| invalid("headers", "expected names and values that HTTP takes"))
        };
        for (name, value) in credentials.iter() {
            set(name, value)?;
        }
        if let Some(token) = token {
            set(TOKEN_HEADER, token)?;
        }
        let timeout = AbortSignal::timeout_with_u32(CALL_TIMEOUT_MS);
        let options = RequestInit::new();
        options.set_method(method);
        self.set_cookies(&options);
        options.set_signal(Some(&timeout));
        if !body.is_undefined() {
            set("content-type", "application/json")?;
            options.set_body(&body);
        }
        options.set_headers(&headers);
        // gloo-net's own builder parses every URL and serialises it again, which needs more code.
        let request = web_sys::Request::new_with_str_and_init(&self.endpoint.of(path), &options)
            .map_err(|_| invalid("endpoint", "expected an address that can be fetched"))?;
        match Fetch::from(request).send().await {
            Ok(response) if response.ok() => {
                let body = parse(&response).await?;
                Ok((response, body))
            }
            Ok(response) => Err(refusal(response).await),
            Err(_) if timeout.aborted() => Err(ErrorCode::Timeout.into()),
            Err(_) if self.is_redirected().await => Err(Failure {
                detail: Some("a redirect to another origin".to_owned()),
                ..ErrorCode::UnexpectedAnswer.into()
            }),
            Err(_) => Err(ErrorCode::Network.into()),
        }
    }

    fn set_cookies(&self, options: &RequestInit) {
        if self.sends_cookies {
            options.set_credentials(RequestCredentials::Include);
        }
    }

    /// Returns whether the API's address is redirected, for example to the login page of another origin. The browser
    /// follows such a redirect and then reports a network error. Sends a HEAD request, which changes nothing.
    async fn is_redirected(&self) -> bool {
        let options = RequestInit::new();
        options.set_method("HEAD");
        options.set_redirect(RequestRedirect::Manual);
        options.set_signal(Some(&AbortSignal::timeout_with_u32(PROBE_MS)));
        self.set_cookies(&options);
        let Ok(request) = web_sys::Request::new_with_str_and_init(&self.endpoint.of(""), &options) else {
            return false;
        };
        let response = Fetch::from(request).send().await;
        response.is_ok_and(|response| response.type_() == ResponseType::Opaqueredirect)
    }
}

/// Timeout of the check for a redirected address, in milliseconds.
const PROBE_MS: u32 = 5_000;

/// Returns the failure for an answer that the API does not document.
fn unexpected(response: &Response) -> Failure {
    Failure::unexpected(response.status(), response.headers().get("content-type").as_deref())
}

fn json(request: &JsValue) -> JsValue {
    // Serialising plain data never fails.
    JSON::stringify(request).map_or(JsValue::UNDEFINED, JsValue::from)
}

/// Returns the body as a JavaScript value, or `undefined` if it is not JSON.
///
/// # Errors
/// [`ErrorCode::Network`] if the body is incomplete.
async fn parse(response: &Response) -> Result<JsValue, Failure> {
    let text = response.text().await.map_err(|_| Failure::from(ErrorCode::Network))?;
    Ok(JSON::parse(&text).unwrap_or(JsValue::UNDEFINED))
}

/// Returns the failure for a refusal by the API or by a proxy in front of it.
async fn refusal(response: Response) -> Failure {
    let status = response.status();
    let headers = response.headers();
    let is_problem = headers.get("content-type").is_some_and(|kind| kind.starts_with("application/problem+json"));
    let problem = match is_problem {
        true => parse(&response).await.ok().and_then(|body| wire::problem(&body)),
        false => None,
    };
    let (code, detail) = problem.unwrap_or_else(|| {
        let code = code_of_refusal(status, headers.get("content-type").as_deref());
        (code, unexpected(&response).detail.filter(|_| code == ErrorCode::UnexpectedAnswer))
    });
    let request_id = headers.get(REQUEST_ID_HEADER);
    let retry_after_ms = retry_after_ms(headers.get("retry-after").as_deref());
    Failure { status, request_id, retry_after_ms, detail, ..code.into() }
}
