//! Checks of the API's CORS headers.

use reqwest::Method;
use serde_json::json;

use super::connection::First;
use super::cors::{Page, Preflight, api_rule};
use super::names::between;
use super::opened::Opened;
use super::probe::{Answer, ApiRequest, Probe};
use super::report::{Found, Report, failed, warning};

/// Shortest `Access-Control-Max-Age` without a warning, in seconds.
const MIN_MAX_AGE: u64 = 300;

/// Origin of a site that must not be allowed. The domain `invalid` never exists (RFC 6761, section 6.4).
pub const FOREIGN_ORIGIN: &str = "https://attacker.invalid";

/// Makes the checks.
pub async fn run(probe: &Probe, report: &mut Report, first: &First) {
    let names = between("api-preflight", "api-cors-foreign");
    if !probe.is_cross_origin {
        report.skip(names, "page and API have one origin; --origin names another page");
        return;
    }
    match preflights(probe, &first.upload).await {
        Ok(all) => {
            report.add("api-preflight", answered(&all));
            report.add("api-preflight-origin", origin(probe, &all));
            report.add("api-preflight-method", method(probe, &all));
            report.add("api-preflight-headers", headers(probe, &all));
            report.add("api-cors-max-age", max_age(&all));
        }
        Err(finding) => {
            report.add("api-preflight", Err(finding));
            report.skip(&names[1..5], "needs api-preflight");
        }
    }
    report.add("api-cors-answers", answers(probe, &[("the answer that opens an upload", &first.answer)]));
    report.add("api-cors-errors", errors(probe).await);
    report.add("api-cors-exposed", exposed(probe, &first.answer));
    report.add("api-cors-foreign", foreign(probe).await);
}

/// A call of the API, and the outcome of its preflight.
type Asked = (String, Preflight);

/// Sends the preflight of each call.
async fn preflights(probe: &Probe, upload: &Opened) -> Result<Vec<Asked>, super::report::Finding> {
    let batch = (upload.batch_files > 0).then_some(("POST", "/batch", false, true));
    let calls = [
        ("POST", "", false, true),
        ("DELETE", "", true, false),
        ("POST", "/parts", true, true),
        ("GET", "/parts", true, false),
        ("POST", "/complete", true, true),
    ];
    let mut all = Vec::new();
    for (method, path, has_token, has_body) in calls.into_iter().chain(batch) {
        let mut names = probe.header_names();
        names.extend(has_token.then(|| "upload-token".to_owned()));
        names.extend(has_body.then(|| "content-type".to_owned()));
        names.sort();
        let preflight = Preflight::of(probe, Page::to_api(probe), &probe.address(path), method, &names).await?;
        all.push((format!("{method} {}{path}", probe.url.path().trim_end_matches('/')), preflight));
    }
    Ok(all)
}

/// Returns the names of the calls whose preflight is wrong.
fn wrong(all: &[Asked], is_wrong: impl Fn(&Preflight) -> bool) -> Option<String> {
    let names: Vec<_> =
        all.iter().filter(|(_, preflight)| is_wrong(preflight)).map(|(name, _)| name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn answered(all: &[Asked]) -> Found {
    let first = all.iter().find_map(|(_, preflight)| preflight.bad_status);
    match (wrong(all, |preflight| preflight.bad_status.is_some()), first) {
        (Some(calls), Some(status)) => Err(failed(
            format!("the preflight of {calls} is answered by {status}; browsers need a status from 200 to 299"),
            "Answer OPTIONS before the sign-in and before the routes, by 204 with the CORS headers. Preflights have \
             no credentials.",
        )),
        _ => Ok(()),
    }
}

fn origin(probe: &Probe, all: &[Asked]) -> Found {
    let calls = wrong(all, |preflight| preflight.bad_status.is_none() && !preflight.allows_origin);
    calls.map_or(Ok(()), |calls| {
        let reason = format!("the preflight of {calls} does not allow the origin {}", probe.origin);
        Err(failed(reason, api_rule(probe)))
    })
}

fn method(probe: &Probe, all: &[Asked]) -> Found {
    let calls = wrong(all, |preflight| preflight.bad_status.is_none() && !preflight.allows_method);
    calls.map_or(Ok(()), |calls| {
        Err(failed(format!("Access-Control-Allow-Methods lacks the method of {calls}"), api_rule(probe)))
    })
}

fn headers(probe: &Probe, all: &[Asked]) -> Found {
    let calls = wrong(all, |preflight| !preflight.refused_headers.is_empty());
    calls.map_or(Ok(()), |calls| {
        let mut names: Vec<_> = all.iter().flat_map(|(_, preflight)| preflight.refused_headers.clone()).collect();
        names.sort();
        names.dedup();
        let reason = format!("Access-Control-Allow-Headers lacks {} for {calls}", names.join(", "));
        Err(failed(reason, api_rule(probe)))
    })
}

fn max_age(all: &[Asked]) -> Found {
    let is_short = |preflight: &Preflight| {
        preflight.bad_status.is_none() && preflight.max_age.is_none_or(|seconds| seconds < MIN_MAX_AGE)
    };
    wrong(all, is_short).map_or(Ok(()), |calls| {
        Err(warning(
            format!("browsers repeat the preflight of {calls} for almost every call, which costs a round trip each"),
            "Set Access-Control-Max-Age to 3000 s. Without the header browsers keep an answer for 5 s.",
        ))
    })
}

fn answers(probe: &Probe, answers: &[(&str, &Answer)]) -> Found {
    let hidden: Vec<_> = answers.iter().filter(|(_, answer)| !Page::to_api(probe).may_read(answer)).collect();
    if hidden.is_empty() {
        return Ok(());
    }
    let list = |(name, answer): &&(&str, &Answer)| format!("{name} ({})", answer.status);
    let names: Vec<_> = hidden.iter().map(list).collect();
    Err(failed(
        format!(
            "browsers hide from the page {}: Access-Control-Allow-Origin does not name {}",
            names.join(", "),
            probe.origin
        ),
        format!("Add the header to every answer, errors too, and not only to preflights. {}", api_rule(probe)),
    ))
}

/// Checks that the page can read refusals. Otherwise it shows a network error in place of the reason.
async fn errors(probe: &Probe) -> Found {
    let json = ("application/json", b"{".to_vec());
    let broken = ApiRequest { body: Some(json), ..ApiRequest::new(Method::POST, "", None) };
    let broken = probe.call(broken).await?;
    let incomplete = probe.call(ApiRequest::post("", None, &json!({}))).await?;
    let no_token = probe.call(ApiRequest::new(Method::GET, "/parts", None)).await?;
    let anonymous = ApiRequest { has_credentials: false, ..ApiRequest::post("", None, &json!({})) };
    let anonymous = probe.call(anonymous).await?;
    answers(
        probe,
        &[
            ("the refusal of invalid JSON", &broken),
            ("the refusal of missing fields", &incomplete),
            ("the refusal of a missing token", &no_token),
            ("the answer to a call without credentials", &anonymous),
        ],
    )
}

fn exposed(probe: &Probe, answer: &Answer) -> Found {
    match Page::to_api(probe).hidden(answer, &["x-request-id", "retry-after"]).as_slice() {
        [] => Ok(()),
        names => Err(warning(
            format!("pages can't read {}", names.join(", ")),
            format!(
                "Add them to Access-Control-Expose-Headers: errors then name the request, and waits are kept. {}",
                api_rule(probe)
            ),
        )),
    }
}

async fn foreign(probe: &Probe) -> Found {
    let names = ["content-type".to_owned()];
    let answer = probe.preflight(&probe.address(""), FOREIGN_ORIGIN, "POST", &names).await?;
    judge_foreign(&answer, "The API")
}

/// Judges the answer to a page of another site.
pub fn judge_foreign(answer: &Answer, server: &str) -> Found {
    let allowed = answer.header("access-control-allow-origin").unwrap_or_default();
    let has_cookies = answer.header("access-control-allow-credentials") == Some("true");
    if allowed == FOREIGN_ORIGIN && has_cookies {
        return Err(failed(
            format!("{server} allows every origin, and requests with cookies: any site can act as a signed-in user"),
            "Allow only the origins of your own pages, or no cookies (Access-Control-Allow-Credentials).",
        ));
    }
    if allowed == FOREIGN_ORIGIN || allowed == "*" {
        return Err(warning(
            format!("{server} allows pages of every origin"),
            "Allow only the origins of your own pages.",
        ));
    }
    Ok(())
}
