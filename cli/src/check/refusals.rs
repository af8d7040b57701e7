//! Checks of the API's refusals.

use directput::protocol::{ErrorCode, REQUEST_ID_HEADER};
use reqwest::Method;
use serde_json::{Value, json};

use super::opened::{Opened, opening};
use super::probe::{Answer, ApiRequest, Probe};
use super::report::{Finding, Found, Report, failed, skipped, warning};
use super::tokens::expect;

/// Length of a body that every server has to refuse, in bytes. The largest body of a call that opens an upload has 256
/// KiB; API Gateway takes 10 MB, and a Lambda function 6 MB.
const LARGE_BODY_BYTES: usize = 4 << 20;

/// Makes the checks.
pub async fn run(probe: &Probe, report: &mut Report) {
    report.add("error-format", format(probe).await);
    report.add("error-json", invalid_json(probe).await);
    report.add("error-fields", fields(probe).await);
    report.add("error-content-type", content_type(probe).await);
    report.add("body-limit", body_limit(probe).await);
    report.add("unknown-path", unknown_path(probe).await);
    report.add("unknown-method", unknown_method(probe).await);
    report.add("checksum-required", checksum_required(probe).await);
}

/// Checks that a refusal is a problem document (RFC 9457) with all members.
async fn format(probe: &Probe) -> Found {
    let no_fields = probe.call(ApiRequest::post("", None, &json!({}))).await?;
    let no_token = probe.call(ApiRequest::new(Method::GET, "/parts", None)).await?;
    for answer in [&no_fields, &no_token] {
        let wrong = wrong_members(answer);
        if !wrong.is_empty() {
            return Err(failed(
                format!("a refusal ({}) is no complete problem document; wrong: {}", answer.status, wrong.join(", ")),
                "Answer refusals by application/problem+json with type, title, status, code and requestId \
                 (docs/openapi.yaml, Problem).",
            ));
        }
    }
    Ok(())
}

fn wrong_members(answer: &Answer) -> Vec<&'static str> {
    let problem = answer.json();
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let code = answer.code();
    let has_type = answer.header("content-type").is_some_and(|kind| kind.starts_with("application/problem+json"));
    let has_id = answer.header(REQUEST_ID_HEADER).is_none_or(|id| id == text("requestId"));
    let checks = [
        ("Content-Type", has_type),
        ("type", text("type").contains(':')),
        ("title", !text("title").is_empty()),
        ("status", problem["status"].as_u64() == Some(answer.status.into())),
        ("code", code.is_some()),
        ("the HTTP status of this code", code.is_none_or(|code| code.status() == answer.status)),
        ("requestId", !text("requestId").is_empty() && has_id),
    ];
    checks.into_iter().filter(|(_, is_right)| !is_right).map(|(name, _)| name).collect()
}

async fn invalid_json(probe: &Probe) -> Found {
    for text in ["{", "", "{\"name\":}"] {
        let body = Some(("application/json", text.as_bytes().to_vec()));
        let answer = probe.call(ApiRequest { body, ..ApiRequest::new(Method::POST, "", None) }).await?;
        expect(&answer, &[ErrorCode::InvalidJson], &format!("the body {text:?}"), "Refuse by 400 invalid-json.")?;
    }
    Ok(())
}

/// A change of a request, and the code and field of its refusal.
type Row = (&'static str, fn(&mut Value), ErrorCode, &'static str);

const ROWS: [Row; 14] = [
    ("no size", |body| body["size"] = json!(null), ErrorCode::WrongType, "size"),
    ("a size that is a text", |body| body["size"] = json!("5"), ErrorCode::WrongType, "size"),
    ("a size below 0", |body| body["size"] = json!(-1), ErrorCode::OutOfRange, "size"),
    (
        "a size that S3 does not store",
        |body| body["size"] = json!(53_687_091_200_001_u64),
        ErrorCode::OutOfRange,
        "size",
    ),
    ("an empty name", |body| body["name"] = json!(""), ErrorCode::EmptyField, "name"),
    ("a name of 1025 bytes", |body| body["name"] = json!("x".repeat(1_025)), ErrorCode::FieldTooLong, "name"),
    ("a type without a slash", |body| body["type"] = json!("text"), ErrorCode::InvalidValue, "type"),
    ("a type with a line break", |body| body["type"] = json!("a/b\r\nx-evil: 1"), ErrorCode::InvalidValue, "type"),
    ("an unknown algorithm", |body| body["algorithm"] = json!("md5"), ErrorCode::InvalidValue, "algorithm"),
    ("a key of the client's choice", |body| body["key"] = json!("uploads/mine"), ErrorCode::UnknownField, "key"),
    ("a bucket of the client's choice", |body| body["bucket"] = json!("mine"), ErrorCode::UnknownField, "bucket"),
    ("part 0", |body| body["parts"][0]["number"] = json!(0), ErrorCode::OutOfRange, "parts[0].number"),
    (
        "a checksum of 1 byte",
        |body| body["parts"][0]["checksum"] = json!("x"),
        ErrorCode::InvalidValue,
        "parts[0].checksum",
    ),
    ("a list that is a text", |body| body["parts"] = json!("x"), ErrorCode::WrongType, "parts"),
];

/// Sends requests with one wrong field each. Servers may tell `missing-field` from `wrong-type` in their own way, and
/// need not name the field, but they must not name another.
async fn fields(probe: &Probe) -> Found {
    let mut unnamed = Vec::new();
    for (what, change, code, field) in ROWS {
        let mut body = opening(probe, "directput-check.png", &probe.new_bytes(100));
        change(&mut body);
        let answer = probe.call(ApiRequest::post("", None, &body)).await?;
        let fix =
            "Check every field and refuse unknown ones, by the codes of docs/errors.md and with the path of the field.";
        if answer.is_success() {
            abandon(probe, &answer).await;
        }
        if what == "no size" && answer.code() == Some(ErrorCode::MissingField) {
            continue;
        }
        expect(&answer, &[code], &format!("a request with {what}"), fix)?;
        match answer.json()["field"].as_str() {
            Some(named) if named == field => {}
            Some(_) => return Err(failed(format!("the refusal of {what} names another field than {field}"), fix)),
            None => unnamed.push(field),
        }
    }
    unnamed.dedup();
    if unnamed.is_empty() {
        return Ok(());
    }
    Err(warning(
        format!("refusals do not name the field: {}", unnamed.join(", ")),
        "Add `field` with the path of the wrong field to the problem document.",
    ))
}

/// Removes an upload that should not have been opened.
async fn abandon(probe: &Probe, answer: &Answer) {
    if let Ok(upload) = Opened::read(&answer.json(), &[]) {
        probe.abandon(&upload).await;
    }
}

/// Sends JSON under another media type. Browsers send `text/plain` to other origins without a preflight.
async fn content_type(probe: &Probe) -> Found {
    let body = opening(probe, "directput-check.png", &probe.new_bytes(100)).to_string().into_bytes();
    let request = ApiRequest { body: Some(("text/plain", body)), ..ApiRequest::new(Method::POST, "", None) };
    let answer = probe.call(request).await?;
    if answer.is_success() {
        abandon(probe, &answer).await;
    }
    let fix = "Refuse bodies that are not application/json by 415: browsers send text/plain to other origins without \
        a preflight.";
    expect(&answer, &[ErrorCode::UnsupportedMediaType], "a body of the type text/plain", fix)
}

async fn body_limit(probe: &Probe) -> Found {
    let body = json!({ "name": "x".repeat(LARGE_BODY_BYTES), "type": probe.content_type, "size": 1 });
    // A server may close the connection before it has read such a body.
    let Ok(answer) = probe.call(ApiRequest::post("", None, &body)).await else { return Ok(()) };
    if answer.status == 413 {
        return Ok(());
    }
    if answer.is_success() {
        abandon(probe, &answer).await;
    }
    let reason = format!("a body of 4 MiB is answered by {}, expected 413 body-too-large", answer.describe());
    let fix = "Limit bodies before they are read: 256 KiB to open and sign, 1 MiB for a batch, 3 MiB to complete.";
    Err(if answer.is_refusal() { warning(reason, fix) } else { failed(reason, fix) })
}

/// Calls an address that does not exist. Gateways in front of the API may answer in its place.
async fn unknown_path(probe: &Probe) -> Found {
    let answer = probe.call(ApiRequest::post("/no-such-call", None, &json!({}))).await?;
    let page = probe.call(ApiRequest::new(Method::GET, "/no-such-call", None)).await?;
    not_found(&answer, "POST to an unknown address")?;
    not_found(&page, "GET of an unknown address")
}

fn not_found(answer: &Answer, what: &str) -> Result<(), Finding> {
    if matches!(answer.status, 403..=405) {
        return Ok(());
    }
    Err(failed(
        format!("{what} below the endpoint is answered by {}, expected 404 not-found", answer.describe()),
        "Let no catch-all route (such as the page's index.html) answer below the endpoint.",
    ))
}

async fn unknown_method(probe: &Probe) -> Found {
    for method in [Method::PUT, Method::PATCH] {
        let answer = probe
            .call(ApiRequest {
                body: Some(("application/json", b"{}".to_vec())),
                ..ApiRequest::new(method.clone(), "", None)
            })
            .await?;
        if !matches!(answer.status, 403..=405 | 501) {
            return Err(failed(
                format!("{method} is answered by {}, expected 405 method-not-allowed", answer.describe()),
                "Refuse methods that a call does not have by 405.",
            ));
        }
    }
    Ok(())
}

/// Checks that uploads without a checksum are refused.
async fn checksum_required(probe: &Probe) -> Found {
    let bytes = probe.new_bytes(100);
    let mut body = opening(probe, "directput-check.png", &bytes);
    body["algorithm"] = json!("none");
    body["parts"] = json!([{ "number": 1, "length": bytes.len() }]);
    let answer = probe.call(ApiRequest::post("", None, &body)).await?;
    if answer.is_success() {
        abandon(probe, &answer).await;
        return Err(warning(
            "the API opens uploads without checksums (algorithm none), whose bytes nothing verifies",
            "Remove none from the allowed algorithms (ALLOWED_CHECKSUMS of the Lambda function).",
        ));
    }
    if answer.is_refusal() {
        return Ok(());
    }
    Err(skipped(format!("an upload without checksums is answered by {}", answer.describe())))
}
