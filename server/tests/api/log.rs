//! The log of a request. It has codes, names of fields and numbers, but no text of the client.

use std::io::Write;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use directput_server::host::{Caller, GatewayRequestId, RequestId, log_as_json_to};
use directput_server::object_key::hash_of_caller;
use serde_json::{Value, json};

use super::*;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    /// Returns the lines that were logged since the previous call.
    fn lines(&self) -> Vec<Value> {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// Environment variable that marks the child process of a test. Each test runs in its own process, because a process
/// has only one log and one value of `RUST_LOG`.
const CHILD: &str = "LOG_TEST_CHILD";

fn is_child() -> bool {
    std::env::var_os(CHILD).is_some()
}

/// Runs a test of this file in a child process with this `RUST_LOG`.
fn run(test: &str, level: Option<&str>) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", &format!("log::{test}"), "--nocapture"]).env(CHILD, "1").env_remove("RUST_LOG");
    child.envs(level.map(|level| ("RUST_LOG", level))).output().unwrap()
}

#[tokio::test]
async fn a_request_is_one_line_with_its_route_its_status_and_the_field_that_was_wrong() {
    if !is_child() {
        let output = run("a_request_is_one_line_with_its_route_its_status_and_the_field_that_was_wrong", None);
        return assert!(output.status.success(), "{output:?}");
    }
    let log = Log::default();
    let writer = log.clone();
    log_as_json_to(move || writer.clone(), "info", None);
    let api = Api::new().await;
    let line = async |method: &str, path: &str, body: Value| {
        let request = Request::builder().method(method).uri(path).header("content-type", "application/json");
        let request = request.extension(RequestId("request-1".to_owned())).body(Body::from(body.to_string())).unwrap();
        api.send(request).await;
        let [line] = &log.lines()[..] else { panic!("one line") };
        line.clone()
    };
    let logged = line("POST", "/uploads", json!({ "name": "", "type": "a/b", "size": 1 })).await;
    let fields = ["message", "level", "status", "code", "field"].map(|name| logged[name].clone());
    assert_eq!(fields, [json!("answered"), json!("INFO"), json!(400), json!("empty-field"), json!("name")]);
    let names = ["request_id", "method", "route"].map(|name| logged["span"][name].as_str().unwrap());
    assert_eq!(names, ["request-1", "POST", "/uploads"]);

    let logged = line("POST", "/uploads", json!({ "my secret": 1 })).await;
    assert_eq!(
        (&logged["code"], &logged["field"]),
        (&json!("unknown-field"), &Value::Null),
        "the log must not have the name of an unknown field"
    );
    let logged = line("POST", "/my-secret", Value::Null).await;
    assert_eq!((&logged["status"], &logged["span"]["route"]), (&json!(404), &json!("none")));
    for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        assert_eq!(line(method, "/", Value::Null).await["span"]["method"], method);
    }
    assert_eq!(line("password123", "/", Value::Null).await["span"]["method"], "other");
}

#[tokio::test]
async fn each_line_has_the_caller_the_key_and_the_ids_of_the_request() {
    const TEST: &str = "each_line_has_the_caller_the_key_and_the_ids_of_the_request";
    if !is_child() {
        let output = run(TEST, None);
        return assert!(output.status.success(), "{output:?}");
    }
    let log = Log::default();
    let writer = log.clone();
    log_as_json_to(move || writer.clone(), "info", None);
    let api = Api::new().await;
    api.s3.answers(200, CREATED);
    let (_, created) = api.call(("POST", "/uploads"), Some("alice@example.com"), "", large_file()).await;
    let token = created["token"].as_str().unwrap();
    let mut lines = log.lines();
    for (method, path) in &CALLS[1..] {
        let request = Request::builder().method(*method).uri(*path).header("content-type", "application/json");
        let request = request.header("upload-token", token).extension(RequestId("of-lambda".to_owned()));
        let request = request.extension(GatewayRequestId("of-gateway=".to_owned()));
        let request = request.extension(Caller(Some("alice@example.com".to_owned())));
        match *method {
            "GET" => api.s3.answers(404, ""),
            "DELETE" => api.s3.answers(204, ""),
            _ => {}
        }
        api.send(request.body(Body::from("{}")).unwrap()).await;
        let logged = log.lines();
        for line in &logged {
            let ids = ["request_id", "gateway_request_id"].map(|name| line["span"][name].as_str().unwrap());
            assert_eq!(ids, ["of-lambda", "of-gateway="], "{line}");
        }
        lines.extend(logged);
    }
    for line in &lines {
        assert_eq!(line["span"]["caller"], hash_of_caller("alice@example.com"), "{line}");
        assert_eq!(line["span"]["key"], created["key"], "{line}");
    }
    let messages: Vec<_> = lines.iter().map(|line| line["message"].as_str().unwrap()).collect();
    assert!(messages.contains(&"opened") && messages.contains(&"aborted"), "{messages:?}");

    api.post("/uploads", "", json!({})).await;
    let [anonymous] = &log.lines()[..] else { panic!("one line") };
    assert_eq!(["caller", "key"].map(|name| anonymous["span"].get(name).is_some()), [false, false], "{anonymous}");
}

#[tokio::test]
async fn an_unexpected_refusal_of_s3_is_logged_as_a_warning() {
    if !is_child() {
        let output = run("an_unexpected_refusal_of_s3_is_logged_as_a_warning", None);
        return assert!(output.status.success(), "{output:?}");
    }
    let log = Log::default();
    let writer = log.clone();
    log_as_json_to(move || writer.clone(), "info", None);
    let api = Api::new().await;
    for (status, code, level) in [(503, "SlowDown", "INFO"), (403, "AccessDenied", "WARN")] {
        api.s3.refuses(status, code);
        api.post("/uploads", "", large_file()).await;
        let logged = &log.lines()[0];
        let fields = ["message", "operation", "storage_code", "level"].map(|name| logged[name].as_str().unwrap());
        assert_eq!(fields, ["the storage refused", "CreateMultipartUpload", code, level]);
        assert_eq!(logged["status"], status);
    }
}

#[test]
fn the_log_goes_to_standard_error_filtered_by_rust_log() {
    if is_child() {
        log_as_json_to(std::io::stderr, "info", None);
        tracing::info!("a detail");
        tracing::warn!("a warning");
        return;
    }
    let logged = |level: Option<&str>| {
        let output = run("the_log_goes_to_standard_error_filtered_by_rust_log", level);
        let text = String::from_utf8(output.stderr).unwrap();
        ["a detail", "a warning"].map(|message| text.contains(&format!("\"message\":\"{message}\"")))
    };
    assert_eq!(logged(None), [true, true]);
    assert_eq!(logged(Some("warn")), [false, true]);
    assert_eq!(logged(Some("off")), [false, false]);
}
