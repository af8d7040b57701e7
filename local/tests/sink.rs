//! What the benchmark stands on: a sink that answers as S3 does, behind a link that is as slow as it was told to be.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{Running, start_as};
use directput_local::LinkSpeed;
use serde_json::{Value, json};

async fn put(server: &Running, bytes: usize) -> reqwest::Response {
    let url = format!("{}/{}/uploads/a", server.s3_url, server.bucket);
    let request = server.http.put(url).header("x-amz-checksum-sha256", "claimed").body(vec![7; bytes]);
    request.send().await.unwrap()
}

async fn counts(server: &Running) -> Value {
    let url = server.api.replace("/uploads", "/-/counts");
    server.http.get(url).send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn the_sink_takes_a_whole_upload_and_keeps_nothing() {
    let server = start_as(&[], |options| (options.discard, options.control) = (true, true)).await;
    let call = async |path: &str, token: &str, body: Value| -> Value {
        let request = server.http.post(format!("{}{path}", server.api)).header("upload-token", token);
        let request = request.header("content-type", "application/json").body(body.to_string());
        request.send().await.unwrap().json().await.unwrap()
    };
    let checksum = "rosUhgp5mIg=";
    let part = |number: u32| json!({ "number": number, "length": 8 << 20, "checksum": checksum });
    let body = json!({ "name": "a", "type": "a/b", "size": 16 << 20, "algorithm": "crc64nvme", "parts": [part(1)] });
    let settings =
        json!({ "name": "a", "type": "a/b", "size": 24 << 20, "algorithm": "crc64nvme", "parts": [part(1)] });
    assert_eq!(call("", "", body).await["kind"], "single");
    let created = call("", "", settings).await;
    let token = created["token"].as_str().unwrap();
    let put = created["parts"][0].clone();
    let reply = server.http.put(put["url"].as_str().unwrap()).header("x-amz-checksum-crc64nvme", checksum);
    let reply = reply.body(vec![7; 8 << 20]).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    assert_eq!(reply.headers()["x-amz-checksum-crc64nvme"], checksum);
    let etag = reply.headers()["etag"].to_str().unwrap().to_owned();
    let parts: Vec<_> = (1..=3).map(|number| json!({ "number": number, "etag": etag, "checksum": checksum })).collect();
    let parsed = directput::checksum::PartChecksum::parse(checksum).unwrap();
    let algorithm = directput::checksum::ChecksumAlgorithm::Crc64nvme;
    let whole = directput::checksum::ObjectChecksum::of(algorithm, [(Some(parsed), 8 << 20); 3]).unwrap();
    let completed = call("/complete", token, json!({ "parts": parts, "checksum": whole.to_text() })).await;
    assert_eq!(completed["checksum"], json!(whole.to_text()));
    assert_eq!(std::fs::read_dir(server.folder.path().join(&server.bucket)).unwrap().count(), 0);
    let counts = counts(&server).await;
    assert_eq!((&counts["puts"], &counts["apiCalls"]), (&json!(1), &json!(3)));
}

#[tokio::test]
async fn a_link_carries_no_more_than_it_can_and_no_sooner() {
    let link: LinkSpeed = r#"{"bitsPerSecond":16000000,"roundTripMs":100}"#.parse().unwrap();
    let server = start_as(&[], |options| (options.discard, options.link) = (true, Some(link))).await;
    let started = Instant::now();
    assert_eq!(put(&server, 0).await.status().as_u16(), 200);
    assert!(started.elapsed() >= Duration::from_millis(200), "a handshake and a request: {:?}", started.elapsed());
    let started = Instant::now();
    let (one, other) = tokio::join!(put(&server, 1_000_000), put(&server, 1_000_000));
    assert_eq!((one.status().as_u16(), other.status().as_u16()), (200, 200));
    // 2 MB at 2 MB/s, less the burst that is forgiven.
    assert!(started.elapsed() >= Duration::from_millis(1_080), "both share the link: {:?}", started.elapsed());
}

#[test]
fn a_link_that_makes_no_sense_is_refused_by_name() {
    let refused = |text: &str| text.parse::<LinkSpeed>().unwrap_err();
    assert!(refused(r#"{"bitsPerSecond":0}"#).starts_with("bitsPerSecond:"));
    assert!(refused(r#"{"bitsPerSecond":1,"delay":3}"#).contains("delay"));
}
