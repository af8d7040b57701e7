//! Forged presigned PUTs of a whole object and of a part.

use std::time::{Duration, SystemTime};

use aws_sdk_s3::types::ChecksumAlgorithm;
use directput::checksum::{PartChecksum, Sha256Digest};
use directput::plan::Plan;
use directput::protocol::{ContentType, FileSize};
use directput_server::Bucket;
use directput_server::s3::{Object, Target};
use serde_json::json;

use crate::common::{Running, other_s3};
use crate::put::{Put, forgeries};
use crate::verdict::Verdict;
use crate::{MIB, abort, open, start};

/// Sends forged PUTs. Checks that each is refused, and that the bucket does not change.
async fn refuse_all(server: &Running, kind: &str, forged: Vec<(String, Put)>) {
    let verdict = Verdict::before(server).await;
    let count = forged.len();
    let mut accepted = Vec::new();
    for (name, put) in forged {
        let status = put.send(server).await;
        // The embedded server answers 501 to another signature algorithm. S3 answers 400.
        if !(400..500).contains(&status) && status != 501 {
            accepted.push((name, status));
        }
    }
    verdict.after(kind, count, &accepted).await;
}

#[tokio::test]
async fn forgeries_of_a_single_put_are_refused() {
    let server = start().await;
    let bytes: &[u8] = b"the bytes of a picture";
    let mine = open(&server, "alice", &[bytes]).await;
    let theirs = open(&server, "bob", &[b"the bytes of another"]).await;
    let put = Put::of(&mine.parts[0], bytes);
    let other = Put::of(&theirs.parts[0], b"the bytes of another");
    let forged = || forgeries(&put, &mine.key, &server.bucket, &other);
    refuse_all(&server, "single PUT", forged()).await;
    assert_eq!(put.send(&server).await, 200);
    // Garage ignores If-None-Match and stores the same bytes a second time.
    assert_eq!(
        put.send(&server).await,
        if other_s3().is_some() { 200 } else { 412 },
        "S3 refuses a second PUT to the key"
    );
    refuse_all(&server, "single PUT, after it", forged()).await;
    assert_eq!(server.bytes(&mine.key).await.unwrap(), bytes);
    assert_eq!(server.bytes(&theirs.key).await, None);
}

#[tokio::test]
async fn forgeries_of_a_parts_put_are_refused() {
    let server = start().await;
    let [part, second, last] = [vec![7; 8 * MIB], vec![8; 8 * MIB], vec![9; 4 * MIB]];
    let parts = [part.as_slice(), &second, &last];
    let (mine, theirs) = (open(&server, "alice", &parts).await, open(&server, "bob", &parts).await);
    let (put, other) = (Put::of(&mine.parts[0], &part), Put::of(&theirs.parts[0], &part));
    // The other caller's PUT is for part 2, which has other bytes. The other caller's URL for part 1 would be valid for
    // this part, because both parts have the same bytes, and S3 does not check who uses a URL.
    let mut forged = forgeries(&put, &mine.key, &server.bucket, &Put::of(&theirs.parts[1], &second));
    forged.push(("another part".to_owned(), put.set_query("partNumber", "2")));
    forged.push(("no part".to_owned(), put.set_query("partNumber", "0")));
    forged.push(("another part's URL".to_owned(), put.at(&Put::of(&mine.parts[1], &[]))));
    let upload = other.query("uploadId");
    forged.push(("another upload".to_owned(), put.set_query("uploadId", &upload)));
    let with_key = put.set_query("uploadId", &upload).url(&mine.key, &theirs.key);
    forged.push(("another upload and its key".to_owned(), with_key));
    refuse_all(&server, "part", forged).await;
    assert_eq!(put.send(&server).await, 200);

    assert_eq!((abort(&server, &mine).await, abort(&server, &theirs).await), (204, 204));
    assert!(put.is_too_late(&server).await, "the upload was aborted");
    assert_eq!(server.bytes(&mine.key).await, None);
}

#[tokio::test]
async fn an_expired_url_and_its_forgeries_are_refused() {
    let server = start().await;
    let bytes: &[u8] = b"too late";
    let (png, key) = (ContentType::parse("image/png").unwrap(), "uploads/11111111-1111-4111-8111-111111111111.png");
    let object = Object { key, content_type: &png, name: None, disposition: "attachment" };
    let created = server.s3.create_multipart_upload().bucket(&server.bucket).key(key).content_type("image/png");
    let created = created.checksum_algorithm(ChecksumAlgorithm::Sha256).send().await.unwrap();
    let upload_id = created.upload_id.unwrap();
    let plan = Plan::new(FileSize::new(bytes.len() as u64).unwrap(), 1 << 20);
    let part = plan.parts().next().unwrap();
    let checksum = PartChecksum::Sha256(Sha256Digest::of(bytes));
    let bucket = Bucket::at(&server.s3_url, &server.bucket, &server.connection.region).unwrap();
    let signing = bucket.sign(0, &server.connection.credentials(), SystemTime::now()).unwrap();
    let late = [Target::Object(object), Target::Part { key, upload_id: &upload_id }].map(|target| {
        let signed = signing.put(target, part, Some(&checksum), Duration::from_secs(1));
        Put::of(&json!({ "url": signed.url, "headers": signed.headers }), bytes)
    });
    tokio::time::sleep(Duration::from_millis(2_100)).await;
    let forged = late.iter().flat_map(|put| {
        [
            ("unchanged".to_owned(), put.clone()),
            ("with a longer lifetime".to_owned(), put.set_query("X-Amz-Expires", "300")),
            ("with a later date".to_owned(), put.set_query("X-Amz-Date", "20990101T000000Z")),
        ]
    });
    refuse_all(&server, "after expiry", forged.collect()).await;
    let abort = server.s3.abort_multipart_upload().bucket(&server.bucket).key(key).upload_id(upload_id);
    abort.send().await.unwrap();
}
