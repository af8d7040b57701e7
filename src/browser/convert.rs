//! Converts options from JavaScript, and results and errors to JavaScript.

use js_sys::{Function, Reflect};
use serde::Serialize;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::Blob;

use super::credentials::Credentials;
use super::wire::{self, headers, member};
use crate::checksum::ChecksumAlgorithm;
use crate::engine::{Config, Failure, FileInfo, PARTS_IN_FLIGHT, Record};
use crate::protocol::{ContentType, ErrorCode, FileName, FileSize, Headers, NetworkHint};

/// Options of an `Uploader`. `npm/page/options.ts` checks their ranges.
#[derive(Debug)]
pub struct UploaderOptions {
    /// URL or path of the API.
    pub endpoint: String,
    /// Headers of every call of the API.
    pub credentials: Credentials,
    /// Whether calls to an API of another origin include cookies.
    pub sends_cookies: bool,
    /// Options of the engine.
    pub config: Config,
}

impl UploaderOptions {
    /// Reads the options from a JavaScript object.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`], with the name of the option.
    pub fn read(value: &JsValue) -> Result<Self, Failure> {
        let endpoint = wire::text(value, "endpoint").filter(|endpoint| !endpoint.is_empty());
        let parts_in_flight = member(value, "partsInFlight")
            .as_f64()
            .map(|parts| (parts as u32).clamp(*PARTS_IN_FLIGHT.start(), *PARTS_IN_FLIGHT.end()));
        let config = configure(value, Config::default())?;
        let credentials = credentials(value)?;
        let sends_cookies = match wire::text(value, "credentials").as_deref() {
            None | Some("same-origin") => false,
            Some("include") => true,
            Some(_) => return Err(invalid("credentials", "expected same-origin or include")),
        };
        let config = Config { has_service_worker: member(value, "hasServiceWorker").is_truthy(), ..config };
        Ok(Self {
            endpoint: endpoint.ok_or_else(|| invalid("endpoint", "expected a URL or a path"))?,
            credentials,
            sends_cookies,
            config: Config { parts_in_flight: parts_in_flight.unwrap_or(config.parts_in_flight), ..config },
        })
    }
}

/// Returns `config` with the options of `value` that both an uploader and an upload can have.
///
/// # Errors
/// [`ErrorCode::InvalidOption`], with the name of the option.
fn configure(value: &JsValue, config: Config) -> Result<Config, Failure> {
    let stall_seconds = member(value, "stallSeconds").as_f64();
    Ok(Config {
        network: named(value, "network", NetworkHint::parse)?.unwrap_or(config.network),
        algorithm: named(value, "checksum", ChecksumAlgorithm::parse)?.unwrap_or(config.algorithm),
        stall_ms: stall_seconds.map_or(config.stall_ms, |seconds| (seconds * 1_000.0) as u64),
        ..config
    })
}

/// Returns an option whose values are names, or `None` if the option is not set.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] if the name is unknown.
fn named<T>(value: &JsValue, name: &str, parse: fn(&str) -> Option<T>) -> Result<Option<T>, Failure> {
    let option = member(value, name);
    if option.is_undefined() {
        return Ok(None);
    }
    let parsed = option.as_string().and_then(|text| parse(&text));
    parsed.map(Some).ok_or_else(|| invalid(name, "expected one of its names"))
}

fn credentials(options: &JsValue) -> Result<Credentials, Failure> {
    let source = member(options, "headers");
    if source.is_undefined() {
        return Ok(Credentials::fixed(Headers::default()));
    }
    match source.dyn_into::<Function>() {
        Ok(source) => Ok(Credentials::asked_of(source)),
        Err(object) => headers(&object)
            .map(Credentials::fixed)
            .ok_or_else(|| invalid("headers", "expected an object of texts, or a function that returns one")),
    }
}

/// Reads a record of [`crate::engine::Action::Persist`] that JavaScript has stored.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] if the value is not a record.
pub fn read_record(value: &JsValue) -> Result<Record, Failure> {
    wire::record(value).ok_or_else(|| invalid("record", "expected what onRecord was called with"))
}

/// Options of one upload.
#[derive(Debug, Default)]
pub struct UploadOptions {
    /// `onProgress`.
    pub on_progress: Option<Function>,
    /// `onRetry`.
    pub on_retry: Option<Function>,
    /// `onRecord`.
    pub on_record: Option<Function>,
    /// `onStep`.
    pub on_step: Option<Function>,
    /// `priority`.
    pub priority: i32,
    /// Options of the engine.
    pub config: Config,
    name: Option<String>,
    content_type: Option<String>,
}

impl UploadOptions {
    /// Reads the options from a JavaScript object, or from `undefined` or `null`. Default: `config`.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`], with the name of the option.
    pub fn read(value: &JsValue, config: Config) -> Result<Self, Failure> {
        if value.is_undefined() || value.is_null() {
            return Ok(Self { config, ..Self::default() });
        }
        Ok(Self {
            on_progress: function(value, "onProgress"),
            on_retry: function(value, "onRetry"),
            on_record: function(value, "onRecord"),
            on_step: function(value, "onStep"),
            config: configure(value, config)?,
            priority: member(value, "priority").as_f64().map_or(0, |priority| priority as i32),
            name: text(value, "name")?,
            content_type: text(value, "type")?,
        })
    }

    /// Returns the name, media type and size of a file. The options `name` and `type` take precedence over the file's
    /// own.
    ///
    /// # Errors
    /// [`ErrorCode::InvalidOption`] if the option `name` or `type` is malformed; [`ErrorCode::FileTooLarge`] if the
    /// file is larger than an S3 object can be.
    pub fn describe(&self, file: &Blob) -> Result<FileInfo, Failure> {
        let own_name = wire::text(file, "name");
        let name = match &self.name {
            Some(name) => FileName::parse(name).map_err(|_| invalid("name", "expected 1 to 1,024 bytes"))?,
            None => FileName::fit(&own_name.unwrap_or_default()),
        };
        let content_type = match &self.content_type {
            Some(text) => {
                ContentType::parse(text).map_err(|_| invalid("type", "expected a media type like image/png"))?
            }
            None => ContentType::parse(&file.type_()).unwrap_or(ContentType::unknown()),
        };
        let size = FileSize::new(file.size() as u64).ok_or_else(|| Failure::from(ErrorCode::FileTooLarge))?;
        Ok(FileInfo { name, content_type, size })
    }
}

/// Returns the failure for an invalid option, with its name and a description of the accepted values.
pub fn invalid(option: &str, expected: &str) -> Failure {
    Failure { detail: Some(option.to_owned() + ": " + expected), ..ErrorCode::InvalidOption.into() }
}

/// Returns a callback, or `None` if the option is not a function.
fn function(value: &JsValue, name: &str) -> Option<Function> {
    member(value, name).dyn_into().ok()
}

/// Returns an option that is a text, or `None` if the option is not set.
///
/// # Errors
/// [`ErrorCode::InvalidOption`] if the option is not a text.
fn text(value: &JsValue, name: &str) -> Result<Option<String>, Failure> {
    let member = member(value, name);
    match member.as_string() {
        None if !member.is_undefined() && !member.is_null() => Err(invalid(name, "expected a text")),
        text => Ok(text),
    }
}

/// Returns a value as a plain JavaScript object.
pub fn to_js(value: &impl Serialize) -> JsValue {
    // Serialising these types never fails, because all their members are JSON values.
    value.serialize(&serde_wasm_bindgen::Serializer::json_compatible()).unwrap_or(JsValue::UNDEFINED)
}

/// Returns a failure as an `Error` named `UploadError`, with `code`, `retryable`, `status`, `remains` and
/// `requestId`.
pub fn error_to_js(failure: &Failure) -> JsValue {
    let title = failure.code.title();
    let mut message = title.to_owned();
    if let Some(detail) = &failure.detail {
        message = message + " (" + detail + ")";
    }
    let error = js_sys::Error::new(&message);
    error.set_name("UploadError");
    let set = |name: &str, value: JsValue| {
        // Setting a property of a new object never fails.
        let _ = Reflect::set(&error, &JsValue::from_str(name), &value);
    };
    set("code", JsValue::from_str(failure.code.as_str()));
    set("retryable", JsValue::from_bool(failure.code.is_retryable()));
    set("status", JsValue::from_f64(failure.status.into()));
    set("remains", JsValue::from_str(failure.remains.as_str()));
    set("requestId", failure.request_id.as_deref().map_or(JsValue::UNDEFINED, JsValue::from_str));
    error.into()
}
