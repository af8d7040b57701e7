//! A request to the API, and its answer, independent of any HTTP library.

use directput::protocol::{ErrorCode, Problem, REQUEST_ID_HEADER};
use serde::Serialize;

use crate::error::ApiError;
use crate::grant::Grant;

/// Maximum length of a body that opens one upload or asks for signatures, in bytes. A body with 1,000 parts fits.
const MAX_BODY_BYTES: usize = 256 << 10;

/// Maximum length of a body that opens a batch of uploads, in bytes. A body with 128 files of the longest names fits.
const MAX_BATCH_BODY_BYTES: usize = 1 << 20;

/// Maximum length of a body that completes an upload, in bytes. A body with 10,000 parts fits.
const MAX_COMPLETE_BODY_BYTES: usize = 3 << 20;

/// A request to the API.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Id of the request in the log and in the answer.
    pub id: &'a str,
    /// Name of the caller that the host has verified, or `None` if the caller is anonymous.
    pub caller: Option<&'a str>,
    /// Narrower rules for this request, or `None` for those of the deployment.
    pub grant: Option<&'a Grant>,
    /// HTTP method.
    pub method: &'a str,
    /// Path after the address at which the host offers the API, such as `/uploads/parts`.
    pub path: &'a str,
    /// Query without `?`.
    pub query: &'a str,
    /// Value of the header `Content-Type`.
    pub content_type: Option<&'a str>,
    /// Value of the header `Upload-Token`. A value that is not ASCII is passed as an empty text.
    pub token: Option<&'a str>,
    /// Body, or `None` if the body is longer than [`Route::max_body_bytes`].
    pub body: Option<&'a [u8]>,
}

/// A call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// `POST /uploads`
    Create,
    /// `POST /uploads/batch`
    CreateBatch,
    /// `POST /uploads/parts`
    Sign,
    /// `GET /uploads/parts`
    List,
    /// `POST /uploads/complete`
    Complete,
    /// `DELETE /uploads`
    Abort,
}

impl Route {
    const ALL: [(&'static str, &'static str, Self); 6] = [
        ("POST", "/uploads", Self::Create),
        ("POST", "/uploads/batch", Self::CreateBatch),
        ("POST", "/uploads/parts", Self::Sign),
        ("GET", "/uploads/parts", Self::List),
        ("POST", "/uploads/complete", Self::Complete),
        ("DELETE", "/uploads", Self::Abort),
    ];

    /// Returns the call with this method and path.
    ///
    /// # Errors
    /// [`ErrorCode::NotFound`] if no call has this path; [`ErrorCode::MethodNotAllowed`] if none has this method.
    pub fn of(method: &str, path: &str) -> Result<Self, ErrorCode> {
        // An answer to HEAD is an answer to GET without the body (RFC 9110, section 9.3.2).
        let method = if method == "HEAD" { "GET" } else { method };
        let mut known = Self::ALL.into_iter().filter(|(_, of, _)| *of == path).peekable();
        known.peek().ok_or(ErrorCode::NotFound)?;
        known.find(|(of, ..)| *of == method).map(|(.., route)| route).ok_or(ErrorCode::MethodNotAllowed)
    }

    /// Returns the path of the call `path`, for the log. Returns `none` if no call has this path, because the log must
    /// contain no text of the client.
    pub fn path_for_log(path: &str) -> &'static str {
        Self::ALL.into_iter().find(|(_, of, _)| *of == path).map_or("none", |(_, of, _)| of)
    }

    /// Returns the methods of the calls with this path, for the header `Allow`.
    fn methods_of(path: &str) -> String {
        let methods = Self::ALL.into_iter().filter(|(_, of, _)| *of == path);
        methods.map(|(method, ..)| if method == "GET" { "GET,HEAD" } else { method }).collect::<Vec<_>>().join(",")
    }

    /// Returns the maximum length of the body, in bytes.
    pub fn max_body_bytes(self) -> usize {
        match self {
            Self::Create | Self::Sign => MAX_BODY_BYTES,
            Self::CreateBatch => MAX_BATCH_BODY_BYTES,
            Self::Complete => MAX_COMPLETE_BODY_BYTES,
            Self::List | Self::Abort => 0,
        }
    }
}

/// An answer of the API.
#[derive(Debug, Clone)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// Headers with lower-case names.
    pub headers: Vec<(&'static str, String)>,
    /// Body: JSON, or empty.
    pub body: Vec<u8>,
    /// Error of a refused request, for the host's log. The body has the same error.
    pub error: Option<ApiError>,
}

impl Answer {
    /// Returns an answer without a body.
    pub(crate) fn empty(id: &str) -> Self {
        Self::new(id, 204, None, Vec::new())
    }

    /// Returns an answer with this body.
    pub(crate) fn json(id: &str, status: u16, body: &impl Serialize) -> Self {
        match serde_json::to_vec(body) {
            Ok(body) => Self::new(id, status, Some("application/json"), body),
            Err(_) => Self::refused(id, ErrorCode::Internal.into()),
        }
    }

    /// Returns the answer to a refused request: a problem document (RFC 9457).
    pub fn refused(id: &str, error: ApiError) -> Self {
        let problem = Problem {
            detail: error.detail.clone(),
            field: error.field.clone(),
            ..Problem::new(error.code, id.to_owned())
        };
        let body = serde_json::to_vec(&problem).unwrap_or_default();
        let answer = Self::new(id, error.code.status(), Some("application/problem+json"), body);
        Self { error: Some(error), ..answer }
    }

    /// Adds the header `Allow` if the method was refused (RFC 9110, section 15.5.6).
    pub(crate) fn with_allowed_methods(mut self, path: &str) -> Self {
        if self.error.as_ref().is_some_and(|error| error.code == ErrorCode::MethodNotAllowed) {
            self.headers.push(("allow", Route::methods_of(path)));
        }
        self
    }

    fn new(id: &str, status: u16, content_type: Option<&'static str>, body: Vec<u8>) -> Self {
        let mut headers = vec![
            (REQUEST_ID_HEADER, id.to_owned()),
            // Answers contain tokens and URLs, which caches must not store.
            ("cache-control", "no-store".to_owned()),
            ("x-content-type-options", "nosniff".to_owned()),
        ];
        headers.extend(content_type.map(|content_type| ("content-type", content_type.to_owned())));
        Self { status, headers, body, error: None }
    }
}
