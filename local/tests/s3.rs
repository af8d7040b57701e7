//! Tests of the embedded S3 server with the official SDK: S3's answers to correct requests, and its refusals.
#![allow(missing_docs, clippy::unwrap_used)]

mod common;

use std::time::Duration;

use aws_sdk_s3::error::ProvideErrorMetadata;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumMode, ChecksumType, CompletedMultipartUpload, CompletedPart};
use common::{Running, start};
use directput::checksum::{CompositeChecksum, Crc64Nvme, Sha256Digest};
use reqwest::Method;

const MIB: usize = 1 << 20;
const KEY: &str = "uploads/object.bin";

fn sha256(bytes: &[u8]) -> String {
    Sha256Digest::of(bytes).to_string()
}

async fn presigned_put(s3: &Running, bytes: &[u8], lifetime: Duration) -> PresignedRequest {
    s3.s3
        .put_object()
        .bucket(&s3.bucket)
        .key(KEY)
        .content_type("image/png")
        .content_length(bytes.len() as i64)
        .checksum_sha256(sha256(bytes))
        .if_none_match("*")
        .presigned(PresigningConfig::expires_in(lifetime).unwrap())
        .await
        .unwrap()
}

/// Sends a presigned PUT with changed headers. An empty value removes a header. Returns the status and S3's error code.
async fn send(s3: &Running, url: &str, put: &PresignedRequest, changes: &[(&str, &str)], body: &[u8]) -> (u16, String) {
    let mut request = s3.http.request(Method::PUT, url).body(body.to_vec());
    for (name, value) in put.headers().filter(|(name, _)| *name != "content-length") {
        let value = changes.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, value)| value);
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    let reply = request.send().await.unwrap();
    let status = reply.status().as_u16();
    let text = reply.text().await.unwrap();
    let code = text.split("<Code>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
    (status, code.to_owned())
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_signed_put_is_stored_once_with_its_checksum() {
    let s3 = start().await;
    let put = presigned_put(&s3, b"bytes", MINUTE).await;
    assert_eq!(send(&s3, put.uri(), &put, &[], b"bytes").await.0, 200);
    assert_eq!(send(&s3, put.uri(), &put, &[], b"bytes").await, (412, "PreconditionFailed".to_owned()));
    let head = s3.s3.head_object().bucket(&s3.bucket).key(KEY).checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await.unwrap();
    assert_eq!(head.checksum_sha256(), Some(sha256(b"bytes").as_str()));
    assert_eq!(head.content_type(), Some("image/png"));
    let plain = s3.folder.path().join(s3.bucket).join(KEY);
    assert_eq!(std::fs::read(plain).unwrap(), b"bytes");
}

#[tokio::test]
async fn a_wrong_put_is_refused_and_leaves_no_files() {
    let s3 = start().await;
    let put = presigned_put(&s3, b"bytes", MINUTE).await;
    let url = put.uri();
    let other = sha256(b"other");
    let refused = |answer: (u16, String), status: u16| assert_eq!(answer.0, status, "{answer:?}");
    refused(send(&s3, &url.replace("object.bin", "another.bin"), &put, &[], b"bytes").await, 403);
    refused(send(&s3, &url.replace("X-Amz-Expires=60", "X-Amz-Expires=61"), &put, &[], b"bytes").await, 403);
    refused(send(&s3, url, &put, &[], b"byte").await, 403);
    refused(send(&s3, url, &put, &[], b"bytes!").await, 403);
    refused(send(&s3, url, &put, &[("content-type", "text/html")], b"bytes").await, 403);
    refused(send(&s3, url, &put, &[("x-amz-checksum-sha256", &other)], b"other").await, 403);
    refused(send(&s3, url, &put, &[("x-amz-checksum-sha256", "")], b"bytes").await, 403);
    refused(send(&s3, url, &put, &[("if-none-match", "")], b"bytes").await, 403);
    assert_eq!(send(&s3, url, &put, &[], b"bytez").await, (400, "BadDigest".to_owned()));
    let week = url.replace("X-Amz-Expires=60", "X-Amz-Expires=604801");
    assert!(send(&s3, &week, &put, &[], b"bytes").await.0 >= 400);
    assert_eq!(s3.leftovers(), (0, 0, 0));
}

#[tokio::test]
async fn an_expired_url_is_refused() {
    let s3 = start().await;
    let put = presigned_put(&s3, b"bytes", Duration::from_secs(1)).await;
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    assert_eq!(send(&s3, put.uri(), &put, &[], b"bytes").await.0, 403);
    assert_eq!(s3.leftovers(), (0, 0, 0));
}

#[tokio::test]
async fn one_of_fifty_concurrent_puts_succeeds() {
    let s3 = start().await;
    let put = presigned_put(&s3, b"bytes", MINUTE).await;
    let answers = futures::future::join_all((0..50).map(|_| send(&s3, put.uri(), &put, &[], b"bytes"))).await;
    assert_eq!(answers.iter().filter(|answer| answer.0 == 200).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.0 == 412).count(), 49);
}

async fn create(s3: &Running) -> String {
    let request = s3.s3.create_multipart_upload().bucket(&s3.bucket).key(KEY);
    let reply = request.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    reply.upload_id().unwrap().to_owned()
}

async fn put_part(s3: &Running, id: &str, number: i32, bytes: &[u8], checksum: &str) -> Result<String, String> {
    let request = s3.s3.upload_part().bucket(&s3.bucket).key(KEY).upload_id(id).part_number(number);
    let reply = request.checksum_sha256(checksum).body(ByteStream::from(bytes.to_vec())).send().await;
    reply.map(|part| part.e_tag().unwrap().to_owned()).map_err(|error| error.code().unwrap_or_default().to_owned())
}

struct Wanted {
    parts: Vec<(i32, String, String)>,
    checksum: Option<String>,
    size: Option<i64>,
}

async fn complete(s3: &Running, id: &str, wanted: &Wanted) -> Result<String, String> {
    let parts = wanted.parts.iter().map(|(number, etag, checksum)| {
        CompletedPart::builder().part_number(*number).e_tag(etag).checksum_sha256(checksum).build()
    });
    let list = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
    let request = s3.s3.complete_multipart_upload().bucket(&s3.bucket).key(KEY).upload_id(id).if_none_match("*");
    let reply = request
        .multipart_upload(list)
        .set_checksum_sha256(wanted.checksum.clone())
        .set_mpu_object_size(wanted.size)
        .send()
        .await;
    reply
        .map(|done| done.checksum_sha256().unwrap().to_owned())
        .map_err(|error| error.code().unwrap_or_default().to_owned())
}

/// Stores the second part (1 byte), then the first (5 MiB). Returns the request that completes the upload.
async fn two_parts(s3: &Running, id: &str) -> Wanted {
    let bodies = [vec![1; 5 * MIB], vec![2]];
    let second = put_part(s3, id, 2, &bodies[1], &sha256(&bodies[1])).await.unwrap();
    let first = put_part(s3, id, 1, &bodies[0], &sha256(&bodies[0])).await.unwrap();
    let digests = bodies.each_ref().map(|body| Sha256Digest::of(body));
    Wanted {
        parts: vec![(1, first, digests[0].to_string()), (2, second, digests[1].to_string())],
        checksum: Some(CompositeChecksum::of(&digests).to_string()),
        size: Some(5 * MIB as i64 + 1),
    }
}

#[tokio::test]
async fn parts_are_joined_and_a_repeated_completion_has_the_same_answer() {
    let s3 = start().await;
    let id = create(&s3).await;
    let wanted = two_parts(&s3, &id).await;
    let checksum = complete(&s3, &id, &wanted).await.unwrap();
    assert_eq!(Some(&checksum), wanted.checksum.as_ref());
    assert_eq!(complete(&s3, &id, &wanted).await, Ok(checksum.clone()));
    let head = s3.s3.head_object().bucket(&s3.bucket).key(KEY).checksum_mode(ChecksumMode::Enabled);
    let head = head.send().await.unwrap();
    assert_eq!((head.checksum_sha256(), head.content_length()), (Some(checksum.as_str()), wanted.size));
    assert_eq!(s3.leftovers(), (0, 1, 0));
}

#[tokio::test]
async fn parts_are_listed_sorted_paged_and_with_checksums() {
    let s3 = start().await;
    let id = create(&s3).await;
    for number in [3, 1, 2] {
        put_part(&s3, &id, number, &[number as u8], &sha256(&[number as u8])).await.unwrap();
    }
    let list = || s3.s3.list_parts().bucket(&s3.bucket).key(KEY).upload_id(&id);
    let page = list().max_parts(2).send().await.unwrap();
    let numbers: Vec<_> = page.parts().iter().filter_map(|part| part.part_number()).collect();
    assert_eq!((numbers, page.is_truncated()), (vec![1, 2], Some(true)));
    assert_eq!(page.parts()[0].checksum_sha256(), Some(sha256(&[1]).as_str()));
    let rest = list().part_number_marker(page.next_part_number_marker().unwrap()).send().await.unwrap();
    assert_eq!((rest.parts()[0].part_number(), rest.is_truncated()), (Some(3), Some(false)));
}

#[tokio::test]
async fn wrong_parts_and_completions_are_refused() {
    let s3 = start().await;
    let id = create(&s3).await;
    assert_eq!(put_part(&s3, &id, 1, b"bytes", &sha256(b"other")).await, Err("BadDigest".to_owned()));
    assert_eq!(put_part(&s3, &id, 0, b"bytes", &sha256(b"bytes")).await, Err("InvalidArgument".to_owned()));
    assert_eq!(put_part(&s3, &id, 10_001, b"bytes", &sha256(b"bytes")).await, Err("InvalidArgument".to_owned()));
    assert_eq!(s3.leftovers(), (0, 0, 1), "only the file that describes the upload is left");

    let good = two_parts(&s3, &id).await;
    let but = |change: &dyn Fn(&mut Wanted)| {
        let mut wanted = Wanted { parts: good.parts.clone(), checksum: good.checksum.clone(), size: good.size };
        change(&mut wanted);
        wanted
    };
    let wrong = sha256(b"wrong");
    for (expected, wanted) in [
        ("BadDigest", but(&|wanted| wanted.checksum = Some(format!("{wrong}-2")))),
        ("InvalidPart", but(&|wanted| wanted.parts[0].2.clone_from(&wrong))),
        ("InvalidPart", but(&|wanted| wanted.parts[0].1 = "\"00000000000000000000000000000000\"".to_owned())),
        ("InvalidPartOrder", but(&|wanted| wanted.parts.reverse())),
        ("InvalidRequest", but(&|wanted| wanted.size = Some(5))),
    ] {
        assert_eq!(complete(&s3, &id, &wanted).await, Err(expected.to_owned()));
    }
    let small = create(&s3).await;
    let mut parts = Vec::new();
    for number in [1, 2] {
        let etag = put_part(&s3, &small, number, b"small", &sha256(b"small")).await.unwrap();
        parts.push((number, etag, sha256(b"small")));
    }
    let wanted = Wanted { parts, checksum: None, size: None };
    assert_eq!(complete(&s3, &small, &wanted).await, Err("EntityTooSmall".to_owned()));
    assert!(complete(&s3, &id, &good).await.is_ok(), "a refused completion does not damage the upload");
}

#[tokio::test]
async fn a_part_without_a_checksum_gets_its_crc64nvme_from_s3_which_refuses_another_whole() {
    let s3 = start().await;
    let request = s3.s3.create_multipart_upload().bucket(&s3.bucket).key(KEY);
    let request = request.checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).checksum_type(ChecksumType::FullObject);
    let id = request.send().await.unwrap().upload_id().unwrap().to_owned();
    let bodies = [vec![1; 5 * MIB], vec![2]];
    let mut parts = Vec::new();
    for (number, body) in (1..).zip(&bodies) {
        let put = s3.s3.upload_part().bucket(&s3.bucket).key(KEY).upload_id(&id).part_number(number);
        let presigned = put.content_length(body.len() as i64).presigned(PresigningConfig::expires_in(MINUTE).unwrap());
        let reply = s3.http.put(presigned.await.unwrap().uri()).body(body.clone()).send().await.unwrap();
        let crc = Crc64Nvme::of(body).to_string();
        assert_eq!(reply.headers()["x-amz-checksum-crc64nvme"], crc.as_str());
        let etag = reply.headers()["etag"].to_str().unwrap().to_owned();
        parts.push(CompletedPart::builder().part_number(number).e_tag(etag).checksum_crc64_nvme(crc).build());
    }
    let listed = s3.s3.list_parts().bucket(&s3.bucket).key(KEY).upload_id(&id).send().await.unwrap();
    assert_eq!(listed.parts()[1].checksum_crc64_nvme(), Some(Crc64Nvme::of(&[2]).to_string().as_str()));
    let complete = |whole: String| {
        let list = CompletedMultipartUpload::builder().set_parts(Some(parts.clone())).build();
        let request = s3.s3.complete_multipart_upload().bucket(&s3.bucket).key(KEY).upload_id(&id);
        request.multipart_upload(list).checksum_crc64_nvme(whole).checksum_type(ChecksumType::FullObject).send()
    };
    let refusal = complete(Crc64Nvme::of(b"other").to_string()).await.unwrap_err();
    assert_eq!(refusal.code(), Some("BadDigest"));
    assert!(complete(Crc64Nvme::of(&bodies.concat()).to_string()).await.is_ok());
}

#[tokio::test]
async fn a_completion_does_not_overwrite_an_object() {
    let s3 = start().await;
    let put = presigned_put(&s3, b"bytes", MINUTE).await;
    assert_eq!(send(&s3, put.uri(), &put, &[], b"bytes").await.0, 200);
    let id = create(&s3).await;
    let wanted = two_parts(&s3, &id).await;
    assert_eq!(complete(&s3, &id, &wanted).await, Err("PreconditionFailed".to_owned()));
}

#[tokio::test]
async fn an_abort_is_final() {
    let s3 = start().await;
    let id = create(&s3).await;
    let wanted = two_parts(&s3, &id).await;
    let abort = || s3.s3.abort_multipart_upload().bucket(&s3.bucket).key(KEY).upload_id(&id).send();
    abort().await.unwrap();
    assert_eq!(abort().await.unwrap_err().code(), Some("NoSuchUpload"));
    assert_eq!(put_part(&s3, &id, 1, b"bytes", &sha256(b"bytes")).await, Err("NoSuchUpload".to_owned()));
    assert_eq!(complete(&s3, &id, &wanted).await, Err("NoSuchUpload".to_owned()));
    let list = s3.s3.list_parts().bucket(&s3.bucket).key(KEY).upload_id(&id).send().await;
    assert_eq!(list.unwrap_err().code(), Some("NoSuchUpload"));
    assert!(s3.s3.list_multipart_uploads().bucket(&s3.bucket).send().await.unwrap().uploads().is_empty());
    assert_eq!(s3.leftovers(), (0, 0, 0));
}
