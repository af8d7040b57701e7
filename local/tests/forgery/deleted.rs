//! Attempts of an uploader to write other bytes to a key after the application has checked and deleted the object.
//!
//! In a bucket with versioning, a deletion writes a delete marker. A conditional write succeeds if the key has a delete
//! marker (S3 User Guide, "How to prevent object overwrites with conditional writes"). The embedded server does the
//! same. Garage has no versioning.

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::types::{BucketVersioningStatus, VersioningConfiguration};
use directput::checksum::Sha256Digest;
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{Running, other_s3};
use crate::completions::{Completion, send_all};
use crate::put::Put;
use crate::{MIB, Opened, call, open, start};

/// Enables versioning of the bucket. Returns whether the server supports versioning.
async fn keep_versions(server: &Running) -> bool {
    let enabled = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let request = server.s3.put_bucket_versioning().bucket(&server.bucket).versioning_configuration(enabled);
    let refusal = request.send().await.err().map(|error| error.code().unwrap_or_default().to_owned());
    let expected = other_s3().map(|_| "NotImplemented".to_owned());
    assert_eq!(refusal, expected, "the embedded server has versioning, Garage has not");
    refusal.is_none()
}

/// Deletes an object. Checks that the deletion writes a delete marker only if `leaves_marker` is set.
async fn delete(server: &Running, key: &str, leaves_marker: bool) {
    let deleted = server.s3.delete_object().bucket(&server.bucket).key(key).send().await.unwrap();
    assert_eq!(deleted.delete_marker().unwrap_or_default(), leaves_marker);
    assert_eq!(server.bytes(key).await, None);
    let missing = server.s3.head_object().bucket(&server.bucket).key(key).send().await.unwrap_err();
    let marker = missing.raw_response().unwrap().headers().get("x-amz-delete-marker");
    assert_eq!(marker, leaves_marker.then_some("true"));
}

/// Requests a signed PUT of these bytes with the token of an upload.
async fn sign(server: &Running, upload: &Opened, number: usize, bytes: &[u8]) -> (u16, Value) {
    let part = json!({ "number": number, "length": bytes.len(), "checksum": Sha256Digest::of(bytes).to_string() });
    let request = call(server, upload.caller, Method::POST, "/parts").header("upload-token", &upload.token);
    let reply = request.json(&json!({ "parts": [part] })).send().await.unwrap();
    (reply.status().as_u16(), reply.json().await.unwrap())
}

#[tokio::test]
async fn other_bytes_can_not_replace_a_deleted_single_put() {
    no_other_bytes_follow(&start().await, false).await;
}

#[tokio::test]
async fn other_bytes_can_not_replace_a_single_put_under_a_delete_marker() {
    let server = start().await;
    let has_versions = keep_versions(&server).await;
    no_other_bytes_follow(&server, has_versions).await;
}

/// Stores an object by a single PUT and deletes the object. Before, between and after, tries to store other bytes with
/// the URL and the token of the upload.
async fn no_other_bytes_follow(server: &Running, leaves_marker: bool) {
    let (good, evil): (&[u8], &[u8]) = (b"the bytes of a picture", b"the bytes of a program");
    let upload = open(server, "alice", &[good]).await;
    let put = Put::of(&upload.parts[0], good);
    for moment in ["before it is stored", "while it stands", "after it was deleted"] {
        let (status, answer) = sign(server, &upload, 1, evil).await;
        let refusal = (&answer["code"], &answer["field"]);
        assert_eq!(
            (status, refusal),
            (400, (&json!("invalid-value"), &json!("parts[0].checksum"))),
            "{moment}: {answer}"
        );
        let checksum = Sha256Digest::of(evil).to_string();
        for forged in [put.body(evil), put.body(evil).with("x-amz-checksum-sha256", &checksum)] {
            assert!((400..500).contains(&forged.send(server).await), "{moment}");
        }
        match moment {
            "before it is stored" => assert_eq!(put.send(server).await, 200),
            "while it stands" => delete(server, &upload.key, leaves_marker).await,
            _ => assert_eq!(server.bytes(&upload.key).await, None, "no other object was stored"),
        }
    }
    // The same bytes can be stored again after the deletion, until the token expires.
    let (status, again) = sign(server, &upload, 1, good).await;
    assert_eq!((status, Put::of(&again["parts"][0], good).send(server).await), (200, 200), "{again}");
    assert_eq!(server.bytes(&upload.key).await.unwrap(), good);
    let once_more = put.send(server).await;
    assert_eq!(once_more, if other_s3().is_some() { 200 } else { 412 }, "S3 refuses a second PUT to the key");
}

#[tokio::test]
async fn a_file_without_a_checksum_is_bound_by_its_upload_id() {
    let server = start().await;
    let (good, evil): (&[u8], &[u8]) = (b"the bytes of a picture", b"the bytes of a program");
    let file = json!({ "name": "a.png", "type": "image/png", "size": good.len() });
    let reply: Value = call(&server, "alice", Method::POST, "").json(&file).send().await.unwrap().json().await.unwrap();
    assert_eq!((&reply["kind"], &reply["partCount"]), (&json!("multipart"), &json!(1)), "{reply}");
    let mut upload = Opened::of("alice", &reply);
    let (status, signed) = sign(&server, &upload, 1, good).await;
    assert_eq!(status, 200, "{signed}");
    upload.parts = signed["parts"].as_array().unwrap().clone();
    let completion = send_all(&server, &upload, &[good]).await;
    assert_eq!(completion.send(&server).await.0, 200);
    nothing_follows(&server, &upload, &completion, evil, false).await;
}

#[tokio::test]
async fn no_part_can_follow_a_completed_and_deleted_multipart_upload() {
    no_part_follows(&start().await, false).await;
}

#[tokio::test]
async fn no_part_can_follow_a_multipart_upload_under_a_delete_marker() {
    let server = start().await;
    let has_versions = keep_versions(&server).await;
    no_part_follows(&server, has_versions).await;
}

/// Completes an upload of three parts, deletes the object, and tries to store another object with the upload's token.
async fn no_part_follows(server: &Running, leaves_marker: bool) {
    let [a, b, c, evil] = [vec![1; 8 * MIB], vec![2; 8 * MIB], vec![3; 4 * MIB], vec![4; 8 * MIB]];
    let parts: [&[u8]; 3] = [&a, &b, &c];
    let upload = open(server, "alice", &parts).await;
    let completion = send_all(server, &upload, &parts).await;
    assert_eq!(completion.send(server).await.0, 200);
    nothing_follows(server, &upload, &completion, &evil, leaves_marker).await;
}

/// Deletes the object of a completed upload, and tries to store another object with the upload's token.
async fn nothing_follows(server: &Running, upload: &Opened, completion: &Completion, evil: &[u8], leaves_marker: bool) {
    delete(server, &upload.key, leaves_marker).await;
    // The API signs, because it does not ask S3 whether the upload is open. S3 refuses the signed PUT.
    let (status, signed) = sign(server, upload, 1, evil).await;
    assert_eq!(status, 200, "{signed}");
    assert!(Put::of(&signed["parts"][0], evil).is_too_late(server).await, "the upload was completed");
    let again = completion.send(server).await;
    assert!(matches!(again.0, 200 | 404), "{again:?}");
    assert_eq!(server.bytes(&upload.key).await, None, "a repeated completion stores no object");
}
