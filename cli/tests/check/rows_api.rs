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

pub fn page() -> Reply {
    Reply::new(200, "<!doctype html>").with("content-type", "text/html")
}

/// Changes the answer to a call that opens one upload by a single PUT.
pub fn opened(reply: &mut Reply, change: impl FnOnce(&mut Value)) {
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
