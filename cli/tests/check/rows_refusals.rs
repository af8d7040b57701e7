//! APIs that refuse too little or in a wrong form, or that offer what they do not do.

use serde_json::json;

use crate::proxy::{Fault, HONEST, Reply};
use crate::rows_api::{opened, page};
use crate::table::{ROW, Row};

fn problem(status: u16, code: &str) -> Reply {
    let body = json!({ "type": "urn:x:y", "title": "x", "status": status, "code": code, "requestId": "1" });
    Reply::new(status, &body.to_string()).with("content-type", "application/problem+json").with("x-request-id", "1")
}

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
