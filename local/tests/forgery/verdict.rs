//! Checks that forged requests have not changed the bucket.

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

    /// Checks that no forgery was accepted, and that the bucket has not changed. `count` is the number of forgeries.
    pub async fn after(self, kind: &str, count: usize, accepted: &[(String, u16)]) {
        println!("{kind}: {count} forgeries, {} accepted", accepted.len());
        assert_eq!(accepted, []);
        assert_eq!(self.server.keys().await, self.keys, "{kind}: the objects have not changed");
        assert_eq!(self.server.open_uploads().await, self.uploads, "{kind}: the open uploads have not changed");
    }
}
