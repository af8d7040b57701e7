//! The classes that `npm/server` uses.

use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use directput::protocol::ErrorCode;
use directput_server::s3::S3Reply;
use directput_server::{Answer, Api, ApiError, Call, Context, Credentials, Request, Step, TokenKeys};
use js_sys::{Function, Uint8Array};
use serde::Serialize;
use wasm_bindgen::prelude::*;

use crate::messages::{CallToSend, RequestHead};
use crate::settings::{SettingError, Settings};

/// The signing API of one bucket.
#[wasm_bindgen]
pub struct UploadServer {
    inner: Rc<Inner>,
}

struct Inner {
    api: Api,
    keys: TokenKeys,
    /// Fills a `Uint8Array` with random bytes.
    random: Function,
}

impl Inner {
    fn context<'c>(
        &'c self,
        credentials: &'c Credentials,
        now_ms: f64,
        random: &'c dyn Fn() -> [u8; 16],
    ) -> Context<'c> {
        Context { now: time(now_ms), random, keys: &self.keys, credentials }
    }

    fn random(&self) -> [u8; 16] {
        let (bytes, mut filled) = (Uint8Array::new_with_length(16), [0; 16]);
        // A failure throws in JavaScript: `crypto.getRandomValues` fails only for arrays of other types.
        let _ = self.random.call1(&JsValue::NULL, &bytes);
        bytes.copy_to(&mut filled);
        filled
    }
}

fn time(now_ms: f64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(now_ms.max(0.0) as u64)
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

#[wasm_bindgen]
impl UploadServer {
    /// Returns the API with these settings: a JSON object of texts. `random` fills a `Uint8Array` with random bytes.
    ///
    /// # Errors
    /// JSON with `variable`, `expected` and `isMissing`.
    #[wasm_bindgen(constructor)]
    pub fn new(settings: &str, random: Function) -> Result<Self, JsValue> {
        let make = || {
            let settings = Settings::parse(settings)?;
            let api = settings.api()?;
            let keys = settings.keys(&api.config.bucket)?;
            Ok(Self { inner: Rc::new(Inner { api, keys, random }) })
        };
        make().map_err(|error: SettingError| JsValue::from_str(&json(&error)))
    }

    /// Returns the maximum length of the body of a request, in bytes.
    #[wasm_bindgen(js_name = maxBodyBytes)]
    pub fn max_body_bytes(method: &str, path: &str) -> u32 {
        directput_server::Route::of(method, path).map_or(0, |route| route.max_body_bytes() as u32)
    }

    /// Refuses a request by a code such as `unauthorized`, without reading it. An unknown code becomes `internal`.
    pub fn refuse(id: &str, code: &str) -> Exchange {
        Exchange::refused(id, ErrorCode::parse(code).unwrap_or(ErrorCode::Internal))
    }

    /// Begins to answer a request. `head` is a JSON object. `body` is absent if it is longer than `maxBodyBytes`.
    /// `now_ms` is in milliseconds since 1970.
    ///
    /// # Errors
    /// The name of the field of `head` that is wrong.
    pub fn begin(&self, head: &str, body: Option<Vec<u8>>, now_ms: f64) -> Result<Exchange, JsValue> {
        let head: RequestHead = serde_json::from_str(head).map_err(|error| JsValue::from_str(&error.to_string()))?;
        let grant = head.rules.grant().map_err(JsValue::from_str)?;
        let credentials = Credentials::from(head.credentials);
        let request = Request {
            id: &head.id,
            caller: head.caller.as_deref(),
            grant: Some(&grant),
            method: &head.method,
            path: &head.path,
            query: &head.query,
            content_type: head.content_type.as_deref(),
            token: head.token.as_deref(),
            body: body.as_deref(),
        };
        let inner = Rc::clone(&self.inner);
        let random = || inner.random();
        let step = inner.api.begin(request, &inner.context(&credentials, now_ms, &random));
        Ok(match step {
            Step::Answer(answer) => Exchange { calling: None, answer: Some(answer) },
            Step::Call(call) => Exchange { calling: Some(Calling { inner, credentials, call }), answer: None },
            // The API has no daily limits, so it counts nothing.
            Step::Count(_) => Exchange::refused(&head.id, ErrorCode::Internal),
        })
    }
}

/// A request that is being answered.
#[wasm_bindgen]
pub struct Exchange {
    calling: Option<Calling>,
    answer: Option<Answer>,
}

/// A call to S3, and what its answer is judged with.
struct Calling {
    inner: Rc<Inner>,
    credentials: Credentials,
    call: Box<Call>,
}

impl Exchange {
    fn refused(id: &str, code: ErrorCode) -> Self {
        Self { calling: None, answer: Some(Answer::refused(id, ApiError::from(code))) }
    }
}

#[wasm_bindgen]
impl Exchange {
    /// Request to send to S3, as JSON without the body, or `undefined` if the answer is ready.
    #[wasm_bindgen(getter)]
    pub fn call(&self) -> Option<String> {
        self.calling.as_ref().map(|calling| json(&CallToSend::from(&calling.call.request)))
    }

    /// Body of the request to S3, or of the answer.
    #[wasm_bindgen(getter)]
    pub fn body(&self) -> Vec<u8> {
        let body = self.calling.as_ref().map(|calling| calling.call.request.body().to_vec());
        body.or_else(|| self.answer.as_ref().map(|answer| answer.body.clone())).unwrap_or_default()
    }

    /// Continues with S3's answer. `status` is 0 if S3 did not answer.
    pub fn answered(&mut self, status: u16, request_id: Option<String>, body: Vec<u8>, now_ms: f64) {
        let Some(Calling { inner, credentials, call }) = self.calling.take() else { return };
        let mut reply = http::Response::builder().status(status);
        if let Some(id) = request_id {
            reply = reply.header("x-amz-request-id", id);
        }
        let reply: S3Reply = if status == 0 { None } else { reply.body(body.into()).ok() };
        let random = || inner.random();
        self.answer = Some(call.answered(reply, &inner.api, &inner.context(&credentials, now_ms, &random)));
    }

    /// HTTP status of the answer, or 0 if it is not ready.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }

    /// Headers of the answer: a JSON list of pairs.
    #[wasm_bindgen(getter)]
    pub fn headers(&self) -> String {
        json(&self.answer.as_ref().map(|answer| &answer.headers))
    }

    /// Code of the error, or `undefined` if the request succeeded.
    #[wasm_bindgen(getter)]
    pub fn code(&self) -> Option<String> {
        Some(self.answer.as_ref()?.error.as_ref()?.code.as_str().to_owned())
    }
}
