//! Checks of the API's address, its clock, and its answer to a good client.

use std::net::IpAddr;
use std::time::SystemTime;

use directput::checksum::ChecksumAlgorithm;
use directput::protocol::{ErrorCode, REQUEST_ID_HEADER};
use reqwest::{Method, Url};
use serde_json::json;

use super::clock::{date_of, seconds, signing_time};
use super::opened::{Opened, opening};
use super::probe::{Answer, ApiRequest, Probe};
use super::report::{Finding, Found, Report, failed, skipped, warning};

/// Difference of two clocks above which a check warns, in seconds.
const SKEW_WARNING_SECONDS: i64 = 30;

/// Difference between the signer's clock and the bucket's above which a check fails, in seconds. URLs with the shortest
/// permitted lifetime of 30 s would then be expired when they are signed.
const SKEW_FAILURE_SECONDS: i64 = 30;

/// Media types of the file of the checks. The first that the API accepts is used.
const TYPES: [&str; 6] =
    ["image/png", "application/octet-stream", "text/plain", "application/pdf", "image/jpeg", "video/mp4"];

const OWN_ENDPOINT: &str =
    "--endpoint is the URL of the call that opens uploads, such as https://api.example.com/uploads.";

/// The first upload that the API opened, and the answer.
pub struct First {
    /// The upload.
    pub upload: Opened,
    /// Answer that opened it.
    pub answer: Answer,
    /// Local time before the call, in seconds since 1970.
    pub asked_at: i64,
}

/// Makes the checks. Returns the first upload, or `None` if the API opens none.
pub async fn run(probe: &mut Probe, report: &mut Report) -> Option<First> {
    let answer = match reach(probe).await {
        Ok(answer) => {
            report.add("api-reachable", Ok(()));
            answer
        }
        Err(finding) => {
            report.add("api-reachable", Err(finding));
            report.add("api-tls", tls(&probe.url, "the API"));
            return None;
        }
    };
    report.add("api-tls", tls(&probe.url, "the API"));
    report.add("api-clock", api_clock(&answer));
    let first = match open_first(probe).await {
        Ok(first) => {
            report.add("opening", Ok(()));
            first
        }
        Err(finding) => {
            report.add("opening", Err(finding));
            return None;
        }
    };
    report.add("bucket-tls", bucket_tls(&first));
    report.add("signing-clock", signing_clock(probe, &first).await);
    report.add("no-store", no_store(&first.answer));
    report.add("request-id", request_id(&[&answer, &first.answer]));
    report.add("credentials-required", credentials_required(probe).await);
    Some(first)
}

/// Checks that the API answers a request that opens nothing.
async fn reach(probe: &Probe) -> Result<Answer, Finding> {
    let answer = probe.call(ApiRequest::post("", None, &json!({}))).await?;
    let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let described = answer.describe();
    match answer.status {
        300..=399 => Err(failed(
            format!("the address answers by a redirect ({described}), which browsers do not follow in a preflight"),
            "Give the page and this check the address after the redirect.",
        )),
        401 | 403 => Err(failed(
            format!("the API does not accept this caller ({described})"),
            "Add what a signed-in page sends: --authorization or --header.",
        )),
        404 => Err(failed(format!("there is no such address ({described})"), OWN_ENDPOINT)),
        405 => Err(failed(format!("the address takes no POST ({described})"), OWN_ENDPOINT)),
        500..=599 => Err(failed(
            format!("the API answers {described}"),
            "Read the log of the API. A request without fields must be refused by 400.",
        )),
        _ if is_page => Err(failed(format!("the address answers with an HTML page ({described})"), OWN_ENDPOINT)),
        _ => Ok(answer),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn tls(url: &Url, server: &str) -> Found {
    if url.scheme() == "https" || is_loopback(url) {
        return Ok(());
    }
    Err(failed(
        format!("{server} is reached without TLS, so everybody on the way can read tokens and change files"),
        "Use an https address. Browsers refuse http requests of https pages.",
    ))
}

fn bucket_tls(first: &First) -> Found {
    let url = first.upload.puts.first().and_then(|put| Url::parse(&put.url).ok());
    tls(&url.ok_or_else(|| skipped("the API signed no URL"))?, "the bucket")
}

fn api_clock(answer: &Answer) -> Found {
    let date = date_of(answer).ok_or_else(|| skipped("the API's answer has no header Date"))?;
    let skew = date - seconds(SystemTime::now());
    if skew.abs() <= SKEW_WARNING_SECONDS {
        return Ok(());
    }
    Err(warning(
        format!("the clock of the API differs by {skew} s from this machine's"),
        "Synchronise both clocks (NTP). Tokens and URLs depend on the API's clock.",
    ))
}

/// Compares the time in the signature with the bucket's clock, or with this machine's if the bucket sends no time.
async fn signing_clock(probe: &Probe, first: &First) -> Found {
    let put = first.upload.puts.first().ok_or_else(|| skipped("the API signed no URL"))?;
    let signed_at = put.query("X-Amz-Date").and_then(signing_time);
    let signed_at = signed_at.ok_or_else(|| skipped("the URL has no X-Amz-Date"))?;
    let reply = probe.preflight(&put.url, &probe.origin, "PUT", &[]).await?;
    let (now, clock) = match date_of(&reply) {
        Some(date) => (date, "the bucket's clock"),
        None => (seconds(SystemTime::now()), "this machine's clock"),
    };
    // Time that has passed between the signature and the bucket's answer.
    let passed = seconds(SystemTime::now()) - first.asked_at;
    let skew = signed_at - (now - passed);
    if skew.abs() <= SKEW_FAILURE_SECONDS + passed {
        return Ok(());
    }
    Err(failed(
        format!("URLs are signed with a time that differs by {skew} s from {clock}"),
        "Synchronise the clock of the signing server (NTP). S3 counts a URL's lifetime from the time in its signature.",
    ))
}

/// Opens an upload, and chooses a media type and a checksum algorithm that the API accepts.
async fn open_first(probe: &mut Probe) -> Result<First, Finding> {
    let bytes = probe.new_bytes(100);
    let mut types = TYPES.iter().skip(1);
    loop {
        let asked_at = seconds(SystemTime::now());
        let answer = probe.call(ApiRequest::post("", None, &opening(probe, "directput-check.png", &bytes))).await?;
        let is_field = |name: &str| answer.json()["field"] == name;
        match answer.code() {
            Some(ErrorCode::TypeNotAllowed) => match types.next() {
                Some(next) => probe.content_type = (*next).to_owned(),
                None => {
                    return Err(failed(
                        format!("the API accepts none of {}", TYPES.join(", ")),
                        "Allow one of these types, at least while the check runs.",
                    ));
                }
            },
            Some(ErrorCode::InvalidValue) if is_field("algorithm") && probe.algorithm == ChecksumAlgorithm::Sha256 => {
                probe.algorithm = ChecksumAlgorithm::Crc64nvme;
            }
            _ => return read_first(answer, &bytes, asked_at),
        }
    }
}

fn read_first(answer: Answer, bytes: &[u8], asked_at: i64) -> Result<First, Finding> {
    if answer.status != 201 {
        return Err(failed(
            format!("the API does not open an upload of a small file: {}, expected 201", answer.describe()),
            "Compare the API with docs/openapi.yaml, createUpload. Its log should have the reason.",
        ));
    }
    let upload = Opened::read(&answer.json(), bytes).map_err(|wrong| {
        failed(
            format!("fields of the answer are missing or wrong: {}", wrong.join(", ")),
            "Compare the answer with UploadCreated in docs/openapi.yaml.",
        )
    })?;
    let is_whole = upload.puts.len() == 1 && (upload.is_multipart || upload.part_bytes == bytes.len() as u64);
    if !is_whole || upload.part_count != 1 {
        return Err(failed(
            "the file was named as one part, but the answer does not sign it as one part",
            "Answer a small file whose checksum is in `parts` by kind single, partCount 1, and its signed PUT.",
        ));
    }
    Ok(First { upload, answer, asked_at })
}

/// Checks that no cache may keep an answer with URLs and a token.
fn no_store(answer: &Answer) -> Found {
    let control = answer.header("cache-control").unwrap_or_default().to_ascii_lowercase();
    if control.split(',').any(|directive| directive.trim() == "no-store") {
        return Ok(());
    }
    Err(warning(
        "the answer with the upload token and URLs lacks `Cache-Control: no-store`",
        "Add the header `Cache-Control: no-store` to all answers of the API.",
    ))
}

fn request_id(answers: &[&Answer]) -> Found {
    let lacks = |answer: &&&Answer| answer.header(REQUEST_ID_HEADER).is_none_or(str::is_empty);
    match answers.iter().find(lacks) {
        None => Ok(()),
        Some(answer) => Err(warning(
            format!(
                "an answer ({}) has no header x-request-id, so errors of pages can't be found in the log",
                answer.status
            ),
            "Add the header x-request-id with the id of the request in the log to every answer.",
        )),
    }
}

/// Checks that a caller without the headers of the command line is refused.
async fn credentials_required(probe: &Probe) -> Found {
    if probe.headers.is_empty() {
        return Err(skipped("neither --authorization nor --header was given"));
    }
    let body = opening(probe, "directput-check.png", &probe.new_bytes(100));
    let request = ApiRequest { has_credentials: false, ..ApiRequest::post("", None, &body) };
    let answer = probe.call(request).await?;
    match answer.status {
        401 | 403 => Ok(()),
        200..=299 => {
            let token = answer.json()["token"].as_str().map(str::to_owned);
            // If the call fails, the bucket's lifecycle rule removes the upload.
            let _ = probe.call(ApiRequest::new(Method::DELETE, "", token.as_deref())).await;
            Err(warning(
                "the API opens uploads without --authorization and --header too",
                "If only signed-in users may upload, answer calls without credentials by 401 unauthorized.",
            ))
        }
        _ => Err(warning(
            format!("a call without credentials is answered by {}", answer.describe()),
            "Answer calls without credentials by 401 unauthorized, so that pages ask the user to sign in.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_needs_no_tls() {
        let is_accepted = |url: &str| tls(&Url::parse(url).expect("a URL"), "the API").is_ok();
        for url in [
            "https://a.example/x",
            "http://localhost:8080",
            "http://a.localhost",
            "http://127.0.0.2",
            "http://[::1]:1/",
        ] {
            assert!(is_accepted(url), "{url}");
        }
        for url in ["http://a.example/x", "http://10.0.0.1", "http://localhost.example", "http://[2001:db8::1]/"] {
            assert!(!is_accepted(url), "{url}");
        }
    }
}
