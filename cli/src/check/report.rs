//! Outcomes of checks, and their lines on the screen.

use std::collections::HashSet;

use serde::Serialize;
use serde_json::{Value, json};

use super::names::ALL;

/// Outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The servers do what the protocol says.
    Ok,
    /// Uploads work, but something is less secure, slower or harder to diagnose than it should be.
    Warning,
    /// Uploads fail, or a request that must be refused is accepted.
    Failed,
    /// The check could not be made, or does not apply.
    Skipped,
}

impl Verdict {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

/// A check and its outcome. No field has a URL with its query, a token or a value of `--header`.
#[derive(Debug, Serialize)]
pub struct Check {
    /// Name, as in `docs/check.md`.
    pub name: &'static str,
    /// Outcome.
    pub verdict: Verdict,
    /// What was seen. `None` if the verdict is [`Verdict::Ok`].
    pub reason: Option<String>,
    /// What to change. `None` unless the verdict is [`Verdict::Warning`] or [`Verdict::Failed`].
    pub fix: Option<String>,
}

/// Outcome of a check other than [`Verdict::Ok`].
#[derive(Debug)]
pub enum Finding {
    /// See [`Verdict::Warning`].
    Warning { reason: String, fix: String },
    /// See [`Verdict::Failed`].
    Failed { reason: String, fix: String },
    /// See [`Verdict::Skipped`].
    Skipped { reason: String },
}

/// Outcome of a check. `Ok` is [`Verdict::Ok`].
pub type Found = Result<(), Finding>;

/// Returns the finding that uploads fail, or that a server accepts what it must refuse.
pub fn failed(reason: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding::Failed { reason: reason.into(), fix: fix.into() }
}

/// Returns the finding that uploads work with a drawback.
pub fn warning(reason: impl Into<String>, fix: impl Into<String>) -> Finding {
    Finding::Warning { reason: reason.into(), fix: fix.into() }
}

/// Returns the finding that a check does not apply or could not be made.
pub fn skipped(reason: impl Into<String>) -> Finding {
    Finding::Skipped { reason: reason.into() }
}

impl Check {
    fn new(name: &'static str, found: Found) -> Self {
        let (verdict, reason, fix) = match found {
            Ok(()) => (Verdict::Ok, None, None),
            Err(Finding::Warning { reason, fix }) => (Verdict::Warning, Some(reason), Some(fix)),
            Err(Finding::Failed { reason, fix }) => (Verdict::Failed, Some(reason), Some(fix)),
            Err(Finding::Skipped { reason }) => (Verdict::Skipped, Some(reason), None),
        };
        Self { name, verdict, reason, fix }
    }
}

/// An object that the check leaves in the bucket.
#[derive(Debug, Clone, Serialize)]
pub struct Left {
    /// Key.
    pub key: String,
    /// Length in bytes.
    pub bytes: u64,
}

/// All checks of a run.
#[derive(Debug)]
pub struct Report {
    checks: Vec<Check>,
    prints: bool,
}

impl Report {
    /// Returns an empty report. If `prints` is set, each check is printed when it is added.
    pub fn new(prints: bool) -> Self {
        Self { checks: Vec::new(), prints }
    }

    /// Adds the outcome of a check. `name` is one of [`ALL`].
    pub fn add(&mut self, name: &'static str, found: Found) {
        debug_assert!(ALL.contains(&name) && self.checks.iter().all(|check| check.name != name), "{name}");
        let check = Check::new(name, found);
        if self.prints {
            print_check(&check);
        }
        self.checks.push(check);
    }

    /// Adds a skipped check for each of `names`.
    pub fn skip(&mut self, names: &[&'static str], reason: &str) {
        names.iter().for_each(|name| self.add(name, Err(skipped(reason))));
    }

    /// Adds a skipped check for each name of [`ALL`] that the report lacks.
    pub fn skip_rest(&mut self, reason: &str) {
        let added: HashSet<_> = self.checks.iter().map(|check| check.name).collect();
        let rest: Vec<_> = ALL.iter().copied().filter(|name| !added.contains(name)).collect();
        self.skip(&rest, reason);
    }

    /// Returns whether a check has failed.
    pub fn has_failed(&self) -> bool {
        self.count(Verdict::Failed) > 0
    }

    fn count(&self, verdict: Verdict) -> usize {
        self.checks.iter().filter(|check| check.verdict == verdict).count()
    }

    /// Prints what is left behind and the number of checks by verdict, or everything as one JSON object.
    pub fn print_end(&self, endpoint: &str, origin: &str, left: &[Left]) {
        if !self.prints {
            print_line(&self.to_json(endpoint, origin, left).to_string());
            return;
        }
        let of = |verdict| format!("{} {}", self.count(verdict), Verdict::as_str(verdict));
        let counts = [Verdict::Ok, Verdict::Warning, Verdict::Failed, Verdict::Skipped].map(of);
        print_line("");
        print_line(&format!("{endpoint}, page {origin}: {}", counts.join(", ")));
        match left {
            [] => print_line("Nothing was left in the bucket."),
            objects => {
                print_line("Left in the bucket:");
                objects.iter().for_each(|Left { key, bytes }| print_line(&format!("  {key} ({bytes} bytes)")));
            }
        }
    }

    fn to_json(&self, endpoint: &str, origin: &str, left: &[Left]) -> Value {
        let failed = self.has_failed();
        json!({ "endpoint": endpoint, "origin": origin, "failed": failed, "checks": self.checks, "left": left })
    }
}

fn print_check(Check { name, verdict, reason, fix }: &Check) {
    let reason = reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
    print_line(&format!("{:<8} {name}{reason}", verdict.as_str()));
    if let Some(fix) = fix {
        print_line(&format!("{:<8} fix: {fix}", ""));
    }
}

#[expect(clippy::print_stdout, reason = "the report goes to standard output")]
fn print_line(line: &str) {
    println!("{line}");
}
