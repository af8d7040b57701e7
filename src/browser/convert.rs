//! Options from JavaScript, and results and errors for it.

use std::ops::RangeInclusive;

use js_sys::{Function, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{AbortSignal, Blob};

use super::credentials::{Credentials, Headers};
use crate::engine::{Config, Failure, FileInfo, Record};
use crate::protocol::{ContentType, ErrorCode, FileName, FileSize, NetworkHint};

/// The options of an `Uploader` that are plain data.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UploaderOptions {
    /// Where the API is.
    pub endpoint: String,
    /// How many PUTs may run at once.
    pub parts_in_flight: Option<u32>,
    /// What is known of the link.
    #[serde(default)]
    pub network: NetworkHint,
    /// After how long a silent PUT is made again, in seconds.
    pub stall_seconds: Option<u32>,
}

/// The most PUTs at once: more than any browser opens connections.
const MAX_PARTS_IN_FLIGHT: u32 = 64;

/// The range of `stallSeconds`. Below it a slow link looks dead, above it a dead one looks slow.
const STALL_SECONDS: RangeInclusive<u32> = 5..=300;

impl UploaderOptions {
    /// Reads them from a JavaScript object, and the headers apart from them: they may be a function.
    pub fn read(value: &JsValue) -> Result<(Self, Credentials), Failure> {
        let options: Self = serde_wasm_bindgen::from_value(value.clone())
            .map_err(|error| Failure { detail: Some(error.to_string()), ..ErrorCode::InvalidOption.into() })?;
        if options.endpoint.is_empty() {
            return Err(invalid("endpoint: expected a URL or a path"));
        }
        if options.parts_in_flight.is_some_and(|parts| !(1..=MAX_PARTS_IN_FLIGHT).contains(&parts)) {
            return Err(invalid("partsInFlight: expected a whole number from 1 to 64"));
        }
        if options.stall_seconds.is_some_and(|seconds| !STALL_SECONDS.contains(&seconds)) {
            return Err(invalid("stallSeconds: expected a whole number from 5 to 300"));
        }
        Ok((options, credentials(value)?))
    }

    /// What the engine wants to know of them.
    pub fn config(&self) -> Config {
        let default = Config::default();
        let parts_in_flight = self.parts_in_flight.unwrap_or(default.parts_in_flight);
        let stall_ms = self.stall_seconds.map_or(default.stall_ms, |seconds| u64::from(seconds) * 1_000);
        Config { parts_in_flight, network: self.network, stall_ms, ..default }
    }
}

fn credentials(options: &JsValue) -> Result<Credentials, Failure> {
    let headers = Reflect::get(options, &JsValue::from_str("headers")).unwrap_or(JsValue::UNDEFINED);
    if headers.is_undefined() {
        return Ok(Credentials::fixed(Headers::new()));
    }
    match headers.dyn_into::<Function>() {
        Ok(source) => Ok(Credentials::asked_of(source)),
        Err(headers) => serde_wasm_bindgen::from_value(headers)
            .map(Credentials::fixed)
            .map_err(|_| invalid("headers: expected an object of texts, or a function that returns one")),
    }
}

/// A record that [`crate::engine::Action::Persist`] gave out, as JavaScript kept it.
pub fn read_record(value: JsValue) -> Result<Record, Failure> {
    serde_wasm_bindgen::from_value(value).map_err(|_| invalid("record: expected what onRecord was called with"))
}

/// The options of one upload.
#[derive(Debug, Default)]
pub struct UploadOptions {
    /// `onProgress`.
    pub on_progress: Option<Function>,
    /// `onRetry`.
    pub on_retry: Option<Function>,
    /// `onRecord`.
    pub on_record: Option<Function>,
    /// `priority`.
    pub priority: i32,
    /// `signal`.
    pub signal: Option<AbortSignal>,
    name: Option<String>,
    content_type: Option<String>,
}

impl UploadOptions {
    /// Reads them from a JavaScript object, or from nothing.
    pub fn read(value: &JsValue) -> Result<Self, Failure> {
        if value.is_undefined() || value.is_null() {
            return Ok(Self::default());
        }
        Ok(Self {
            on_progress: member(value, "onProgress", "a function")?,
            on_retry: member(value, "onRetry", "a function")?,
            on_record: member(value, "onRecord", "a function")?,
            priority: member::<js_sys::Number>(value, "priority", "a number")?
                .map_or(0, |priority| priority.value_of() as i32),
            signal: member(value, "signal", "an AbortSignal")?,
            name: text(value, "name")?,
            content_type: text(value, "type")?,
        })
    }

    /// What the engine wants to know of the file.
    pub fn describe(&self, file: &Blob) -> Result<FileInfo, Failure> {
        let own_name = Reflect::get(file, &JsValue::from_str("name")).ok().and_then(|name| name.as_string());
        let name = match &self.name {
            Some(name) => FileName::parse(name).map_err(|_| invalid("name: expected 1 to 1,024 bytes"))?,
            None => FileName::fit(&own_name.unwrap_or_default()),
        };
        let content_type = match &self.content_type {
            Some(text) => {
                ContentType::parse(text).map_err(|_| invalid("type: expected a media type like image/png"))?
            }
            None => ContentType::parse(&file.type_()).unwrap_or(ContentType::unknown()),
        };
        let size = FileSize::new(file.size() as u64).ok_or_else(|| Failure::from(ErrorCode::FileTooLarge))?;
        Ok(FileInfo { name, content_type, size })
    }
}

fn invalid(detail: &str) -> Failure {
    Failure { detail: Some(detail.to_owned()), ..ErrorCode::InvalidOption.into() }
}

fn member<T: JsCast>(value: &JsValue, name: &str, expected: &str) -> Result<Option<T>, Failure> {
    match Reflect::get(value, &JsValue::from_str(name)) {
        Ok(member) if member.is_undefined() || member.is_null() => Ok(None),
        Ok(member) => member.dyn_into().map(Some).map_err(|_| invalid(&[name, ": expected ", expected].concat())),
        Err(_) => Err(invalid("options: expected an object")),
    }
}

fn text(value: &JsValue, name: &str) -> Result<Option<String>, Failure> {
    let member: Option<js_sys::JsString> = member(value, name, "a text")?;
    Ok(member.map(String::from))
}

/// A value as a plain JavaScript object.
pub fn to_js(value: &impl Serialize) -> JsValue {
    // Our types have only members that JSON has.
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::UNDEFINED)
}

/// A failure as an `Error` named `UploadError`, with `code`, `retryable`, `status` and `requestId`.
pub fn error_to_js(failure: &Failure) -> JsValue {
    let title = failure.code.title();
    let message = match &failure.detail {
        Some(detail) => [title, " (", detail, ")"].concat(),
        None => title.to_owned(),
    };
    let error = js_sys::Error::new(&message);
    error.set_name("UploadError");
    let set = |name: &str, value: JsValue| {
        // A new object takes any property.
        let _ = Reflect::set(&error, &JsValue::from_str(name), &value);
    };
    set("code", JsValue::from_str(failure.code.as_str()));
    set("retryable", JsValue::from_bool(failure.code.is_retryable()));
    set("status", JsValue::from_f64(failure.status.into()));
    set("requestId", failure.request_id.as_deref().map_or(JsValue::UNDEFINED, JsValue::from_str));
    error.into()
}
