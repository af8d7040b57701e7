//! Reads answers of the API and records of `onRecord` from JavaScript objects, member by member.
//!
//! `serde` could read them too, but its deserializers and error texts took half as much space as everything else in the
//! module. Answers of the API need no error texts: they are valid or not. `tests/browser.rs` tests these readers with
//! the same golden files as serde's.

use js_sys::{Array, JsString, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use crate::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use crate::engine::{Failure, Record};
use crate::protocol::{
    CompleteUpload, CompletedPart, ETag, ErrorCode, Headers, PartNumber, PartsListed, PartsSigned, SignedPart,
    StoredPart, UploadCompleted, UploadCreated, UploadKind,
};

/// Returns a member of an object, or `undefined` if there is none.
pub fn member(value: &JsValue, name: &str) -> JsValue {
    Reflect::get(value, &JsValue::from_str(name)).unwrap_or(JsValue::UNDEFINED)
}

/// Returns a member that is a text.
pub fn text(value: &JsValue, name: &str) -> Option<String> {
    member(value, name).as_string()
}

/// Returns a member that is a whole number, not below 0.
fn whole(value: &JsValue, name: &str) -> Option<u64> {
    let number = member(value, name).as_f64()?;
    // The conversion is exact for all integers that JavaScript represents exactly.
    (number >= 0.0 && number as u64 as f64 == number).then_some(number as u64)
}

fn small(value: &JsValue, name: &str) -> Option<u32> {
    whole(value, name)?.try_into().ok()
}

fn number(value: &JsValue, name: &str) -> Option<PartNumber> {
    PartNumber::new(small(value, name)?)
}

/// Returns the items of a list, if all of them can be read.
fn list<T>(value: &JsValue, name: &str, read: fn(&JsValue) -> Option<T>) -> Option<Vec<T>> {
    let list: Array = member(value, name).dyn_into().ok()?;
    list.iter().map(|item| read(&item)).collect()
}

/// Returns the members of an object as headers, or `None` if a member is not a text.
pub fn headers(value: &JsValue) -> Option<Headers> {
    let pairs = Object::entries(value.dyn_ref()?);
    let text = |pair: &Array, at: u32| Some(String::from(pair.get(at).dyn_into::<JsString>().ok()?));
    let pairs = pairs.iter().map(|pair| {
        let pair: &Array = pair.unchecked_ref();
        Some((text(pair, 0)?, text(pair, 1)?))
    });
    pairs.collect()
}

/// Reads an [`UploadCreated`].
pub fn upload_created(value: &JsValue) -> Option<UploadCreated> {
    Some(UploadCreated {
        token: text(value, "token")?,
        key: text(value, "key")?,
        kind: match text(value, "kind")?.as_str() {
            "single" => UploadKind::Single,
            "multipart" => UploadKind::Multipart,
            _ => return None,
        },
        part_size: whole(value, "partSize")?,
        part_count: small(value, "partCount")?,
        max_parts_per_request: small(value, "maxPartsPerRequest")?,
        expires_in_seconds: whole(value, "expiresInSeconds")?,
        parts: list(value, "parts", signed_part).unwrap_or_default(),
        lane_count: small(value, "laneCount").unwrap_or(1),
        max_uploads_per_request: small(value, "maxUploadsPerRequest").unwrap_or(0),
    })
}

/// Reads a [`BatchEntry`](crate::protocol::BatchEntry).
///
/// # Errors
/// The reason for which the file was refused; [`ErrorCode::InvalidReply`] if the entry can't be understood.
pub fn batch_entry(value: &JsValue) -> Result<UploadCreated, Failure> {
    match problem(value) {
        Some((code, detail)) => Err(Failure { status: code.status(), detail, ..code.into() }),
        None => upload_created(value).ok_or_else(|| ErrorCode::InvalidReply.into()),
    }
}

/// Reads a [`PartsSigned`].
pub fn parts_signed(value: &JsValue) -> Option<PartsSigned> {
    Some(PartsSigned { parts: list(value, "parts", signed_part)? })
}

fn signed_part(value: &JsValue) -> Option<SignedPart> {
    Some(SignedPart {
        number: number(value, "number")?,
        url: text(value, "url")?,
        headers: headers(&member(value, "headers"))?,
        expires_in_seconds: whole(value, "expiresInSeconds")?,
    })
}

/// Reads a [`PartsListed`].
pub fn parts_listed(value: &JsValue) -> Option<PartsListed> {
    let stored = |value: &JsValue| {
        Some(StoredPart {
            number: number(value, "number")?,
            size: whole(value, "size")?,
            etag: text(value, "etag")?,
            checksum: text(value, "checksum"),
        })
    };
    Some(PartsListed { parts: list(value, "parts", stored)?, next: number(value, "next") })
}

/// Reads an [`UploadCompleted`].
pub fn upload_completed(value: &JsValue) -> Option<UploadCompleted> {
    Some(UploadCompleted {
        key: text(value, "key")?,
        etag: text(value, "etag")?,
        checksum: text(value, "checksum"),
        size: whole(value, "size")?,
    })
}

/// Returns the code of a problem, and its details; `None` if the value is not a problem.
pub fn problem(value: &JsValue) -> Option<(ErrorCode, Option<String>)> {
    let code = ErrorCode::parse(&text(value, "code")?)?;
    let detail = match (text(value, "field"), text(value, "detail")) {
        (Some(field), Some(detail)) => Some(field + ": " + &detail),
        (field, detail) => field.or(detail),
    };
    Some((code, detail))
}

/// Reads a [`Record`] of `onRecord`.
pub fn record(value: &JsValue) -> Option<Record> {
    let completion = member(value, "completion");
    let completion = if completion.is_undefined() { None } else { Some(complete_upload(&completion)?) };
    Some(Record {
        token: text(value, "token")?,
        key: text(value, "key")?,
        // Records of older versions have no algorithm. They used SHA-256.
        algorithm: match text(value, "algorithm") {
            Some(name) => ChecksumAlgorithm::parse(&name)?,
            None => ChecksumAlgorithm::Sha256,
        },
        part_size: whole(value, "partSize")?,
        max_parts_per_request: small(value, "maxPartsPerRequest")?,
        expires_in_seconds: whole(value, "expiresInSeconds")?,
        completion,
        discard: member(value, "discard").is_truthy(),
    })
}

fn complete_upload(value: &JsValue) -> Option<CompleteUpload> {
    let completed = |value: &JsValue| {
        Some(CompletedPart {
            number: number(value, "number")?,
            etag: ETag::parse(&text(value, "etag")?).ok()?,
            checksum: checksum(value, PartChecksum::parse)?,
        })
    };
    Some(CompleteUpload { parts: list(value, "parts", completed)?, checksum: checksum(value, ObjectChecksum::parse)? })
}

/// Returns an optional checksum: `Some(None)` if it is absent, `None` if it is malformed.
fn checksum<T, E>(value: &JsValue, parse: fn(&str) -> Result<T, E>) -> Option<Option<T>> {
    match text(value, "checksum") {
        None => Some(None),
        Some(text) => parse(&text).ok().map(Some),
    }
}
