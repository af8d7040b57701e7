//! Reads slices of a file into reusable buffers.
//!
//! `Blob.arrayBuffer()` makes a buffer for each part, and the garbage collector frees these buffers late. While 5 GiB
//! were hashed, half a gibibyte of buffers piled up. Byte streams fill a buffer of the caller (Streams standard,
//! section 4.5), and are also faster. Browsers without byte streams use `Blob.arrayBuffer()`.

use std::cell::RefCell;

use js_sys::{ArrayBuffer, Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use web_sys::Blob;

use super::global::{Missed, within};
use crate::engine::Failure;
use crate::protocol::ErrorCode;

// web-sys declares these methods without `catch`, so an exception of the browser would end the module.
#[wasm_bindgen]
extern "C" {
    type Source;
    #[wasm_bindgen(method, catch)]
    fn stream(this: &Source) -> Result<ByteStream, JsValue>;

    type ByteStream;
    #[wasm_bindgen(method, catch, js_name = getReader)]
    fn get_reader(this: &ByteStream, options: &Object) -> Result<ByteReader, JsValue>;

    type ByteReader;
    #[wasm_bindgen(method)]
    fn read(this: &ByteReader, view: &Uint8Array, options: &Object) -> Promise;
    #[wasm_bindgen(method)]
    fn cancel(this: &ByteReader) -> Promise;
}

/// Maximum number of pooled buffers: one for each hasher.
const MAX_POOLED: usize = 2;

thread_local! {
    static POOL: RefCell<Vec<ArrayBuffer>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that were read. Their buffer returns to the pool when this value is dropped.
#[derive(Debug)]
pub struct Bytes {
    buffer: ArrayBuffer,
    length: u32,
}

impl Bytes {
    /// Returns a view of the bytes, without a copy.
    pub fn view(&self) -> Uint8Array {
        Uint8Array::new_with_byte_offset_and_length(&self.buffer, 0, self.length)
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        POOL.with_borrow_mut(|pool| {
            if pool.len() < MAX_POOLED {
                pool.push(self.buffer.clone());
            }
        });
    }
}

/// Frees the pooled buffers. Called when no upload is left.
pub fn release_buffers() {
    POOL.with_borrow_mut(Vec::clear);
}

/// Returns the bytes from `start` to `end`, excluding `end`, as a lazy slice: the browser reads nothing until the bytes
/// are used.
///
/// # Errors
/// [`ErrorCode::FileChanged`] if the browser refuses.
pub fn slice(blob: &Blob, start: f64, end: f64) -> Result<Blob, Failure> {
    blob.slice_with_f64_and_f64(start, end).map_err(|_| ErrorCode::FileChanged.into())
}

/// Returns whether the file behind a slice can still be read. Browsers refuse files that have changed on disk.
pub async fn is_readable(blob: &Blob) -> bool {
    match slice(blob, 0.0, 1.0) {
        Ok(first_byte) => read(&first_byte).await.is_ok(),
        Err(_) => false,
    }
}

/// Returns all bytes of a blob of less than 4 GiB.
///
/// # Errors
/// [`ErrorCode::FileChanged`] if the bytes can no longer be read; [`ErrorCode::ReadTimeout`] if a read takes too long.
pub async fn read(blob: &Blob) -> Result<Bytes, Failure> {
    match reader(blob) {
        Some(reader) => {
            // `reader` must live until here: Chromium never answers a read whose reader was collected.
            let bytes = fill(&reader, blob.size() as u32).await;
            // The outcome does not matter: the stream has ended or failed.
            drop(within(READ_MS, &reader.cancel()).await);
            bytes
        }
        None => {
            let buffer = within(READ_MS, &blob.array_buffer()).await.map_err(unread)?;
            let buffer: ArrayBuffer = buffer.unchecked_into();
            let length = buffer.byte_length();
            Ok(Bytes { buffer, length })
        }
    }
}

/// Returns the failure for NotReadableError and NotFoundError: the file on disk has changed since the user picked it.
fn changed() -> Failure {
    ErrorCode::FileChanged.into()
}

/// Timeout of one read, in milliseconds. Within this time a disk reads 64 MiB at 0.56 MB/s.
const READ_MS: u32 = 120_000;

fn unread(missed: Missed) -> Failure {
    match missed {
        Missed::Late => ErrorCode::ReadTimeout.into(),
        Missed::Rejected => changed(),
    }
}

fn reader(blob: &Blob) -> Option<ByteReader> {
    let options = Object::new();
    Reflect::set(&options, &"mode".into(), &"byob".into()).ok()?;
    blob.unchecked_ref::<Source>().stream().ok()?.get_reader(&options).ok()
}

async fn fill(reader: &ByteReader, length: u32) -> Result<Bytes, Failure> {
    let pooled = POOL.with_borrow_mut(Vec::pop).filter(|buffer| buffer.byte_length() >= length);
    let mut buffer = pooled.unwrap_or_else(|| ArrayBuffer::new(length));
    // Browsers that support `min` fill the view before they answer. Others answer with the available bytes.
    let options = Object::new();
    let mut at = 0;
    while at < length {
        let room = Uint8Array::new_with_byte_offset_and_length(&buffer, at, length - at);
        drop(Reflect::set(&options, &"min".into(), &(length - at).into()));
        let result = within(READ_MS, &reader.read(&room, &options)).await.map_err(unread)?;
        let value = Reflect::get(&result, &"value".into()).map_err(|_| changed())?;
        let Ok(filled) = value.dyn_into::<Uint8Array>() else { return Err(changed()) };
        // Reading detaches the buffer. The result has a new view of the same memory.
        buffer = filled.buffer().unchecked_into();
        if filled.length() == 0 {
            return Err(changed());
        }
        at += filled.length();
    }
    Ok(Bytes { buffer, length })
}
