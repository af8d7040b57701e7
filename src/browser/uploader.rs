//! The classes for JavaScript.

use std::rc::Rc;

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::api::Api;
use super::convert::{UploadOptions, UploaderOptions, error_to_js, read_record};
use super::global::now;
use super::hub::Hub;
use super::session::Session;
use crate::engine::{Config, Engine, Failure, Record};
use crate::plan::SINGLE_PUT_BYTES;
use crate::queue::UploadId;

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = include_str!("../../npm/types.ts");

#[wasm_bindgen]
extern "C" {
    /// `UploaderOptions` of `npm/types.ts`.
    #[wasm_bindgen(typescript_type = "UploaderOptions")]
    pub type JsUploaderOptions;

    /// `UploadOptions` of `npm/types.ts`.
    #[wasm_bindgen(typescript_type = "UploadOptions")]
    pub type JsUploadOptions;

    /// A promise of `UploadResult` of `npm/types.ts`.
    #[wasm_bindgen(typescript_type = "Promise<UploadResult>")]
    pub type JsUploadResult;
}

/// Uploads files in the current thread. The package's `Uploader` creates this uploader in a worker, and represents it
/// in the page.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Uploader {
    api: Api,
    config: Config,
    hub: Rc<Hub>,
}

#[wasm_bindgen]
impl Uploader {
    /// Creates an uploader with the address of the API and the options of every upload.
    ///
    /// # Errors
    /// Throws `UploadError` with `invalid-option`, naming the option.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsUploaderOptions) -> Result<Uploader, JsValue> {
        let options = UploaderOptions::read(options).map_err(|failure| error_to_js(&failure))?;
        let config = options.config;
        let api = Api::new(&options.endpoint, options.credentials, options.sends_cookies);
        Ok(Self { api, config, hub: Rc::new(Hub::new(config.parts_in_flight)) })
    }

    /// Adds an upload of a file or blob to the queue.
    ///
    /// # Errors
    /// Throws `UploadError` if an option is wrong. All other errors reject [`Upload::done`].
    pub fn upload(&self, file: Blob, options: Option<JsUploadOptions>) -> Result<Upload, JsValue> {
        let options = options.map_or(JsValue::UNDEFINED, JsValue::from);
        self.begin(file, &options, None).map_err(|failure| error_to_js(&failure))
    }

    /// Resumes an upload of an earlier session, from the last record of `onRecord` and the same file.
    ///
    /// # Errors
    /// Throws `UploadError` as `upload` does, and with `invalid-option` if `record` is not a record.
    pub fn resume(&self, file: Blob, record: JsValue, options: Option<JsUploadOptions>) -> Result<Upload, JsValue> {
        let options = options.map_or(JsValue::UNDEFINED, JsValue::from);
        let resume = || self.begin(file, &options, Some(read_record(&record)?));
        resume().map_err(|failure| error_to_js(&failure))
    }

    /// Records whether there is a network, as the browser reports it.
    #[wasm_bindgen(js_name = setOnline)]
    pub fn set_online(&self, is_online: bool) {
        self.hub.dispatcher().change(|rules| rules.set_online(is_online));
    }

    fn begin(&self, file: Blob, options: &JsValue, record: Option<Record>) -> Result<Upload, Failure> {
        let options = UploadOptions::read(options, self.config)?;
        let info = options.describe(&file)?;
        let bytes = info.size.bytes();
        let priority = options.priority;
        let config = Config { keeps_records: options.on_record.is_some(), ..options.config };
        let engine = match record {
            Some(record) => Engine::restore(config, info, record),
            None => Engine::new(config, info),
        };
        let id = self.hub.next_id();
        let (session, done) = Session::new(id, self.hub.dispatcher(), self.api.clone(), engine, file, options);
        self.hub.add(session, bytes, priority);
        Ok(Upload { hub: Rc::clone(&self.hub), id, done })
    }
}

/// One upload. The package's `Upload` is a promise that represents it in the page.
#[wasm_bindgen(js_name = UploadHandle)]
#[derive(Debug)]
pub struct Upload {
    hub: Rc<Hub>,
    id: UploadId,
    done: Promise,
}

#[wasm_bindgen(js_class = UploadHandle)]
impl Upload {
    /// Resolves when S3 has confirmed the object. Rejects with `UploadError` when the upload has failed or was
    /// cancelled, after the sent parts were removed or kept.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> JsUploadResult {
        self.done.clone().unchecked_into()
    }

    /// Starts no further PUT until `unpause`. PUTs in flight continue.
    pub fn pause(&self) {
        self.hub.dispatcher().change(|rules| rules.pause(self.id));
    }

    /// Ends the pause.
    pub fn unpause(&self) {
        self.hub.dispatcher().change(|rules| rules.unpause(now(), self.id));
    }

    /// Cancels the upload, and removes the sent parts.
    pub fn cancel(&self) {
        self.hub.dispatcher().change(|rules| rules.cancel(now(), self.id));
    }

    /// Ends the upload, and keeps the sent parts if the upload has `onRecord`. [`Upload::done`] rejects with `closed`.
    pub fn close(&self) {
        self.hub.dispatcher().change(|rules| rules.close(now(), self.id));
    }

    /// Sets the priority. Uploads with a higher priority go first. Default: 0.
    pub fn prioritize(&self, priority: i32) {
        self.hub.dispatcher().change(|rules| rules.prioritize(self.id, priority));
    }
}

/// Returns the maximum size of a file that is sent in one PUT, in bytes.
#[wasm_bindgen(js_name = singlePutBytes)]
pub fn single_put_bytes() -> f64 {
    SINGLE_PUT_BYTES as f64
}
