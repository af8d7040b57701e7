//! Metrics for CloudWatch: which events are counted, and the form of their lines in the log.
#![allow(missing_docs, clippy::unwrap_used)]

#[path = "../../server/tests/fixture/mod.rs"]
mod fixture;

use std::io::Write;
use std::sync::{Arc, Mutex};

use directput_lambda::metrics::Metrics;
use fixture::*;
use serde_json::{Value, json};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;

/// S3's answer to a completion. A test replaces `SUM` by the checksum.
const COMPLETED: &str = "<CompleteMultipartUploadResult><ETag>e</ETag><ChecksumSHA256>SUM</ChecksumSHA256>\
                         </CompleteMultipartUploadResult>";

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Collects the metrics of this thread until the guard is dropped.
    fn begin() -> (Self, DefaultGuard) {
        let lines = Self::default();
        let writer = lines.clone();
        let metrics = Metrics::new("dev", move || writer.clone());
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(metrics));
        (lines, guard)
    }

    /// Returns the only line since the previous call, without its timestamp.
    #[track_caller]
    fn one(&self) -> Value {
        let text = String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap();
        let [line] = &text.lines().collect::<Vec<_>>()[..] else { panic!("one line: {text}") };
        let mut line: Value = serde_json::from_str(line).unwrap();
        let time = line["_aws"].as_object_mut().unwrap().remove("Timestamp").unwrap();
        assert!(time.as_u64().unwrap() > 1_700_000_000_000, "the timestamp is in milliseconds");
        line
    }
}

/// Returns a line in the embedded metric format.
fn emf(dimensions: Value, metrics: Value, values: Value) -> Value {
    let directive = json!({ "Namespace": "directput", "Dimensions": [dimensions], "Metrics": metrics });
    let mut line = json!({ "_aws": { "CloudWatchMetrics": [directive] }, "Stage": "dev" });
    line.as_object_mut().unwrap().extend(values.as_object().unwrap().clone());
    line
}

#[tokio::test]
async fn opened_completed_aborted_and_refused_uploads_are_counted() {
    let (lines, _guard) = Lines::begin();
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    let count_and_bytes =
        |name: &str| json!([{ "Name": name, "Unit": "Count" }, { "Name": format!("{name}Bytes"), "Unit": "Bytes" }]);
    let opened = json!({ "Opened": 1, "OpenedBytes": 20 << 20 });
    assert_eq!(lines.one(), emf(json!(["Stage"]), count_and_bytes("Opened"), opened));

    api.s3.answers(200, &COMPLETED.replace("SUM", &composite()));
    assert_eq!(api.post("/uploads/complete", &token, completion()).await.0, 200);
    let completed = json!({ "Completed": 1, "CompletedBytes": 20 << 20 });
    assert_eq!(lines.one(), emf(json!(["Stage"]), count_and_bytes("Completed"), completed));

    api.s3.answers(204, "");
    assert_eq!(api.call(("DELETE", "/uploads"), None, &token, Value::Null).await.0, 204);
    let aborted = json!([{ "Name": "Aborted", "Unit": "Count" }]);
    assert_eq!(lines.one(), emf(json!(["Stage"]), aborted, json!({ "Aborted": 1 })));

    let mut bad = small_file();
    bad["size"] = json!(-1);
    api.post("/uploads/batch", "", json!({ "uploads": [bad] })).await;
    let refused = lines.one();
    assert_eq!((&refused["Refused"], &refused["Code"]), (&json!(1), &json!("out-of-range")));

    api.post("/uploads", "", json!({ "my secret": 1 })).await;
    let refused = json!([{ "Name": "Refused", "Unit": "Count" }]);
    let values = json!({ "Refused": 1, "Code": "unknown-field" });
    assert_eq!(lines.one(), emf(json!(["Stage", "Code"]), refused, values));
}

#[tokio::test]
async fn signing_and_listing_are_not_counted() {
    let (lines, _guard) = Lines::begin();
    let api = Api::new().await;
    let token = api.token_of_three_parts().await;
    lines.one();
    assert_eq!(api.post("/uploads/parts", &token, json!({ "parts": [part(3, 4 << 20)] })).await.0, 200);
    assert!(lines.0.lock().unwrap().is_empty());
}

#[test]
fn the_log_has_metrics_only_if_a_stage_is_set() {
    const TEST: &str = "the_log_has_metrics_only_if_a_stage_is_set";
    const CHILD: &str = "METRICS_TEST_CHILD";
    if std::env::var_os(CHILD).is_some() {
        directput_lambda::log::log_as_json();
        return tracing::info!(size = 5_u64, "opened");
    }
    let logged = |stage: Option<&str>| {
        let mut child = std::process::Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", TEST, "--nocapture"]).env(CHILD, "1").env_remove("RUST_LOG").env_remove("METRICS_STAGE");
        let output = child.envs(stage.map(|stage| ("METRICS_STAGE", stage))).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stderr).unwrap()
    };
    let of_dev = logged(Some("dev"));
    assert!(of_dev.contains("\"OpenedBytes\":5") && of_dev.contains("\"Stage\":\"dev\""), "{of_dev}");
    assert!(!logged(None).contains("OpenedBytes"));
}
