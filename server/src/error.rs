//! Error of a refused request.

use directput::protocol::ErrorCode;

/// Error of a refused request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// Stable code for programs.
    pub code: ErrorCode,
    /// Field that is wrong, such as `parts[2].length`.
    pub field: Option<String>,
    /// Explanation for developers. Never contains a URL, a token or a file's name.
    pub detail: Option<String>,
}

impl ApiError {
    /// Returns an error about one field.
    pub fn field(code: ErrorCode, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, field: Some(field.into()), detail: Some(detail.into()) }
    }

    /// Returns the name of the field for the log. Returns `None` for an unknown field, because its name is text of the
    /// client, which the log must not contain.
    pub(crate) fn loggable_field(&self) -> Option<&str> {
        self.field.as_deref().filter(|_| self.code != ErrorCode::UnknownField)
    }

    /// Returns an error with an explanation and without a field.
    pub fn detail(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, field: None, detail: Some(detail.into()) }
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self { code, field: None, detail: None }
    }
}
