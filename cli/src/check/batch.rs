//! Checks of what a server may offer: opening many files by one call, and several names of the bucket (lanes).

use directput::protocol::ErrorCode;
use reqwest::Url;
use serde_json::{Value, json};

use super::connection::First;
use super::cors::{Page, Preflight, bucket_rule};
use super::opened::{Opened, opening};
use super::probe::{ApiRequest, Probe};
use super::report::{Finding, Found, Report, failed, skipped};
use super::tokens::expect;

const BATCH: [&str; 3] = ["batch-opening", "batch-isolation", "batch-limit"];

const FIX: &str = "Compare the call with docs/openapi.yaml, createUploads, or leave maxUploadsPerRequest out of the \
    answers: clients then open each file by its own call.";

/// Makes the checks.
pub async fn run(probe: &Probe, report: &mut Report, first: &First) {
    if first.upload.batch_files == 0 {
        report.skip(&BATCH, "the API does not offer POST /uploads/batch (maxUploadsPerRequest)");
    } else {
        report.add(BATCH[0], opens(probe).await);
        report.add(BATCH[1], isolates(probe).await);
        report.add(BATCH[2], limits(probe, first.upload.batch_files).await);
    }
    report.add("lanes", lanes(probe, first.upload.lanes).await);
}

/// Opens files by one call. Returns an entry for each.
async fn open(probe: &Probe, uploads: &[Value]) -> Result<Vec<Value>, Finding> {
    let answer = probe.call(ApiRequest::post("/batch", None, &json!({ "uploads": uploads }))).await?;
    let entries = answer.json()["uploads"].as_array().cloned();
    match entries.filter(|entries| answer.status == 200 && entries.len() == uploads.len()) {
        Some(entries) => Ok(entries),
        None => {
            let reason = format!(
                "a batch of {} files is answered by {}, expected 200 and an entry for each",
                uploads.len(),
                answer.describe()
            );
            Err(failed(reason, FIX))
        }
    }
}

/// Opens two files and stores the second.
async fn opens(probe: &Probe) -> Found {
    let files = [probe.new_bytes(100), probe.new_bytes(90)];
    let bodies: Vec<_> = files.iter().map(|bytes| opening(probe, "directput-check.png", bytes)).collect();
    let entries = open(probe, &bodies).await?;
    let mut last = None;
    for (entry, bytes) in entries.iter().zip(&files) {
        let upload = Opened::read(entry, bytes)
            .map_err(|wrong| failed(format!("fields of an entry are missing or wrong: {}", wrong.join(", ")), FIX))?;
        last = Some(upload);
    }
    let put = last.as_ref().and_then(|upload| Some((upload, upload.puts.first()?)));
    let (upload, put) = put.ok_or_else(|| failed("an entry of a batch has no signed PUT", FIX))?;
    let answer = probe.send(put).await.unwrap_or_default();
    if !answer.is_success() {
        return Err(failed(format!("the PUT of a file of a batch is answered by {}", answer.describe()), FIX));
    }
    probe.leave(&upload.key, put.body.len() as u64);
    Ok(())
}

/// Opens a wrong file between two good ones.
async fn isolates(probe: &Probe) -> Found {
    let good = || opening(probe, "directput-check.png", &probe.new_bytes(100));
    let mut wrong = good();
    wrong["size"] = json!("5");
    let entries = open(probe, &[good(), wrong, good()]).await?;
    let is_open = |entry: &Value| entry["token"].is_string();
    if is_open(&entries[1]) {
        return Err(failed("a batch opens a file whose size is a text", FIX));
    }
    if entries[1]["code"].as_str().and_then(ErrorCode::parse).is_none() {
        return Err(failed("the entry of a refused file has no code", FIX));
    }
    if is_open(&entries[0]) && is_open(&entries[2]) {
        return Ok(());
    }
    Err(failed("a wrong file in a batch spoils the others", FIX))
}

async fn limits(probe: &Probe, files: u64) -> Found {
    let empty = probe.call(ApiRequest::post("/batch", None, &json!({ "uploads": [] }))).await?;
    expect(&empty, &[ErrorCode::EmptyField], "a batch without files", FIX)?;
    // The limit is checked before the files, so wrong ones suffice, and a server without a limit opens nothing.
    let many = vec![json!({}); usize::try_from(files.min(10_000)).unwrap_or(10_000) + 1];
    let answer = probe.call(ApiRequest::post("/batch", None, &json!({ "uploads": many }))).await?;
    expect(
        &answer,
        &[ErrorCode::OutOfRange, ErrorCode::BodyTooLarge],
        "a batch of more files than maxUploadsPerRequest",
        FIX,
    )
}

/// Stores a file through each lane but the default, and checks the CORS rule there.
async fn lanes(probe: &Probe, lanes: u64) -> Found {
    if lanes < 2 {
        return Err(skipped("the API offers one lane (laneCount)"));
    }
    let fix = "Sign for names of one bucket only, and let the bucket's CORS rule and the page's policy admit each \
        (docs/decisions/lanes.md).";
    let mut hosts = Vec::new();
    for lane in 0..lanes.min(16) {
        let bytes = probe.new_bytes(100);
        let mut body = opening(probe, "directput-check.png", &bytes);
        if lane > 0 {
            body["lane"] = json!(lane);
        }
        let answer = probe.call(ApiRequest::post("", None, &body)).await?;
        let upload = Opened::read(&answer.json(), &bytes).ok().filter(|upload| !upload.puts.is_empty());
        let upload = upload
            .ok_or_else(|| failed(format!("an upload by lane {lane} is answered by {}", answer.describe()), fix))?;
        let put = &upload.puts[0];
        let host = Url::parse(&put.url).ok().map(|url| url.origin().ascii_serialization()).unwrap_or_default();
        let base = put.bucket_address(&upload.key).unwrap_or(&host).to_owned();
        if hosts.contains(&base) {
            return Err(failed(format!("lane {lane} has the address of an earlier lane, {base}"), fix));
        }
        let preflight = Preflight::of(probe, Page::to_bucket(probe), &put.url, "PUT", &put.header_names()).await;
        let preflight = preflight.map_err(|_| failed(format!("lane {lane}, {host}, does not answer"), fix))?;
        if preflight.bad_status.is_some() || !preflight.allows_origin || !preflight.refused_headers.is_empty() {
            let rule = bucket_rule(&probe.origin, put);
            return Err(failed(format!("the CORS rule at lane {lane}, {host}, does not admit the page"), rule));
        }
        let answer = probe.send(put).await.unwrap_or_default();
        if !answer.is_success() {
            return Err(failed(format!("a PUT by lane {lane}, {host}, is answered by {}", answer.describe()), fix));
        }
        probe.leave(&upload.key, put.body.len() as u64);
        hosts.push(base);
    }
    Ok(())
}
