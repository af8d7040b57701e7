//! Forged names of downloads. The name is in `Content-Disposition`, a signed header of the PUT.

use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{Running, start_against};
use crate::completions::send_all;
use crate::put::Put;
use crate::verdict::Verdict;
use crate::{MIB, Opened, auth, call, opening};

const NAME: &str = "Übung \"1\".png";
const SIGNED: &str = "attachment; filename=\"_bung _1_.png\"; filename*=UTF-8''%C3%9Cbung%20%221%22.png";

/// Forged values of `Content-Disposition`.
const FORGED: [&str; 8] = [
    "inline",
    "attachment",
    "inline; filename=\"_bung _1_.png\"; filename*=UTF-8''%C3%9Cbung%20%221%22.png",
    "attachment; filename=\"program.exe\"",
    "attachment; filename=\"_bung _1_.png\"",
    "attachment; filename=\"_bung _1_.png\"; filename*=UTF-8''program.exe",
    "attachment; filename=\"_bung _1_.png\"; filename*=UTF-8''%C3%9Cbung%20%221%22.png; filename=\"program.exe\"",
    "Attachment; filename=\"_bung _1_.png\"; filename*=UTF-8''%c3%9cbung%20%221%22.png",
];

/// Starts a server whose downloads have the name of the file.
async fn start() -> Running {
    start_against(&[("DOWNLOAD_NAMES", "attachment")], Some(auth())).await
}

async fn open(server: &Running, parts: &[&[u8]]) -> Opened {
    let request = call(server, "alice", Method::POST, "").json(&opening(NAME, parts));
    let reply: Value = request.send().await.unwrap().json().await.unwrap();
    Opened::of("alice", &reply)
}

async fn disposition(server: &Running, key: &str) -> String {
    let found = server.s3.get_object().bucket(&server.bucket).key(key).send().await.unwrap();
    found.content_disposition().unwrap().to_owned()
}

#[tokio::test]
async fn another_name_of_a_download_is_refused() {
    let server = start().await;
    let bytes: &[u8] = b"the bytes of a picture";
    let upload = open(&server, &[bytes]).await;
    assert_eq!(upload.parts[0]["headers"]["content-disposition"], json!(SIGNED));
    let put = Put::of(&upload.parts[0], bytes);
    let verdict = Verdict::before(&server).await;
    let mut accepted = Vec::new();
    for other in FORGED {
        let status = put.with("content-disposition", other).send(&server).await;
        if !(400..500).contains(&status) {
            accepted.push((other.to_owned(), status));
        }
    }
    verdict.after("name of a download", FORGED.len(), &accepted).await;
    assert_eq!(put.send(&server).await, 200);
    assert_eq!(disposition(&server, &upload.key).await, SIGNED);
}

/// The API sets the name when it opens the multipart upload. S3 ignores `Content-Disposition` in the PUT of a part.
#[tokio::test]
async fn a_part_can_not_change_the_name_of_a_download() {
    let server = start().await;
    let [a, b, c] = [vec![1; 8 * MIB], vec![2; 8 * MIB], vec![3; 4 * MIB]];
    let parts: [&[u8]; 3] = [&a, &b, &c];
    let upload = open(&server, &parts).await;
    for (signed, bytes) in upload.parts.iter().zip(parts) {
        let named = Put::of(signed, bytes).with("content-disposition", "inline; filename=\"program.exe\"");
        assert_eq!(named.send(&server).await, 200);
    }
    let completion = send_all(&server, &upload, &parts).await;
    assert_eq!(completion.send(&server).await.0, 200);
    assert_eq!(disposition(&server, &upload.key).await, SIGNED);
}
