//! The log of the function, with its metrics.

use std::io::Stderr;

use directput_server::host::log_as_json_to;

use crate::metrics::Metrics;

/// Starts the log: one JSON object per line on standard error. `RUST_LOG` sets the filter (default: `info`). If
/// `METRICS_STAGE` names a stage, such as `dev`, the log also has lines of metrics for that stage.
pub fn log_as_json() {
    let stage = std::env::var("METRICS_STAGE").ok();
    let metrics = stage.map(|stage| Metrics::new(stage, std::io::stderr as fn() -> Stderr));
    log_as_json_to(std::io::stderr, "info", metrics.map(|metrics| Box::new(metrics) as _));
}
