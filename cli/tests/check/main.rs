//! Tests of `directput check`: a right deployment passes, and each planted misconfiguration is found by its check.
#![allow(missing_docs, clippy::unwrap_used)]

mod presign;
mod proxy;
mod rows_api;
mod rows_bucket;
mod rows_cors;
mod rows_multipart;
mod rows_refusals;
mod table;
mod world;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use proxy::{Fault, HONEST, Reply};
use table::find_all;
use world::{PAGE, PLAIN, Run, Setup, directput, start};

const SECRET: &str = "a secret of thirty-two characters";

fn assert_nothing_found(run: &Run) {
    assert_eq!((run.names("failed"), run.names("warning")), (vec![], vec![]), "{}", run.stdout);
    assert_eq!(run.code, Some(0));
}

#[tokio::test]
async fn a_right_deployment_passes_and_what_is_left_is_named() {
    let server = start(&PLAIN).await;
    let run = server.check(&[]).await;
    assert_nothing_found(&run);
    assert_eq!(run.names("skipped"), ["credentials-required", "lanes", "url-expiry"]);
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let left = report["left"].as_array().unwrap().iter();
    let mut left: Vec<_> = left.map(|object| object["key"].as_str().unwrap().to_owned()).collect();
    left.sort();
    assert_eq!(left, server.stored());
    assert_eq!(server.unfinished(), 0, "every multipart upload is completed or aborted");
    assert_eq!(report["failed"], false);
}

#[tokio::test]
async fn the_page_of_the_api_needs_no_cors_rule_of_the_api() {
    let server = start(&Setup { lanes: 3, ..PLAIN }).await;
    let run = server.check(&["--quick"]).await;
    assert_nothing_found(&run);
    assert!(run.names("ok").contains(&"lanes".to_owned()));
    let own = server.endpoint.trim_end_matches("/uploads");
    let run = directput(&["check", "--quick", "--json", "--endpoint", &server.endpoint, "--origin", own]).await;
    assert!(run.names("skipped").contains(&"api-preflight".to_owned()));
}

#[tokio::test]
async fn signed_in_callers_are_checked() {
    let server = start(&Setup { auth: Some("hs256:a secret of thirty-two characters"), ..PLAIN }).await;
    let exp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + Duration::from_secs(600);
    let claims = json!({ "sub": "alice", "exp": exp.as_secs() });
    let token = encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap();
    let run = server.check(&["--quick", "--authorization", &format!("Bearer {token}")]).await;
    assert_nothing_found(&run);
    assert!(run.names("ok").contains(&"credentials-required".to_owned()));
    assert!(!run.stdout.contains(&token) && !run.stdout.contains("alice"));
}

#[tokio::test]
async fn narrow_servers_pass() {
    for settings in [
        &[("ALLOWED_CHECKSUMS", "crc64nvme"), ("ALLOWED_TYPES", "video/mp4")][..],
        &[("SINGLE_PUT_BYTES", "0")],
        &[("URL_MIN_SECONDS", "600"), ("URL_MAX_SECONDS", "600"), ("DOWNLOAD_NAMES", "inline")],
    ] {
        let server = start(&Setup { settings, ..PLAIN }).await;
        assert_nothing_found(&server.check(&[]).await);
        assert_eq!(server.unfinished(), 0, "{settings:?}");
    }
}

#[tokio::test]
async fn a_busy_server_is_asked_again() {
    let busy = Fault {
        before: |seen, world| {
            let is_new = seen.is("POST", "/uploads") && world.remember(&String::from_utf8_lossy(&seen.body));
            is_new.then(|| Reply::new(429, "").with("retry-after", "0"))
        },
        ..HONEST
    };
    let server = start(&Setup { api: busy, ..PLAIN }).await;
    assert_nothing_found(&server.check(&["--quick"]).await);
}

#[tokio::test]
async fn mistakes_in_the_connection_are_found() {
    find_all(rows_api::CONNECTION).await;
}

#[tokio::test]
async fn mistakes_in_signatures_are_found() {
    find_all(rows_api::SIGNATURES).await;
}

#[tokio::test]
async fn mistakes_in_refusals_are_found() {
    find_all(rows_refusals::REFUSALS).await;
}

#[tokio::test]
async fn mistakes_in_cors_rules_of_the_api_are_found() {
    find_all(rows_cors::OF_API).await;
}

#[tokio::test]
async fn mistakes_in_cors_rules_of_the_bucket_are_found() {
    find_all(rows_cors::OF_BUCKET).await;
}

#[tokio::test]
async fn stores_that_accept_too_much_are_found() {
    find_all(rows_bucket::OF_SINGLE_PUTS).await;
}

#[tokio::test]
async fn mistakes_of_the_api_in_uploads_in_parts_are_found() {
    find_all(rows_multipart::OF_API).await;
}

#[tokio::test]
async fn mistakes_of_the_bucket_in_uploads_in_parts_are_found() {
    find_all(rows_multipart::OF_BUCKET).await;
}

/// Runs with a right store, and with a store that does not check the expiry, at the same time.
#[tokio::test]
async fn a_url_is_used_after_its_expiry_if_the_check_may_wait() {
    let settings = &[("URL_MIN_SECONDS", "30"), ("URL_MAX_SECONDS", "30")];
    let careless = Fault {
        after: |_, reply, _| {
            if reply.status == 403 && String::from_utf8_lossy(&reply.body).contains("expired") {
                *reply = Reply::new(200, "").with("etag", "\"9a0364b9e99bb480dd25e1f0284c8555\"");
            }
        },
        ..HONEST
    };
    let (right, wrong) =
        (start(&Setup { settings, ..PLAIN }).await, start(&Setup { settings, bucket: careless, ..PLAIN }).await);
    let flags = ["--quick", "--wait-for-expiry"];
    let (right, wrong) = tokio::join!(right.check(&flags), wrong.check(&flags));
    assert_nothing_found(&right);
    assert!(right.names("ok").contains(&"url-expiry".to_owned()));
    assert_eq!((wrong.names("failed"), wrong.code), (vec!["url-expiry".to_owned()], Some(1)));
}

#[tokio::test]
async fn lines_have_verdict_name_reason_and_fix() {
    let server = start(&Setup { settings: &[("ALLOWED_CHECKSUMS", "sha256,none")], ..PLAIN }).await;
    let run = directput(&["check", "--quick", "--endpoint", &server.endpoint, "--origin", PAGE]).await;
    server.assert_no_secret(&run);
    assert!(run.stdout.starts_with("ok       api-reachable\n"), "{}", run.stdout);
    assert!(run.stdout.contains("\nwarning  checksum-required: "), "{}", run.stdout);
    assert!(run.stdout.contains("\n         fix: Remove none from the allowed algorithms"), "{}", run.stdout);
    assert!(run.stdout.contains(" 1 warning, 0 failed, "), "{}", run.stdout);
    for key in server.stored() {
        assert!(run.stdout.contains(&key), "{key}");
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer_fails() {
    let run = directput(&["check", "--json", "--endpoint", "http://u:p@127.0.0.1:9/uploads?key=secret"]).await;
    assert_eq!((run.code, run.names("failed")), (Some(1), vec!["api-reachable".to_owned()]));
    assert!(!run.stdout.contains("secret") && !run.stdout.contains("u:p"), "{}", run.stdout);
}

#[tokio::test]
async fn wrong_usage_exits_with_2() {
    let endpoint = ["check", "--endpoint", "http://127.0.0.1:9/uploads"];
    for flags in [
        &["check"][..],
        &[&endpoint[..], &["--origin", "app.example"]].concat(),
        &[&endpoint[..], &["--origin", "https://app.example/page"]].concat(),
        &[&endpoint[..], &["--header", "no colon"]].concat(),
        &[&endpoint[..], &["--unknown"]].concat(),
    ] {
        assert_eq!(directput(flags).await.code, Some(2), "{flags:?}");
    }
}

#[tokio::test]
async fn the_document_has_a_row_for_each_check() {
    let run = directput(&["check", "--json", "--endpoint", "http://127.0.0.1:9/uploads"]).await;
    let report: Value = serde_json::from_str(&run.stdout).unwrap();
    let mut names: Vec<_> =
        report["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    let document = std::fs::read_to_string("../docs/check.md").unwrap();
    let rows = document.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let mut rows: Vec<_> = rows.map(|(name, _)| name).collect();
    names.sort_unstable();
    rows.sort_unstable();
    assert_eq!(rows, names);
}
