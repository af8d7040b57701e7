//! Checks that forgeries have changed nothing.

use std::collections::BTreeSet;

use crate::common::Running;

/// Contents of the bucket before the forgeries.
pub struct Verdict<'a> {
    server: &'a Running,
    keys: BTreeSet<String>,
    uploads: usize,
}

impl<'a> Verdict<'a> {
    pub async fn before(server: &'a Running) -> Self {
        Self { server, keys: server.keys().await, uploads: server.open_uploads().await }
    }

    /// Checks that none of `count` forgeries was accepted, and that the bucket has not changed.
    pub async fn after(self, kind: &str, count: usize, accepted: &[(String, u16)]) {
        println!("{kind}: {count} forgeries, {} accepted", accepted.len());
        assert_eq!(accepted, []);
        assert_eq!(self.server.keys().await, self.keys, "{kind}: no object more or less");
        assert_eq!(self.server.open_uploads().await, self.uploads, "{kind}: no upload more or less");
    }
}
