//! Tests of the parts of the benchmark: the sink, which gives S3's answers, and the emulated link.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{Running, start_as};
use directput::checksum::{ObjectChecksum, PartChecksum};
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
async fn the_sink_accepts_whole_uploads_and_stores_nothing() {
    let server = start_as(&[], |options| (options.discard, options.control) = (true, true)).await;
    for checksum in ["rosUhgp5mIg=", "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="] {
        upload_twice(&server, PartChecksum::parse(checksum).unwrap()).await;
    }
    assert_eq!(std::fs::read_dir(server.folder.path().join(&server.bucket)).unwrap().count(), 0);
    let counts = counts(&server).await;
    assert_eq!((&counts["puts"], &counts["apiCalls"]), (&json!(2), &json!(6)));
}

/// Opens an upload of a single PUT. Then opens a multipart upload, sends its first part and completes it.
async fn upload_twice(server: &Running, checksum: PartChecksum) {
    let call = async |path: &str, token: &str, body: Value| -> Value {
        let request = server.http.post(format!("{}{path}", server.api)).header("upload-token", token);
        let request = request.header("content-type", "application/json").body(body.to_string());
        request.send().await.unwrap().json().await.unwrap()
    };
    let (algorithm, text) = (checksum.algorithm(), checksum.to_text());
    let open = |size: u64, first: u64| {
        let part = json!({ "number": 1, "length": first, "checksum": text });
        json!({ "name": "a", "type": "a/b", "size": size, "algorithm": algorithm, "parts": [part] })
    };
    assert_eq!(call("", "", open(16 << 20, 16 << 20)).await["kind"], "single");
    let created = call("", "", open(24 << 20, 8 << 20)).await;
    let token = created["token"].as_str().unwrap();
    let put = created["parts"][0].clone();
    let header = format!("x-amz-checksum-{}", algorithm.as_str());
    let reply = server.http.put(put["url"].as_str().unwrap()).header(&header, &text);
    let reply = reply.body(vec![7; 8 << 20]).send().await.unwrap();
    assert_eq!(reply.status().as_u16(), 200);
    assert_eq!(reply.headers()[&header], text);
    let etag = reply.headers()["etag"].to_str().unwrap().to_owned();
    let parts: Vec<_> = (1..=3).map(|number| json!({ "number": number, "etag": etag, "checksum": text })).collect();
    let whole = ObjectChecksum::of(algorithm, [(Some(checksum), 8 << 20); 3]).unwrap().to_text();
    let completed = call("/complete", token, json!({ "parts": parts, "checksum": whole })).await;
    assert_eq!(completed["checksum"], whole);
}

#[tokio::test]
async fn a_link_limits_speed_and_adds_the_round_trip() {
    let link: LinkSpeed = r#"{"bitsPerSecond":16000000,"roundTripMs":100}"#.parse().unwrap();
    let server = start_as(&[], |options| (options.discard, options.link) = (true, Some(link))).await;
    let started = Instant::now();
    assert_eq!(put(&server, 0).await.status().as_u16(), 200);
    assert!(
        started.elapsed() >= Duration::from_millis(200),
        "a handshake and a request take two round trips: {:?}",
        started.elapsed()
    );
    let started = Instant::now();
    let (one, other) = tokio::join!(put(&server, 1_000_000), put(&server, 1_000_000));
    assert_eq!((one.status().as_u16(), other.status().as_u16()), (200, 200));
    // 2 MB at 2 MB/s take 1 s, and the round trip takes 100 ms. The link may catch up on `BURST`, 10 ms.
    assert!(
        started.elapsed() >= Duration::from_millis(1_080),
        "both requests share the bandwidth: {:?}",
        started.elapsed()
    );
}

#[tokio::test]
async fn a_connection_has_a_limit_of_its_own() {
    let link = r#"{"bitsPerSecond":1000000000,"connectionBitsPerSecond":16000000}"#.parse().unwrap();
    let server = start_as(&[], |options| (options.discard, options.link) = (true, Some(link))).await;
    let started = Instant::now();
    tokio::join!(put(&server, 1_000_000), put(&server, 1_000_000));
    let seconds = started.elapsed().as_secs_f64();
    // 1 MB at 2 MB/s takes 0.5 s. One connection alone would take 1 s for both requests.
    assert!((0.48..0.9).contains(&seconds), "each connection has its own limit: {seconds} s");
}

#[tokio::test]
async fn a_lossy_link_is_slower() {
    let seconds = async |loss: &str| {
        let link = format!(r#"{{"bitsPerSecond":1000000000,"roundTripMs":20,"lossPercent":{loss}}}"#);
        let server =
            start_as(&[], |options| (options.discard, options.link) = (true, Some(link.parse().unwrap()))).await;
        let started = Instant::now();
        put(&server, 2_000_000).await;
        started.elapsed().as_secs_f64()
    };
    let (clean, lossy) = (seconds("0").await, seconds("1").await);
    // A connection that loses a packet in a hundred sends about 12 packets in each round trip, 7 Mbit/s.
    assert!(clean < 1.0 && lossy > 1.5, "{clean} s without losses, {lossy} s with losses");
}

#[test]
fn an_invalid_link_is_refused_with_the_name_of_the_member() {
    let refused = |text: &str| text.parse::<LinkSpeed>().unwrap_err();
    assert!(refused(r#"{"bitsPerSecond":0}"#).starts_with("bitsPerSecond:"));
    assert!(refused(r#"{"bitsPerSecond":1,"delay":3}"#).contains("delay"));
    assert!(refused(r#"{"bitsPerSecond":1,"connectionBitsPerSecond":0}"#).starts_with("connectionBitsPerSecond:"));
    for percent in ["-1", "51"] {
        let link = format!(r#"{{"bitsPerSecond":1,"lossPercent":{percent}}}"#);
        assert!(refused(&link).starts_with("lossPercent:"), "{percent}");
    }
}
