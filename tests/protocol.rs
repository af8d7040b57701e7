//! Pins the wire format: `tests/golden/` has one JSON file for each message, and `docs/errors.md` has one row for each
//! code. A change that these tests detect breaks deployed pages or servers.
#![cfg(not(target_arch = "wasm32"))]

use std::fmt::Debug;

use directput::plan::MAX_OBJECT_BYTES;
use directput::protocol::{
    CompleteUpload, CreateUpload, CreateUploads, ErrorCode, FileSize, Headers, ListParts, NetworkHint, PartNumber,
    PartsListed, PartsSigned, Problem, SignParts, UploadCompleted, UploadCreated, UploadsCreated, retry_after_ms,
    xml_element,
};
use serde::de::DeserializeOwned;
use serde::de::value::{Error, I64Deserializer};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

fn golden(name: &str) -> Value {
    let path = format!("{}/tests/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).expect("a golden file");
    serde_json::from_str(&text).expect("JSON")
}

/// Checks that a golden file is read and written again without loss. Returns its JSON.
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
    request::<CreateUploads>("create-uploads");
    request::<SignParts>("sign-parts");
    request::<ListParts>("list-parts");
    request::<CompleteUpload>("complete-upload");
}

#[test]
fn replies_are_pinned_and_ignore_unknown_fields() {
    reply::<UploadCreated>("upload-created-single");
    reply::<UploadCreated>("upload-created-multipart");
    reply::<UploadsCreated>("uploads-created");
    reply::<PartsSigned>("parts-signed");
    reply::<PartsListed>("parts-listed");
    reply::<UploadCompleted>("upload-completed");
    reply::<Problem>("problem");
}

#[test]
fn a_size_is_read_from_every_json_form_of_a_whole_number() {
    let size = |value: Value| serde_json::from_value::<FileSize>(value);
    for value in [json!(5), json!(5.0)] {
        assert_eq!(size(value).expect("a size").bytes(), 5);
    }
    assert_eq!(size(json!(MAX_OBJECT_BYTES as f64)).expect("a size").bytes(), MAX_OBJECT_BYTES);
    assert_eq!(FileSize::deserialize(I64Deserializer::<Error>::new(5)).expect("a size").bytes(), 5);
    let expected = "expected a whole number from 0 to 53687091200000";
    for value in [json!(-1), json!(-1.0), json!(MAX_OBJECT_BYTES + 1), json!(1e300)] {
        let error = size(value.clone()).expect_err("out of range").to_string();
        assert!(error.starts_with("invalid value") && error.contains(expected), "{value}: {error}");
    }
    for value in [json!(1.5), json!("5")] {
        let error = size(value.clone()).expect_err("no whole number").to_string();
        assert!(error.starts_with("invalid type") && error.contains(expected), "{value}: {error}");
    }
}

#[test]
fn part_numbers_go_from_1_to_10_000() {
    for (value, is_taken) in [(0, false), (1, true), (10_000, true), (10_001, false)] {
        let number = serde_json::from_value::<PartNumber>(json!(value));
        assert_eq!(number.is_ok(), is_taken, "{value}");
        assert_eq!(number.ok(), PartNumber::new(value));
    }
    let of = |number| PartNumber::new(number).map(|number| (number.get(), number.index()));
    assert_eq!((of(1), of(10_000)), (Some((1, 0)), Some((10_000, 9_999))));
}

#[test]
fn each_network_has_a_name_and_a_speed() {
    for (name, bits_per_second) in [
        ("slow-2g", 50_000),
        ("2g", 100_000),
        ("3g", 1_000_000),
        ("4g", 10_000_000),
        ("wifi", 30_000_000),
        ("ethernet", 50_000_000),
        ("unknown", 1_000_000),
    ] {
        let network: NetworkHint = serde_json::from_value(json!(name)).expect("a network");
        assert_eq!((NetworkHint::parse(name), network.bits_per_second()), (Some(network), bits_per_second));
    }
    assert_eq!(NetworkHint::parse("5g"), None);
}

#[test]
fn headers_are_found_by_name_and_kept_in_order() {
    let headers: Headers = [("if-none-match", "*"), ("content-type", "a/b")]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!((headers.get("content-type"), headers.get("host")), (Some("a/b"), None));
    assert_eq!(headers.iter().collect::<Vec<_>>(), [("if-none-match", "*"), ("content-type", "a/b")]);
    let error = serde_json::from_value::<Headers>(json!([])).expect_err("a list").to_string();
    assert!(error.contains("expected headers by name"), "{error}");
}

#[test]
fn retry_after_is_read_in_seconds_and_dates_are_ignored() {
    assert_eq!(retry_after_ms(Some(" 120 ")), Some(120_000));
    assert_eq!(retry_after_ms(Some("0")), Some(0));
    for header in [None, Some(""), Some("-1"), Some("1.5"), Some("Fri, 27 Nov 2026 03:00:00 GMT")] {
        assert_eq!(retry_after_ms(header), None, "{header:?}");
    }
}

#[test]
fn an_element_of_s3s_error_document_is_found_by_its_name() {
    let xml =
        format!("<Error><Code>SlowDown</Code><CodeOfAnother>x</CodeOfAnother><Message>{}</Message>", "é".repeat(65));
    assert_eq!(xml_element(&xml, "Code").as_deref(), Some("SlowDown"));
    assert_eq!(xml_element(&xml, "Message"), Some("é".repeat(64)));
    assert_eq!(xml_element(&xml, "RequestId"), None);
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
