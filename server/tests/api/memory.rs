//! Memory that a completion takes. The Lambda function has 256 MB, so a hostile body must not use much memory.

use std::fs::read_to_string;
use std::process::Command;

use directput::checksum::CompositeChecksum;
use directput::plan::{DEFAULT_PART_BYTES, MAX_PARTS};
use serde_json::{Value, json};

use super::*;

const MIB: u64 = 1 << 20;

/// Environment variable that marks the child process of a test. Each test runs in its own process, because the
/// operating system reports the peak memory of a whole process.
const CHILD: &str = "MEMORY_TEST_CHILD";

/// Returns the peak memory of this process, in bytes (Linux, proc(5), `VmHWM`).
fn peak() -> u64 {
    let status = read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().strip_suffix(" kB").unwrap().parse::<u64>().unwrap() * 1_024
}

/// Runs a test of this file in a child process, and returns `true`. Returns `false` in the child process.
fn run_alone(test: &str) -> bool {
    if std::env::var_os(CHILD).is_some() {
        return false;
    }
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", &format!("memory::{test}"), "--nocapture"]).env(CHILD, "1").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    print!("{}", String::from_utf8_lossy(&output.stdout));
    true
}

async fn complete(api: &Api, token: &str, body: String) -> Answer {
    let request = Request::builder().method("POST").uri("/uploads/complete").header("content-type", "application/json");
    api.send(request.header("upload-token", token).body(Body::from(body)).unwrap()).await
}

#[tokio::test]
async fn an_invalid_body_takes_little_more_memory_than_its_text() {
    if run_alone("an_invalid_body_takes_little_more_memory_than_its_text") {
        return;
    }
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    let good = format!("{},", stored(1));
    for (start, item, code, field) in [
        ("{\"parts\":[", "0,", "wrong-type", json!("parts[0]")),
        ("{\"parts\":[", "[],", "wrong-type", json!("parts[0]")),
        ("{\"parts\":[", "{},", "missing-field", json!("parts[0].number")),
        ("{\"parts\":[", &good, "too-many-parts", json!("parts")),
        ("{\"parts\":", "[", "wrong-type", json!("parts[0]")),
        ("{\"checksum\":[", "0,", "wrong-type", json!("checksum")),
        ("{\"more\":[", "0,", "unknown-field", json!("more")),
        ("", "[", "wrong-type", Value::Null),
    ] {
        let before = peak();
        let body = [start, &item.repeat((3 << 20) / item.len() - start.len())].concat();
        refused(&complete(&api, &token, body).await, 400, code, field);
        let grown = peak().saturating_sub(before);
        assert!(grown < 8 * MIB, "{start}{item}: {grown} bytes");
    }
}

#[tokio::test]
async fn a_completion_of_10_000_parts_takes_a_tenth_of_the_functions_memory() {
    if run_alone("a_completion_of_10_000_parts_takes_a_tenth_of_the_functions_memory") {
        return;
    }
    let api = Api::with(|config| config.max_file_bytes = 1 << 40).await;
    api.s3.answers(200, CREATED);
    let size = u64::from(MAX_PARTS) * DEFAULT_PART_BYTES;
    let (_, created) = api.post("/uploads", "", json!({ "name": "film", "type": "a/b", "size": size })).await;
    assert_eq!(created["partCount"], MAX_PARTS, "{created}");
    let parts: Vec<_> = (1..=MAX_PARTS)
        .map(|number| format!("{{\"number\":{number},\"etag\":\"{}\",\"checksum\":\"{}\"}}", "e".repeat(32), digest()))
        .collect();
    let composite = CompositeChecksum::of(&vec![digest(); MAX_PARTS as usize]).to_string();
    let body = format!("{{\"parts\":[{}],\"checksum\":\"{composite}\"}}", parts.join(","));
    drop(parts);
    let reply = format!("<ETag>\"e\"</ETag><ChecksumSHA256>{composite}</ChecksumSHA256>");
    api.s3.answers(200, &format!("<CompleteMultipartUploadResult>{reply}</CompleteMultipartUploadResult>"));
    let (length, before) = (body.len(), peak());
    let (status, answer) = complete(&api, created["token"].as_str().unwrap(), body).await;
    assert_eq!((status, &answer["checksum"]), (200, &json!(composite)), "{answer}");
    let grown = peak().saturating_sub(before);
    println!("a completion of {MAX_PARTS} parts: {length} bytes, {} KiB of memory", grown >> 10);
    assert!(grown < 25 * MIB, "{grown} bytes");
}
