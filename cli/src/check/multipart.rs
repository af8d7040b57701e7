//! Checks of uploads in parts, until all parts are stored.

use directput::protocol::ErrorCode;
use reqwest::Method;
use serde_json::{Value, json};

use super::binding::{refuse, stored};
use super::opened::{Opened, opening_unhashed, read_puts};
use super::probe::{Answer, ApiRequest, Probe};
use super::put::SignedPut;
use super::report::{Finding, Found, Report, failed, skipped};
use super::tokens::expect;

/// Minimum length of a part that is not the last, in bytes (S3 User Guide, "Amazon S3 multipart upload limits").
const MIN_PART_BYTES: u64 = 5 << 20;

/// Length of the last part, in bytes.
const LAST_PART_BYTES: u64 = 1_000;

/// Sizes of files, in bytes. The first that the API opens as a multipart upload is used. The larger ones are for
/// servers that also send files without a known checksum in one PUT.
const FILE_BYTES: [u64; 3] = [(8 << 20) + LAST_PART_BYTES, (16 << 20) + LAST_PART_BYTES, (64 << 20) + LAST_PART_BYTES];

/// Maximum length of all parts that the check sends, in bytes.
const MAX_SENT_BYTES: u64 = 80 << 20;

/// A multipart upload, and what is known about its parts.
pub struct InParts {
    /// The upload.
    pub upload: Opened,
    /// Size of the file in bytes.
    pub size: u64,
    /// Body of each part.
    pub bodies: Vec<Vec<u8>>,
    /// Signed PUT of the last part.
    pub last: Option<SignedPut>,
    /// Entity tag of each stored part, without quotes.
    pub etags: Vec<String>,
}

impl InParts {
    /// Returns the body of a request to sign these parts, counted from 1.
    fn signing(&self, probe: &Probe, numbers: &[usize]) -> Value {
        let part = |number: &usize| {
            let bytes = &self.bodies[number - 1];
            json!({ "number": number, "length": bytes.len(), "checksum": probe.checksum_of(bytes) })
        };
        json!({ "parts": numbers.iter().map(part).collect::<Vec<_>>() })
    }

    /// Has a part signed.
    ///
    /// # Errors
    /// A failed check.
    pub async fn sign(&self, probe: &Probe, number: usize) -> Result<SignedPut, Finding> {
        let call = ApiRequest::post("/parts", Some(&self.upload.token), &self.signing(probe, &[number]));
        let answer = probe.call(call).await?;
        let mut wrong = Vec::new();
        let mut puts = read_puts(&answer.json(), &self.bodies[number - 1], &mut wrong);
        let fix = "Compare the call with docs/openapi.yaml, signParts.";
        if answer.status != 200 || puts.len() != 1 {
            let reason = format!(
                "a request to sign part {number} is answered by {} and {} parts",
                answer.describe(),
                puts.len()
            );
            return Err(failed(reason, fix));
        }
        if !wrong.is_empty() {
            return Err(failed(format!("fields of the answer are missing or wrong: {}", wrong.join(", ")), fix));
        }
        let put = puts.remove(0);
        if put.checksum_header().is_none() {
            return Err(failed(
                format!("the PUT of part {number} has no checksum header"),
                "Sign the part's checksum as a header.",
            ));
        }
        Ok(put)
    }

    /// Returns the number of the last part.
    pub fn last_number(&self) -> usize {
        self.bodies.len()
    }

    /// Lists the parts after `after`.
    pub async fn list(&self, probe: &Probe, after: Option<usize>) -> Result<Answer, Finding> {
        let path = after.map_or("/parts".to_owned(), |after| format!("/parts?after={after}"));
        probe.call(ApiRequest::new(Method::GET, &path, Some(&self.upload.token))).await
    }
}

/// Opens a multipart upload.
///
/// # Errors
/// A failed check if the plan of the API breaks S3's limits; a skipped one if the API opens none.
pub async fn open(probe: &Probe) -> Result<InParts, Finding> {
    for size in FILE_BYTES {
        let answer =
            probe.call(ApiRequest::post("", None, &opening_unhashed(probe, "directput-check.png", size))).await?;
        if answer.code() == Some(ErrorCode::FileTooLarge) {
            break;
        }
        let fix = "Answer a large file by kind multipart, with parts of 5 MiB to 5 GiB.";
        let upload = Opened::read(&answer.json(), &[]).map_err(|wrong| {
            let reason = format!(
                "opening {size} bytes is answered by {}; wrong fields: {}",
                answer.describe(),
                wrong.join(", ")
            );
            failed(reason, fix)
        })?;
        if !upload.is_multipart {
            continue;
        }
        let part_bytes = upload.part_bytes;
        let is_sound = upload.part_count == size.div_ceil(part_bytes.max(1))
            && (upload.part_count == 1 || part_bytes >= MIN_PART_BYTES);
        if !is_sound {
            probe.abandon(&upload).await;
            let reason = format!(
                "{} parts of {part_bytes} bytes do not make a file of {size} bytes by S3's limits",
                upload.part_count
            );
            return Err(failed(reason, fix));
        }
        if size > MAX_SENT_BYTES {
            break;
        }
        let lengths = (0..upload.part_count).map(|index| part_bytes.min(size - index * part_bytes));
        // The lengths are below `MAX_SENT_BYTES`.
        let bodies = lengths.map(|length| probe.new_bytes(length as usize)).collect();
        return Ok(InParts { upload, size, bodies, last: None, etags: Vec::new() });
    }
    Err(skipped("the API opens no multipart upload of a file of at most 64 MiB"))
}

/// Makes the checks until all parts are stored. Returns the upload if it can be completed.
pub async fn run(probe: &Probe, report: &mut Report) -> Option<InParts> {
    let mut file = match open(probe).await {
        Ok(file) => {
            report.add("multipart-opening", Ok(()));
            file
        }
        Err(finding) => {
            report.add("multipart-opening", Err(finding));
            return None;
        }
    };
    report.add("multipart-signing", sign_last(probe, &mut file).await);
    report.add("multipart-plan", plan(probe, &file).await);
    let Some(last) = file.last.clone() else {
        probe.abandon(&file.upload).await;
        return None;
    };
    report.add("part-checksum-bound", checksum_bound(probe, &file, &last).await);
    report.add("part-length-bound", length_bound(probe, &file, &last).await);
    report.add("part-number-bound", number_bound(probe, &file, &last).await);
    let parts = put_all(probe, &mut file).await;
    let are_stored = parts.is_ok();
    report.add("part-put", parts);
    if !are_stored {
        probe.abandon(&file.upload).await;
        return None;
    }
    report.add("part-list", list(probe, &file).await);
    report.add("part-list-paging", paging(probe, &file).await);
    Some(file)
}

async fn sign_last(probe: &Probe, file: &mut InParts) -> Found {
    file.last = Some(file.sign(probe, file.last_number()).await?);
    Ok(())
}

/// Asks for signatures that the plan does not have.
async fn plan(probe: &Probe, file: &InParts) -> Found {
    let last = file.last_number();
    let changed = |change: &dyn Fn(&mut Value)| {
        let mut body = file.signing(probe, &[last]);
        change(&mut body);
        body
    };
    let rows = [
        (
            "a part after the last",
            changed(&|body| body["parts"][0]["number"] = json!(last + 1)),
            ErrorCode::PartOutOfRange,
        ),
        (
            "a part of another length",
            changed(&|body| body["parts"][0]["length"] = json!(LAST_PART_BYTES + 1)),
            ErrorCode::PartWrongLength,
        ),
        ("a part twice", file.signing(probe, &[last, last]), ErrorCode::PartRepeated),
        ("no part", json!({ "parts": [] }), ErrorCode::EmptyField),
    ];
    for (what, body, code) in rows {
        let answer = probe.call(ApiRequest::post("/parts", Some(&file.upload.token), &body)).await?;
        let fix =
            "Check number and length of each part against the plan in the token (docs/backend.md, \"Keep the plan\").";
        expect(&answer, &[code], &format!("a request to sign {what}"), fix)?;
    }
    Ok(())
}

async fn checksum_bound(probe: &Probe, file: &InParts, last: &SignedPut) -> Found {
    let fix = "Sign the part's checksum header, and use a storage that checks it for parts too.";
    let other = probe.new_bytes(last.body.len());
    refuse_part(probe, file, &last.with_body(&other), "a part with other bytes than its checksum", fix).await?;
    let Some(name) = last.checksum_header() else { return Ok(()) };
    let forged = last.with_body(&other).with_header(name, &probe.checksum_of(&other));
    refuse_part(probe, file, &forged, "a part with other bytes and their own checksum", fix).await
}

async fn length_bound(probe: &Probe, file: &InParts, last: &SignedPut) -> Found {
    let fix = "Sign the header content-length of each part.";
    for (what, length) in
        [("a part that is longer", last.body.len() + 1), ("a part that is shorter", last.body.len() - 1)]
    {
        refuse_part(probe, file, &last.with_body(&probe.new_bytes(length)), what, fix).await?;
    }
    Ok(())
}

/// Sends the last part to the URL of another part number.
async fn number_bound(probe: &Probe, file: &InParts, last: &SignedPut) -> Found {
    let number = last.query("partNumber").ok_or_else(|| skipped("the URL has no partNumber"))?;
    let other = if number == "1" { "2" } else { "1" };
    let pair = |number: &str| format!("partNumber={number}");
    let forged = SignedPut { url: last.url.replacen(&pair(number), &pair(other), 1), ..last.clone() };
    let fix = "The storage does not check the query in the signature. Check that no proxy in front of it signs by \
        itself.";
    refuse_part(probe, file, &forged, "a part under another number", fix).await
}

/// Sends a part that must be refused. An accepted part leaves no object, as its upload is not completed.
async fn refuse_part(probe: &Probe, file: &InParts, put: &SignedPut, what: &str, fix: &str) -> Found {
    let left = probe.left();
    let outcome = refuse(probe, put, &file.upload.key, what, fix).await;
    probe.set_left(left);
    outcome
}

/// Stores all parts. The first finding of an answer is returned after all parts are stored.
async fn put_all(probe: &Probe, file: &mut InParts) -> Found {
    let mut outcome = Ok(());
    for number in 1..=file.last_number() {
        let put = file.sign(probe, number).await?;
        let fix = "Check the permissions of the signing credentials, and the limits of proxies for bodies.";
        let Some(answer) = probe.send(&put).await else {
            return Err(failed(format!("the bucket closed the connection of the PUT of part {number}"), fix));
        };
        if answer.status != 200 {
            let reason = format!("the PUT of part {number} is answered by {}, expected 200", answer.describe());
            return Err(failed(reason, fix));
        }
        let proof = stored(&put, &answer);
        if matches!(proof, Err(Finding::Failed { .. })) {
            return proof;
        }
        outcome = outcome.and(proof);
        file.etags.push(answer.header("etag").unwrap_or_default().trim_matches('"').to_owned());
    }
    outcome
}

const LIST_FIX: &str = "Answer what ListParts of S3 has: number, size, etag without quotes and checksum of every \
    part, in order, and `next` if there are more. Clients resume from this list.";

/// Checks that the list has all parts as they were sent.
async fn list(probe: &Probe, file: &InParts) -> Found {
    let answer = file.list(probe, None).await?;
    let parts = answer.json()["parts"].as_array().cloned();
    let parts = parts.filter(|_| answer.status == 200);
    let parts =
        parts.ok_or_else(|| failed(format!("the list of parts is answered by {}", answer.describe()), LIST_FIX))?;
    if parts.len() != file.bodies.len() {
        let reason = format!("the list has {} parts, but {} are stored", parts.len(), file.bodies.len());
        return Err(failed(reason, LIST_FIX));
    }
    let mut has_checksums = true;
    for (index, part) in parts.iter().enumerate() {
        let checks = [
            ("number", part["number"] == json!(index + 1)),
            ("size", part["size"] == json!(file.bodies[index].len())),
            ("etag", part["etag"] == json!(file.etags[index])),
            (
                "checksum",
                part["checksum"].is_null() || part["checksum"] == json!(probe.checksum_of(&file.bodies[index])),
            ),
        ];
        let wrong: Vec<_> = checks.iter().filter(|(_, is_right)| !is_right).map(|(name, _)| *name).collect();
        if !wrong.is_empty() {
            return Err(failed(
                format!("in the list of parts, these fields are wrong: {}", wrong.join(", ")),
                LIST_FIX,
            ));
        }
        has_checksums &= part["checksum"].is_string();
    }
    if has_checksums {
        return Ok(());
    }
    let reason =
        "the list of parts has no checksums, so a resumed upload sends its parts again or hashes them without a proof";
    Err(super::report::warning(reason, "Use a storage that lists checksums (ListParts), or keep them in the backend."))
}

/// Checks that a list begins after a part, and that its last page says so. More than 1000 parts, which would make S3
/// answer in pages, are not sent.
async fn paging(probe: &Probe, file: &InParts) -> Found {
    for after in 1..=file.last_number() {
        let answer = file.list(probe, Some(after)).await?;
        let reply = answer.json();
        let numbers =
            reply["parts"].as_array().map(|parts| parts.iter().map(|part| part["number"].as_u64()).collect::<Vec<_>>());
        let expected: Vec<_> = (after + 1..=file.last_number()).map(|number| Some(number as u64)).collect();
        if answer.status != 200 || numbers.as_ref() != Some(&expected) {
            let reason =
                format!("the list after part {after} ({}) does not begin with the next part", answer.describe());
            return Err(failed(reason, LIST_FIX));
        }
        if !reply["next"].is_null() {
            return Err(failed(
                "the last page of the list has `next`: clients ask for a page that does not exist",
                LIST_FIX,
            ));
        }
    }
    let wrong = probe.call(ApiRequest::new(Method::GET, "/parts?after=x", Some(&file.upload.token))).await?;
    expect(
        &wrong,
        &[ErrorCode::WrongType, ErrorCode::OutOfRange, ErrorCode::InvalidValue],
        "a list after part x",
        LIST_FIX,
    )
}
