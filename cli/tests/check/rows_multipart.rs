//! APIs and stores that do uploads in parts wrong.

use serde_json::json;

use crate::proxy::{Fault, HONEST, Reply, Seen};
use crate::table::{FULL, Row};

/// Length of the last part of the files of the check, in bytes.
const LAST_BYTES: usize = 1_000;

fn stored() -> Reply {
    Reply::new(200, "").with("etag", "\"9a0364b9e99bb480dd25e1f0284c8555\"")
}

fn is_completion(seen: &Seen) -> bool {
    seen.is("POST", "/uploads/complete")
}

fn is_list(seen: &Seen) -> bool {
    seen.is("GET", "/uploads/parts")
}

/// Turns a refusal of a completion into a success.
fn accept(seen: &Seen, reply: &mut Reply, code: &str) {
    if is_completion(seen) && reply.code() == code {
        reply.status = 200;
        reply.set_json(&json!({ "key": "x", "etag": "x", "size": 1 }));
    }
}

pub const OF_API: &[Row] = &[
    Row {
        name: "parts are too small",
        api: Fault {
            after: |_, reply, _| {
                let mut json = reply.json();
                if json["kind"] == "multipart" {
                    (json["partSize"], json["partCount"]) = (json!(1 << 20), json!(9));
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        failed: &["multipart-opening"],
        ..FULL
    },
    Row {
        name: "signed parts have no URL",
        api: Fault {
            after: |seen, reply, _| {
                if seen.is("POST", "/uploads/parts") && reply.status == 200 {
                    let mut json = reply.json();
                    json["parts"][0]["url"] = json!(null);
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        failed: &["multipart-signing"],
        says: "parts[0].url",
        ..FULL
    },
    Row {
        name: "parts of any length are signed",
        api: Fault {
            after: |_, reply, _| {
                if reply.code() == "part-wrong-length" {
                    (reply.status, reply.body) = (200, b"{\"parts\":[]}".to_vec());
                }
            },
            ..HONEST
        },
        failed: &["multipart-plan"],
        ..FULL
    },
    Row {
        name: "the list lacks the last part",
        api: Fault {
            after: |seen, reply, _| {
                let mut json = reply.json();
                if is_list(seen) && seen.query.is_empty() && json["parts"].is_array() {
                    json["parts"].as_array_mut().unwrap().pop();
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        failed: &["part-list"],
        ..FULL
    },
    Row {
        name: "the list has no checksums",
        api: Fault {
            after: |seen, reply, _| {
                let mut json = reply.json();
                if is_list(seen) {
                    for part in json["parts"].as_array_mut().into_iter().flatten() {
                        part["checksum"] = json!(null);
                    }
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        warns: &["part-list"],
        ..FULL
    },
    Row {
        name: "the list has etags with quotes",
        api: Fault {
            after: |seen, reply, _| {
                let mut json = reply.json();
                if is_list(seen) && json["parts"][0]["etag"].is_string() {
                    json["parts"][0]["etag"] = json!(format!("\"{}\"", json["parts"][0]["etag"].as_str().unwrap()));
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        failed: &["part-list"],
        says: "wrong: etag",
        ..FULL
    },
    Row {
        name: "the list ignores where it begins",
        api: Fault {
            before: |seen, _| {
                if is_list(seen) && seen.query == "after=1" {
                    seen.query.clear();
                }
                None
            },
            ..HONEST
        },
        failed: &["part-list-paging"],
        ..FULL
    },
    Row {
        name: "the list never ends",
        api: Fault {
            after: |seen, reply, _| {
                let mut json = reply.json();
                if is_list(seen) && seen.query.starts_with("after=") && json["parts"].is_array() {
                    json["next"] = json!(2);
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        failed: &["part-list-paging"],
        ..FULL
    },
    Row {
        name: "incomplete uploads are completed",
        api: Fault { after: |seen, reply, _| accept(seen, reply, "parts-incomplete"), ..HONEST },
        failed: &["completion-incomplete"],
        ..FULL
    },
    Row {
        name: "the store's refusals are ignored",
        api: Fault { after: |seen, reply, _| accept(seen, reply, "parts-refused"), ..HONEST },
        failed: &["completion-checksum", "completion-etag", "completion-token"],
        ..FULL
    },
    Row {
        name: "the object's checksum is not checked",
        api: Fault { after: |seen, reply, _| accept(seen, reply, "invalid-value"), ..HONEST },
        failed: &["completion-checksum"],
        ..FULL
    },
    Row {
        name: "the completion answers no checksum",
        api: Fault {
            after: |seen, reply, _| {
                let mut json = reply.json();
                if is_completion(seen) && reply.status == 200 {
                    json["checksum"] = json!(null);
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        failed: &["completion"],
        says: "wrong: checksum",
        ..FULL
    },
    Row {
        name: "a repeated completion finds no upload",
        api: Fault {
            after: |seen, reply, world| {
                if is_completion(seen) && reply.status == 200 && !world.remember(seen.header("upload-token")) {
                    reply.status = 404;
                    reply.set_json(&json!({ "code": "upload-gone" }));
                }
            },
            ..HONEST
        },
        failed: &["completion-repeated"],
        says: "404 upload-gone",
        ..FULL
    },
    Row {
        name: "an abort does nothing",
        api: Fault {
            before: |seen, _| {
                (seen.is("DELETE", "/uploads") && !seen.header("upload-token").is_empty()).then(|| Reply::new(204, ""))
            },
            ..HONEST
        },
        failed: &["abort"],
        ..FULL
    },
    Row {
        name: "an abort of an aborted upload fails",
        api: Fault {
            after: |seen, reply, world| {
                let is_abort = seen.is("DELETE", "/uploads") && reply.status == 204;
                if is_abort && !world.remember(seen.header("upload-token")) {
                    reply.status = 404;
                }
            },
            ..HONEST
        },
        failed: &["abort-repeated"],
        ..FULL
    },
];

pub const OF_BUCKET: &[Row] = &[
    Row {
        name: "the store does not check the bytes of parts",
        bucket: Fault {
            before: |seen, _| {
                let is_wrong = seen.is_part() && seen.body.len() == LAST_BYTES && !seen.has_right_checksum();
                is_wrong.then(stored)
            },
            ..HONEST
        },
        failed: &["part-checksum-bound"],
        ..FULL
    },
    Row {
        name: "the store does not check the lengths of parts",
        bucket: Fault {
            before: |seen, _| {
                let is_wrong = [LAST_BYTES - 1, LAST_BYTES + 1].contains(&seen.body.len());
                (seen.is_part() && is_wrong).then(stored)
            },
            ..HONEST
        },
        failed: &["part-length-bound"],
        ..FULL
    },
    Row {
        name: "the store does not check the part number in the signature",
        bucket: Fault {
            after: |seen, reply, _| {
                let is_other = seen.body.len() == LAST_BYTES && seen.query.contains("partNumber=1&");
                if seen.is_part() && is_other && seen.has_right_checksum() {
                    *reply = stored();
                }
            },
            ..HONEST
        },
        failed: &["part-number-bound"],
        ..FULL
    },
    Row {
        name: "a proxy limits bodies to 1 MiB",
        bucket: Fault { before: |seen, _| (seen.body.len() > 1 << 20).then(|| Reply::new(413, "")), ..HONEST },
        failed: &["part-put"],
        says: "413",
        ..FULL
    },
    Row {
        name: "the store accepts parts of uploads that have ended",
        bucket: Fault {
            after: |seen, reply, _| {
                if seen.is_part() && reply.status == 404 {
                    *reply = stored();
                }
            },
            ..HONEST
        },
        failed: &["part-after-abort", "part-after-completion"],
        ..FULL
    },
];
