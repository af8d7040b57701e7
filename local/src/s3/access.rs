//! Access rules of S3 that the crate `s3s` does not check.

use s3s::access::{S3Access, S3AccessContext};
use s3s::{S3Result, s3_error};

/// Maximum lifetime of a presigned URL, in seconds (S3 API Reference, "Authenticating Requests: Using Query
/// Parameters").
const MAX_EXPIRES_SECONDS: u64 = 604_800;

/// Refuses unsigned requests, presigned URLs with a lifetime that is too long, and requests for other buckets.
#[derive(Debug)]
pub struct AccessRules {
    /// The only bucket of the server.
    pub bucket: String,
}

#[async_trait::async_trait]
impl S3Access for AccessRules {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        if context.credentials().is_none() {
            return Err(s3_error!(AccessDenied));
        }
        let query = context.uri().query().unwrap_or_default();
        let expires = query.split('&').find_map(|pair| pair.strip_prefix("X-Amz-Expires="));
        if expires.is_some_and(|text| text.parse().map_or(true, |seconds: u64| seconds > MAX_EXPIRES_SECONDS)) {
            return Err(s3_error!(AuthorizationQueryParametersError, "X-Amz-Expires must be less than a week"));
        }
        match context.s3_path().get_bucket_name() {
            Some(name) if name != self.bucket => Err(s3_error!(NoSuchBucket)),
            _ => Ok(()),
        }
    }
}
