//! Checks of what a presigned URL permits. Each changed request has an upload of its own, so that no check affects
//! another.

use reqwest::Method;

use super::clock::{date_of, seconds, signing_time};
use super::connection::First;
use super::opened::Opened;
use super::probe::{Answer, Probe};
use super::put::SignedPut;
use super::report::{Finding, Found, Report, failed, skipped, warning};

/// Range of the lifetime of a presigned URL, in seconds (docs/backend.md, "Short lives").
const LIFETIME_SECONDS: std::ops::RangeInclusive<u64> = 30..=600;

/// Maximum difference between a URL's lifetime and the lifetime that the API names, in seconds.
const LIFETIME_TOLERANCE_SECONDS: i64 = 5;

/// Maximum age of a signature, in seconds, that is no wrong clock.
const MAX_AGE_SECONDS: i64 = 30;

/// Headers that must be signed in addition to the checksum.
const SIGNED_ALWAYS: [&str; 2] = ["host", "content-length"];

/// Headers that must be signed in addition for a single PUT.
const SIGNED_ONCE: [&str; 2] = ["content-type", "if-none-match"];

/// Makes the checks that store nothing if the servers are right.
pub async fn run(probe: &Probe, report: &mut Report, first: &First) {
    let signed = first.upload.puts.first();
    let with = |check: fn(&First, &SignedPut) -> Found| match signed {
        Some(put) => check(first, put),
        None => Err(skipped("the API signed no URL")),
    };
    report.add("signed-headers", with(signed_headers));
    report.add("url-lifetime", with(lifetime));
    report.add("url-lifetime-claim", with(lifetime_claim));
    report.add("checksum-bound", checksum_bound(probe).await);
    report.add("checksum-header-bound", checksum_header_bound(probe).await);
    report.add("length-bound", length_bound(probe).await);
    report.add("type-bound", type_bound(probe).await);
    report.add("key-bound", key_bound(probe).await);
    report.add("headers-bound", headers_bound(probe).await);
}

/// Opens an upload, and returns it with its signed PUT.
async fn sign(probe: &Probe) -> Result<(Opened, SignedPut), Finding> {
    let upload = probe.open().await?;
    let put = upload.puts.first().cloned().ok_or_else(|| skipped("the API signed no URL"))?;
    Ok((upload, put))
}

/// Sends a request that must be refused. `what` names the change, `fix` the setting.
pub async fn refuse(probe: &Probe, put: &SignedPut, key: &str, what: &str, fix: &str) -> Found {
    // A server that refuses a body may close the connection before its answer arrives.
    let Some(answer) = probe.send(put).await else { return Ok(()) };
    if answer.is_refusal() {
        return Ok(());
    }
    if answer.is_success() {
        if put.method == Method::PUT {
            probe.leave(key, put.body.len() as u64);
        }
        return Err(failed(format!("the bucket accepts {what}"), fix));
    }
    Err(warning(
        format!("the bucket answers {} to {what}, where it should refuse it by 400 or 403", answer.describe()),
        "Read the log of the storage, or of the proxy in front of it.",
    ))
}

fn signed_headers(first: &First, put: &SignedPut) -> Found {
    let names = put.signed_headers().ok_or_else(|| skipped("the URL has no signature of AWS's version 4"))?;
    let once: &[&str] = if first.upload.is_multipart { &[] } else { &SIGNED_ONCE };
    let mut missing: Vec<_> = SIGNED_ALWAYS
        .iter()
        .chain(once)
        .filter(|name| !names.iter().any(|other| other == *name))
        .map(|name| (*name).to_owned())
        .collect();
    missing.extend(put.header_names().into_iter().filter(|name| !names.contains(name)));
    if put.checksum_header().is_none() {
        missing.push("x-amz-checksum-sha256".to_owned());
    }
    missing.sort();
    missing.dedup();
    if !missing.is_empty() {
        return Err(failed(
            format!("the signature does not cover {}, so the holder of the URL chooses them", missing.join(", ")),
            "Sign these headers: with the AWS SDK for JavaScript by `signableHeaders` and `unhoistableHeaders` of \
             getSignedUrl; docs/backend.md, \"Bind everything\".",
        ));
    }
    if !first.upload.is_multipart && !names.iter().any(|name| name == "content-encoding") {
        return Err(warning(
            "the signature does not cover content-encoding, which S3 keeps although it is not signed",
            "Sign `content-encoding: identity`.",
        ));
    }
    Ok(())
}

fn lifetime(_: &First, put: &SignedPut) -> Found {
    let seconds = put.query("X-Amz-Expires").and_then(|text| text.parse::<u64>().ok());
    let seconds = seconds.ok_or_else(|| skipped("the URL has no X-Amz-Expires"))?;
    if LIFETIME_SECONDS.contains(&seconds) {
        return Ok(());
    }
    let (least, most) = LIFETIME_SECONDS.into_inner();
    let reason = format!("a URL lives {seconds} s; expected {least} to {most} s");
    let fix =
        "Sign URLs for 60 to 300 s: a leaked URL is then soon worthless, and a slow link can still begin its PUT.";
    Err(failed(reason, fix))
}

fn lifetime_claim(first: &First, put: &SignedPut) -> Found {
    let lifetime = put.query("X-Amz-Expires").and_then(|text| text.parse::<i64>().ok());
    let signed_at = put.query("X-Amz-Date").and_then(signing_time);
    let (Some(lifetime), Some(signed_at)) = (lifetime, signed_at) else {
        return Err(skipped("the URL has no X-Amz-Expires or no X-Amz-Date"));
    };
    // A signature may be some seconds older than the answer. A larger difference is a wrong clock: see `signing-clock`.
    let age = date_of(&first.answer).unwrap_or(first.asked_at) - signed_at;
    let left = lifetime - if (0..=MAX_AGE_SECONDS).contains(&age) { age } else { 0 };
    let claimed = i64::try_from(put.expires_in_seconds).unwrap_or(i64::MAX);
    let fix = "Answer expiresInSeconds with the seconds from the answer until the URL expires.";
    if claimed > left + LIFETIME_TOLERANCE_SECONDS {
        return Err(failed(
            format!(
                "expiresInSeconds is {claimed}, but the URL expires in {left} s: clients send parts to expired URLs"
            ),
            fix,
        ));
    }
    if claimed < left / 2 {
        return Err(warning(
            format!(
                "expiresInSeconds is {claimed}, but the URL expires in {left} s: clients have it signed again too early"
            ),
            fix,
        ));
    }
    Ok(())
}

/// Sends other bytes of the same length. Then sends the right bytes: a server may refuse bytes and store them all the
/// same.
async fn checksum_bound(probe: &Probe) -> Found {
    let (upload, put) = sign(probe).await?;
    let fix = "Sign the header x-amz-checksum-sha256 (or x-amz-checksum-crc64nvme) with the checksum that the client \
        named. If it is signed, the storage does not check it: use one that does.";
    let outcome = refuse(
        probe,
        &put.with_body(&probe.new_bytes(put.body.len())),
        &upload.key,
        "other bytes than the checksum",
        fix,
    )
    .await;
    if outcome.is_ok()
        && let Some(answer) = probe.send(&put).await
    {
        if answer.is_success() && !upload.is_multipart {
            probe.leave(&upload.key, put.body.len() as u64);
        }
        if matches!(answer.status, 409 | 412) {
            probe.leave(&upload.key, put.body.len() as u64);
            let reason = "the bucket refuses other bytes than the checksum, but stores them all the same";
            return Err(failed(reason, "Use a storage that checks the bytes before it stores them."));
        }
    }
    probe.abandon(&upload).await;
    outcome
}

async fn checksum_header_bound(probe: &Probe) -> Found {
    let (upload, put) = sign(probe).await?;
    let Some(name) = put.checksum_header() else {
        probe.abandon(&upload).await;
        return Err(failed("the signed PUT has no checksum header", "Sign the checksum that the client named."));
    };
    let bytes = probe.new_bytes(put.body.len());
    let forged = put.with_body(&bytes).with_header(name, &probe.checksum_of(&bytes));
    let fix = "Sign the checksum header as a header, not as a part of the query, and list it in X-Amz-SignedHeaders.";
    let outcome = refuse(probe, &forged, &upload.key, "other bytes with their own checksum", fix).await;
    probe.abandon(&upload).await;
    outcome
}

async fn length_bound(probe: &Probe) -> Found {
    let (upload, put) = sign(probe).await?;
    let fix = "Sign the header content-length. In SDKs the parameter ContentLength is not enough: the header has to \
        be signable.";
    let mut outcome = Ok(());
    // Each body is sent with its own checksum, in case the checksum is not signed, and with the signed one.
    for (what, length) in [("a longer body", put.body.len() + 1), ("a shorter body", put.body.len() - 1)] {
        let bytes = probe.new_bytes(length);
        let mut forged = put.with_body(&bytes);
        if let Some(name) = put.checksum_header() {
            forged = forged.with_header(name, &probe.checksum_of(&bytes));
        }
        for forged in [forged, put.with_body(&bytes)] {
            if outcome.is_ok() {
                outcome = refuse(probe, &forged, &upload.key, what, fix).await;
            }
        }
    }
    probe.abandon(&upload).await;
    outcome
}

async fn type_bound(probe: &Probe) -> Found {
    let (upload, put) = sign(probe).await?;
    if upload.is_multipart {
        probe.abandon(&upload).await;
        return Err(skipped("the API opens no single PUT, and the type of a multipart upload is not in its URLs"));
    }
    let fix = "Sign the header content-type. Otherwise the uploader can store a page with scripts.";
    refuse(probe, &put.with_header("content-type", "text/html"), &upload.key, "another Content-Type", fix).await
}

async fn key_bound(probe: &Probe) -> Found {
    let (upload, put) = sign(probe).await?;
    let forged = put.with_other_key();
    let key = put
        .bucket_address(&upload.key)
        .and_then(|base| forged.address().strip_prefix(base))
        .unwrap_or("an unknown key");
    let fix = "The storage does not check the path in the signature. Check that no proxy in front of it signs \
        requests by itself.";
    let outcome = refuse(probe, &forged, key, "a PUT to another key", fix).await;
    probe.abandon(&upload).await;
    outcome
}

/// Sends a header that is not signed and would make the object public.
async fn headers_bound(probe: &Probe) -> Found {
    let (upload, put) = sign(probe).await?;
    let fix = "S3 refuses x-amz headers that are not signed. Check that no proxy in front of the storage drops them \
        or signs by itself.";
    let what = "the header x-amz-acl, which is not signed";
    let outcome = refuse(probe, &put.with_header("x-amz-acl", "public-read"), &upload.key, what, fix).await;
    probe.abandon(&upload).await;
    outcome
}

/// Sends the first upload's PUT unchanged. Returns the answer if the object is stored.
pub async fn put(probe: &Probe, report: &mut Report, first: &First) -> Option<Answer> {
    let Some(put) = first.upload.puts.first() else {
        report.add("put", Err(skipped("the API signed no URL")));
        return None;
    };
    let fix = "Compare the signature with the headers that the API names: a browser sends exactly these. Check key, \
        region, clock and permissions (s3:PutObject) of the signing credentials.";
    let Some(answer) = probe.send(put).await else {
        report.add("put", Err(failed("the bucket closed the connection of a PUT as it was signed", fix)));
        return None;
    };
    if answer.status != 200 {
        let reason = format!("the bucket answers {} to a PUT as it was signed, expected 200", answer.describe());
        report.add("put", Err(failed(reason, fix)));
        return None;
    }
    if !first.upload.is_multipart {
        probe.leave(&first.upload.key, put.body.len() as u64);
    }
    report.add("put", stored(put, &answer));
    Some(answer)
}

/// Checks that an answer to a PUT proves that the bytes are stored.
pub fn stored(put: &SignedPut, answer: &Answer) -> Found {
    if answer.header("etag").is_none_or(str::is_empty) {
        return Err(failed(
            "the answer to a PUT has no ETag, which the completion of an upload needs",
            "Check the proxy in front of the storage: it must not drop the header ETag.",
        ));
    }
    let Some(name) = put.checksum_header() else { return Ok(()) };
    match (answer.header(name), put.header(name)) {
        (Some(theirs), Some(ours)) if theirs == ours => Ok(()),
        (Some(_), _) => Err(failed(
            format!("the answer to a PUT has another {name} than the PUT: clients report corrupted bytes"),
            "Check that nothing between client and storage changes bodies.",
        )),
        (None, _) => Err(warning(
            format!("the answer to a PUT has no {name}, so clients can't see that the storage checked it"),
            "Use a storage that answers with the checksum, or let the proxy in front of it pass the header.",
        )),
    }
}

/// Makes the checks that need the stored object.
pub async fn run_after(probe: &Probe, report: &mut Report, first: &First, is_stored: bool) {
    let put = first.upload.puts.first().filter(|_| is_stored && !first.upload.is_multipart);
    let Some(put) = put else {
        report.skip(&["write-once", "method-bound"], "needs put, and an upload that is a single PUT");
        return;
    };
    let fix = "Sign `if-none-match: *` as a header. If it is signed, the storage ignores it: prefer one with \
        conditional writes. Until then the holder of a URL can store the same bytes again while the URL lives.";
    report.add("write-once", refuse(probe, put, &first.upload.key, "a second PUT to the same key", fix).await);
    let mut outcome = Ok(());
    for method in [Method::GET, Method::DELETE] {
        let what = format!("{method} with the URL of a PUT");
        let fix = "The storage does not check the method in the signature. Check the proxy in front of it.";
        let forged = put.with_method(method);
        if outcome.is_ok() {
            outcome = refuse(probe, &forged, &first.upload.key, &what, fix).await;
        }
    }
    report.add("method-bound", outcome);
}

/// A PUT whose URL the check lets expire.
pub struct Expiring {
    upload: Opened,
    put: SignedPut,
    expires_at: i64,
}

impl Expiring {
    /// Opens the upload. Its URL expires while other checks are made.
    ///
    /// # Errors
    /// Why the check `url-expiry` is skipped.
    pub async fn open(probe: &Probe, waits: bool) -> Result<Self, Finding> {
        if !waits {
            return Err(skipped("takes at least 30 s: --wait-for-expiry makes this check"));
        }
        let asked_at = seconds(std::time::SystemTime::now());
        let (upload, put) = sign(probe).await?;
        let lifetime = put.query("X-Amz-Expires").and_then(|text| text.parse::<u32>().ok());
        let lifetime = lifetime.unwrap_or_else(|| u32::try_from(put.expires_in_seconds).unwrap_or(u32::MAX));
        if u64::from(lifetime) > *LIFETIME_SECONDS.end() {
            probe.abandon(&upload).await;
            return Err(skipped(format!("the URL lives {lifetime} s")));
        }
        // Two seconds more, because the server's clock and its whole seconds may be behind.
        Ok(Self { upload, put, expires_at: asked_at + i64::from(lifetime) + 2 })
    }

    /// Waits until the URL has expired, and checks that it is refused.
    pub async fn check(self, probe: &Probe) -> Found {
        let wait = self.expires_at - seconds(std::time::SystemTime::now());
        tokio::time::sleep(std::time::Duration::from_secs(u64::try_from(wait).unwrap_or(0))).await;
        let fix = "The storage does not check X-Amz-Expires. Check its clock, and that no proxy in front of it signs \
            by itself.";
        let outcome = refuse(probe, &self.put, &self.upload.key, "a PUT to an expired URL", fix).await;
        probe.abandon(&self.upload).await;
        outcome
    }
}
