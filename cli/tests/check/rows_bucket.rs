//! Stores that accept what they must refuse, or lose what they must answer.

use crate::proxy::{Fault, HONEST, Reply};
use crate::table::{ROW, Row};

/// Length of the files of the check, in bytes.
const FILE_BYTES: usize = 100;

/// Returns an answer as if the bytes were stored.
fn stored() -> Reply {
    Reply::new(200, "").with("etag", "\"9a0364b9e99bb480dd25e1f0284c8555\"")
}

pub const OF_SINGLE_PUTS: &[Row] = &[
    Row {
        name: "the store does not check bytes",
        bucket: Fault {
            before: |seen, _| {
                let is_wrong = seen.is_signed_put() && seen.body.len() == FILE_BYTES && !seen.has_right_checksum();
                is_wrong.then(stored)
            },
            ..HONEST
        },
        failed: &["checksum-bound"],
        ..ROW
    },
    Row {
        name: "the store keeps bytes that it refuses",
        bucket: Fault {
            before: |seen, world| {
                if !seen.is_signed_put() || seen.body.len() != FILE_BYTES {
                    return None;
                }
                if !seen.has_right_checksum() {
                    world.remember(&seen.path);
                    return Some(Reply::new(400, "<Error><Code>BadDigest</Code></Error>"));
                }
                world.knows(&seen.path).then(|| Reply::new(412, ""))
            },
            ..HONEST
        },
        failed: &["checksum-bound"],
        says: "stores them all the same",
        ..ROW
    },
    Row {
        name: "the store does not check lengths",
        bucket: Fault {
            before: |seen, _| {
                let is_wrong = [FILE_BYTES - 1, FILE_BYTES + 1].contains(&seen.body.len());
                (seen.is_signed_put() && is_wrong).then(stored)
            },
            ..HONEST
        },
        failed: &["length-bound"],
        ..ROW
    },
    Row {
        name: "the store does not check types",
        bucket: Fault {
            before: |seen, _| (seen.is_signed_put() && seen.header("content-type") == "text/html").then(stored),
            ..HONEST
        },
        failed: &["type-bound"],
        ..ROW
    },
    Row {
        name: "the store does not check the key in the signature",
        bucket: Fault {
            after: |seen, reply, world| {
                let url = format!("http://{}{}", seen.header("host"), seen.path);
                if seen.is_signed_put() && !world.paths.lock().unwrap().contains(&url) {
                    (reply.status, reply.body) = (200, Vec::new());
                }
            },
            ..HONEST
        },
        failed: &["key-bound"],
        ..ROW
    },
    Row {
        name: "a proxy drops the headers of AWS that are not signed",
        bucket: Fault {
            before: |seen, _| {
                seen.headers.remove("x-amz-acl");
                None
            },
            ..HONEST
        },
        failed: &["headers-bound"],
        ..ROW
    },
    Row {
        name: "the role may not write",
        bucket: Fault {
            before: |seen, _| {
                let refusal = || Reply::new(403, "<Error><Code>AccessDenied</Code></Error>");
                seen.is_signed_put().then(refusal)
            },
            ..HONEST
        },
        failed: &["batch-opening", "key-hostile-names", "put"],
        says: "403 AccessDenied",
        ..ROW
    },
    Row {
        name: "a proxy drops the ETag",
        bucket: Fault { after: |_, reply, _| drop(reply.headers.remove("etag")), ..HONEST },
        failed: &["put"],
        ..ROW
    },
    Row {
        name: "the store answers without a checksum",
        bucket: Fault { after: |_, reply, _| drop(reply.headers.remove("x-amz-checksum-sha256")), ..HONEST },
        warns: &["put"],
        ..ROW
    },
    Row {
        name: "the store answers with another checksum",
        bucket: Fault {
            after: |_, reply, _| {
                if reply.headers.contains_key("x-amz-checksum-sha256") {
                    reply.set("x-amz-checksum-sha256", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
                }
            },
            ..HONEST
        },
        failed: &["put"],
        ..ROW
    },
    Row {
        name: "the store ignores If-None-Match",
        bucket: Fault {
            after: |seen, reply, _| {
                if seen.is_signed_put() && reply.status == 412 {
                    *reply = stored();
                }
            },
            ..HONEST
        },
        failed: &["write-once"],
        ..ROW
    },
    Row {
        name: "the URL of a PUT can read",
        bucket: Fault {
            before: |seen, _| {
                let is_read = seen.method == "GET" && seen.query.contains("X-Amz-Signature");
                is_read.then(|| Reply::new(200, "the bytes"))
            },
            ..HONEST
        },
        failed: &["method-bound"],
        says: "GET",
        ..ROW
    },
    Row {
        name: "objects are public",
        bucket: Fault {
            before: |seen, _| {
                let is_read = seen.method == "GET" && seen.query.is_empty();
                is_read.then(|| Reply::new(200, "the bytes"))
            },
            ..HONEST
        },
        failed: &["anonymous-read"],
        says: "BlockPublicAcls",
        ..ROW
    },
    Row {
        name: "the list of objects is public",
        bucket: Fault {
            before: |seen, _| {
                let is_list = seen.method == "GET" && seen.query.starts_with("list-type=2");
                is_list.then(|| Reply::new(200, "<?xml version=\"1.0\"?><ListBucketResult></ListBucketResult>"))
            },
            ..HONEST
        },
        failed: &["anonymous-list"],
        ..ROW
    },
    Row {
        name: "everybody may write",
        bucket: Fault { before: |seen, _| (seen.method == "PUT" && seen.query.is_empty()).then(stored), ..HONEST },
        failed: &["anonymous-write"],
        ..ROW
    },
    Row {
        name: "everybody may delete",
        bucket: Fault {
            before: |seen, _| (seen.method == "DELETE" && seen.query.is_empty()).then(|| Reply::new(204, "")),
            ..HONEST
        },
        failed: &["anonymous-delete"],
        ..ROW
    },
    Row {
        name: "the store breaks on a wrong type",
        bucket: Fault {
            before: |seen, _| {
                (seen.is_signed_put() && seen.header("content-type") == "text/html").then(|| Reply::new(500, ""))
            },
            ..HONEST
        },
        warns: &["type-bound"],
        ..ROW
    },
];
