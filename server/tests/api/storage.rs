//! The bucket: the address in presigned URLs, and the error codes of failed calls to S3.

use std::time::{Duration, SystemTime};

use directput::plan::Plan;
use directput::protocol::FileSize;
use directput_server::s3::{Lane, Target};
use serde_json::{Value, json};

use super::*;

#[tokio::test]
async fn the_code_of_a_failed_call_tells_whether_to_retry() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    for (status, in_s3, list, complete) in [
        (404, "NoSuchUpload", (404, "upload-gone"), (404, "upload-gone")),
        (400, "NoSuchUpload", (404, "upload-gone"), (404, "upload-gone")),
        (404, "NoSuchBucket", (500, "internal"), (500, "internal")),
        (400, "RequestTimeout", (503, "storage-unavailable"), (503, "storage-unavailable")),
        (400, "ExpiredToken", (503, "storage-unavailable"), (503, "storage-unavailable")),
        (400, "MalformedXML", (500, "internal"), (500, "internal")),
        (409, "ConditionalRequestConflict", (503, "storage-unavailable"), (503, "storage-unavailable")),
        (429, "TooManyRequests", (503, "storage-unavailable"), (503, "storage-unavailable")),
        (500, "InternalError", (503, "storage-unavailable"), (503, "storage-unavailable")),
        (503, "SlowDown", (503, "storage-unavailable"), (503, "storage-unavailable")),
        (412, "PreconditionFailed", (500, "internal"), (409, "already-complete")),
        (400, "InvalidPart", (500, "internal"), (409, "parts-refused")),
        (403, "AccessDenied", (500, "internal"), (500, "internal")),
    ] {
        api.s3.refuses(status, in_s3);
        refused(&api.call(("GET", "/uploads/parts"), None, &token, Value::Null).await, list.0, list.1, Value::Null);
        api.s3.refuses(status, in_s3);
        let answer = api.post("/uploads/complete", &token, completion()).await;
        refused(&answer, complete.0, complete.1, Value::Null);
        let detail = if complete.1 == "parts-refused" { json!(in_s3) } else { Value::Null };
        assert_eq!(answer.1["detail"], detail, "the answer names S3's code only if the parts were refused");
    }
}

#[tokio::test]
async fn an_error_inside_a_200_is_an_error() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    for (in_s3, status, code) in [
        ("InternalError", 503, "storage-unavailable"),
        ("SlowDown", 503, "storage-unavailable"),
        ("PreconditionFailed", 409, "already-complete"),
        ("InvalidPart", 409, "parts-refused"),
        ("NoSuchUpload", 404, "upload-gone"),
    ] {
        api.s3.refuses(200, in_s3);
        refused(&api.post("/uploads/complete", &token, completion()).await, status, code, Value::Null);
    }
    // S3 sends spaces while it joins the parts. The connection may break before S3 sends the XML.
    api.s3.answers(200, "  ");
    let answer = api.post("/uploads/complete", &token, completion()).await;
    refused(&answer, 503, "storage-unavailable", Value::Null);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_s3_does_not_answer_ends_before_api_gateway_gives_up() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    let calls =
        [("POST", "/uploads"), ("GET", "/uploads/parts"), ("POST", "/uploads/complete"), ("DELETE", "/uploads")];
    for call in calls {
        api.s3.is_silent();
        let started = tokio::time::Instant::now();
        let body = if call == calls[0] { large_file() } else { completion() };
        refused(&api.call(call, None, &token, body).await, 503, "storage-unavailable", Value::Null);
        assert_eq!(started.elapsed().as_secs(), 25, "{call:?}");
    }
}

#[tokio::test]
async fn an_abort_fails_if_s3_does_not_remove_the_upload() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    let abort = async || api.call(("DELETE", "/uploads"), None, &token, Value::Null).await;
    api.s3.refuses(503, "SlowDown");
    refused(&abort().await, 503, "storage-unavailable", Value::Null);
    api.s3.refuses(403, "AccessDenied");
    refused(&abort().await, 500, "internal", Value::Null);
}

#[tokio::test]
async fn a_completion_fails_if_the_object_has_another_checksum() {
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    for (inner, status, code) in [
        (format!("<ETag>e</ETag><ChecksumSHA256>{}-3</ChecksumSHA256>", digest()), 409, "parts-refused"),
        (format!("<ETag>e</ETag><ChecksumSHA256>{}</ChecksumSHA256>", digest()), 409, "parts-refused"),
        ("<ETag>e</ETag>".to_owned(), 500, "internal"),
        (format!("<ChecksumSHA256>{}</ChecksumSHA256>", composite()), 500, "internal"),
    ] {
        api.s3.answers(200, &format!("<CompleteMultipartUploadResult>{inner}</CompleteMultipartUploadResult>"));
        refused(&api.post("/uploads/complete", &token, completion()).await, status, code, Value::Null);
    }
}

#[tokio::test]
async fn an_upload_without_an_id_is_not_opened() {
    let api = Api::new().await;
    api.s3.answers(200, "<InitiateMultipartUploadResult></InitiateMultipartUploadResult>");
    refused(&api.post("/uploads", "", large_file()).await, 500, "internal", Value::Null);
}

#[tokio::test]
async fn urls_may_have_another_address_than_the_api_uses() {
    let bucket = Bucket::at("http://127.0.0.1:9000/", BUCKET, "eu-central-1").unwrap();
    let bucket = bucket.with_lanes_at(["https://files.example:443"]).unwrap();
    let api = Api::of(Config::for_bucket(BUCKET), bucket, None);
    let token = api.token_of_three_parts().await;
    let (_, signed) = api.post("/uploads/parts", &token, json!({ "parts": [part(3, 4 << 20)] })).await;
    let url = signed["parts"][0]["url"].as_str().unwrap();
    assert!(url.starts_with("https://files.example/bucket/uploads/"), "{url}");
    api.s3.answers(204, "");
    api.call(("DELETE", "/uploads"), None, &token, Value::Null).await;
    let called = &api.s3.take_calls()[0].url;
    assert!(called.starts_with("http://127.0.0.1:9000/bucket/uploads/"), "{called}");
}

#[test]
fn the_address_of_a_server_is_a_url_without_a_password_or_a_query() {
    for wrong in ["", "s3.example.com", "/bucket", "ftp://a", "https://a?b=c", "https://a:b@c", "https://", "a b"] {
        assert!(Bucket::at(wrong, BUCKET, "r").is_err(), "{wrong}");
        assert!(bucket().with_lanes_at(["https://good", wrong]).is_err(), "{wrong}");
    }
}

#[test]
fn urls_are_signed_for_the_lane_that_the_client_asks_for() {
    let lanes = Lane::parse_list("regional,dualstack,path,dualstack-path,accelerate").unwrap();
    let bucket = Bucket::in_aws(BUCKET, "eu-central-1", &lanes);
    assert_eq!(bucket.lane_count(), 5);
    let part = Plan::new(FileSize::new(1).unwrap(), 1).last();
    let target = Target::Part { key: "uploads/key", upload_id: "id" };
    for (lane, base) in [
        (0, "https://bucket.s3.eu-central-1.amazonaws.com/"),
        (1, "https://bucket.s3.dualstack.eu-central-1.amazonaws.com/"),
        (2, "https://s3.eu-central-1.amazonaws.com/bucket/"),
        (3, "https://s3.dualstack.eu-central-1.amazonaws.com/bucket/"),
        (4, "https://bucket.s3-accelerate.amazonaws.com/"),
        (5, "https://bucket.s3.eu-central-1.amazonaws.com/"),
        (u32::MAX, "https://bucket.s3.eu-central-1.amazonaws.com/"),
    ] {
        let signing = bucket.sign(lane, &credentials(), SystemTime::now()).unwrap();
        let url = signing.put(target, part, None, Duration::from_secs(60)).url;
        assert!(url.starts_with(&format!("{base}uploads/key?")), "{lane}: {url}");
    }
}

#[tokio::test]
async fn both_calls_that_sign_take_a_lane() {
    let bucket = Bucket::in_aws(BUCKET, "eu-central-1", &[Lane::Regional, Lane::Path]);
    let api = Api::of(Config::for_bucket(BUCKET), bucket, None);
    let url = |reply: &Value| reply["parts"][0]["url"].as_str().unwrap().to_owned();
    let mut file = small_file();
    for (lane, host) in [(0, "https://bucket.s3."), (1, "https://s3.eu-central-1.")] {
        file["lane"] = json!(lane);
        let (status, created) = api.post("/uploads", "", file.clone()).await;
        assert_eq!((status, &created["laneCount"]), (201, &json!(2)));
        assert!(url(&created).starts_with(host), "{created}");
        let token = created["token"].as_str().unwrap();
        let parts = json!({ "parts": file["parts"], "lane": 1 - lane });
        let (status, signed) = api.post("/uploads/parts", token, parts).await;
        assert!(status == 200 && !url(&signed).starts_with(host), "{signed}");
    }
}
