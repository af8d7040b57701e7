//! Forged completions. A completion is a call of the API, so the tests change its caller, token, method and body.

use std::time::{Duration, SystemTime};

use directput::checksum::{ChecksumAlgorithm, CompositeChecksum, Sha256Digest};
use directput::protocol::{ContentType, FileSize};
use directput_server::token::{NewUpload, TokenKeys};
use reqwest::Method;
use serde_json::{Value, json};

use crate::common::{Running, other_s3};
use crate::put::Put;
use crate::verdict::Verdict;
use crate::{MIB, Opened, abort, call, open, start};

/// A request that completes an upload.
#[derive(Clone)]
pub struct Completion {
    caller: &'static str,
    method: Method,
    token: String,
    body: Value,
}

impl Completion {
    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut other = self.clone();
        change(&mut other);
        other
    }

    fn field(&self, name: &str, value: Value) -> Self {
        self.with(|other| other.body[name] = value)
    }

    fn parts(&self, change: impl FnOnce(&mut Vec<Value>)) -> Self {
        self.with(|other| change(other.body["parts"].as_array_mut().unwrap()))
    }

    pub async fn send(&self, server: &Running) -> (u16, Value) {
        let request = call(server, self.caller, self.method.clone(), "/complete").header("upload-token", &self.token);
        let reply = request.json(&self.body).send().await.unwrap();
        (reply.status().as_u16(), reply.json().await.unwrap_or_default())
    }
}

fn composite(digests: &[Sha256Digest]) -> Value {
    json!(CompositeChecksum::of(digests).to_string())
}

/// Sends all parts of an upload, and returns the upload's completion.
pub async fn send_all(server: &Running, upload: &Opened, parts: &[&[u8]]) -> Completion {
    let mut listed = Vec::new();
    for (index, (signed, bytes)) in upload.parts.iter().zip(parts).enumerate() {
        let put = Put::of(signed, bytes);
        let mut request = server.http.put(&put.url).body(bytes.to_vec());
        for (name, value) in signed["headers"].as_object().unwrap() {
            request = request.header(name, value.as_str().unwrap());
        }
        let reply = request.send().await.unwrap();
        assert_eq!(reply.status(), 200);
        let etag = reply.headers()["etag"].to_str().unwrap().trim_matches('"').to_owned();
        listed.push(json!({ "number": index + 1, "etag": etag, "checksum": Sha256Digest::of(bytes).to_string() }));
    }
    let digests: Vec<_> = parts.iter().map(|bytes| Sha256Digest::of(bytes)).collect();
    Completion {
        caller: upload.caller,
        method: Method::POST,
        token: upload.token.clone(),
        body: json!({ "parts": listed, "checksum": composite(&digests) }),
    }
}

/// Returns an expired token for the same upload, signed with the right key.
fn expired(server: &Running, upload: &Opened, size: usize) -> String {
    let file = std::fs::read(server.folder.path().join(".directput/credentials.json")).unwrap();
    let credentials: Value = serde_json::from_slice(&file).unwrap();
    let keys = TokenKeys::new(credentials["token_key"].as_str().unwrap().as_bytes(), None, &server.bucket).unwrap();
    let new = NewUpload {
        key: upload.key.clone(),
        upload: Some(Put::of(&upload.parts[0], &[]).query("uploadId")),
        size: FileSize::new(size as u64).unwrap(),
        part_bytes: 8 << 20,
        content_type: ContentType::parse("image/png").unwrap(),
        name: None,
        algorithm: ChecksumAlgorithm::Sha256,
        bytes: None,
        caller: Some(upload.caller.to_owned()),
    };
    keys.seal(new, Duration::ZERO, SystemTime::now()).unwrap()
}

fn forgeries(
    good: &Completion,
    sibling: &Completion,
    theirs: &Completion,
    expired: String,
) -> Vec<(&'static str, Completion)> {
    let other_digest = Sha256Digest::of(b"other bytes");
    let digest = |index: usize| Sha256Digest::parse(good.body["parts"][index]["checksum"].as_str().unwrap()).unwrap();
    let digests = [other_digest, digest(1), digest(2)];
    let etag_of = |completion: &Completion, index: usize| completion.body["parts"][index]["etag"].clone();
    let (claims, signature) = good.token.split_once('.').unwrap().1.split_once('.').unwrap();
    vec![
        ("by another caller", good.with(|it| it.caller = "bob")),
        ("another caller's token", good.with(|it| it.token = theirs.token.clone())),
        ("another caller's completion", theirs.with(|it| it.caller = good.caller)),
        ("another upload's token", good.with(|it| it.token = sibling.token.clone())),
        ("another upload's parts", good.with(|it| it.body = sibling.body.clone())),
        ("a token that has expired", good.with(|it| it.token = expired)),
        ("a token without a signature", good.with(|it| it.token = format!("eyJhbGciOiJub25lIn0.{claims}."))),
        ("a token cut short", good.with(|it| it.token.truncate(it.token.len() - 1))),
        ("a token with a letter more", good.with(|it| it.token.push('x'))),
        (
            "claims of one token, signature of another",
            good.with(|it| {
                it.token = format!("{}.{signature}", sibling.token.rsplit_once('.').unwrap().0);
            }),
        ),
        ("no token", good.with(|it| it.token.clear())),
        ("the method PUT", good.with(|it| it.method = Method::PUT)),
        ("the method GET", good.with(|it| it.method = Method::GET)),
        ("another key", good.field("key", json!("uploads/mine.png"))),
        ("another bucket", good.field("bucket", json!("another-bucket"))),
        ("another length", good.field("size", json!(1))),
        ("another type", good.field("type", json!("text/html"))),
        ("another upload id", good.field("uploadId", json!("x"))),
        ("without its last part", good.parts(|parts| drop(parts.pop()))),
        ("without its first part", good.parts(|parts| drop(parts.remove(0)))),
        ("without any part", good.parts(Vec::clear)),
        ("a part twice", good.parts(|parts| parts[1] = parts[0].clone())),
        ("a part more", good.parts(|parts| parts.push(parts[0].clone()))),
        ("parts in another order", good.parts(|parts| parts.swap(0, 1))),
        (
            "numbers swapped",
            good.parts(|parts| {
                let (one, two) = (parts[0]["number"].clone(), parts[1]["number"].clone());
                (parts[0]["number"], parts[1]["number"]) = (two, one);
                parts.swap(0, 1);
            }),
        ),
        ("part number 0", good.parts(|parts| parts[0]["number"] = json!(0))),
        ("another etag", good.parts(|parts| parts[0]["etag"] = json!("00000000000000000000000000000000"))),
        (
            "etags swapped",
            good.parts(|parts| {
                (parts[0]["etag"], parts[1]["etag"]) = (etag_of(good, 1), etag_of(good, 0));
            }),
        ),
        ("another upload's etag", good.parts(|parts| parts[0]["etag"] = etag_of(sibling, 0))),
        ("another checksum of the object", good.field("checksum", composite(&digests))),
        ("no checksum of the object", good.with(|it| drop(it.body.as_object_mut().unwrap().remove("checksum")))),
        ("no checksum of a part", good.parts(|parts| drop(parts[0].as_object_mut().unwrap().remove("checksum")))),
        ("another checksum of a part, and the object's that follows", {
            let it = good.parts(|parts| parts[0]["checksum"] = json!(other_digest.to_string()));
            it.field("checksum", composite(&digests))
        }),
    ]
}

/// Sends forged completions. Checks that each is refused or gets the answer `first`, and that the bucket does not
/// change.
async fn refuse_all(server: &Running, kind: &str, forged: Vec<(&'static str, Completion)>, first: Option<&Value>) {
    let verdict = Verdict::before(server).await;
    let count = forged.len();
    let mut accepted = Vec::new();
    for (name, completion) in forged {
        let (status, answer) = completion.send(server).await;
        if !(400..500).contains(&status) && Some(&answer) != first {
            println!("{name}: {status} {answer}");
            accepted.push((name.to_owned(), status));
        }
    }
    verdict.after(kind, count, &accepted).await;
}

#[tokio::test]
async fn forged_completions_are_refused() {
    let server = start().await;
    let [a, b, c, d] = [vec![1; 8 * MIB], vec![2; 8 * MIB], vec![3; 4 * MIB], vec![4; 8 * MIB]];
    let (mine, others): ([&[u8]; 3], [&[u8]; 3]) = ([&a, &b, &c], [&d, &b, &c]);
    let upload = open(&server, "alice", &mine).await;
    let second = open(&server, "alice", &others).await;
    let foreign = open(&server, "bob", &mine).await;
    let good = send_all(&server, &upload, &mine).await;
    let sibling = send_all(&server, &second, &others).await;
    let theirs = send_all(&server, &foreign, &mine).await;
    let expired = expired(&server, &upload, 20 * MIB);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    refuse_all(&server, "completion", forgeries(&good, &sibling, &theirs, expired.clone()), None).await;

    let (status, completed) = good.send(&server).await;
    assert_eq!((status, &completed["checksum"]), (200, &good.body["checksum"]), "{completed}");
    assert_eq!(server.bytes(&upload.key).await.unwrap(), mine.concat());
    // S3 answers a repeated completion as the first. Garage forgets a completed upload and answers 404.
    let repeated = if other_s3().is_some() { 404 } else { 200 };
    assert_eq!(good.send(&server).await.0, repeated, "the completion is repeated");
    refuse_all(&server, "completion, after it", forgeries(&good, &sibling, &theirs, expired), Some(&completed)).await;
    assert_eq!(server.bytes(&upload.key).await.unwrap(), mine.concat());
    assert!(Put::of(&upload.parts[0], &a).is_too_late(&server).await, "no part is accepted after the completion");

    assert_eq!((abort(&server, &second).await, abort(&server, &foreign).await), (204, 204));
    let (status, answer) = sibling.send(&server).await;
    assert_eq!((status, &answer["code"]), (404, &json!("upload-gone")), "the upload was aborted before");
    assert_eq!(server.bytes(&second.key).await, None);
}
