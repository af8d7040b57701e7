//! Checks of the bucket without a signature.

use reqwest::Method;

use super::connection::First;
use super::probe::Probe;
use super::put::SignedPut;
use super::report::{Finding, Found, Report, failed, skipped};

const NAMES: [&str; 4] = ["anonymous-read", "anonymous-list", "anonymous-write", "anonymous-delete"];

const BLOCK: &str = "Block public access: no policy or ACL of the bucket may grant anything to everybody (in S3: \
    BlockPublicAcls, BlockPublicPolicy, IgnorePublicAcls, RestrictPublicBuckets).";

/// Makes the checks. `is_stored` is whether the first upload's object is in the bucket.
pub async fn run(probe: &Probe, report: &mut Report, first: &First, is_stored: bool) {
    let key = first.upload.key.as_str();
    let base = first.upload.puts.first().and_then(|put| Some((put, put.bucket_address(key)?)));
    let Some((put, base)) = base else {
        report.skip(&NAMES, "the URL does not end with the key, so the bucket's address is unknown");
        return;
    };
    let object = unsigned(Method::GET, put.address());
    let is_single = is_stored && !first.upload.is_multipart;
    let stored = || if is_single { Ok(()) } else { Err(skipped("needs put, and an upload that is a single PUT")) };
    report.add(
        NAMES[0],
        match stored() {
            Ok(()) => read(probe, &object).await,
            Err(finding) => Err(finding),
        },
    );
    report.add(NAMES[1], list(probe, base).await);
    report.add(NAMES[2], write(probe, base).await);
    report.add(
        NAMES[3],
        match stored() {
            Ok(()) => delete(probe, &object).await,
            Err(finding) => Err(finding),
        },
    );
}

fn unsigned(method: Method, url: &str) -> SignedPut {
    SignedPut { method, url: url.to_owned(), headers: Vec::new(), body: Vec::new(), expires_in_seconds: 0 }
}

async fn read(probe: &Probe, object: &SignedPut) -> Found {
    match probe.send(object).await {
        Some(answer) if answer.is_success() => {
            Err(failed("everybody can read the stored object by its address", BLOCK))
        }
        _ => Ok(()),
    }
}

async fn list(probe: &Probe, base: &str) -> Found {
    let list = unsigned(Method::GET, &format!("{base}?list-type=2&max-keys=1"));
    let answer = probe.send(&list).await.filter(|answer| answer.is_success());
    match answer.is_some_and(|answer| String::from_utf8_lossy(&answer.body).contains("<ListBucketResult")) {
        true => Err(failed("everybody can list the bucket's objects", BLOCK)),
        false => Ok(()),
    }
}

async fn write(probe: &Probe, base: &str) -> Found {
    let key = format!("uploads/directput-check-{:016x}", fastrand::u64(..));
    let put = unsigned(Method::PUT, &format!("{base}{key}")).with_body(&probe.new_bytes(100));
    match probe.send(&put).await {
        Some(answer) if answer.is_success() => {
            probe.leave(&key, put.body.len() as u64);
            Err(failed("everybody can write to the bucket", BLOCK))
        }
        _ => Ok(()),
    }
}

/// Deletes the object that the check has stored. S3 answers 204 also if there is nothing to delete, so a proxy that
/// answers so is found too.
async fn delete(probe: &Probe, object: &SignedPut) -> Result<(), Finding> {
    match probe.send(&object.with_method(Method::DELETE)).await {
        Some(answer) if answer.is_success() => Err(failed("everybody can delete objects", BLOCK)),
        _ => Ok(()),
    }
}
