//! Parts that are signed without a checksum and compared after their PUTs (`crc64nvme-after`).

use directput::checksum::{ChecksumAlgorithm, Crc64Nvme};
use serde_json::{Value, json};

use super::calls::parameter;
use super::*;

#[tokio::test]
async fn parts_that_are_compared_after_their_puts_may_be_signed_without_a_checksum() {
    let allowed = vec![ChecksumAlgorithm::Crc64nvmeAfter];
    let api = Api::with(|config| config.allowed_checksums = allowed).await;
    api.s3.answers(200, CREATED);
    let mut file = large_file();
    let unhashed = json!([{ "number": 1, "length": 8 << 20 }, { "number": 2, "length": 8 << 20 }]);
    (file["algorithm"], file["parts"]) = (json!("crc64nvme-after"), unhashed);
    let (_, created) = api.post("/uploads", "", file).await;
    assert_eq!(created["parts"].as_array().unwrap().len(), 2);
    assert_eq!(created["parts"][0]["headers"], json!({}));
    let token = created["token"].as_str().unwrap();
    let crc = Crc64Nvme::of(b"x").to_string();
    // Part 3 is already hashed, so its URL is signed with the checksum.
    let wanted =
        json!({ "parts": [{ "number": 3, "length": 4 << 20, "checksum": crc }, { "number": 1, "length": 8 << 20 }] });
    let (_, signed) = api.post("/uploads/parts", token, wanted).await;
    assert_eq!(signed["parts"][0]["headers"], json!({ "x-amz-checksum-crc64nvme": crc }));
    let headers = signed["parts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|part| parameter(part["url"].as_str().unwrap(), "X-Amz-SignedHeaders"));
    let headers: Vec<_> = headers.collect();
    assert_eq!(headers, ["content-length%3Bhost%3Bx-amz-checksum-crc64nvme", "content-length%3Bhost"]);
    let other = json!({ "parts": [part(1, 8 << 20)] });
    refused(&api.post("/uploads/parts", token, other).await, 400, "invalid-value", "parts[0].checksum");
    let completion =
        json!({ "parts": (1..=3).map(|number| json!({ "number": number, "etag": "tag" })).collect::<Vec<_>>() });
    refused(&api.post("/uploads/complete", token, completion).await, 400, "missing-field", "parts[0].checksum");
}

#[tokio::test]
async fn a_single_put_is_bound_to_its_bytes_even_if_parts_are_not() {
    let allowed = vec![ChecksumAlgorithm::Crc64nvmeAfter];
    let api = Api::with(|config| config.allowed_checksums = allowed).await;
    let part = |checksum: &Value| json!([{ "number": 1, "length": 1_000, "checksum": checksum }]);
    let own = json!(Crc64Nvme::of(b"x").to_string());
    let mut file = small_file();
    (file["algorithm"], file["parts"]) = (json!("crc64nvme-after"), part(&own));
    let (_, created) = api.post("/uploads", "", file.clone()).await;
    assert_eq!(
        (&created["kind"], &created["parts"][0]["headers"]["x-amz-checksum-crc64nvme"]),
        (&json!("single"), &own)
    );
    let token = created["token"].as_str().unwrap();
    assert_eq!(api.post("/uploads/parts", token, json!({ "parts": part(&own) })).await.0, 200);
    let unbound = json!({ "parts": [{ "number": 1, "length": 1_000 }] });
    refused(&api.post("/uploads/parts", token, unbound).await, 400, "missing-field", "parts[0].checksum");
    // An upload of a batch is a single PUT, so the request must have its checksum.
    file["parts"] = json!([{ "number": 1, "length": 1_000 }]);
    let (_, batch) = api.post("/uploads/batch", "", json!({ "uploads": [file] })).await;
    assert_eq!(batch["uploads"][0]["code"], json!("empty-field"));
}
