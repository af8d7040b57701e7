//! The keys that sign requests to S3.

use std::fmt;

/// Access key of an AWS account or of another S3 server.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Access key id.
    pub access_key_id: String,
    /// Secret access key.
    pub secret_access_key: String,
    /// Session token of temporary keys.
    pub session_token: Option<String>,
}

impl Credentials {
    /// Returns the credentials in the environment variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and, for
    /// temporary keys, `AWS_SESSION_TOKEN`. Returns `None` if one of the first two is not set. `get` returns the value
    /// of a variable.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let get = |name| get(name).filter(|value| !value.is_empty());
        Some(Self {
            access_key_id: get("AWS_ACCESS_KEY_ID")?,
            secret_access_key: get("AWS_SECRET_ACCESS_KEY")?,
            session_token: get("AWS_SESSION_TOKEN"),
        })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("access_key_id", &self.access_key_id).finish_non_exhaustive()
    }
}
