//! Successful calls of the API: their answers, and the calls that the API makes to S3.

use directput::checksum::Crc64Nvme;
use directput::plan::DEFAULT_PART_BYTES;
use directput_server::download::DownloadNames;
use serde_json::{Value, json};

use super::*;

/// Returns a parameter of a presigned URL.
pub fn parameter<'a>(url: &'a str, name: &str) -> &'a str {
    url.split(['?', '&']).find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap_or_default()
}

/// Returns the lifetimes of the URLs in an answer, in seconds.
fn lifetimes(answer: &Value) -> Vec<u64> {
    let parts = answer["parts"].as_array().unwrap();
    let seconds = parts.iter().map(|part| part["expiresInSeconds"].as_u64().unwrap());
    parts.iter().zip(seconds).for_each(|(part, seconds)| {
        assert_eq!(parameter(part["url"].as_str().unwrap(), "X-Amz-Expires"), seconds.to_string());
    });
    parts.iter().map(|part| part["expiresInSeconds"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_large_file_is_opened_in_s3_with_its_type_its_name_and_its_checksum() {
    let api = Api::new().await;
    api.s3.answers(200, CREATED);
    let (status, created) = api.post("/uploads", "", large_file()).await;
    assert_eq!((status, &created["kind"], &created["parts"]), (201, &json!("multipart"), &Value::Null));
    let figures = ["partSize", "partCount", "maxPartsPerRequest", "expiresInSeconds"].map(|name| created[name].clone());
    assert_eq!(figures, [json!(8 << 20), json!(3), json!(128), json!(604_800)]);
    let [call] = &api.s3.take_calls()[..] else { panic!("one call") };
    let key = created["key"].as_str().unwrap();
    assert!(key.starts_with("uploads/") && key.ends_with(".png"), "{key}");
    assert!(call.method == "POST" && call.url.contains(&format!("/{key}?uploads")), "{call:?}");
    for (name, value) in [
        ("content-type", "image/png"),
        ("content-disposition", "attachment"),
        ("x-amz-meta-name", "photo.png"),
        ("x-amz-checksum-algorithm", "SHA256"),
        ("x-amz-checksum-type", "COMPOSITE"),
    ] {
        assert_eq!(call.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn a_large_file_may_have_crc64nvme_checksums_or_none_if_allowed() {
    let api = Api::with(|config| config.allowed_checksums = directput::checksum::ChecksumAlgorithm::ALL.to_vec()).await;
    for (algorithm, in_s3, kind) in
        [("crc64nvme", "CRC64NVME", "FULL_OBJECT"), ("crc64nvme-after", "CRC64NVME", "FULL_OBJECT"), ("none", "", "")]
    {
        api.s3.answers(200, CREATED);
        let mut file = large_file();
        file["algorithm"] = json!(algorithm);
        assert_eq!(api.post("/uploads", "", file).await.0, 201);
        let calls = api.s3.take_calls();
        let headers = ["x-amz-checksum-algorithm", "x-amz-checksum-type"].map(|name| calls[0].header(name));
        assert_eq!(headers, [in_s3, kind]);
    }
}

#[tokio::test]
async fn a_small_file_is_signed_when_it_is_opened_with_every_header_of_its_put() {
    let api = Api::new().await;
    let (status, created) = api.post("/uploads", "", small_file()).await;
    assert_eq!((status, &created["kind"], &created["partCount"]), (201, &json!("single"), &json!(1)));
    assert_eq!(
        created["expiresInSeconds"],
        json!(15 * 60 + 2),
        "15 minutes, and the time of two attempts to send 1,000 bytes at 64 kbit/s"
    );
    let signed = &created["parts"][0];
    let headers = json!({
        "content-disposition": "attachment",
        "content-encoding": "identity",
        "content-type": "image/png",
        "if-none-match": "*",
        "x-amz-checksum-sha256": digest().to_string(),
        "x-amz-meta-name": "photo.png",
    });
    assert_eq!(signed["headers"], headers);
    let names = "content-disposition%3Bcontent-encoding%3Bcontent-length%3Bcontent-type%3Bhost%3Bif-none-match\
                 %3Bx-amz-checksum-sha256%3Bx-amz-meta-name";
    assert_eq!(parameter(signed["url"].as_str().unwrap(), "X-Amz-SignedHeaders"), names);

    let token = created["token"].as_str().unwrap();
    let (_, again) = api.post("/uploads/parts", token, json!({ "parts": [part(1, 1_000)] })).await;
    assert_eq!(again["parts"][0]["headers"], headers, "a URL that is signed by the token has the same headers");
    let path = |part: &Value| part["url"].as_str().unwrap().split('?').next().unwrap().to_owned();
    assert_eq!(path(&again["parts"][0]), path(signed));
    assert!(api.s3.take_calls().is_empty());
}

#[tokio::test]
async fn an_object_is_saved_under_the_files_name_if_the_server_allows_it() {
    for (names, content_type, expected) in [
        (
            DownloadNames::Attachment,
            "image/png",
            "attachment; filename=\"_ _1_.png\"; filename*=UTF-8''%C3%BC%20%221%22.png",
        ),
        (DownloadNames::Inline, "image/png", "inline; filename=\"_ _1_.png\"; filename*=UTF-8''%C3%BC%20%221%22.png"),
        (
            DownloadNames::Inline,
            "text/html",
            "attachment; filename=\"_ _1_.png\"; filename*=UTF-8''%C3%BC%20%221%22.png",
        ),
        (DownloadNames::None, "image/png", "attachment"),
    ] {
        let api = Api::with(|config| config.download_names = names).await;
        let [mut small, mut large] = [small_file(), large_file()];
        for file in [&mut small, &mut large] {
            (file["name"], file["type"]) = (json!("../\u{202e}ü \"1\".png"), json!(content_type));
        }
        let (_, created) = api.post("/uploads", "", small).await;
        assert_eq!(created["parts"][0]["headers"]["content-disposition"], json!(expected));
        let token = created["token"].as_str().unwrap();
        let (_, again) = api.post("/uploads/parts", token, json!({ "parts": [part(1, 1_000)] })).await;
        assert_eq!(again["parts"][0]["headers"], created["parts"][0]["headers"], "the second URL has the same headers");

        api.s3.answers(200, CREATED);
        assert_eq!(api.post("/uploads", "", large).await.0, 201);
        assert_eq!(api.s3.take_calls()[0].header("content-disposition"), expected);
    }
}

#[tokio::test]
async fn a_single_put_is_signed_again_for_its_own_bytes_only() {
    let api = Api::with(|config| config.allowed_checksums = directput::checksum::ChecksumAlgorithm::ALL.to_vec()).await;
    for (algorithm, own, other) in [
        ("sha256", json!(digest().to_string()), json!(Sha256Digest::of(b"y").to_string())),
        ("crc64nvme", json!(Crc64Nvme::of(b"x").to_string()), json!(Crc64Nvme::of(b"y").to_string())),
    ] {
        let part = |checksum: &Value| json!([{ "number": 1, "length": 1_000, "checksum": checksum }]);
        let mut file = small_file();
        (file["algorithm"], file["parts"]) = (json!(algorithm), part(&own));
        let (_, created) = api.post("/uploads", "", file).await;
        let token = created["token"].as_str().unwrap();
        let sign = async |checksum: &Value| api.post("/uploads/parts", token, json!({ "parts": part(checksum) })).await;
        assert_eq!(sign(&own).await.0, 200, "{algorithm}");
        refused(&sign(&other).await, 400, "invalid-value", "parts[0].checksum");
    }
    assert!(api.s3.take_calls().is_empty());
}

#[tokio::test]
async fn a_file_without_a_checksum_is_a_multipart_upload_whatever_its_size() {
    let api = Api::with(|config| config.allowed_checksums = directput::checksum::ChecksumAlgorithm::ALL.to_vec()).await;
    for (size, parts, algorithm, kind) in [
        (1_000, json!([]), "sha256", "multipart"),
        (0, json!([]), "sha256", "multipart"),
        (1_000, json!([part(1, 999)]), "sha256", "multipart"),
        (1_000, json!([part(2, 1_000)]), "sha256", "multipart"),
        (1_000, json!([part(2, 1_000), part(1, 1_000)]), "sha256", "single"),
        (0, json!([part(1, 0)]), "sha256", "single"),
        // An upload without checksums needs no checksum in its token, so it may be a single PUT.
        (1_000, json!([]), "none", "single"),
    ] {
        if kind == "multipart" {
            api.s3.answers(200, CREATED);
        }
        let file = json!({ "name": "x", "type": "a/b", "size": size, "parts": parts, "algorithm": algorithm });
        let (status, created) = api.post("/uploads", "", file).await;
        let figures = (status, &created["kind"], &created["partCount"]);
        assert_eq!(figures, (201, &json!(kind), &json!(1)), "{size} {parts}");
        let lifetime = if kind == "multipart" { 604_800 } else { 15 * 60 + 2 * u64::from(size > 0) };
        assert_eq!(created["expiresInSeconds"], lifetime, "{size} {parts}");
    }
}

#[tokio::test]
async fn no_token_outlives_the_configured_lifetime() {
    let api = Api::with(|config| config.token_lifetime_seconds = 600).await;
    let (_, created) = api.post("/uploads", "", small_file()).await;
    assert_eq!(created["expiresInSeconds"], json!(600));
}

#[tokio::test]
async fn a_part_is_signed_with_its_length_checksum_number_and_upload_id() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    let (_, signed) = api.post("/uploads/parts", &token, json!({ "parts": [part(3, 4 << 20)] })).await;
    let signed = &signed["parts"][0];
    assert_eq!(signed["headers"], json!({ "x-amz-checksum-sha256": digest().to_string() }));
    let url = signed["url"].as_str().unwrap();
    let names = ["X-Amz-SignedHeaders", "partNumber", "uploadId"].map(|name| parameter(url, name));
    assert_eq!(names, ["content-length%3Bhost%3Bx-amz-checksum-sha256", "3", "id"]);
}

#[tokio::test]
async fn opening_an_upload_signs_the_parts_that_match_the_plan_up_to_the_limit() {
    let api = Api::with(|config| config.max_parts_per_request = 2).await;
    let open = async |parts: Value| {
        api.s3.answers(200, CREATED);
        let mut file = large_file();
        file["parts"] = parts;
        let (status, created) = api.post("/uploads", "", file).await;
        assert_eq!(status, 201, "{created}");
        let parts = created["parts"].as_array().cloned().unwrap_or_default();
        parts.iter().map(|part| part["number"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(open(json!(three_parts())).await, [1, 2]);
    assert_eq!(open(json!([part(1, 5 << 20), part(2, 8 << 20), part(4, 8 << 20)])).await, [2]);
    assert!(open(json!([part(1, 5 << 20)])).await.is_empty());
}

#[tokio::test]
async fn the_lifetime_of_a_url_covers_the_parts_before_it() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    let sign = async |parts: Vec<Value>, speed: Value| {
        let (status, signed) =
            api.post("/uploads/parts", &token, json!({ "parts": parts, "bitsPerSecond": speed })).await;
        assert_eq!(status, 200, "{signed}");
        lifetimes(&signed)
    };
    // At 2 Mbit/s, the link needs 34 s until the first part is sent, 68 s until the second, and 84 s until the third.
    // The lifetime of each URL is three times this time.
    assert_eq!(sign(three_parts(), json!(2_000_000)).await, [102, 204, 252]);
    // The part takes 34 s at 1 Mbit/s, the assumed speed if the request names no speed.
    assert_eq!(sign(vec![part(3, 4 << 20)], Value::Null).await, [102]);
    assert_eq!(sign(three_parts(), json!(u64::MAX)).await, [60, 60, 60]);
    assert_eq!(sign(three_parts(), json!(1)).await, [300, 300, 300]);
}

#[tokio::test]
async fn the_lifetime_of_the_first_urls_follows_from_the_kind_of_network() {
    let api = Api::new().await;
    for (network, expected) in [("4g", 60), ("3g", 204), ("2g", 300)] {
        api.s3.answers(200, CREATED);
        let mut file = large_file();
        (file["parts"], file["network"]) = (json!([part(1, DEFAULT_PART_BYTES)]), json!(network));
        let (_, created) = api.post("/uploads", "", file).await;
        assert_eq!(lifetimes(&created), [expected], "{network}");
    }
}

#[tokio::test]
async fn stored_parts_are_listed_page_by_page() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    let listed = |number: u64, checksum: &str, is_truncated: bool| {
        format!(
            "<ListPartsResult><IsTruncated>{is_truncated}</IsTruncated><Part><PartNumber>{number}</PartNumber>\
             <ETag>\"e{number}\"</ETag><Size>7</Size>{checksum}</Part></ListPartsResult>"
        )
    };
    let list = async |path: &str| api.call(("GET", path), None, &token, Value::Null).await;
    api.s3.answers(200, &listed(1, "<ChecksumSHA256>s</ChecksumSHA256>", true));
    let first = json!({ "parts": [{ "number": 1, "size": 7, "etag": "e1", "checksum": "s" }], "next": 1 });
    assert_eq!(list("/uploads/parts").await, (200, first));
    api.s3.answers(200, &listed(2, "<ChecksumCRC64NVME>c</ChecksumCRC64NVME>", false));
    let second = json!({ "parts": [{ "number": 2, "size": 7, "etag": "e2", "checksum": "c" }] });
    assert_eq!(list("/uploads/parts?after=1").await, (200, second));

    let calls = api.s3.take_calls();
    assert!(calls.iter().all(|call| call.method == "GET" && parameter(&call.url, "uploadId") == "id"), "{calls:?}");
    assert!(calls.iter().all(|call| parameter(&call.url, "max-parts") == "1000"), "{calls:?}");
    let after = [0, 1].map(|index| parameter(&calls[index].url, "part-number-marker"));
    assert_eq!(after, ["", "1"]);
}

#[tokio::test]
async fn a_completion_sends_parts_and_size_to_s3_and_returns_the_object() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    api.s3.answers(200, &completed(&format!("<ChecksumSHA256>{}</ChecksumSHA256>", composite())));
    let (status, answer) = api.post("/uploads/complete", &token, completion()).await;
    assert_eq!((status, &answer["etag"], &answer["size"]), (200, &json!("whole"), &json!(20 << 20)), "{answer}");
    assert_eq!((&answer["checksum"], answer["key"].is_string()), (&json!(composite()), true));
    let call = &api.s3.take_calls()[0];
    let headers = ["x-amz-mp-object-size", "if-none-match", "x-amz-checksum-crc64nvme"].map(|name| call.header(name));
    assert_eq!(headers, ["20971520", "*", ""]);
    let xml = format!("<ETag>e</ETag><ChecksumSHA256>{}</ChecksumSHA256><PartNumber>3</PartNumber>", digest());
    assert!(call.body.contains(&xml), "{}", call.body);
}

#[tokio::test]
async fn a_completion_with_crc64nvme_sends_the_checksum_of_the_object() {
    let api = Api::new().await;
    api.s3.answers(200, CREATED);
    let mut file = large_file();
    file["algorithm"] = json!("crc64nvme");
    let (_, created) = api.post("/uploads", "", file).await;
    api.s3.take_calls();
    let zeros = |length: usize| Crc64Nvme::of(&vec![0; length]).to_string();
    let lengths = [8 << 20, 8 << 20, 4 << 20];
    let parts: Vec<_> = lengths
        .iter()
        .zip(1..)
        .map(|(length, number)| json!({ "number": number, "etag": "e", "checksum": zeros(*length) }))
        .collect();
    let whole = zeros(20 << 20);
    api.s3.answers(200, &completed(&format!("<ChecksumCRC64NVME>{whole}</ChecksumCRC64NVME>")));
    let body = json!({ "parts": parts, "checksum": whole });
    let (status, answer) = api.post("/uploads/complete", created["token"].as_str().unwrap(), body).await;
    assert_eq!((status, &answer["checksum"]), (200, &json!(whole)), "{answer}");
    let call = &api.s3.take_calls()[0];
    let headers = ["x-amz-checksum-crc64nvme", "x-amz-checksum-type"].map(|name| call.header(name));
    assert_eq!(headers, [whole.as_str(), "FULL_OBJECT"]);
    assert!(call.body.contains(&format!("<ChecksumCRC64NVME>{}</ChecksumCRC64NVME>", zeros(4 << 20))));
}

#[tokio::test]
async fn aborting_a_single_put_does_not_call_s3() {
    let api = Api::new().await;
    let (_, created) = api.post("/uploads", "", small_file()).await;
    let token = created["token"].as_str().unwrap();
    assert_eq!(api.call(("DELETE", "/uploads"), None, token, Value::Null).await.0, 204);
    assert!(api.s3.take_calls().is_empty());
}

#[tokio::test]
async fn aborting_removes_the_upload_and_succeeds_if_it_is_already_gone() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    api.s3.answers(204, "");
    api.s3.refuses(404, "NoSuchUpload");
    for _ in 0..2 {
        assert_eq!(api.call(("DELETE", "/uploads"), None, &token, Value::Null).await.0, 204);
        let call = &api.s3.take_calls()[0];
        assert!(call.method == "DELETE" && parameter(&call.url, "uploadId") == "id", "{call:?}");
    }
}

fn completed(checksum: &str) -> String {
    format!("<CompleteMultipartUploadResult><ETag>\"whole\"</ETag>{checksum}</CompleteMultipartUploadResult>")
}
