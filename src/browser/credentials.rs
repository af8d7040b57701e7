//! Headers that identify the caller to the API. They are fixed, or a function of the page returns them on demand.

use std::cell::RefCell;

use js_sys::{Function, Promise};
use wasm_bindgen::JsValue;

use super::global::{Missed, within};
use super::wire;
use crate::engine::Failure;
use crate::protocol::{ErrorCode, Headers};

/// Timeout for the page to return headers, in milliseconds. The user may have to sign in first.
const HEADERS_MS: u32 = 30_000;

/// Headers of the API's calls, shared by all uploads of one `Uploader`.
#[derive(Debug)]
pub struct Credentials {
    headers: RefCell<Option<Headers>>,
    source: Option<Function>,
    asked: RefCell<Option<Promise>>,
}

impl Credentials {
    /// Returns credentials with fixed headers.
    pub fn fixed(headers: Headers) -> Self {
        Self { headers: RefCell::new(Some(headers)), source: None, asked: RefCell::default() }
    }

    /// Returns credentials from a function of the page that returns headers, or a promise of them.
    pub fn asked_of(source: Function) -> Self {
        Self { headers: RefCell::default(), source: Some(source), asked: RefCell::default() }
    }

    /// Returns the headers. Calls the page's function if they are not known yet.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorized`] if there are none, [`ErrorCode::HeadersTimeout`] if none came in time.
    pub async fn headers(&self) -> Result<Headers, Failure> {
        if self.headers.borrow().is_none() {
            self.ask().await?;
        }
        Ok(self.headers.borrow().clone().unwrap_or_default())
    }

    /// Requests fresh headers from the page's function.
    ///
    /// # Errors
    /// [`ErrorCode::Unauthorized`] if there are none, [`ErrorCode::HeadersTimeout`] if none came in time.
    pub async fn refresh(&self) -> Result<(), Failure> {
        if self.source.is_some() { self.ask().await } else { Err(ErrorCode::Unauthorized.into()) }
    }

    /// Calls the page's function for headers. Concurrent calls share one answer.
    async fn ask(&self) -> Result<(), Failure> {
        let refused = |detail: &str| Failure { detail: Some(detail.to_owned()), ..ErrorCode::Unauthorized.into() };
        let Some(source) = &self.source else { return Ok(()) };
        let pending = self.asked.borrow().clone();
        let promise = match pending {
            Some(promise) => promise,
            None => {
                let answer = source.call0(&JsValue::UNDEFINED).map_err(|_| refused("headers: the function threw"))?;
                let promise = Promise::resolve(&answer);
                *self.asked.borrow_mut() = Some(promise.clone());
                promise
            }
        };
        let answer = within(HEADERS_MS, &promise).await;
        self.asked.take();
        let answer = answer.map_err(|missed| match missed {
            Missed::Late => ErrorCode::HeadersTimeout.into(),
            Missed::Rejected => refused("headers: the function's promise was rejected"),
        })?;
        let headers =
            wire::headers(&answer).ok_or_else(|| refused("headers: the function did not return an object of texts"))?;
        self.headers.replace(Some(headers));
        Ok(())
    }
}
