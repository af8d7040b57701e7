//! Rows of planted misconfigurations, and the checks that must find each.

use futures::StreamExt;

use crate::proxy::{Fault, HONEST};
use crate::world::{Setup, start};

/// A planted misconfiguration.
#[derive(Clone, Copy)]
pub struct Row {
    pub name: &'static str,
    pub api: Fault,
    pub bucket: Fault,
    pub settings: &'static [(&'static str, &'static str)],
    pub auth: Option<&'static str>,
    pub lanes: u8,
    pub flags: &'static [&'static str],
    /// All checks that fail, in alphabetical order.
    pub failed: &'static [&'static str],
    /// All checks that warn, in alphabetical order.
    pub warns: &'static [&'static str],
    /// Text in the reason or the fix of one of these checks.
    pub says: &'static str,
    /// Whether uploads in parts are checked.
    pub is_full: bool,
}

/// A row without a fault, whose run checks no uploads in parts.
pub const ROW: Row = Row {
    name: "",
    api: HONEST,
    bucket: HONEST,
    settings: &[],
    auth: None,
    lanes: 1,
    flags: &[],
    failed: &[],
    warns: &[],
    says: "",
    is_full: false,
};

/// A row without a fault, whose run checks everything.
pub const FULL: Row = Row { is_full: true, ..ROW };

/// Number of rows that run at once.
const AT_ONCE: usize = 3;

/// Runs the check for each row, and compares the checks that failed or warned with the row's.
pub async fn find_all(rows: &[Row]) {
    let all = futures::stream::iter(rows.iter().copied()).map(find).buffer_unordered(AT_ONCE);
    let wrong: Vec<_> = all.filter_map(async |outcome| outcome).collect().await;
    assert!(wrong.is_empty(), "{} of {} rows:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

/// Returns what is wrong with the report of a row.
async fn find(row: Row) -> Option<String> {
    let Row { api, bucket, settings, auth, lanes, .. } = row;
    let server = start(&Setup { api, bucket, settings, auth, lanes }).await;
    let quick: &[&str] = if row.is_full { &[] } else { &["--quick"] };
    let run = server.check(&[quick, row.flags].concat()).await;
    let (failed, warns) = (run.checks("failed"), run.checks("warning"));
    let names = |checks: &std::collections::BTreeMap<String, String>| checks.keys().cloned().collect::<Vec<_>>();
    let code = i32::from(!row.failed.is_empty());
    let says = failed.values().chain(warns.values()).any(|text| text.contains(row.says));
    let is_right = names(&failed) == row.failed && names(&warns) == row.warns && run.code == Some(code) && says;
    (!is_right).then(|| format!("{}: code {:?}, failed {failed:#?}, warnings {warns:#?}", row.name, run.code))
}
