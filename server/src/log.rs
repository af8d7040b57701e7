//! Fields that the handlers add to the log lines of the current request. The host opens the span.

use tracing::Span;

use crate::object_key::hash_of_caller;

/// Adds a hash of the caller to all further log lines of the current request.
pub(crate) fn log_caller(caller: &str) {
    Span::current().record("caller", hash_of_caller(caller));
}

/// Adds the object's key to all further log lines of the current request.
pub(crate) fn log_key(key: &str) {
    Span::current().record("key", key);
}
