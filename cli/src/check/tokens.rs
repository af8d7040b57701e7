//! Checks of the upload token.

use std::collections::BTreeSet;

use directput::protocol::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use super::opened::{Opened, opening};
use super::probe::{Answer, ApiRequest, Probe};
use super::report::{Found, Report, failed, warning};

/// Makes the checks.
pub async fn run(probe: &Probe, report: &mut Report) {
    report.add("token-missing", missing(probe).await);
    report.add("token-changed", changed(probe).await);
    report.add("token-bound", bound(probe).await);
    report.add("single-checksum", single_checksum(probe).await);
}

/// Returns the body of a request for the signature of a whole file.
pub fn signing(probe: &Probe, bytes: &[u8]) -> Value {
    json!({ "parts": [{ "number": 1, "length": bytes.len(), "checksum": probe.checksum_of(bytes) }] })
}

/// Judges the answer to a call that must be refused by one of these codes.
pub fn expect(answer: &Answer, codes: &[ErrorCode], what: &str, fix: &str) -> Found {
    let names: Vec<_> = codes.iter().map(|code| format!("{} {}", code.status(), code.as_str())).collect();
    let names = names.join(" or ");
    if answer.is_success() {
        return Err(failed(format!("the API accepts {what}, expected {names}"), fix));
    }
    if answer.code().is_some_and(|code| codes.contains(&code) && code.status() == answer.status) {
        return Ok(());
    }
    let reason = format!("the API answers {} to {what}, expected {names}", answer.describe());
    match answer.is_refusal() {
        true => {
            Err(warning(reason, "Refuse by this code (docs/errors.md): clients decide by it whether they begin anew."))
        }
        false => Err(failed(reason, "A mistake of the client must be refused by 4xx. Read the log of the API.")),
    }
}

async fn missing(probe: &Probe) -> Found {
    let body = signing(probe, &probe.new_bytes(100));
    let calls = [
        ("signing without a token", ApiRequest::post("/parts", None, &body)),
        ("listing without a token", ApiRequest::new(Method::GET, "/parts", None)),
        ("completing without a token", ApiRequest::post("/complete", None, &json!({ "parts": [] }))),
        ("aborting without a token", ApiRequest::new(Method::DELETE, "", None)),
    ];
    for (what, call) in calls {
        let answer = probe.call(call).await?;
        let fix = "Every call but those that open uploads needs the header Upload-Token. Refuse by 401 token-missing.";
        expect(&answer, &[ErrorCode::TokenMissing], what, fix)?;
    }
    Ok(())
}

/// Returns copies of a token that no server may accept.
fn forgeries(token: &str) -> Vec<(&'static str, String)> {
    let middle = token.len() / 2;
    let flip = |at: usize| {
        let other = if token[at..].starts_with('A') { "B" } else { "A" };
        format!("{}{other}{}", &token[..at], &token[at + 1..])
    };
    let mut all = vec![
        ("a token with a letter more", format!("{token}A")),
        ("a token that is cut short", token[..token.len() - 2].to_owned()),
        ("a token with a changed letter", flip(middle)),
    ];
    if let [_, claims, signature] = token.split('.').collect::<Vec<_>>()[..] {
        // `{"alg":"none"}`: servers that read the algorithm from the token accept it without a signature (RFC 8725,
        // section 2.1).
        all.push(("a token without a signature", format!("eyJhbGciOiJub25lIn0.{claims}.")));
        all.push(("a token with a changed signature", flip(token.len() - signature.len())));
    }
    all
}

async fn changed(probe: &Probe) -> Found {
    let upload = probe.open().await?;
    let bytes = probe.new_bytes(100);
    let fix = "Sign the token (JWT with HS256) and verify it with a fixed algorithm, or use a random id of at least \
        128 bits. Refuse all others by 401 token-invalid.";
    let mut outcome = Ok(());
    if upload.token.is_ascii() && upload.token.len() > 8 {
        for (what, token) in forgeries(&upload.token) {
            let answer = probe.call(ApiRequest::post("/parts", Some(&token), &signing(probe, &bytes))).await?;
            outcome = expect(&answer, &[ErrorCode::TokenInvalid], what, fix);
            if outcome.is_err() {
                break;
            }
        }
    } else {
        outcome = Err(failed("the token is shorter than 9 characters, or not ASCII", fix));
    }
    probe.abandon(&upload).await;
    outcome
}

/// Opens an upload whose request names part 1 twice, with two checksums.
async fn single_checksum(probe: &Probe) -> Found {
    let (bytes, other) = (probe.new_bytes(100), probe.new_bytes(100));
    let mut body = opening(probe, "check.bin", &bytes);
    body["parts"] = [&bytes, &other].map(|bytes| signing(probe, bytes)["parts"][0].clone()).to_vec().into();
    let answer = probe.call(ApiRequest::post("", None, &body)).await?;
    if let Ok(upload) = Opened::read(&answer.json(), &bytes) {
        probe.abandon(&upload).await;
        let signed: BTreeSet<_> = upload.puts.iter().filter_map(|put| put.header(put.checksum_header()?)).collect();
        if !upload.is_multipart && signed.len() > 1 {
            let reason = "the API signs one key for two checksums, if a request names part 1 twice";
            return Err(failed(
                reason,
                "Refuse a repeated part by 400 part-repeated. Otherwise other bytes can replace \
                an object that was checked and deleted.",
            ));
        }
        return Ok(());
    }
    expect(&answer, &[ErrorCode::PartRepeated], "a request that names part 1 twice", "Refuse it by part-repeated.")
}

/// Asks for a signature of other bytes than those that the upload was opened for.
async fn bound(probe: &Probe) -> Found {
    let upload = probe.open().await?;
    let bytes = probe.new_bytes(100);
    let answer = probe.call(ApiRequest::post("/parts", Some(&upload.token), &signing(probe, &bytes))).await?;
    probe.abandon(&upload).await;
    if upload.is_multipart {
        // A part can be replaced until the completion, which names the checksums of all parts.
        return Ok(());
    }
    let fix = "Keep the checksum of a single PUT in the token, and sign no other. Otherwise other bytes can replace \
        an object that was checked and deleted.";
    expect(&answer, &[ErrorCode::InvalidValue], "a request to sign other bytes for the same key", fix)
}
