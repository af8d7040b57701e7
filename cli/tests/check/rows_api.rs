//! Misconfigured APIs.

use serde_json::{Value, json};

use crate::presign::{Changes, NONE, sign_again};
use crate::proxy::{Fault, HONEST, Reply};
use crate::table::{ROW, Row};

const UPLOADS: &str = "/uploads";

/// Returns an API that signs single PUTs otherwise.
macro_rules! signs {
    ($changes:expr) => {
        Fault {
            after: |seen, reply, world| {
                const CHANGES: Changes = $changes;
                sign_again(&seen.json(), reply, world, &CHANGES);
            },
            ..HONEST
        }
    };
}

fn problem(status: u16, code: &str) -> Reply {
    let body = json!({ "type": "urn:x:y", "title": "x", "status": status, "code": code, "requestId": "1" });
    Reply::new(status, &body.to_string()).with("content-type", "application/problem+json").with("x-request-id", "1")
}

fn page() -> Reply {
    Reply::new(200, "<!doctype html>").with("content-type", "text/html")
}

/// Changes the answer to a call that opens one upload.
fn opened(reply: &mut Reply, change: impl FnOnce(&mut Value)) {
    let mut json = reply.json();
    if json["kind"] == "single" {
        change(&mut json);
        reply.set_json(&json);
    }
}

pub const CONNECTION: &[Row] = &[
    Row {
        name: "the address redirects",
        api: Fault { before: |_, _| Some(Reply::new(308, "").with("location", "https://login.example/")), ..HONEST },
        failed: &["api-reachable"],
        ..ROW
    },
    Row {
        name: "the gateway is broken",
        api: Fault { before: |_, _| Some(Reply::new(502, "")), ..HONEST },
        failed: &["api-reachable"],
        ..ROW
    },
    Row {
        name: "a page answers everything",
        api: Fault { before: |_, _| Some(page()), ..HONEST },
        failed: &["api-reachable"],
        ..ROW
    },
    Row {
        name: "another path than the API's",
        api: Fault { before: |_, _| Some(Reply::new(404, "")), ..HONEST },
        failed: &["api-reachable"],
        says: "https://api.example.com/uploads",
        ..ROW
    },
    Row {
        name: "the API needs a sign-in that the check lacks",
        auth: Some("hs256:a secret of thirty-two characters"),
        failed: &["api-reachable"],
        says: "--authorization",
        ..ROW
    },
    Row {
        name: "the API's clock is wrong",
        api: Fault { after: |_, reply, _| reply.set("date", "Sat, 01 Jan 2000 00:00:00 GMT"), ..HONEST },
        warns: &["api-clock"],
        ..ROW
    },
    Row {
        name: "uploads are opened by 200",
        api: Fault {
            after: |seen, reply, _| {
                if seen.is("POST", UPLOADS) && reply.status == 201 {
                    reply.status = 200;
                }
            },
            ..HONEST
        },
        failed: &["opening"],
        says: "expected 201",
        ..ROW
    },
    Row {
        name: "the answer has no token and no part size",
        api: Fault {
            after: |_, reply, _| {
                opened(reply, |json| {
                    json["token"] = json!(null);
                    json["partSize"] = json!("100");
                });
            },
            ..HONEST
        },
        failed: &["opening"],
        says: "token, partSize",
        ..ROW
    },
    Row {
        name: "caches may keep tokens",
        api: Fault { after: |_, reply, _| drop(reply.headers.remove("cache-control")), ..HONEST },
        warns: &["no-store"],
        ..ROW
    },
    Row {
        name: "answers have no request id",
        api: Fault { after: |_, reply, _| drop(reply.headers.remove("x-request-id")), ..HONEST },
        warns: &["request-id"],
        ..ROW
    },
    Row {
        name: "callers without credentials are accepted",
        flags: &["--authorization", "Bearer x"],
        warns: &["credentials-required"],
        ..ROW
    },
];

pub const SIGNATURES: &[Row] = &[
    Row {
        name: "only the host is signed",
        api: signs!(Changes {
            drops: &[
                "content-disposition",
                "content-encoding",
                "if-none-match",
                "x-amz-checksum-sha256",
                "x-amz-meta-name"
            ],
            forgets: &["content-type"],
            signs_length: false,
            ..NONE
        }),
        failed: &[
            "checksum-bound",
            "checksum-header-bound",
            "length-bound",
            "signed-headers",
            "type-bound",
            "write-once",
        ],
        warns: &["content-disposition"],
        says: "content-length, content-type, if-none-match, x-amz-checksum-sha256",
        ..ROW
    },
    Row {
        name: "if-none-match is not signed",
        api: signs!(Changes { drops: &["if-none-match"], ..NONE }),
        failed: &["signed-headers", "write-once"],
        ..ROW
    },
    Row {
        name: "the type is not signed",
        api: signs!(Changes { forgets: &["content-type"], ..NONE }),
        failed: &["signed-headers", "type-bound"],
        ..ROW
    },
    Row {
        name: "the length is not signed",
        api: signs!(Changes { signs_length: false, ..NONE }),
        failed: &["signed-headers"],
        ..ROW
    },
    Row {
        name: "the checksum is not signed",
        api: signs!(Changes { drops: &["x-amz-checksum-sha256"], ..NONE }),
        // The length is signed and the bytes are not.
        failed: &["checksum-bound", "checksum-header-bound", "signed-headers"],
        ..ROW
    },
    Row {
        name: "the encoding is not signed",
        api: signs!(Changes { drops: &["content-encoding"], ..NONE }),
        warns: &["signed-headers"],
        ..ROW
    },
    Row {
        name: "objects are shown by browsers",
        api: signs!(Changes { sets: Some(("content-disposition", "inline")), ..NONE }),
        failed: &["content-disposition"],
        ..ROW
    },
    Row {
        name: "no disposition is signed",
        api: signs!(Changes { drops: &["content-disposition"], ..NONE }),
        warns: &["content-disposition"],
        ..ROW
    },
    Row {
        name: "URLs live for a day",
        api: signs!(Changes { expires: 86_400, ..NONE }),
        failed: &["url-lifetime"],
        says: "86400 s",
        ..ROW
    },
    Row {
        name: "the signer's clock is slow",
        api: signs!(Changes { expires: 600, age: 120, ..NONE }),
        failed: &["signing-clock"],
        ..ROW
    },
    Row {
        name: "the API promises a longer lifetime than the URL has",
        api: Fault {
            after: |_, reply, _| opened(reply, |json| json["parts"][0]["expiresInSeconds"] = json!(3_600)),
            ..HONEST
        },
        failed: &["url-lifetime-claim"],
        ..ROW
    },
    Row {
        name: "the API promises a much shorter lifetime",
        api: Fault {
            after: |_, reply, _| opened(reply, |json| json["parts"][0]["expiresInSeconds"] = json!(1)),
            ..HONEST
        },
        warns: &["url-lifetime-claim"],
        ..ROW
    },
    Row {
        name: "the key has the file's name",
        api: signs!(Changes { key: Some(|| format!("uploads/{}-directput-check.png", fastrand::u64(..))), ..NONE }),
        failed: &["key-hostile-names", "key-shape"],
        ..ROW
    },
    Row {
        name: "the answer names another key than the URL's",
        api: Fault {
            after: |_, reply, _| {
                opened(reply, |json| json["key"] = json!("uploads/11111111-1111-4111-8111-111111111111.png"));
            },
            ..HONEST
        },
        failed: &["key-shape", "key-unique"],
        ..ROW
    },
    Row {
        name: "keys are in the bucket's root",
        api: signs!(Changes {
            key: Some(|| format!("{:08x}-1111-4111-8111-111111111111.png", fastrand::u32(..))),
            ..NONE
        }),
        warns: &["key-shape"],
        ..ROW
    },
];

pub const REFUSALS: &[Row] = &[
    Row {
        name: "calls without a token are accepted",
        api: Fault {
            before: |seen, _| {
                let is_call = seen.path == "/uploads/parts" && seen.header("upload-token").is_empty();
                (is_call && !seen.is_preflight()).then(|| Reply::new(200, "{\"parts\":[]}"))
            },
            ..HONEST
        },
        failed: &["error-format", "token-missing"],
        ..ROW
    },
    Row {
        name: "a missing token has the code of an expired one",
        api: Fault {
            after: |_, reply, _| {
                if reply.code() == "token-missing" {
                    let mut json = reply.json();
                    json["code"] = json!("token-expired");
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        warns: &["token-missing"],
        says: "expected 401 token-missing",
        ..ROW
    },
    Row {
        name: "forged tokens are accepted",
        api: Fault {
            before: |seen, world| {
                let token = seen.header("upload-token");
                let is_forged = !token.is_empty() && !world.has_issued(token);
                is_forged.then(|| Reply::new(200, "{\"parts\":[]}"))
            },
            ..HONEST
        },
        failed: &["token-changed"],
        ..ROW
    },
    Row {
        name: "tokens without a signature are accepted",
        api: Fault {
            before: |seen, _| {
                let is_unsigned = seen.header("upload-token").starts_with("eyJhbGciOiJub25lIn0.");
                is_unsigned.then(|| Reply::new(200, "{\"parts\":[]}"))
            },
            ..HONEST
        },
        failed: &["token-changed"],
        says: "a token without a signature",
        ..ROW
    },
    Row {
        name: "other bytes are signed for the same key",
        api: Fault {
            before: |seen, world| {
                let is_signing = seen.is("POST", "/uploads/parts") && world.has_issued(seen.header("upload-token"));
                is_signing.then(|| Reply::new(200, "{\"parts\":[]}"))
            },
            ..HONEST
        },
        failed: &["token-bound"],
        ..ROW
    },
    Row {
        name: "refusals are plain JSON without a title",
        api: Fault {
            after: |_, reply, _| {
                if reply.status >= 400 {
                    reply.set("content-type", "application/json");
                    let mut json = reply.json();
                    json["title"] = json!("");
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        failed: &["error-format"],
        says: "Content-Type, title",
        ..ROW
    },
    Row {
        name: "invalid JSON breaks the server",
        api: Fault {
            after: |_, reply, _| {
                if reply.code() == "invalid-json" {
                    *reply = Reply::new(500, "stack trace").with("access-control-allow-origin", "https://app.example");
                }
            },
            ..HONEST
        },
        failed: &["error-json"],
        ..ROW
    },
    Row {
        name: "unknown fields are accepted",
        api: Fault {
            before: |seen, _| {
                let mut json = seen.json();
                if let Some(fields) = json.as_object_mut() {
                    fields.retain(|name, _| name != "key" && name != "bucket");
                    seen.set_json(&json);
                }
                None
            },
            ..HONEST
        },
        failed: &["error-fields"],
        says: "a key of the client's choice",
        ..ROW
    },
    Row {
        name: "refusals name a wrong field",
        api: Fault {
            after: |_, reply, _| {
                let mut json = reply.json();
                if json["field"] == "parts[0].number" {
                    json["field"] = json!("parts[1].number");
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        failed: &["error-fields"],
        ..ROW
    },
    Row {
        name: "refusals name no field",
        api: Fault {
            after: |_, reply, _| {
                let mut json = reply.json();
                if let Some(problem) = json.as_object_mut().filter(|problem| problem.contains_key("requestId")) {
                    problem.remove("field");
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        warns: &["error-fields"],
        ..ROW
    },
    Row {
        name: "text/plain is read as JSON",
        api: Fault {
            before: |seen, _| {
                if !seen.body.is_empty() {
                    seen.headers.insert("content-type", "application/json".parse().unwrap());
                }
                None
            },
            ..HONEST
        },
        failed: &["error-content-type"],
        ..ROW
    },
    Row {
        name: "large bodies are read",
        api: Fault {
            before: |seen, _| {
                if seen.body.len() > 1 << 20 {
                    let mut json = seen.json();
                    json["name"] = json!("x");
                    seen.set_json(&json);
                }
                None
            },
            ..HONEST
        },
        failed: &["body-limit"],
        ..ROW
    },
    Row {
        name: "large bodies are read and refused",
        api: Fault { before: |seen, _| (seen.body.len() > 1 << 20).then(|| problem(400, "field-too-long")), ..HONEST },
        warns: &["body-limit"],
        ..ROW
    },
    Row {
        name: "a page answers unknown addresses",
        api: Fault {
            before: |seen, _| (seen.method == "GET" && seen.path.ends_with("/no-such-call")).then(page),
            ..HONEST
        },
        failed: &["unknown-path"],
        ..ROW
    },
    Row {
        name: "PATCH breaks the server",
        api: Fault { before: |seen, _| (seen.method == "PATCH").then(|| Reply::new(500, "")), ..HONEST },
        failed: &["unknown-method"],
        ..ROW
    },
    Row {
        name: "uploads without checksums are allowed",
        settings: &[("ALLOWED_CHECKSUMS", "sha256,none")],
        warns: &["checksum-required"],
        ..ROW
    },
    Row {
        name: "a batch is offered but does not exist",
        api: Fault { before: |seen, _| seen.is("POST", "/uploads/batch").then(|| problem(404, "not-found")), ..HONEST },
        failed: &["batch-isolation", "batch-opening"],
        warns: &["batch-limit"],
        ..ROW
    },
    Row {
        name: "a wrong file spoils its batch",
        api: Fault {
            after: |seen, reply, _| {
                let mut json = reply.json();
                let entries = json["uploads"].as_array_mut();
                let refused =
                    entries.as_ref().and_then(|all| all.iter().find(|entry| entry["code"].is_string()).cloned());
                if let (Some(entries), Some(refused), true) = (entries, refused, seen.is("POST", "/uploads/batch")) {
                    entries.fill(refused);
                    reply.set_json(&json);
                }
            },
            ..HONEST
        },
        failed: &["batch-isolation"],
        ..ROW
    },
    Row {
        name: "a batch has no limit",
        api: Fault {
            before: |seen, _| {
                let files = seen.json()["uploads"].as_array().map_or(0, Vec::len);
                (files > 128).then(|| Reply::new(200, "{\"uploads\":[]}"))
            },
            ..HONEST
        },
        failed: &["batch-limit"],
        ..ROW
    },
    Row {
        name: "the second lane leads nowhere",
        lanes: 2,
        api: Fault {
            after: |seen, reply, _| {
                if seen.json()["lane"] == 1 {
                    opened(reply, |json| {
                        let url = json["parts"][0]["url"].as_str().unwrap().to_owned();
                        let (_, path) = url.split_once("//").unwrap().1.split_once('/').unwrap();
                        json["parts"][0]["url"] = json!(format!("http://127.0.0.1:9/{path}"));
                    });
                }
            },
            ..HONEST
        },
        failed: &["lanes"],
        says: "lane 1",
        ..ROW
    },
];
