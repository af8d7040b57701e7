//! Random requests cause no panic and no 5xx. The API makes no call to S3 for a refused request.
//!
//! `FUZZ_INPUTS` sets the number of requests (default: 20,000). `FUZZ_SEED` sets the seed (default: 1). `make fuzz`
//! sends a million requests.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod requests;
mod storage;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::to_bytes;
use axum::http::{HeaderMap, StatusCode};
use directput::checksum::{ChecksumAlgorithm, Sha256Digest};
use directput::protocol::{ContentType, ErrorCode, FileSize};
use directput_server::download::DownloadNames;
use directput_server::host::{Host, Keyring, fixed, log_as_json_to, router};
use directput_server::token::{NewUpload, TokenKeys};
use directput_server::{Api, Bucket, Config, Credentials};
use proptest::test_runner::{Config as Runs, RngAlgorithm, TestRng, TestRunner};
use requests::{Tokens, input};
use serde_json::Value;
use tower::ServiceExt;

const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap())
}

fn tokens() -> Tokens {
    let keys = TokenKeys::new(KEY, None, storage::BUCKET).unwrap();
    let seal = |caller: Option<&str>, size: u64, upload: Option<&str>| {
        let bytes = upload.is_none().then(|| Sha256Digest::of(b"x").into());
        let new = NewUpload {
            key: "uploads/11111111-1111-4111-8111-111111111111.png".to_owned(),
            upload: upload.map(str::to_owned),
            size: FileSize::new(size).unwrap(),
            part_bytes: if upload.is_some() { 8 << 20 } else { size },
            content_type: ContentType::parse("image/png").unwrap(),
            name: None,
            algorithm: ChecksumAlgorithm::Sha256,
            bytes,
            caller: caller.map(str::to_owned),
        };
        keys.seal(new, Duration::from_secs(86_400), SystemTime::now()).unwrap()
    };
    // Each caller has a token of a multipart upload and a token of a single PUT.
    let of = |caller| [seal(caller, 20 << 20, Some("id")), seal(caller, 1_000, None)];
    Tokens([of(Some("alice")), of(None)].concat())
}

/// Writes the log to a file. `tests/logs` searches the file for text that a log must not have.
fn keep_log() {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("logs");
    std::fs::create_dir_all(&folder).unwrap();
    let file = std::fs::File::options().create(true).append(true).open(folder.join("fuzz.log")).unwrap();
    log_as_json_to(std::sync::Mutex::new(file), "info", None);
}

#[test]
fn no_request_makes_the_api_fail() {
    keep_log();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (send, calls) = storage::open();
    let download_names = DownloadNames::Inline;
    let config = Config { max_file_bytes: 1 << 40, download_names, ..Config::for_bucket(storage::BUCKET) };
    let keys = Keyring::fixed(TokenKeys::new(KEY, None, storage::BUCKET).unwrap());
    let [access_key_id, secret_access_key] = ["AKIDFUZZED", "secret"].map(str::to_owned);
    let credentials = fixed(Credentials { access_key_id, secret_access_key, session_token: None });
    let bucket = Bucket::in_aws(storage::BUCKET, "eu-central-1", &[]);
    let api = Api { config, bucket, daily_limits: None };
    let api: Router = router(Host { api, keys, credentials, send, count: None });
    let tokens = tokens();
    let seen = Mutex::new(BTreeMap::<(u16, String), usize>::new());

    let (count, seed) = (number("FUZZ_INPUTS", 20_000), number("FUZZ_SEED", 1));
    let runs = Runs { cases: u32::try_from(count).unwrap(), failure_persistence: None, ..Runs::default() };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let mut runner = TestRunner::new_with_rng(runs, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&input(), |input| {
        let before = calls.load(Ordering::Relaxed);
        let request = input.request(&tokens);
        let is_head = request.method() == "HEAD";
        let (status, headers, body) = runtime.block_on(async {
            let reply = api.clone().oneshot(request).await.unwrap();
            let (parts, body) = reply.into_parts();
            (parts.status, parts.headers, to_bytes(body, usize::MAX).await.unwrap())
        });
        let asked = calls.load(Ordering::Relaxed) - before;
        let code = match status.is_success() {
            true => check_answer(&body),
            false => {
                assert_eq!(asked, 0, "a request that was refused with {status} caused a call to S3");
                if is_head { String::new() } else { check_problem(status, &headers, &body) }
            }
        };
        assert!(asked <= 1, "{asked} calls to S3 for one request");
        *seen.lock().unwrap().entry((status.as_u16(), code)).or_default() += 1;
        Ok(())
    });
    let seen = seen.into_inner().unwrap();
    println!("{count} inputs of seed {seed}, {} answers of S3", calls.load(Ordering::Relaxed));
    for ((status, code), times) in &seen {
        println!("{times:>8}  {status} {code}");
    }
    outcome.unwrap_or_else(|error| panic!("{error}"));
    // If all requests were refused, the fuzzer would test only the first checks.
    let accepted: usize = seen.iter().filter(|((status, _), _)| *status < 300).map(|(_, times)| times).sum();
    assert!(accepted as u64 > count / 20, "{accepted} of {count} were accepted");
    assert!(seen.len() > 20, "{} kinds of answers", seen.len());
}

/// Checks that a refusal is a problem document (RFC 9457) with a known code, and returns the code.
fn check_problem(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> String {
    assert!(status.is_client_error(), "{status}: {}", String::from_utf8_lossy(body));
    assert_eq!(headers["content-type"], "application/problem+json", "{status}");
    let problem: Value = serde_json::from_slice(body).unwrap();
    let code = problem["code"].as_str().unwrap();
    let listed: ErrorCode = serde_json::from_value(problem["code"].clone()).unwrap();
    assert_eq!((listed.as_str(), listed.status()), (code, status.as_u16()));
    assert!(!problem["requestId"].as_str().unwrap().is_empty());
    code.to_owned()
}

/// Checks that each signed URL has a key of the API's form below `uploads/`, and a lifetime within the range. Returns
/// an empty text, because a success has no error code.
fn check_answer(body: &[u8]) -> String {
    let Ok(reply) = serde_json::from_slice::<Value>(body) else { return String::new() };
    let of_batch = reply["uploads"].as_array().into_iter().flatten();
    for part in of_batch.chain([&reply]).filter_map(|reply| reply["parts"].as_array()).flatten() {
        let Some(url) = part["url"].as_str() else { continue };
        if let Some(disposition) = part["headers"]["content-disposition"].as_str() {
            storage::check_disposition(disposition);
        }
        let prefix = format!("https://s3.eu-central-1.amazonaws.com/{}/uploads/", storage::BUCKET);
        let host = format!("https://{}.s3.eu-central-1.amazonaws.com/uploads/", storage::BUCKET);
        let rest = url.strip_prefix(&host).or_else(|| url.strip_prefix(&prefix)).expect(url);
        let (key, query) = rest.split_once('?').unwrap();
        let is_sound = |byte: u8| byte.is_ascii_digit() || byte.is_ascii_lowercase() || b"-./".contains(&byte);
        assert!(key.bytes().all(is_sound) && !key.contains("..") && key.len() >= 36, "{key}");
        let lifetime: u64 = query.split("X-Amz-Expires=").nth(1).unwrap().split('&').next().unwrap().parse().unwrap();
        assert!((60..=300).contains(&lifetime), "{lifetime} s");
    }
    String::new()
}
