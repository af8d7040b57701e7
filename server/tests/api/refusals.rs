//! Refused requests: their status, code and field. The API makes no call to S3 for a refused request.

use axum::body::Body;
use axum::http::Request;
use directput::plan::DEFAULT_PART_BYTES;
use directput_server::config::AllowedTypes;
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn anonymous_calls_are_refused_if_a_caller_is_required() {
    let api = Api::with(|config| config.needs_caller = true).await;
    api.s3.answers(200, CREATED);
    let (_, created) = api.call(("POST", "/uploads"), Some("alice"), "", large_file()).await;
    let token = created["token"].as_str().unwrap();
    api.s3.take_calls();
    for call in CALLS {
        for missing in [None, Some("")] {
            refused(&api.call(call, missing, token, large_file()).await, 401, "unauthorized", Value::Null);
        }
        let request = Request::builder().method(call.0).uri(call.1).header("upload-token", token);
        let without_authorizer = api.send(request.body(Body::empty()).unwrap()).await;
        refused(&without_authorizer, 401, "unauthorized", Value::Null);
    }
    let parts = json!({ "parts": three_parts() });
    assert_eq!(api.call(("POST", "/uploads/parts"), Some("alice"), token, parts).await.0, 200);
    assert!(api.s3.take_calls().is_empty());
}

#[tokio::test]
async fn each_call_but_the_first_is_refused_without_the_callers_own_token() {
    let api = Api::new().await;
    api.s3.answers(200, CREATED);
    let (_, created) = api.call(("POST", "/uploads"), Some("alice"), "", large_file()).await;
    let token = created["token"].as_str().unwrap();
    api.s3.take_calls();
    for call in &CALLS[1..] {
        let by = async |caller: &str, token: &str| api.call(*call, Some(caller), token, json!({ "parts": [] })).await;
        refused(&by("alice", "").await, 401, "token-missing", "upload-token");
        refused(&by("alice", "x.y.z").await, 401, "token-invalid", "upload-token");
        refused(&by("alice", "\u{e9}").await, 401, "token-invalid", "upload-token");
        refused(&by("bob", token).await, 403, "not-your-upload", "upload-token");
        refused(&api.call(*call, None, token, Value::Null).await, 403, "not-your-upload", "upload-token");
    }
    assert!(api.s3.take_calls().is_empty());
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused() {
    let api = Api::new().await;
    for path in ["/", "/upload", "/uploads/", "/uploads/abort"] {
        refused(&api.call(("GET", path), None, "", Value::Null).await, 404, "not-found", Value::Null);
    }
    for call in [("GET", "/uploads"), ("PUT", "/uploads"), ("DELETE", "/uploads/parts"), ("GET", "/uploads/complete")] {
        refused(&api.call(call, None, "", Value::Null).await, 405, "method-not-allowed", Value::Null);
    }
}

#[tokio::test]
async fn a_body_must_be_declared_as_json_and_be_valid_json() {
    let api = Api::new().await;
    let create = async |kind: &str, body: String| {
        let request = Request::builder().method("POST").uri("/uploads").header("content-type", kind);
        api.send(request.body(Body::from(body)).unwrap()).await
    };
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        assert_eq!(create(kind, small_file().to_string()).await.0, 201, "{kind}");
    }
    for kind in ["", "text/plain", "application/jsonx"] {
        let answer = create(kind, small_file().to_string()).await;
        refused(&answer, 415, "unsupported-media-type", Value::Null);
    }
    let answer = create("application/json", "{\n\"name\": ?}".to_owned()).await;
    refused(&answer, 400, "invalid-json", Value::Null);
    assert_eq!(answer.1["detail"], "line 2, column 9");
    let answer = create("application/json", r#"{"name": "a", "size": 1, "name": "b"}"#.to_owned()).await;
    refused(&answer, 400, "invalid-value", "name");
    let answer = create("application/json", r#"{"parts": [{"number": 1, "number": 2}]}"#.to_owned()).await;
    refused(&answer, 400, "invalid-value", "parts[0].number");
}

#[tokio::test]
async fn a_body_has_at_most_256_kib_and_that_of_a_completion_3_mib() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    for (path, limit) in [("/uploads", 256 << 10), ("/uploads/parts", 256 << 10), ("/uploads/complete", 3 << 20)] {
        let of = async |bytes: usize| api.post(path, &token, json!("x".repeat(bytes - 2))).await;
        refused(&of(limit).await, 400, "wrong-type", Value::Null);
        let answer = of(limit + 1).await;
        refused(&answer, 413, "body-too-large", Value::Null);
        assert_eq!(answer.1["detail"], format!("at most {limit} bytes"));
    }
}

#[tokio::test]
async fn each_field_of_a_new_upload_is_checked_and_named() {
    let api = Api::with(|config| {
        config.max_file_bytes = 1_000_000;
        config.allowed_types = AllowedTypes::parse("image/*").unwrap();
    })
    .await;
    let with = |field: &str, value: &Value| {
        let mut file = small_file();
        file[field] = value.clone();
        file
    };
    let checksum = |text: &str| json!([{ "number": 1, "length": 1_000, "checksum": text }]);
    let crc64nvme = "rosUhgp5mIg=";
    for (field, value, status, code, named) in [
        ("name", json!(""), 400, "empty-field", "name"),
        ("name", json!("x".repeat(1_025)), 400, "field-too-long", "name"),
        ("name", json!(5), 400, "wrong-type", "name"),
        ("name", Value::Null, 400, "wrong-type", "name"),
        ("type", json!("image"), 400, "invalid-value", "type"),
        ("type", json!("text/html"), 415, "type-not-allowed", "type"),
        ("type", json!("image/png,text/html"), 400, "invalid-value", "type"),
        ("type", json!("image/*"), 400, "invalid-value", "type"),
        ("size", json!(-1), 400, "out-of-range", "size"),
        ("size", json!(1.5), 400, "wrong-type", "size"),
        ("size", json!(u64::MAX), 400, "out-of-range", "size"),
        ("size", json!(1_000_001), 413, "file-too-large", "size"),
        ("size", json!(2_000_000), 413, "file-too-large", "size"),
        ("algorithm", json!("md5"), 400, "invalid-value", "algorithm"),
        ("algorithm", json!(5), 400, "wrong-type", "algorithm"),
        ("algorithm", json!("none"), 400, "invalid-value", "algorithm"),
        ("network", json!("5g"), 400, "invalid-value", "network"),
        ("lane", json!(-1), 400, "out-of-range", "lane"),
        ("lane", json!("a"), 400, "wrong-type", "lane"),
        ("parts", json!({}), 400, "wrong-type", "parts"),
        ("parts", json!([part(1, 1_000), part(0, 1)]), 400, "out-of-range", "parts[1].number"),
        ("parts", json!([part(1, 1_000), part(2, 1), []]), 400, "wrong-type", "parts[2]"),
        ("parts", json!([{ "number": 1 }]), 400, "missing-field", "parts[0].length"),
        ("parts", json!([{ "number": 1, "length": 1_000 }]), 400, "missing-field", "parts[0].checksum"),
        ("parts", checksum(crc64nvme), 400, "invalid-value", "parts[0].checksum"),
        ("parts", checksum(""), 400, "empty-field", "parts[0].checksum"),
        ("key", json!("uploads/mine"), 400, "unknown-field", "key"),
        (&"k".repeat(65), json!(1), 400, "unknown-field", &"k".repeat(64)),
    ] {
        refused(&api.post("/uploads", "", with(field, &value)).await, status, code, named);
    }
    for field in ["name", "type", "size"] {
        let mut file = small_file();
        file.as_object_mut().unwrap().remove(field);
        refused(&api.post("/uploads", "", file).await, 400, "missing-field", field);
    }
    for body in [json!([]), json!(["photo.png", "image/png", 1_000, "sha256", [], "4g"]), json!(5), Value::Null] {
        refused(&api.post("/uploads", "", body).await, 400, "wrong-type", Value::Null);
    }
    assert!(api.s3.take_calls().is_empty());
    api.s3.answers(200, CREATED);
    assert_eq!(api.post("/uploads", "", with("size", &json!(1_000_000))).await.0, 201);
}

#[tokio::test]
async fn a_refusal_names_the_expected_values() {
    let api = Api::with(|config| config.max_file_bytes = 1_000_000).await;
    for (field, value, detail) in [
        ("size", json!(1_000_001), "at most 1000000 bytes"),
        ("size", json!(-1), "expected a whole number from 0 to 53687091200000"),
        ("size", json!("5"), "expected a whole number from 0 to 53687091200000"),
        ("name", json!(""), "expected a name of 1 to 1,024 bytes"),
        ("algorithm", json!("none"), "expected one of sha256, crc64nvme"),
        ("algorithm", json!("md5"), "expected one of sha256, crc64nvme, crc64nvme-after, none"),
        ("key", json!(1), "expected one of name, type, size, algorithm, parts, network, lane"),
    ] {
        let mut file = small_file();
        file[field] = value;
        assert_eq!(api.post("/uploads", "", file).await.1["detail"], detail);
    }
}

#[tokio::test]
async fn a_batch_is_checked_against_the_plan() {
    let api = Api::with(|config| config.max_parts_per_request = 2).await;
    let token = api.token_of_three_parts().await;
    let sign = async |body: Value| api.post("/uploads/parts", &token, body).await;
    let other = |checksum: Value| json!({ "number": 2, "length": DEFAULT_PART_BYTES, "checksum": checksum });
    let first = || part(1, DEFAULT_PART_BYTES);
    for (parts, code, field) in [
        (json!([]), "empty-field", "parts"),
        (json!(three_parts()), "too-many-parts", "parts"),
        (json!([first(), first(), first(), first()]), "too-many-parts", "parts"),
        (json!([first(), part(4, DEFAULT_PART_BYTES)]), "part-out-of-range", "parts[1].number"),
        (json!([first(), part(3, DEFAULT_PART_BYTES)]), "part-wrong-length", "parts[1].length"),
        (json!([first(), part(2, DEFAULT_PART_BYTES - 1)]), "part-wrong-length", "parts[1].length"),
        (json!([first(), first()]), "part-repeated", "parts[1].number"),
        (json!([first(), other(Value::Null)]), "missing-field", "parts[1].checksum"),
        (json!([first(), other(json!("rosUhgp5mIg="))]), "invalid-value", "parts[1].checksum"),
    ] {
        refused(&sign(json!({ "parts": parts })).await, 400, code, field);
    }
    for (speed, code) in [(json!(-1), "out-of-range"), (json!(1.5), "wrong-type"), (json!("1"), "wrong-type")] {
        refused(&sign(json!({ "parts": [first()], "bitsPerSecond": speed })).await, 400, code, "bitsPerSecond");
    }
    assert_eq!(sign(json!({ "parts": three_parts()[..2] })).await.0, 200);
    assert!(api.s3.take_calls().is_empty());
}

#[tokio::test]
async fn a_completion_must_name_every_part_once_in_order_and_the_matching_checksum() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    let complete = async |parts: Value, checksum: Value| {
        api.post("/uploads/complete", &token, json!({ "parts": parts, "checksum": checksum })).await
    };
    let crc64nvme = || json!({ "number": 2, "etag": "e", "checksum": "rosUhgp5mIg=" });
    for (parts, code, field) in [
        (json!([]), "parts-incomplete", "parts"),
        (json!([stored(1), stored(2)]), "parts-incomplete", "parts"),
        (json!([stored(1), stored(3), stored(2)]), "parts-incomplete", "parts[1].number"),
        (json!([stored(1), stored(1), stored(2)]), "part-repeated", "parts[1].number"),
        (json!([stored(1), stored(2), stored(3), stored(4)]), "too-many-parts", "parts"),
        (json!([stored(1), stored(2), stored(4)]), "part-out-of-range", "parts[2].number"),
        (json!([stored(1), crc64nvme(), stored(3)]), "invalid-value", "parts[1].checksum"),
        (json!([stored(1), { "number": 2, "etag": "e" }, stored(3)]), "missing-field", "parts[1].checksum"),
        (json!([stored(1), { "number": 2, "etag": "" }, stored(3)]), "empty-field", "parts[1].etag"),
    ] {
        refused(&complete(parts, json!(composite())).await, 400, code, field);
    }
    let all = || json!([stored(1), stored(2), stored(3)]);
    for checksum in [json!(format!("{}-3", digest())), json!("rosUhgp5mIg="), Value::Null] {
        refused(&complete(all(), checksum).await, 400, "invalid-value", "checksum");
    }
    assert!(api.s3.take_calls().is_empty());
}

/// Otherwise, a single PUT would be signed for two checksums, and after the object is deleted, the other bytes could be
/// written to its key.
#[tokio::test]
async fn a_file_with_a_repeated_part_is_not_opened() {
    let api = Api::new().await;
    let other = json!({ "number": 1, "length": 1_000, "checksum": Sha256Digest::of(b"y").to_string() });
    let mut file = small_file();
    file["parts"] = json!([part(1, 1_000), other]);
    refused(&api.post("/uploads", "", file.clone()).await, 400, "part-repeated", "parts[1].number");
    let (_, batch) = api.post("/uploads/batch", "", json!({ "uploads": [file] })).await;
    assert_eq!(batch["uploads"][0]["code"], "part-repeated", "{batch}");
    let mut file = large_file();
    file["parts"] = json!([three_parts()[0], three_parts()[1], three_parts()[1]]);
    refused(&api.post("/uploads", "", file).await, 400, "part-repeated", "parts[2].number");
    assert!(api.s3.take_calls().is_empty());
}

#[tokio::test]
async fn a_single_put_is_neither_listed_nor_completed() {
    let api = Api::new().await;
    let (_, created) = api.post("/uploads", "", small_file()).await;
    let token = created["token"].as_str().unwrap();
    for call in [("GET", "/uploads/parts"), ("POST", "/uploads/complete")] {
        let answer = api.call(call, None, token, completion()).await;
        refused(&answer, 409, "not-multipart", "upload-token");
    }
    assert!(api.s3.take_calls().is_empty());
}

#[tokio::test]
async fn a_query_is_checked_and_named() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    for (query, code, field) in [
        ("after=x", "wrong-type", "after"),
        ("after=0", "out-of-range", "after"),
        ("after=-1", "out-of-range", "after"),
        ("after=10001", "out-of-range", "after"),
        ("before=1", "unknown-field", "before"),
    ] {
        let path = format!("/uploads/parts?{query}");
        refused(&api.call(("GET", &path), None, &token, Value::Null).await, 400, code, field);
    }
    assert!(api.s3.take_calls().is_empty());
}
