//! A call of the API to S3: the signed request, and the meaning of the answer.

use std::time::SystemTime;

use aws_credential_types::Credentials as SignerCredentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings, UriPathNormalizationMode,
    sign,
};
use aws_sigv4::sign::v4;
use bytes::Bytes;
use directput::protocol::ErrorCode;
use tracing::{info, warn};

use super::operation::COMPLETE;
use super::refusal::code_of_storage_error;
use super::{Credentials, xml};
use crate::error::ApiError;

/// Request that the host sends to S3.
pub type S3Request = http::Request<Bytes>;

/// S3's answer, or `None` if S3 did not answer in time or the connection failed.
pub type S3Reply = Option<http::Response<Bytes>>;

/// A call to S3 that is not signed yet.
pub(crate) struct S3Call {
    /// S3's name of the operation, for the log.
    pub(super) operation: &'static str,
    pub(super) method: &'static str,
    /// URL with the query.
    pub(super) url: String,
    /// Headers with lower-case names.
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl S3Call {
    /// Returns the request, signed in its headers (S3 API Reference, "Authenticating Requests: Using the Authorization
    /// Header"). The signature covers the body.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] if the request can't be signed.
    pub(crate) fn signed(
        self,
        region: &str,
        credentials: &Credentials,
        now: SystemTime,
    ) -> Result<S3Request, ApiError> {
        let operation = self.operation;
        self.try_signed(region, credentials, now).ok_or_else(|| unexpected(operation, "the call can't be signed"))
    }

    fn try_signed(self, region: &str, credentials: &Credentials, now: SystemTime) -> Option<S3Request> {
        let Credentials { access_key_id, secret_access_key, session_token } = credentials;
        let token = session_token.clone();
        let identity = SignerCredentials::new(access_key_id, secret_access_key, token, None, "directput").into();
        let mut settings = SigningSettings::default();
        // S3 percent-encodes a path once and does not normalise it.
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let builder = v4::SigningParams::builder().identity(&identity).region(region).name("s3").time(now);
        let params = builder.settings(settings).build().ok()?.into();
        let headers = self.headers.iter().map(|(name, value)| (*name, value.as_str()));
        let body = SignableBody::Bytes(self.body.as_bytes());
        let signable = SignableRequest::new(self.method, &self.url, headers, body).ok()?;
        let (instructions, _) = sign(signable, &params).ok()?.into_parts();
        let mut request = http::Request::builder().method(self.method).uri(&self.url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let mut request = request.body(Bytes::from(self.body)).ok()?;
        instructions.apply_to_request_http1x(&mut request);
        Some(request)
    }
}

/// Returns the body of a successful answer.
///
/// # Errors
/// The API's code for S3's error, see `code_of_storage_error`.
pub(super) fn body_of(operation: &'static str, reply: S3Reply) -> Result<Bytes, ApiError> {
    let Some(reply) = reply else { return Err(failure(operation, 0, xml::Refused::default(), None)) };
    let status = reply.status().as_u16();
    let is_good = reply.status().is_success() && !xml::is_error(reply.body());
    if is_good {
        return Ok(reply.into_body());
    }
    let header = reply.headers().get("x-amz-request-id").and_then(|id| id.to_str().ok());
    let request_id = header.map(str::to_owned);
    Err(failure(operation, status, xml::read(reply.body()).unwrap_or_default(), request_id))
}

/// Returns the error of a 200 whose body is not as expected. The connection may break before S3 sends the XML.
pub(super) fn cut_off(operation: &'static str) -> ApiError {
    failure(operation, 200, xml::Refused::default(), None)
}

pub(super) fn unexpected(operation: &'static str, detail: &'static str) -> ApiError {
    warn!(operation, detail, "the storage answered unexpectedly");
    ErrorCode::Internal.into()
}

/// Converts S3's error to the API's error and logs S3's code. S3's message is not logged, because it can contain keys
/// and URLs.
fn failure(operation: &'static str, status: u16, refused: xml::Refused, request_id: Option<String>) -> ApiError {
    let storage_code = refused.code.as_str();
    let code = code_of_storage_error(operation == COMPLETE, status, storage_code);
    let storage_request_id = request_id.or(refused.request_id).unwrap_or_default();
    if code == ErrorCode::Internal {
        warn!(operation, status, storage_code, storage_request_id, "the storage refused");
    } else {
        info!(operation, status, storage_code, storage_request_id, "the storage refused");
    }
    let detail = (code == ErrorCode::PartsRefused).then(|| storage_code.to_owned());
    ApiError { code, field: None, detail }
}
