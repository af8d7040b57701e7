//! Checks of the objects' keys, and of the names under which browsers save them.

use super::connection::First;
use super::opened::opening;
use super::probe::{ApiRequest, Probe};
use super::report::{Finding, Found, Report, failed, skipped, warning};

/// Maximum length of a harmless extension, in characters.
const MAX_EXTENSION: usize = 10;

/// File name of an object that is stored, to see that such a name can be signed.
const STORED_NAME: &str = "📷evil.p/n/g";

/// File names that must not reach a key. The text `evil` in each of them is searched for in the key.
const HOSTILE_NAMES: [&str; 8] = [
    "../../evil.png",
    "..\\..\\evil.png",
    "%2e%2e%2fevil.png%00",
    "evil.png?acl",
    "evil\r\nx-evil: 1.png",
    "evil\u{202e}gnp.exe",
    STORED_NAME,
    "evil.evilevilevil",
];

const KEY_FIX: &str = "Choose the key on the server: uploads/, a random UUID (version 4), and at most an extension of \
    1 to 10 characters of a-z and 0-9; docs/backend.md, \"Choose the key\".";

/// Makes the checks.
pub async fn run(probe: &Probe, report: &mut Report, first: &First) {
    report.add("key-shape", shape(&first.upload.key, first));
    report.add("key-unique", unique(probe, first).await);
    report.add("key-hostile-names", hostile(probe).await);
    report.add("content-disposition", disposition(probe, first).await);
}

/// Returns what is wrong with a key.
fn flaw(key: &str) -> Option<&'static str> {
    let mut segments = key.rsplit('/');
    let file = segments.next().unwrap_or_default();
    let (id, extension) = file.split_once('.').map_or((file, None), |(id, extension)| (id, Some(extension)));
    let is_plain = |segment: &str| {
        !segment.is_empty() && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_=".contains(&byte))
    };
    let is_harmless = |extension: &str| {
        (1..=MAX_EXTENSION).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
    };
    if !segments.all(is_plain) {
        return Some("a folder in it has other characters than letters and digits");
    }
    if !extension.is_none_or(is_harmless) {
        return Some("its extension is not 1 to 10 characters of a-z and 0-9");
    }
    (!is_uuid(id)).then_some("its last part is not a random UUID")
}

/// Returns whether a text is a random UUID (RFC 9562, section 5.4).
fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => *byte == b'4',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn shape(key: &str, first: &First) -> Found {
    if let Some(flaw) = flaw(key) {
        return Err(failed(format!("the key {key:?} can be guessed or chosen: {flaw}"), KEY_FIX));
    }
    let address = first.upload.puts.first().map(|put| put.bucket_address(key));
    if address == Some(None) {
        return Err(failed(
            "the signed URL is for another key than the answer names",
            "Answer the key that the URL is signed for.",
        ));
    }
    if !key.starts_with("uploads/") {
        return Err(warning(
            format!("the key {key:?} is not below uploads/"),
            "A prefix of its own lets the signing role, lifecycle rules and policies be limited to uploads.",
        ));
    }
    Ok(())
}

async fn unique(probe: &Probe, first: &First) -> Found {
    let (one, two) = (probe.open().await?, probe.open().await?);
    let keys = [&first.upload.key, &one.key, &two.key];
    probe.abandon(&one).await;
    probe.abandon(&two).await;
    if keys[0] != keys[1] && keys[1] != keys[2] && keys[0] != keys[2] {
        return Ok(());
    }
    Err(failed("two uploads of files of the same name have the same key", KEY_FIX))
}

/// Opens uploads of files with hostile names, and stores one of them.
async fn hostile(probe: &Probe) -> Found {
    let mut refused = Vec::new();
    for name in HOSTILE_NAMES {
        let bytes = probe.new_bytes(100);
        let answer = probe.call(ApiRequest::post("", None, &opening(probe, name, &bytes))).await?;
        let shown = name.escape_debug();
        if answer.is_refusal() {
            refused.push(format!("\"{shown}\" ({})", answer.describe()));
            continue;
        }
        let reply = answer.json();
        let Some(key) = reply["key"].as_str() else {
            let reason = format!("the name \"{shown}\" is answered by {}", answer.describe());
            return Err(failed(reason, "Names are text of users: accept each, and use it for metadata only."));
        };
        if let Some(flaw) = flaw(key) {
            return Err(failed(format!("the name \"{shown}\" changes the key: {flaw}"), KEY_FIX));
        }
        if key.contains("evil") {
            return Err(failed(format!("the key has text of the name \"{shown}\""), KEY_FIX));
        }
        let upload = super::opened::Opened::read(&reply, &bytes).map_err(|wrong| {
            failed(format!("for the name \"{shown}\" these fields are wrong: {}", wrong.join(", ")), KEY_FIX)
        })?;
        if name == STORED_NAME
            && let Some(put) = upload.puts.first()
        {
            let answer = probe.send(put).await.unwrap_or_default();
            if answer.is_success() && !upload.is_multipart {
                probe.leave(key, put.body.len() as u64);
            }
            if !answer.is_success() {
                return Err(failed(
                    format!("the PUT of a file with the name \"{shown}\" is answered by {}", answer.describe()),
                    "Percent-encode the name in headers. Headers that the API names must be exactly those that it \
                     signs.",
                ));
            }
        }
        probe.abandon(&upload).await;
    }
    if refused.is_empty() {
        return Ok(());
    }
    Err(warning(
        format!("the API refuses files with the names {}", refused.join(", ")),
        "Accept every name of 1 to 1024 bytes: users can't see why their file is refused.",
    ))
}

/// Checks the header that decides whether a browser shows or saves the object. The bucket is private, so the stored
/// object can't be read, and only the signed header is checked.
async fn disposition(probe: &Probe, first: &First) -> Found {
    let put = first.upload.puts.first().filter(|_| !first.upload.is_multipart);
    let put = put.ok_or_else(|| skipped("the header of a multipart upload is not in its URLs"))?;
    let fix = "Sign `content-disposition: attachment` for all types that can contain scripts.";
    let Some(value) = put.header("content-disposition") else {
        let reason = "no content-disposition is signed, so browsers show the objects of an app that serves them, also \
            with scripts";
        return Err(warning(reason, fix));
    };
    judge_disposition(value, fix)?;
    let bytes = probe.new_bytes(100);
    let mut page = opening(probe, "directput-check.html", &bytes);
    page["type"] = "text/html".into();
    let answer = probe.call(ApiRequest::post("", None, &page)).await?;
    if answer.is_refusal() {
        return Ok(());
    }
    let parts = super::opened::read_puts(&answer.json(), &bytes, &mut Vec::new());
    match parts.first().and_then(|put| put.header("content-disposition")) {
        Some(value) if value.trim_start().to_ascii_lowercase().starts_with("attachment") => Ok(()),
        Some(_) => Err(failed("an HTML page is signed to be shown by browsers (content-disposition)", fix)),
        None => Err(warning("no content-disposition is signed for an HTML page", fix)),
    }
}

fn judge_disposition(value: &str, fix: &str) -> Result<(), Finding> {
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_safe = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    match (kind.as_str(), is_safe) {
        ("attachment" | "inline", true) => Ok(()),
        _ => Err(failed("the signed content-disposition is not of the form of RFC 6266", fix)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_random_keys_are_accepted() {
        let id = "11111111-1111-4111-8111-111111111111";
        for key in
            [format!("uploads/{id}"), format!("uploads/{id}.png"), format!("tenant-7/uploads/{id}.mp4"), id.to_owned()]
        {
            assert_eq!(flaw(&key), None, "{key}");
        }
        for key in [
            "uploads/film.mp4".to_owned(),
            format!("uploads/{id}.PNG"),
            format!("uploads/{id}.tar.gz"),
            format!("uploads/../{id}.png"),
            format!("/uploads/{id}"),
            format!("uploads/{id}-film.png"),
            "uploads/11111111-1111-1111-8111-111111111111".to_owned(),
        ] {
            assert!(flaw(&key).is_some(), "{key}");
        }
    }
}
