//! Checks of the bucket's CORS rule.

use super::api_cors::{FOREIGN_ORIGIN, judge_foreign};
use super::connection::First;
use super::cors::{BUCKET_EXPOSED, Page, Preflight, bucket_rule};
use super::names::between;
use super::probe::{Answer, Probe};
use super::put::SignedPut;
use super::report::{Found, Report, failed, skipped, warning};

/// Makes the checks that need no stored object.
pub async fn run(probe: &Probe, report: &mut Report, first: &First) {
    let names = between("bucket-preflight", "bucket-cors-foreign");
    let Some(put) = first.upload.puts.first() else {
        report.skip(names, "the API signed no URL");
        return;
    };
    match Preflight::of(probe, Page::to_bucket(probe), &put.url, "PUT", &put.header_names()).await {
        Ok(preflight) => {
            report.add("bucket-preflight", answered(probe, put, &preflight));
            report.add("bucket-preflight-origin", origin(probe, put, &preflight));
            report.add("bucket-preflight-method", method(probe, put, &preflight));
            report.add("bucket-preflight-headers", headers(probe, put, &preflight));
            report.add("bucket-cors-max-age", max_age(&preflight));
        }
        Err(finding) => {
            report.add("bucket-preflight", Err(finding));
            report.skip(&names[1..5], "needs bucket-preflight");
        }
    }
    report.add("bucket-cors-errors", errors(probe, put).await);
    report.add("bucket-cors-foreign", foreign(probe, put).await);
}

fn answered(probe: &Probe, put: &SignedPut, preflight: &Preflight) -> Found {
    preflight.bad_status.map_or(Ok(()), |status| {
        let reason = format!(
            "no CORS rule of the bucket admits the page {}: its preflight is answered by {status}",
            probe.origin
        );
        Err(failed(reason, bucket_rule(&probe.origin, put)))
    })
}

fn origin(probe: &Probe, put: &SignedPut, preflight: &Preflight) -> Found {
    if preflight.bad_status.is_some() {
        return Err(skipped("needs bucket-preflight"));
    }
    if preflight.allows_origin {
        return Ok(());
    }
    let reason = format!("the bucket's CORS rule does not allow the origin {}", probe.origin);
    Err(failed(reason, bucket_rule(&probe.origin, put)))
}

fn method(probe: &Probe, put: &SignedPut, preflight: &Preflight) -> Found {
    if preflight.bad_status.is_some() {
        return Err(skipped("needs bucket-preflight"));
    }
    if preflight.allows_method {
        return Ok(());
    }
    Err(failed("AllowedMethods of the bucket's CORS rule lack PUT", bucket_rule(&probe.origin, put)))
}

fn headers(probe: &Probe, put: &SignedPut, preflight: &Preflight) -> Found {
    if preflight.bad_status.is_some() {
        return Err(skipped("needs bucket-preflight"));
    }
    match preflight.refused_headers.as_slice() {
        [] => Ok(()),
        names => Err(failed(
            format!("AllowedHeaders of the bucket's CORS rule lack {}", names.join(", ")),
            bucket_rule(&probe.origin, put),
        )),
    }
}

fn max_age(preflight: &Preflight) -> Found {
    if preflight.bad_status.is_some() {
        return Err(skipped("needs bucket-preflight"));
    }
    match preflight.max_age {
        Some(1..) => Ok(()),
        _ => Err(warning(
            "the bucket's CORS rule has no max age, so a part that is sent again needs another preflight",
            "Set MaxAgeSeconds of the bucket's CORS rule to 3000.",
        )),
    }
}

/// Checks that the page can read a refusal of the bucket. Otherwise it takes each refusal for a network failure.
async fn errors(probe: &Probe, put: &SignedPut) -> Found {
    let forged = put.with_other_key();
    let answer = probe.send(&forged).await.ok_or_else(|| skipped("the bucket closed the connection"))?;
    if answer.is_success() || Page::to_bucket(probe).may_read(&answer) {
        return Ok(());
    }
    Err(failed(
        format!(
            "the bucket's refusals ({}) have no CORS headers, so pages take them for network failures",
            answer.describe()
        ),
        format!(
            "Let the bucket, or the proxy in front of it, add the CORS headers to errors too. {}",
            bucket_rule(&probe.origin, put)
        ),
    ))
}

async fn foreign(probe: &Probe, put: &SignedPut) -> Found {
    judge_foreign(&probe.preflight(&put.url, FOREIGN_ORIGIN, "PUT", &[]).await?, "The bucket")
}

/// Makes the checks of the answer to a PUT from the page.
pub fn run_after(probe: &Probe, report: &mut Report, put: &SignedPut, stored: Option<&Answer>) {
    let Some(answer) = stored else {
        report.skip(between("bucket-cors-answers", "bucket-cors-exposed"), "needs put");
        return;
    };
    let page = Page::to_bucket(probe);
    if !page.may_read(answer) {
        let reason = format!("the answer to a PUT does not allow the origin {}", probe.origin);
        report.add("bucket-cors-answers", Err(failed(reason, bucket_rule(&probe.origin, put))));
        report.skip(between("bucket-cors-etag", "bucket-cors-exposed"), "needs bucket-cors-answers");
        return;
    }
    report.add("bucket-cors-answers", Ok(()));
    let rule = || bucket_rule(&probe.origin, put);
    let is_hidden = |name: &str| !page.hidden(answer, &[name]).is_empty();
    report.add(
        "bucket-cors-etag",
        match is_hidden("etag") {
            true => {
                Err(failed("ExposeHeaders of the bucket's CORS rule lack etag: uploads end with etag-hidden", rule()))
            }
            false => Ok(()),
        },
    );
    let checksum = put.checksum_header().map(str::to_ascii_lowercase);
    report.add(
        "bucket-cors-checksum",
        match checksum {
            None => Err(skipped("the PUT has no checksum header")),
            Some(name) if is_hidden(&name) => Err(warning(
                format!(
                    "ExposeHeaders of the bucket's CORS rule lack {name}, so pages can't compare S3's checksum with \
                     their own"
                ),
                rule(),
            )),
            Some(_) => Ok(()),
        },
    );
    let others: Vec<_> =
        BUCKET_EXPOSED.into_iter().filter(|name| !name.starts_with("x-amz-checksum") && *name != "etag").collect();
    report.add(
        "bucket-cors-exposed",
        match page.hidden(answer, &others).as_slice() {
            [] => Ok(()),
            names => Err(warning(
                format!(
                    "ExposeHeaders of the bucket's CORS rule lack {}, which errors and retries use",
                    names.join(", ")
                ),
                rule(),
            )),
        },
    );
}
