//! The bucket: presigned PUTs, and the calls that open, list, complete and abort a multipart upload.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::RequestChecksumCalculation;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::presigning::{PresignedRequest, PresigningConfig};
use aws_sdk_s3::types::{ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart};
use directput::checksum::{CompositeChecksum, Sha256Digest};
use directput::plan::Part;
use directput::protocol::{
    self, ContentType, ErrorCode, PartNumber, PartsListed, SignedPart, StoredPart, UploadCompleted,
};
use tracing::{info, warn};

use crate::error::ApiError;

/// Objects are downloaded, never shown: nobody's HTML runs under the bucket's name.
const CONTENT_DISPOSITION: &str = "attachment";

/// The user metadata that keeps the file's name.
const NAME_METADATA: &str = "name";

/// S3 lists as many parts in a page (S3 API Reference, "ListParts").
const PARTS_PER_PAGE: i32 = 1_000;

/// A bucket and the client that signs for it.
#[derive(Debug, Clone)]
pub struct Storage {
    client: Client,
    bucket: String,
}

/// Where an object goes and what it is, as S3 keeps it.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// Its key.
    pub key: &'a str,
    /// Its media type.
    pub content_type: &'a ContentType,
    /// The percent-encoded name that its user knows it by.
    pub name: Option<&'a str>,
}

impl Object<'_> {
    /// What S3 keeps with it in the user's words.
    fn metadata(&self) -> Option<HashMap<String, String>> {
        self.name.map(|name| HashMap::from([(NAME_METADATA.to_owned(), name.to_owned())]))
    }
}

impl Storage {
    /// A bucket, reached with this configuration.
    pub fn new(config: aws_sdk_s3::config::Builder, bucket: &str) -> Self {
        // By default the SDK adds a CRC32, and a URL would ask for a header that no browser sends.
        let config = config.request_checksum_calculation(RequestChecksumCalculation::WhenRequired).build();
        Self { client: Client::from_conf(config), bucket: bucket.to_owned() }
    }

    /// Signs the one PUT of a small file: these bytes, once.
    pub async fn presign_object(
        &self,
        object: Object<'_>,
        part: Part,
        checksum: &Sha256Digest,
        lifetime: Duration,
    ) -> Result<SignedPart, ApiError> {
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(object.key)
            .content_type(object.content_type.as_str())
            .content_disposition(CONTENT_DISPOSITION)
            .content_length(signed(part.length))
            .checksum_sha256(checksum.to_string())
            .if_none_match("*")
            .set_metadata(object.metadata());
        let presigned = request.presigned(presigning(lifetime)?).await;
        signed_part(part.number, presigned, lifetime)
    }

    /// Signs the PUT of one part: these bytes.
    pub async fn presign_part(
        &self,
        key: &str,
        upload_id: &str,
        part: Part,
        checksum: &Sha256Digest,
        lifetime: Duration,
    ) -> Result<SignedPart, ApiError> {
        let request = self
            .client
            .upload_part()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .part_number(part.number.get().cast_signed())
            .content_length(signed(part.length))
            .checksum_sha256(checksum.to_string());
        let presigned = request.presigned(presigning(lifetime)?).await;
        signed_part(part.number, presigned, lifetime)
    }

    /// Opens a multipart upload and says its id.
    pub async fn create(&self, object: Object<'_>) -> Result<String, ApiError> {
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(object.key)
            .content_type(object.content_type.as_str())
            .content_disposition(CONTENT_DISPOSITION)
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_type(ChecksumType::Composite)
            .set_metadata(object.metadata());
        let reply = request.send().await.map_err(|error| failure("create", &error))?;
        reply.upload_id.ok_or_else(|| unexpected("create", "the reply has no upload id"))
    }

    /// Lists the parts that S3 holds, one page behind `after`.
    pub async fn list(&self, key: &str, upload_id: &str, after: Option<PartNumber>) -> Result<PartsListed, ApiError> {
        let request = self
            .client
            .list_parts()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .max_parts(PARTS_PER_PAGE)
            .set_part_number_marker(after.map(|number| number.get().to_string()));
        let reply = request.send().await.map_err(|error| failure("list", &error))?;
        let parts: Vec<StoredPart> = reply
            .parts()
            .iter()
            .filter_map(|part| {
                Some(StoredPart {
                    number: PartNumber::new(part.part_number()?.cast_unsigned())?,
                    size: part.size()?.cast_unsigned(),
                    etag: bare(part.e_tag()?),
                    checksum: part.checksum_sha256()?.to_owned(),
                })
            })
            .collect();
        let next = parts.last().map(|part| part.number).filter(|_| reply.is_truncated() == Some(true));
        Ok(PartsListed { parts, next })
    }

    /// Joins the parts to the object; S3 checks each part, the composite and the size, and keeps an
    /// object that is there already.
    ///
    /// Repeating it is harmless: S3 answers the repeated completion of a finished upload as the first.
    pub async fn complete(
        &self,
        key: &str,
        upload_id: &str,
        size: u64,
        parts: &[protocol::CompletedPart],
        checksum: &CompositeChecksum,
    ) -> Result<UploadCompleted, ApiError> {
        let parts = parts.iter().map(|part| {
            CompletedPart::builder()
                .part_number(part.number.get().cast_signed())
                .e_tag(part.etag.as_str())
                .checksum_sha256(part.checksum.to_string())
                .build()
        });
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(key)
            .upload_id(upload_id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build())
            .checksum_sha256(checksum.to_string())
            .checksum_type(ChecksumType::Composite)
            .mpu_object_size(signed(size))
            .if_none_match("*");
        let reply = request.send().await.map_err(|error| failure("complete", &error))?;
        let missing = || unexpected("complete", "the reply lacks the entity tag or the checksum");
        Ok(UploadCompleted {
            key: key.to_owned(),
            etag: bare(reply.e_tag().ok_or_else(missing)?),
            checksum: reply.checksum_sha256().ok_or_else(missing)?.to_owned(),
            size,
        })
    }

    /// Removes an open upload and all its parts. One that is gone already is no failure.
    pub async fn abort(&self, key: &str, upload_id: &str) -> Result<(), ApiError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload_id);
        match request.send().await.map_err(|error| failure("abort", &error)) {
            Err(error) if error.code != ErrorCode::UploadGone => Err(error),
            _ => Ok(()),
        }
    }
}

/// S3's API takes lengths as i64; all of ours are far below.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn bare(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

fn presigning(lifetime: Duration) -> Result<PresigningConfig, ApiError> {
    PresigningConfig::expires_in(lifetime).map_err(|_| unexpected("sign", "the lifetime is out of range"))
}

fn signed_part<E: ProvideErrorMetadata + std::fmt::Debug>(
    number: PartNumber,
    presigned: Result<PresignedRequest, SdkError<E, HttpResponse>>,
    lifetime: Duration,
) -> Result<SignedPart, ApiError>
where
    SdkError<E, HttpResponse>: RequestId,
{
    let request = presigned.map_err(|error| failure("sign", &error))?;
    let headers: BTreeMap<String, String> = request
        .headers()
        // Browsers set it themselves and refuse scripts that try.
        .filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(SignedPart { number, url: request.uri().to_owned(), headers, expires_in_seconds: lifetime.as_secs() })
}

fn unexpected(operation: &'static str, detail: &'static str) -> ApiError {
    warn!(operation, detail, "the storage answered unexpectedly");
    ErrorCode::Internal.into()
}

/// Turns S3's refusal into ours. Its message stays in the log's reach only as a code: messages can
/// hold keys and URLs.
fn failure<E: ProvideErrorMetadata + std::fmt::Debug>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> ApiError
where
    SdkError<E, HttpResponse>: RequestId,
{
    let storage_code = error.code().unwrap_or_default();
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let code = match (status, storage_code) {
        (404, _) | (_, "NoSuchUpload") => ErrorCode::UploadGone,
        (0 | 409 | 429 | 500..=599, _) => ErrorCode::StorageUnavailable,
        // The key is new and belongs to this upload, so what is there is what an earlier completion made.
        (412, _) if operation == "complete" => ErrorCode::AlreadyComplete,
        (400, _) if operation == "complete" => ErrorCode::PartsRefused,
        _ => ErrorCode::Internal,
    };
    let storage_request_id = error.request_id().unwrap_or_default();
    if code == ErrorCode::Internal {
        warn!(operation, status, storage_code, storage_request_id, "the storage refused");
    } else {
        info!(operation, status, storage_code, storage_request_id, "the storage refused");
    }
    let detail = (code == ErrorCode::PartsRefused).then(|| storage_code.to_owned());
    ApiError { code, field: None, detail }
}
