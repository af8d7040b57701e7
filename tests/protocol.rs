//! The wire format, pinned: `tests/golden/` has one JSON file for each message, and `docs/errors.md`
//! one row for each code. A change that shows here breaks pages or servers that are out there.
#![cfg(not(target_arch = "wasm32"))]

use std::fmt::Debug;

use directput::protocol::{
    CompleteUpload, CreateUpload, ErrorCode, ListParts, PartsListed, PartsSigned, Problem, SignParts, UploadCompleted,
    UploadCreated,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("a golden file");
    serde_json::from_str(&text).expect("JSON")
}

/// The file is read and written again without loss.
fn pinned<T: Serialize + DeserializeOwned + Debug>(name: &str) -> Value {
    let wire = golden(name);
    let message: T = serde_json::from_value(wire.clone()).expect(name);
    assert_eq!(serde_json::to_value(&message).expect("serialises"), wire, "{name}");
    wire
}

fn with_unknown_field(mut wire: Value) -> Value {
    wire["somethingNew"] = Value::from(1);
    wire
}

fn request<T: Serialize + DeserializeOwned + Debug>(name: &str) {
    let wire = with_unknown_field(pinned::<T>(name));
    assert!(serde_json::from_value::<T>(wire).is_err(), "{name} takes an unknown field");
}

fn reply<T: Serialize + DeserializeOwned + Debug>(name: &str) {
    let wire = with_unknown_field(pinned::<T>(name));
    assert!(serde_json::from_value::<T>(wire).is_ok(), "{name} refuses an unknown field");
}

#[test]
fn requests_are_pinned_and_refuse_unknown_fields() {
    request::<CreateUpload>("create-upload");
    request::<SignParts>("sign-parts");
    request::<ListParts>("list-parts");
    request::<CompleteUpload>("complete-upload");
}

#[test]
fn replies_are_pinned_and_ignore_unknown_fields() {
    reply::<UploadCreated>("upload-created-single");
    reply::<UploadCreated>("upload-created-multipart");
    reply::<PartsSigned>("parts-signed");
    reply::<PartsListed>("parts-listed");
    reply::<UploadCompleted>("upload-completed");
    reply::<Problem>("problem");
}

#[test]
fn every_error_code_is_documented_and_typed() {
    let read = |path: &str| std::fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).expect("a file");
    let (docs, types) = (read("docs/errors.md"), read("npm/types.ts"));
    for code in ErrorCode::ALL {
        let retry = if code.is_retryable() { "yes" } else { "no" };
        let status = if code.status() == 0 { "–".to_owned() } else { code.status().to_string() };
        let row = format!("| `{}` | {status} | {retry} | {} |", code.as_str(), code.title());
        assert!(docs.contains(&row), "docs/errors.md lacks: {row}");
        assert!(types.contains(&format!("'{}'", code.as_str())), "npm/types.ts lacks {}", code.as_str());
    }
    assert_eq!(docs.matches("\n| `").count(), ErrorCode::ALL.len(), "docs/errors.md has a row too many");
}
