//! How a refused request looks on its way out. The words are put together in one place, `log.rs`,
//! where the request's id is known.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use directput::protocol::ErrorCode;

/// A refused request: its code, and the field that was wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// The stable code.
    pub code: ErrorCode,
    /// The field, such as `parts[2].length`.
    pub field: Option<String>,
    /// What was wrong with it. Never a URL, a token or a file's name.
    pub detail: Option<String>,
}

impl ApiError {
    /// A refusal because of one field.
    pub fn field(code: ErrorCode, field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { code, field: Some(field.into()), detail: Some(detail.into()) }
    }

    /// A refusal with more to say than its code does.
    pub fn detail(code: ErrorCode, detail: impl Into<String>) -> Self {
        Self { code, field: None, detail: Some(detail.into()) }
    }
}

impl From<ErrorCode> for ApiError {
    fn from(code: ErrorCode) -> Self {
        Self { code, field: None, detail: None }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response =
            StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR).into_response();
        response.extensions_mut().insert(self);
        response
    }
}
