//! Tests of `POST /uploads/batch`, which opens many small files by one call.

use directput_server::config::AllowedTypes;
use serde_json::{Value, json};

use super::*;

async fn post(api: &Api, uploads: Value) -> Answer {
    api.post("/uploads/batch", "", json!({ "uploads": uploads })).await
}

/// Returns the error code of each entry of an answer, or "open" for an opened upload.
fn codes(reply: &Value) -> Vec<&str> {
    reply["uploads"].as_array().unwrap().iter().map(|entry| entry["code"].as_str().unwrap_or("open")).collect()
}

fn named(name: &str) -> Value {
    let mut file = small_file();
    file["name"] = json!(name);
    file
}

#[tokio::test]
async fn each_file_gets_what_a_call_of_its_own_would_give_it() {
    let api = Api::new().await;
    let (status, alone) = api.post("/uploads", "", small_file()).await;
    assert_eq!((status, &alone["maxUploadsPerRequest"]), (201, &json!(128)));
    let (status, reply) = post(&api, json!([named("a.png"), named("b.png")])).await;
    assert_eq!((status, codes(&reply)), (200, vec!["open", "open"]));
    let (one, other) = (&reply["uploads"][0], &reply["uploads"][1]);
    assert!(one["key"] != other["key"] && one["token"] != other["token"]);
    for opened in [one, other] {
        for field in ["kind", "partSize", "partCount", "maxPartsPerRequest", "expiresInSeconds", "laneCount"] {
            assert_eq!(opened[field], alone[field], "{field}");
        }
        assert_eq!(opened["parts"][0]["headers"]["content-type"], json!("image/png"));
    }
    let token = one["token"].as_str().unwrap();
    let (status, _) = api.post("/uploads/parts", token, json!({ "parts": small_file()["parts"] })).await;
    assert_eq!(status, 200);
    assert!(api.s3.take_calls().is_empty(), "a batch makes no call to S3");
}

#[tokio::test]
async fn a_file_that_is_refused_spoils_no_other() {
    let api = Api::with(|config| config.allowed_types = AllowedTypes::parse("image/*").unwrap()).await;
    let mut bad = vec![small_file(); 6];
    bad[0]["type"] = json!("text/html");
    bad[1]["size"] = json!(-1);
    bad[2]["extra"] = json!(1);
    bad[3]["size"] = json!((1 << 20) + 1);
    bad[4]["parts"] = json!([]);
    bad[5] = json!("file");
    let mut all: Vec<_> = bad.into_iter().flat_map(|file| [small_file(), file]).collect();
    all.push(small_file());
    let (status, reply) = post(&api, json!(all)).await;
    assert_eq!(status, 200);
    let refused = ["type-not-allowed", "out-of-range", "unknown-field", "out-of-range", "empty-field", "wrong-type"];
    let expected: Vec<_> = refused.into_iter().flat_map(|code| ["open", code]).chain(["open"]).collect();
    assert_eq!(codes(&reply), expected);
    let field = |index: usize| reply["uploads"][index]["field"].as_str();
    assert_eq!(
        [1, 3, 5, 7, 9, 11].map(field),
        [Some("type"), Some("size"), Some("extra"), Some("size"), Some("parts"), None]
    );
}

#[tokio::test]
async fn a_batch_has_1_to_128_files_and_nothing_else() {
    let api = Api::new().await;
    for (body, code, field) in [
        (json!({ "uploads": [] }), "empty-field", json!("uploads")),
        (json!({ "uploads": vec![small_file(); 129] }), "out-of-range", json!("uploads")),
        (json!({ "uploads": {} }), "wrong-type", json!("uploads")),
        (json!({}), "missing-field", json!("uploads")),
        (json!({ "uploads": [small_file()], "more": 1 }), "unknown-field", json!("more")),
        (json!([]), "wrong-type", Value::Null),
    ] {
        refused(&api.post("/uploads/batch", "", body).await, 400, code, field);
    }
    assert_eq!(post(&api, json!(vec![small_file(); 128])).await.0, 200);
    let mut long = small_file();
    long["name"] = json!("é".repeat(512));
    assert_eq!(post(&api, json!(vec![long; 128])).await.0, 200, "128 files with the longest names fit into a body");
}

#[tokio::test]
async fn later_files_of_a_batch_get_longer_lives() {
    let api = Api::new().await;
    let mut file = small_file();
    (file["size"], file["parts"][0]["length"]) = (json!(1 << 20), json!(1 << 20));
    let (_, reply) = post(&api, json!(vec![file; 20])).await;
    let lives = |index: usize| reply["uploads"][index]["parts"][0]["expiresInSeconds"].as_u64().unwrap();
    assert_eq!([0, 19].map(lives), [60, 300], "at 1 Mbit/s, 20 MiB take 168 s");
}

#[tokio::test]
async fn a_server_whose_small_files_may_be_multipart_takes_no_batch() {
    let api = Api::with(|config| config.single_put_bytes = 1_000).await;
    let (_, created) = api.post("/uploads", "", small_file()).await;
    assert_eq!(created["maxUploadsPerRequest"], json!(0));
    refused(&post(&api, json!([small_file()])).await, 400, "out-of-range", json!("uploads"));
}
