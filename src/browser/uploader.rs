//! The class that JavaScript sees.

use js_sys::Promise;
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::api::Api;
use super::convert::{UploadOptions, UploaderOptions, error_to_js};
use super::session::Session;
use crate::engine::Config;

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

/// Uploads files in the thread that it was made in. The package's `Uploader` makes one in a worker
/// and stands in for it in the page.
#[wasm_bindgen]
#[derive(Debug)]
pub struct Uploader {
    api: Api,
    config: Config,
}

#[wasm_bindgen]
impl Uploader {
    /// Takes the address of the API and what else holds for every upload.
    ///
    /// # Errors
    /// Throws `UploadError` with `invalid-option`, naming the option.
    #[wasm_bindgen(constructor)]
    pub fn new(options: &JsUploaderOptions) -> Result<Uploader, JsValue> {
        let options = UploaderOptions::read(options).map_err(|failure| error_to_js(&failure))?;
        let config = options.config();
        Ok(Self { api: Api::new(&options.endpoint, options.headers), config })
    }

    /// Uploads a file or a blob. The promise is settled when S3 has confirmed the object, or when the
    /// upload has failed or was cancelled and what was sent has been removed.
    ///
    /// # Errors
    /// Rejects with `UploadError`.
    pub fn upload(&self, file: Blob, options: Option<JsUploadOptions>) -> JsUploadResult {
        let options = options.map_or(JsValue::UNDEFINED, JsValue::from);
        let start = || {
            let options = UploadOptions::read(&options)?;
            let info = options.describe(&file)?;
            Ok(Session::start(self.api.clone(), self.config, file, info, options))
        };
        let promise = start().unwrap_or_else(|failure| Promise::reject(&error_to_js(&failure)));
        promise.unchecked_into()
    }
}
