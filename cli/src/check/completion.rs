//! Checks of completions and of aborted uploads.

use directput::checksum::{ObjectChecksum, PartChecksum};
use directput::protocol::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use super::multipart::{InParts, open};
use super::probe::{Answer, ApiRequest, Probe};
use super::report::{Finding, Found, Report, failed, skipped, warning};
use super::tokens::expect;

const FIX: &str =
    "Compare the call with docs/openapi.yaml, completeUpload, and with duties 5 and 6 of docs/backend.md.";

/// Makes the checks of completions of an upload whose parts are all stored.
pub async fn run(probe: &Probe, report: &mut Report, file: &InParts) {
    let good = body(probe, file);
    report.add("completion-incomplete", incomplete(probe, file, &good).await);
    report.add("completion-etag", wrong_etag(probe, file, &good).await);
    report.add("completion-checksum", wrong_checksum(probe, file, &good).await);
    report.add("completion-token", foreign_token(probe, &good).await);
    let first = send(probe, file, &good).await;
    let first = match first {
        Ok(answer) => {
            let outcome = completed(&answer, file, &good);
            if !answer.is_success() {
                probe.abandon(&file.upload).await;
            }
            report.add("completion", outcome);
            Some(answer).filter(Answer::is_success)
        }
        Err(finding) => {
            report.add("completion", Err(finding));
            None
        }
    };
    match first {
        Some(first) => {
            report.add("completion-repeated", repeated(probe, file, &good, &first).await);
            report.add("part-after-completion", part_after(probe, file, "the completion").await);
        }
        None => report.skip(&["completion-repeated", "part-after-completion"], "needs completion"),
    }
}

/// Returns the body of the right completion.
fn body(probe: &Probe, file: &InParts) -> Value {
    let checksums: Vec<_> = file.bodies.iter().map(|bytes| probe.checksum_of(bytes)).collect();
    let parts = file.etags.iter().zip(&checksums).enumerate();
    let parts: Vec<_> = parts
        .map(|(index, (etag, checksum))| json!({ "number": index + 1, "etag": etag, "checksum": checksum }))
        .collect();
    json!({ "parts": parts, "checksum": object_checksum(probe, file, &checksums) })
}

fn object_checksum(probe: &Probe, file: &InParts, checksums: &[String]) -> Option<String> {
    let parts = checksums.iter().zip(&file.bodies);
    let parts = parts.map(|(checksum, bytes)| (PartChecksum::parse(checksum).ok(), bytes.len() as u64));
    ObjectChecksum::of(probe.algorithm, parts).map(|checksum| checksum.to_text())
}

async fn send(probe: &Probe, file: &InParts, body: &Value) -> Result<Answer, Finding> {
    let answer = probe.call(ApiRequest::post("/complete", Some(&file.upload.token), body)).await?;
    if answer.is_success() {
        probe.leave(&file.upload.key, file.size);
    }
    Ok(answer)
}

async fn incomplete(probe: &Probe, file: &InParts, good: &Value) -> Found {
    let mut fewer = good.clone();
    let parts = fewer["parts"].as_array_mut();
    if let Some(parts) = parts {
        parts.pop();
    }
    let codes = [ErrorCode::PartsIncomplete, ErrorCode::EmptyField, ErrorCode::InvalidValue];
    expect(&send(probe, file, &fewer).await?, &codes, "a completion without the last part", FIX)?;
    let none = json!({ "parts": [], "checksum": good["checksum"] });
    expect(&send(probe, file, &none).await?, &codes, "a completion without parts", FIX)
}

async fn wrong_etag(probe: &Probe, file: &InParts, good: &Value) -> Found {
    let mut forged = good.clone();
    let last = file.last_number() - 1;
    forged["parts"][last]["etag"] = json!("00000000000000000000000000000000");
    let codes = [ErrorCode::PartsRefused, ErrorCode::InvalidValue];
    let fix = "Send the etags of the completion to the storage, and answer its refusal by 409 parts-refused.";
    expect(&send(probe, file, &forged).await?, &codes, "a completion with a wrong etag", fix)
}

/// Names a checksum that does not follow from the parts, and then a part with another checksum than the stored one.
async fn wrong_checksum(probe: &Probe, file: &InParts, good: &Value) -> Found {
    let codes = [ErrorCode::InvalidValue, ErrorCode::PartsRefused];
    let fix = "Check that the object's checksum follows from the parts', and let the storage compare each part's \
        checksum with its own.";
    let mut checksums: Vec<_> = file.bodies.iter().map(|bytes| probe.checksum_of(bytes)).collect();
    if let Some(last) = checksums.last_mut() {
        *last = probe.checksum_of(b"other bytes");
    }
    let other = json!(object_checksum(probe, file, &checksums));
    let mut forged = good.clone();
    forged["checksum"] = other.clone();
    expect(&send(probe, file, &forged).await?, &codes, "a completion with another checksum of the object", fix)?;
    let last = file.last_number() - 1;
    forged["parts"][last]["checksum"] = json!(checksums[last]);
    expect(&send(probe, file, &forged).await?, &codes, "a completion with another checksum of a part", fix)
}

/// Completes with the token of another upload, which has no parts.
async fn foreign_token(probe: &Probe, good: &Value) -> Found {
    let other = open(probe).await?;
    let answer = send(probe, &other, good).await;
    probe.abandon(&other.upload).await;
    let codes = [ErrorCode::PartsRefused, ErrorCode::PartsIncomplete, ErrorCode::UploadGone, ErrorCode::InvalidValue];
    expect(&answer?, &codes, "a completion with another upload's token", FIX)
}

fn completed(answer: &Answer, file: &InParts, good: &Value) -> Found {
    if answer.status != 200 {
        let reason = format!("the right completion is answered by {}, expected 200", answer.describe());
        return Err(failed(reason, FIX));
    }
    let reply = answer.json();
    let checks = [
        ("key", reply["key"] == json!(file.upload.key)),
        ("size", reply["size"] == json!(file.size)),
        ("etag", reply["etag"].as_str().is_some_and(|etag| !etag.is_empty() && !etag.contains('"'))),
        ("checksum", reply["checksum"] == good["checksum"]),
    ];
    let wrong: Vec<_> = checks.iter().filter(|(_, is_right)| !is_right).map(|(name, _)| *name).collect();
    if wrong.is_empty() {
        return Ok(());
    }
    let reason = format!("in the answer to the completion, these fields are missing or wrong: {}", wrong.join(", "));
    Err(failed(reason, FIX))
}

async fn repeated(probe: &Probe, file: &InParts, good: &Value, first: &Answer) -> Found {
    let again = send(probe, file, good).await?;
    let is_same = again.status == 200 && again.json() == first.json();
    if is_same || again.code() == Some(ErrorCode::AlreadyComplete) {
        return Ok(());
    }
    let fix = "Answer a repeated completion as the first, or by 409 already-complete. If the storage forgets \
        completed uploads (NoSuchUpload), look for the object.";
    let reason = format!(
        "a repeated completion is answered by {}, not as the first: an upload whose answer got lost fails",
        again.describe()
    );
    Err(if again.is_refusal() { failed(reason, fix) } else { warning(reason, fix) })
}

/// Sends the last part again.
async fn part_after(probe: &Probe, file: &InParts, moment: &str) -> Found {
    let Some(put) = &file.last else { return Ok(()) };
    match probe.send(put).await {
        Some(answer) if answer.is_success() => Err(failed(
            format!("the bucket accepts a part after {moment}"),
            "Use a storage that ends a multipart upload for good. Accepted parts cost money until a lifecycle rule \
             removes them.",
        )),
        _ => Ok(()),
    }
}

/// Makes the checks of an upload that is aborted after its last part was stored.
pub async fn run_abort(probe: &Probe, report: &mut Report) {
    let names = ["abort", "part-after-abort", "abort-repeated"];
    let mut file = match open(probe).await {
        Ok(file) => file,
        Err(_) => {
            report.skip(&names, "needs multipart-opening");
            return;
        }
    };
    let outcome = abort(probe, &mut file).await;
    let is_aborted = outcome.is_ok();
    report.add(names[0], outcome);
    if !is_aborted {
        probe.abandon(&file.upload).await;
        report.skip(&names[1..], "needs abort");
        return;
    }
    report.add(names[1], part_after(probe, &file, "the upload was aborted").await);
    report.add(names[2], abort_again(probe, &file).await);
}

/// Stores the last part, aborts the upload, and checks that nothing is left.
async fn abort(probe: &Probe, file: &mut InParts) -> Found {
    let put = file.sign(probe, file.last_number()).await.map_err(|_| skipped("needs multipart-signing"))?;
    let answer = probe.send(&put).await.unwrap_or_default();
    file.last = Some(put);
    if !answer.is_success() {
        return Err(skipped("needs part-put"));
    }
    let fix = "Call AbortMultipartUpload of the storage and answer 204. The role needs s3:AbortMultipartUpload.";
    let answer = probe.call(ApiRequest::new(Method::DELETE, "", Some(&file.upload.token))).await?;
    if answer.status != 204 {
        return Err(failed(format!("DELETE of an upload is answered by {}, expected 204", answer.describe()), fix));
    }
    let listed = file.list(probe, None).await?;
    let is_empty = listed.json()["parts"].as_array().is_some_and(Vec::is_empty);
    match listed.code() {
        Some(ErrorCode::UploadGone) => Ok(()),
        _ if listed.is_success() && !is_empty => Err(failed("an aborted upload still has its parts", fix)),
        _ => Err(warning(
            format!("the list of an aborted upload is answered by {}, expected 404 upload-gone", listed.describe()),
            "Answer NoSuchUpload of the storage by 404 upload-gone, so that clients begin anew.",
        )),
    }
}

async fn abort_again(probe: &Probe, file: &InParts) -> Found {
    let answer = probe.call(ApiRequest::new(Method::DELETE, "", Some(&file.upload.token))).await?;
    if answer.status == 204 {
        return Ok(());
    }
    Err(failed(
        format!("a repeated DELETE is answered by {}, expected 204", answer.describe()),
        "An upload that is gone is no failure: answer 204.",
    ))
}
