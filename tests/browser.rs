//! Tests in a headless browser, run by `wasm-pack test`: both ways of hashing, slices, the readers of answers, and the
//! JavaScript classes.
#![cfg(target_arch = "wasm32")]

use std::cell::RefCell;
use std::rc::Rc;

use directput::browser::{
    Upload, Uploader, batch_entry, by_wasm, parts_listed, parts_signed, problem, sha256_by_browser, upload_completed,
    upload_created,
};
use directput::checksum::{ChecksumAlgorithm, CompositeChecksum, Crc64Nvme, PartChecksum, Sha256Digest};
use directput::protocol::ErrorCode;
use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Blob, Crypto, SubtleCrypto};

wasm_bindgen_test_configure!(run_in_browser);

fn blob(bytes: &[u8]) -> Blob {
    let parts = Array::of1(&Uint8Array::from(bytes).into());
    Blob::new_with_u8_array_sequence(&parts).expect("a blob")
}

fn subtle() -> SubtleCrypto {
    let crypto = Reflect::get(&js_sys::global(), &"crypto".into()).expect("crypto");
    crypto.unchecked_into::<Crypto>().subtle()
}

#[wasm_bindgen_test]
async fn both_ways_to_hash_give_the_published_answers() {
    let long: Vec<u8> = (0..3_000_001u32).map(|at| (at % 251) as u8).collect();
    for bytes in [b"".as_slice(), b"abc", &long] {
        let expected = Ok(Sha256Digest::of(bytes));
        let blob = blob(bytes);
        assert_eq!(sha256_by_browser(&subtle(), &blob).await, expected, "{} bytes", bytes.len());
        assert_eq!(by_wasm(&blob, ChecksumAlgorithm::Sha256).await, expected.map(PartChecksum::from));
        let crc64nvme = by_wasm(&blob, ChecksumAlgorithm::Crc64nvme).await;
        assert_eq!(crc64nvme, Ok(Crc64Nvme::of(bytes).into()), "{} bytes", bytes.len());
    }
    let abc = by_wasm(&blob(b"abc"), ChecksumAlgorithm::Sha256).await.map(|digest| digest.to_string());
    assert_eq!(abc.as_deref(), Ok("ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="));
}

#[wasm_bindgen_test]
async fn a_slice_hashes_like_its_bytes() {
    let slice = blob(b"0123456789").slice_with_f64_and_f64(3.0, 7.0).expect("a slice");
    assert_eq!(sha256_by_browser(&subtle(), &slice).await, Ok(Sha256Digest::of(b"3456")));
}

/// Checks that a reader of `src/browser/wire.rs` reads a golden file as serde does.
fn reads_like_serde<T: serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
    golden: &str,
    read: fn(&JsValue) -> Option<T>,
) {
    let value = js_sys::JSON::parse(golden).expect("JSON");
    let expected: T = serde_wasm_bindgen::from_value(value.clone()).expect("serde reads it");
    assert_eq!(read(&value), Some(expected));
    // If a member is missing, both read the same value, or both refuse the message.
    for name in Object::keys(value.unchecked_ref::<Object>()).iter() {
        let less = js_sys::JSON::parse(golden).expect("JSON");
        Reflect::delete_property(less.unchecked_ref::<Object>(), &name).expect("deleted");
        assert_eq!(read(&less), serde_wasm_bindgen::from_value(less.clone()).ok(), "without {name:?}");
    }
}

#[wasm_bindgen_test]
fn replies_are_read_as_serde_reads_them() {
    reads_like_serde(include_str!("golden/upload-created-single.json"), upload_created);
    reads_like_serde(include_str!("golden/upload-created-multipart.json"), upload_created);
    reads_like_serde(include_str!("golden/parts-signed.json"), parts_signed);
    reads_like_serde(include_str!("golden/parts-listed.json"), parts_listed);
    reads_like_serde(include_str!("golden/upload-completed.json"), upload_completed);
    let value = js_sys::JSON::parse(include_str!("golden/problem.json")).expect("JSON");
    let batch = js_sys::JSON::parse(include_str!("golden/uploads-created.json")).expect("JSON");
    let entries: Array = Reflect::get(&batch, &"uploads".into()).expect("entries").unchecked_into();
    let single = js_sys::JSON::parse(include_str!("golden/upload-created-single.json")).expect("JSON");
    assert_eq!(batch_entry(&entries.get(0)).ok(), upload_created(&single));
    let refused = batch_entry(&entries.get(1)).expect_err("a refusal");
    assert_eq!((refused.code, refused.status), (ErrorCode::TypeNotAllowed, 415));
    assert_eq!(refused.detail.as_deref(), Some("type: not on this server's list"));
    assert_eq!(batch_entry(&JsValue::UNDEFINED).map_err(|failure| failure.code), Err(ErrorCode::InvalidReply));
    let (code, detail) = problem(&value).expect("a problem");
    assert_eq!(code, ErrorCode::PartWrongLength);
    assert_eq!(detail.as_deref(), Some("parts[0].length: part 3 has 1 bytes"));
}

#[wasm_bindgen_test]
fn replies_with_members_of_another_kind_are_not_read() {
    for (golden, name) in [
        (include_str!("golden/upload-created-multipart.json"), "token"),
        (include_str!("golden/upload-created-multipart.json"), "kind"),
        (include_str!("golden/upload-created-multipart.json"), "partSize"),
        (include_str!("golden/upload-created-multipart.json"), "partCount"),
    ] {
        for other in [JsValue::NULL, (-1).into(), 1.5.into(), true.into(), Array::new().into()] {
            let value = js_sys::JSON::parse(golden).expect("JSON");
            Reflect::set(&value, &name.into(), &other).expect("set");
            assert_eq!(upload_created(&value), None, "{name}: {other:?}");
        }
    }
    assert_eq!(upload_created(&JsValue::UNDEFINED), None);
    assert_eq!(parts_signed(&JsValue::from_str("text")), None);
}

fn options(endpoint: &str) -> JsValue {
    let options = Object::new();
    Reflect::set(&options, &"endpoint".into(), &endpoint.into()).expect("set");
    options.into()
}

fn code(error: &JsValue) -> Option<String> {
    Reflect::get(error, &"code".into()).ok()?.as_string()
}

#[wasm_bindgen_test]
fn wrong_options_throw_an_error_with_a_code() {
    let error = Uploader::new(options("").unchecked_ref()).expect_err("refused");
    assert_eq!(code(&error).as_deref(), Some("invalid-option"));
    let error = Uploader::new(Object::new().unchecked_ref()).expect_err("refused");
    assert_eq!(code(&error).as_deref(), Some("invalid-option"));
}

/// Address of the signing API of the local server. `make test-wasm` starts the server and sets the variable. Without
/// the variable, the tests do not compile.
const API: &str = env!("DIRECTPUT_API", "run `make test-wasm`: it starts the server that these tests upload to");

async fn upload(bytes: &[u8]) -> Result<JsValue, JsValue> {
    let uploader = Uploader::new(options(API).unchecked_ref())?;
    JsFuture::from(uploader.upload(blob(bytes), None)?.done().unchecked_into::<js_sys::Promise>()).await
}

fn text(value: &JsValue, name: &str) -> String {
    Reflect::get(value, &name.into()).ok().and_then(|member| member.as_string()).unwrap_or_default()
}

#[wasm_bindgen_test]
async fn a_small_blob_is_stored_with_its_checksum() {
    let stored = upload(b"abc").await.expect("stored");
    assert_eq!(text(&stored, "checksum"), Sha256Digest::of(b"abc").to_string());
    // S3's entity tag of a single PUT is the MD5, here from the test suite of RFC 1321.
    assert_eq!(text(&stored, "etag"), "900150983cd24fb0d6963f7d28e17f72");
}

#[wasm_bindgen_test]
async fn a_large_blob_is_stored_in_parts_with_their_composite_checksum() {
    let bytes: Vec<u8> = (0..17u32 << 20).map(|at| (at >> 9) as u8).collect();
    let digests: Vec<_> = bytes.chunks(8 << 20).map(Sha256Digest::of).collect();
    let stored = upload(&bytes).await.expect("stored");
    assert_eq!(text(&stored, "checksum"), CompositeChecksum::of(&digests).to_string());
}

#[wasm_bindgen_test]
async fn many_blobs_are_stored_though_some_are_paused_meanwhile_and_one_is_cancelled() {
    let uploader = Uploader::new(options(API).unchecked_ref()).expect("an uploader");
    let uploads: Vec<Upload> = (0..40u8).map(|byte| uploader.upload(blob(&[byte]), None).expect("under way")).collect();
    // The first uploads have begun, and the last ones wait.
    let paused = [0, 1, 30, 39].map(|at: usize| &uploads[at]);
    paused.iter().for_each(|upload| upload.pause());
    uploads[20].cancel();
    uploads[38].prioritize(1);
    uploader.set_online(false);
    uploader.set_online(true);
    for (at, upload) in uploads.iter().enumerate().filter(|(at, _)| ![0, 1, 30, 39].contains(at)) {
        let stored = JsFuture::from(upload.done().unchecked_into::<js_sys::Promise>()).await;
        match (at, stored) {
            (20, stored) => assert_eq!(code(&stored.expect_err("cancelled")).as_deref(), Some("aborted")),
            (_, stored) => {
                let digest = Sha256Digest::of(&[at as u8]).to_string();
                assert_eq!(text(&stored.expect("stored"), "checksum"), digest);
            }
        }
    }
    paused.iter().for_each(|upload| upload.unpause());
    for upload in paused {
        JsFuture::from(upload.done().unchecked_into::<js_sys::Promise>()).await.expect("stored");
    }
}

/// The page cancels the upload at the first report of the phase `upload`. This report comes before the request is sent.
#[wasm_bindgen_test]
async fn a_put_that_is_cancelled_before_it_is_sent_is_never_sent() {
    let count = "const { send } = XMLHttpRequest.prototype; globalThis.sends = 0; \
        XMLHttpRequest.prototype.send = function (body) { globalThis.sends += 1; send.call(this, body); }; \
        return () => { XMLHttpRequest.prototype.send = send; return globalThis.sends; }";
    let counted = Function::new_no_args(count).call0(&JsValue::UNDEFINED).expect("counts");
    let running: Rc<RefCell<Option<Upload>>> = Rc::default();
    let cancelling = Rc::clone(&running);
    let on_progress = Closure::<dyn FnMut(JsValue)>::new(move |progress: JsValue| {
        if text(&progress, "phase") == "upload" {
            cancelling.borrow().iter().for_each(Upload::cancel);
        }
    });
    let own = Object::new();
    Reflect::set(&own, &"onProgress".into(), on_progress.as_ref()).expect("set");
    let uploader = Uploader::new(options(API).unchecked_ref()).expect("an uploader");
    // All bytes of a PUT of less than 1 MiB may have left the browser, so the cancel would wait for the answer.
    let upload = uploader.upload(blob(&vec![0; 4 << 20]), Some(own.unchecked_into())).expect("under way");
    let done: js_sys::Promise = upload.done().unchecked_into();
    running.replace(Some(upload));
    let error = JsFuture::from(done).await.expect_err("cancelled");
    assert_eq!(code(&error).as_deref(), Some("aborted"));
    // All pending tasks run during this wait.
    let wait = Function::new_with_args("done", "setTimeout(done, 50)");
    let waited = js_sys::Promise::new(&mut |done, _| drop(wait.call1(&JsValue::UNDEFINED, &done)));
    JsFuture::from(waited).await.expect("waited");
    let sends = counted.unchecked_into::<Function>().call0(&JsValue::UNDEFINED).expect("counted");
    assert_eq!(sends, 0);
}

/// The server of the test page has no API.
#[wasm_bindgen_test]
async fn a_refused_call_rejects_with_an_error_code() {
    let uploader = Uploader::new(options("/no-such-api").unchecked_ref()).expect("an uploader");
    let promise: js_sys::Promise = uploader.upload(blob(b"abc"), None).expect("under way").done().unchecked_into();
    let error = JsFuture::from(promise).await.expect_err("refused");
    let found = code(&error).unwrap_or_default();
    assert_eq!(found, "unexpected-answer", "a web server has answered in its place");
    assert_eq!(
        Reflect::get(&error, &"name".into()).ok().and_then(|name| name.as_string()).as_deref(),
        Some("UploadError")
    );
}

#[wasm_bindgen_test]
async fn an_error_names_headers_that_http_does_not_allow() {
    let (options, headers) = (options(API), Object::new());
    Reflect::set(&headers, &"not a name".into(), &"x".into()).expect("set");
    Reflect::set(&options, &"headers".into(), &headers).expect("set");
    let uploader = Uploader::new(options.unchecked_ref()).expect("only the browser knows what it takes");
    let promise: js_sys::Promise = uploader.upload(blob(b"abc"), None).expect("under way").done().unchecked_into();
    let error = JsFuture::from(promise).await.expect_err("refused");
    assert_eq!(code(&error).as_deref(), Some("invalid-option"));
    assert!(text(&error, "message").contains("headers: expected names"), "{}", text(&error, "message"));
}
