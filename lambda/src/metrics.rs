//! Metrics in CloudWatch's embedded metric format: lines of the log from which CloudWatch extracts metrics (CloudWatch
//! User Guide, "Specification: Embedded metric format").
//!
//! The metrics are derived from log events, so the handlers of the API's calls contain no code for metrics.

use std::fmt::Debug;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

/// CloudWatch namespace of the metrics.
const NAMESPACE: &str = "directput";

/// HTTP status of the answer to an abort. No other call is answered with this status.
const NO_CONTENT: u64 = 204;

/// Layer of the log that writes a line of metrics for each upload that is opened, completed or aborted, and for each
/// refusal.
#[derive(Debug)]
pub struct Metrics<W> {
    stage: String,
    writer: W,
}

impl<W> Metrics<W> {
    /// Returns a layer that writes the metrics of a deployed stage, such as `dev`, to `writer`.
    pub fn new(stage: impl Into<String>, writer: W) -> Self {
        Self { stage: stage.into(), writer }
    }

    /// Returns the line for an event, or `None` if the event is not counted. `now_ms` is in milliseconds since 1970.
    fn line(&self, event: &EventFields, now_ms: u64) -> Option<Value> {
        // Each metric has a name, a unit and a value.
        let (metrics, code) = match (event.message.as_str(), event.status, &event.code) {
            ("opened", ..) => (vec![("Opened", "Count", 1), ("OpenedBytes", "Bytes", event.size)], None),
            ("completed", ..) => (vec![("Completed", "Count", 1), ("CompletedBytes", "Bytes", event.size)], None),
            ("answered", NO_CONTENT, None) => (vec![("Aborted", "Count", 1)], None),
            // "refused" is the event of one refused file of a batch.
            ("answered" | "refused", _, Some(code)) => (vec![("Refused", "Count", 1)], Some(code)),
            _ => return None,
        };
        let dimensions = if code.is_some() { json!([["Stage", "Code"]]) } else { json!([["Stage"]]) };
        let units: Vec<_> = metrics.iter().map(|(name, unit, _)| json!({ "Name": name, "Unit": unit })).collect();
        let directive = json!({ "Namespace": NAMESPACE, "Dimensions": dimensions, "Metrics": units });
        let mut line =
            json!({ "_aws": { "Timestamp": now_ms, "CloudWatchMetrics": [directive] }, "Stage": self.stage });
        for (name, _, value) in metrics {
            line[name] = json!(value);
        }
        if let Some(code) = code {
            line["Code"] = json!(code);
        }
        Some(line)
    }
}

impl<S: Subscriber, W: for<'w> MakeWriter<'w> + 'static> Layer<S> for Metrics<W> {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Some(line) = self.line(&fields, now.as_millis() as u64) {
            // If writing fails, the line is lost, but the request must not fail.
            let _ = writeln!(self.writer.make_writer(), "{line}");
        }
    }
}

/// Fields of an event that metrics are derived from.
#[derive(Debug, Default)]
struct EventFields {
    message: String,
    code: Option<String>,
    status: u64,
    /// Size of the file, in bytes.
    size: u64,
}

impl Visit for EventFields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "code" {
            self.code = Some(value.to_owned());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        match field.name() {
            "status" => self.status = value,
            "size" => self.size = value,
            _ => {}
        }
    }
}
