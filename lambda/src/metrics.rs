//! Metrics in CloudWatch's embedded metric format: lines of the log from which CloudWatch makes metrics (CloudWatch User
//! Guide, "Specification: Embedded metric format").
//!
//! The metrics follow from the events that are logged anyway, so calls know nothing of them.

use std::fmt::Debug;
use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;

/// Where CloudWatch keeps them.
const NAMESPACE: &str = "directput";

/// The status of the answer to an aborted upload, and to no other call.
const NO_CONTENT: u64 = 204;

/// Writes a line of metrics for each event that is to be counted.
#[derive(Debug)]
pub struct Metrics<W> {
    stage: String,
    writer: W,
}

impl<W> Metrics<W> {
    /// Metrics of a deployed stage, which go to its log.
    pub fn new(stage: impl Into<String>, writer: W) -> Self {
        Self { stage: stage.into(), writer }
    }

    /// The line for an event at this time, in milliseconds since 1970.
    fn line(&self, event: &Seen, now_ms: u64) -> Option<Value> {
        // Each metric is its name, its unit and its value.
        let (metrics, code) = match (event.message.as_str(), event.status, &event.code) {
            ("opened", ..) => (vec![("Opened", "Count", 1), ("OpenedBytes", "Bytes", event.size)], None),
            ("completed", ..) => (vec![("Completed", "Count", 1), ("CompletedBytes", "Bytes", event.size)], None),
            ("answered", NO_CONTENT, None) => (vec![("Aborted", "Count", 1)], None),
            ("answered", _, Some(code)) => (vec![("Refused", "Count", 1)], Some(code)),
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
        let mut seen = Seen::default();
        event.record(&mut seen);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        if let Some(line) = self.line(&seen, now.as_millis() as u64) {
            // What can't be written is lost, as a line of the log would be.
            let _ = writeln!(self.writer.make_writer(), "{line}");
        }
    }
}

/// What an event says, as far as it matters here.
#[derive(Debug, Default)]
struct Seen {
    message: String,
    code: Option<String>,
    status: u64,
    /// Of the file, in bytes.
    size: u64,
}

impl Visit for Seen {
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
