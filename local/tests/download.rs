//! The header `Content-Disposition` of downloaded objects.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use common::{Running, start_with};
use directput::checksum::{CompositeChecksum, Sha256Digest};
use reqwest::Method;
use serde_json::{Value, json};

const MIB: usize = 1 << 20;

async fn call(server: &Running, path: &str, token: &str, body: &Value) -> Value {
    let request = server.http.request(Method::POST, format!("{}{path}", server.api)).header("upload-token", token);
    let reply = request.json(body).send().await.unwrap();
    assert!(reply.status().is_success(), "{path}: {}", reply.status());
    reply.json().await.unwrap()
}

/// Uploads a file that consists of these parts, with the headers that the API returns. Returns the key.
async fn upload(server: &Running, name: &str, content_type: &str, parts: &[&[u8]]) -> String {
    let digests: Vec<_> = parts.iter().map(|bytes| Sha256Digest::of(bytes)).collect();
    let named = (1..).zip(parts.iter().zip(&digests)).map(
        |(number, (bytes, digest))| json!({ "number": number, "length": bytes.len(), "checksum": digest.to_string() }),
    );
    let size: usize = parts.iter().map(|bytes| bytes.len()).sum();
    let file = json!({ "name": name, "type": content_type, "size": size, "parts": named.collect::<Vec<_>>() });
    let created = call(server, "", "", &file).await;
    let mut done = Vec::new();
    for (signed, (bytes, digest)) in created["parts"].as_array().unwrap().iter().zip(parts.iter().zip(&digests)) {
        let mut put = server.http.put(signed["url"].as_str().unwrap()).body(bytes.to_vec());
        for (name, value) in signed["headers"].as_object().unwrap() {
            put = put.header(name, value.as_str().unwrap());
        }
        let reply = put.send().await.unwrap();
        assert_eq!(reply.status(), 200);
        let etag = reply.headers()["etag"].to_str().unwrap();
        done.push(json!({ "number": signed["number"], "etag": etag, "checksum": digest.to_string() }));
    }
    if parts.len() > 1 {
        let completion = json!({ "parts": done, "checksum": CompositeChecksum::of(&digests).to_string() });
        call(server, "/complete", created["token"].as_str().unwrap(), &completion).await;
    }
    created["key"].as_str().unwrap().to_owned()
}

/// Downloads an object by a presigned URL and returns the header `Content-Disposition`.
async fn disposition(server: &Running, key: &str) -> String {
    let lifetime = PresigningConfig::expires_in(Duration::from_secs(60)).unwrap();
    let get = server.s3.get_object().bucket(&server.bucket).key(key).presigned(lifetime).await.unwrap();
    let reply = server.http.get(get.uri()).send().await.unwrap();
    assert_eq!(reply.status(), 200);
    reply.headers()["content-disposition"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_download_has_the_files_name_after_a_single_put_and_after_parts() {
    let server = start_with(&[("DOWNLOAD_NAMES", "attachment")]).await;
    let long = format!("{}.pdf", "a".repeat(296));
    let cut = "a".repeat(251);
    for (name, expected) in [
        ("Übung \"1\".pdf", "filename=\"_bung _1_.pdf\"; filename*=UTF-8''%C3%9Cbung%20%221%22.pdf".to_owned()),
        ("../../etc/passwd", "filename=\"passwd\"; filename*=UTF-8''passwd".to_owned()),
        (&long, format!("filename=\"{cut}.pdf\"; filename*=UTF-8''{cut}.pdf")),
        (
            "👩\u{200d}🚀 📷.jpg",
            "filename=\"___ _.jpg\"; filename*=UTF-8''\
            %F0%9F%91%A9%E2%80%8D%F0%9F%9A%80%20%F0%9F%93%B7.jpg"
                .to_owned(),
        ),
    ] {
        let expected = format!("attachment; {expected}");
        let key = upload(&server, name, "application/pdf", &[b"bytes"]).await;
        assert_eq!(disposition(&server, &key).await, expected, "{name}");
        assert!(!key.contains("passwd") && !key.contains("bung"), "{key}");
        let key = upload(&server, name, "application/pdf", &[&vec![1; 8 * MIB], &vec![2; 8 * MIB], b"end"]).await;
        assert_eq!(disposition(&server, &key).await, expected, "{name}, in parts");
    }
}

#[tokio::test]
async fn names_are_off_by_default_and_inline_shows_only_harmless_files() {
    for (setting, content_type, expected) in [
        ("none", "image/png", "attachment"),
        ("inline", "image/png", "inline; filename=\"a.png\"; filename*=UTF-8''a.png"),
        ("inline", "text/html", "attachment; filename=\"a.png\"; filename*=UTF-8''a.png"),
    ] {
        let server = start_with(&[("DOWNLOAD_NAMES", setting)]).await;
        let key = upload(&server, "a.png", content_type, &[b"bytes"]).await;
        assert_eq!(disposition(&server, &key).await, expected, "{setting} {content_type}");
    }
    let server = start_with(&[]).await;
    let key = upload(&server, "a.png", "image/png", &[b"bytes"]).await;
    assert_eq!(disposition(&server, &key).await, "attachment", "names are off by default");
}
