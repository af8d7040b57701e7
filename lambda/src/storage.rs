//! The bucket: presigned PUTs, and the calls that open, list, complete and abort a multipart upload.

use std::collections::HashMap;
use std::time::{Duration, SystemTime};

use aws_sdk_s3::Client;
use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Credentials, ProvideCredentials, RequestChecksumCalculation, SharedCredentialsProvider};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::operation::RequestId;
use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::types::{self, ChecksumType, CompletedMultipartUpload, CompletedPart};
use directput::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use directput::plan::Part;
use directput::protocol::{
    self, ContentType, ErrorCode, Headers, PartNumber, PartsListed, SignedPart, StoredPart, UploadCompleted,
};
use tracing::{info, warn};

use crate::error::ApiError;
use crate::refusal::code_of_storage_error;
use crate::sign::{Request, Signer, Signing};

/// Value of the signed header `Content-Encoding`. S3 stores this header with the object and returns it to readers, even
/// if the header is not signed. Without a signed value, a client could send `gzip`, and readers would decode the object
/// to bytes that no checksum has verified.
const CONTENT_ENCODING: &str = "identity";

/// Name of the user metadata that holds the file's name.
const NAME_METADATA: &str = "name";

/// Header of a PUT that sets the metadata `NAME_METADATA`.
const NAME_HEADER: &str = "x-amz-meta-name";

/// Key of a URL that the SDK signs at the start. [`Signer`] takes the bucket's address from that URL.
const PROBE_KEY: &str = "uploads/probe";

/// Timeout of a call to S3, including retries by the SDK. It is 5 s shorter than API Gateway's timeout (API Gateway
/// Developer Guide, "Quotas for HTTP API"), so that the client gets an answer of this API and retries. S3 can take
/// minutes to join thousands of parts. A repeated completion succeeds after the parts are joined.
const CALL_TIMEOUT: Duration = Duration::from_secs(25);

/// Number of parts in a page of S3's list (S3 API Reference, "ListParts").
const PARTS_PER_PAGE: i32 = 1_000;

/// A bucket, with the client that calls S3 and the signers of its presigned URLs.
#[derive(Debug)]
pub struct Storage {
    client: Client,
    bucket: String,
    credentials: SharedCredentialsProvider,
    /// One signer for each lane. The first is the default lane's. Never empty.
    signers: Vec<Signer>,
    /// Id of the AWS account that must own the bucket. `None`: any account.
    owner: Option<String>,
}

/// Key and headers of an object.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// Key.
    pub key: &'a str,
    /// Media type.
    pub content_type: &'a ContentType,
    /// Percent-encoded name of the user's file.
    pub name: Option<&'a str>,
    /// Value of `Content-Disposition`. The value `attachment` prevents browsers from running an uploaded HTML file
    /// under the bucket's host name.
    pub disposition: &'a str,
}

impl Object<'_> {
    /// Returns the user metadata of the object: the file's name.
    fn metadata(&self) -> Option<HashMap<String, String>> {
        self.name.map(|name| HashMap::from([(NAME_METADATA.to_owned(), name.to_owned())]))
    }
}

/// Target of a presigned PUT.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// A whole object. S3 refuses the PUT if an object with this key exists.
    Object(Object<'a>),
    /// A part of a multipart upload.
    Part {
        /// Key of the object.
        key: &'a str,
        /// S3's upload id.
        upload_id: &'a str,
    },
}

/// Signs a batch of PUTs.
pub struct Batch<'a>(Signing<'a>);

impl Batch<'_> {
    /// Signs the PUT of a part, or of an object that consists of one part. S3 accepts only bytes that have the part's
    /// length and, if `checksum` is given, this checksum. The URL expires after `lifetime`.
    pub fn sign(
        &self,
        target: Target<'_>,
        part: Part,
        checksum: Option<&PartChecksum>,
        lifetime: Duration,
    ) -> SignedPart {
        let length = part.length.to_string();
        let number = part.number.get().to_string();
        let checksum = checksum.map(|checksum| {
            let name = match checksum {
                PartChecksum::Sha256(_) => "x-amz-checksum-sha256",
                PartChecksum::Crc64Nvme(_) => "x-amz-checksum-crc64nvme",
            };
            (name, checksum.to_string())
        });
        let checksum = checksum.as_ref().map(|(name, value)| (*name, value.as_str()));
        let length = ("content-length", length.as_str());
        let (operation, key, query, headers) = match target {
            Target::Part { key, upload_id } => {
                let query = vec![("partNumber", number.as_str()), ("uploadId", upload_id)];
                ("UploadPart", key, query, [Some(length), checksum].into_iter().flatten().collect::<Vec<_>>())
            }
            Target::Object(Object { key, content_type, name, disposition }) => {
                let headers = [
                    Some(("content-disposition", disposition)),
                    Some(("content-encoding", CONTENT_ENCODING)),
                    Some(length),
                    Some(("content-type", content_type.as_str())),
                    Some(("if-none-match", "*")),
                    checksum,
                    name.map(|name| (NAME_HEADER, name)),
                ];
                ("PutObject", key, Vec::new(), headers.into_iter().flatten().collect())
            }
        };
        let url = self.0.url(&Request { operation, key, query: &query, headers: &headers, lifetime });
        // The client is not given Content-Length, because browsers set this header and forbid scripts to set it.
        let sent = headers.iter().filter(|(name, _)| *name != length.0);
        let headers: Headers = sent.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        SignedPart { number: part.number, url, headers, expires_in_seconds: lifetime.as_secs() }
    }
}

impl Storage {
    /// Returns a bucket with this configuration and these credentials.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] if the SDK can't sign for the bucket because credentials or region are missing.
    pub async fn open(
        config: aws_sdk_s3::config::Builder,
        credentials: impl ProvideCredentials + 'static,
        bucket: &str,
    ) -> Result<Self, ApiError> {
        let credentials = SharedCredentialsProvider::new(credentials);
        let config = config
            .credentials_provider(credentials.clone())
            // By default, the SDK adds a CRC32 header to the PUTs that it signs. The clients do not send this header.
            .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
            .timeout_config(TimeoutConfig::builder().operation_timeout(CALL_TIMEOUT).build())
            .build();
        let client = Client::from_conf(config);
        let signers = vec![signer_of(&client, bucket).await?];
        Ok(Self { client, bucket: bucket.to_owned(), credentials, signers, owner: None })
    }

    /// Sets the id of the AWS account that must own the bucket. S3 refuses calls if another account owns the bucket.
    pub fn owned_by(self, account: Option<String>) -> Self {
        Self { owner: account, ..self }
    }

    /// Returns the same bucket with one lane for each of `configs`. The first is the default lane. If `configs` is
    /// empty, the bucket keeps its lanes.
    ///
    /// # Errors
    /// The errors of [`Self::open`].
    pub async fn with_lanes(
        self,
        configs: impl IntoIterator<Item = aws_sdk_s3::config::Builder>,
    ) -> Result<Self, ApiError> {
        let mut signers = Vec::new();
        for config in configs {
            let config = config.credentials_provider(self.credentials.clone()).build();
            signers.push(signer_of(&Client::from_conf(config), &self.bucket).await?);
        }
        Ok(if signers.is_empty() { self } else { Self { signers, ..self } })
    }

    /// Returns the number of lanes, at least 1.
    pub fn lane_count(&self) -> u32 {
        self.signers.len() as u32
    }

    /// Begins to sign for a lane at the current time. Signs for the default lane if `lane` is unknown, because the
    /// client may have the number from an earlier configuration.
    ///
    /// # Errors
    /// [`ErrorCode::StorageUnavailable`] if there are no credentials; [`ErrorCode::Internal`] if the clock is out of
    /// range.
    pub async fn batch(&self, lane: u32) -> Result<Batch<'_>, ApiError> {
        let credentials: Credentials = self
            .credentials
            .provide_credentials()
            .await
            .map_err(|_| ApiError::from(ErrorCode::StorageUnavailable))
            .inspect_err(|_| warn!("there are no credentials to sign with"))?;
        let signer = self.signers.get(lane as usize).unwrap_or(&self.signers[0]);
        let signing = signer.begin(&credentials, SystemTime::now());
        signing.map(Batch).ok_or_else(|| unexpected("sign", "the clock is out of range"))
    }

    /// Opens a multipart upload and returns its id.
    ///
    /// # Errors
    /// The API's code for S3's error, see `code_of_storage_error`.
    pub async fn create(&self, object: Object<'_>, algorithm: ChecksumAlgorithm) -> Result<String, ApiError> {
        let (algorithm, checksum_type) = of_s3(algorithm).unzip();
        let request = self
            .client
            .create_multipart_upload()
            .bucket(&self.bucket)
            .set_expected_bucket_owner(self.owner.clone())
            .key(object.key)
            .content_type(object.content_type.as_str())
            .content_disposition(object.disposition)
            .set_checksum_algorithm(algorithm)
            .set_checksum_type(checksum_type)
            .set_metadata(object.metadata());
        let reply = request.send().await.map_err(|error| failure("create", &error))?;
        reply.upload_id.ok_or_else(|| unexpected("create", "the reply has no upload id"))
    }

    /// Returns one page of the parts that S3 has stored, beginning after the part `after`.
    ///
    /// # Errors
    /// The API's code for S3's error, see `code_of_storage_error`.
    pub async fn list(&self, key: &str, upload_id: &str, after: Option<PartNumber>) -> Result<PartsListed, ApiError> {
        let request = self
            .client
            .list_parts()
            .bucket(&self.bucket)
            .set_expected_bucket_owner(self.owner.clone())
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
                    checksum: part.checksum_sha256().or(part.checksum_crc64_nvme()).map(str::to_owned),
                })
            })
            .collect();
        let next = parts.last().map(|part| part.number).filter(|_| reply.is_truncated() == Some(true));
        Ok(PartsListed { parts, next })
    }

    /// Completes a multipart upload of `size` bytes. S3 checks each part and the size, and does not overwrite an
    /// object. This function checks that S3's answer has the checksum `checksum`.
    ///
    /// A completion may be repeated: S3 answers a repeated completion as the first.
    ///
    /// # Errors
    /// [`ErrorCode::PartsRefused`] if the object has another checksum; otherwise the API's code for S3's error, see
    /// `code_of_storage_error`.
    pub async fn complete(
        &self,
        key: &str,
        upload_id: &str,
        size: u64,
        parts: &[protocol::CompletedPart],
        checksum: Option<&ObjectChecksum>,
    ) -> Result<UploadCompleted, ApiError> {
        let parts = parts.iter().map(|part| {
            let builder =
                CompletedPart::builder().part_number(part.number.get().cast_signed()).e_tag(part.etag.as_str());
            match part.checksum {
                Some(PartChecksum::Sha256(digest)) => builder.checksum_sha256(digest.to_string()),
                Some(PartChecksum::Crc64Nvme(checksum)) => builder.checksum_crc64_nvme(checksum.to_string()),
                None => builder,
            }
            .build()
        });
        let request = self
            .client
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .set_expected_bucket_owner(self.owner.clone())
            .key(key)
            .upload_id(upload_id)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build())
            .mpu_object_size(signed(size))
            .if_none_match("*");
        // The request does not contain a composite checksum, because servers disagree on its form (Garage refuses the
        // suffix `-N`). S3 computes the composite checksum from the digests of the parts. The reply is checked below.
        let request = match checksum {
            Some(ObjectChecksum::Crc64Nvme(checksum)) => {
                request.checksum_crc64_nvme(checksum.to_string()).checksum_type(ChecksumType::FullObject)
            }
            Some(ObjectChecksum::Composite(_)) | None => request,
        };
        let reply = request.send().await.map_err(|error| failure("complete", &error))?;
        let missing = || unexpected("complete", "the reply lacks the entity tag or the checksum");
        // If the upload has no checksums, S3 answers with a CRC64NVME. The API does not return this CRC64NVME, because
        // the client has no value to compare with.
        let computed = match checksum {
            Some(ObjectChecksum::Composite(_)) => Some(reply.checksum_sha256().ok_or_else(missing)?.to_owned()),
            Some(ObjectChecksum::Crc64Nvme(_)) => Some(reply.checksum_crc64_nvme().ok_or_else(missing)?.to_owned()),
            None => None,
        };
        // S3 answers a repeated completion with the existing object's checksum, even if the request has another
        // checksum.
        if computed != checksum.map(ObjectChecksum::to_string) {
            return Err(ErrorCode::PartsRefused.into());
        }
        Ok(UploadCompleted {
            key: key.to_owned(),
            etag: bare(reply.e_tag().ok_or_else(missing)?),
            checksum: computed,
            size,
        })
    }

    /// Aborts a multipart upload and removes its parts. Succeeds if the upload does not exist.
    ///
    /// # Errors
    /// The API's code for S3's error, see `code_of_storage_error`.
    pub async fn abort(&self, key: &str, upload_id: &str) -> Result<(), ApiError> {
        let request = self.client.abort_multipart_upload().bucket(&self.bucket).key(key).upload_id(upload_id);
        let request = request.set_expected_bucket_owner(self.owner.clone());
        match request.send().await.map_err(|error| failure("abort", &error)) {
            Err(error) if error.code != ErrorCode::UploadGone => Err(error),
            _ => Ok(()),
        }
    }
}

/// Converts a length for S3's API, which uses `i64`. All lengths are far below its maximum.
fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

fn bare(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// Returns S3's names of an algorithm and of the type of the object's checksum. Returns `None` for an upload without
/// checksums.
fn of_s3(algorithm: ChecksumAlgorithm) -> Option<(types::ChecksumAlgorithm, ChecksumType)> {
    match algorithm {
        ChecksumAlgorithm::Sha256 => Some((types::ChecksumAlgorithm::Sha256, ChecksumType::Composite)),
        ChecksumAlgorithm::Crc64nvme | ChecksumAlgorithm::Crc64nvmeAfter => {
            Some((types::ChecksumAlgorithm::Crc64Nvme, ChecksumType::FullObject))
        }
        ChecksumAlgorithm::None => None,
    }
}

async fn signer_of(client: &Client, bucket: &str) -> Result<Signer, ApiError> {
    let presigning = PresigningConfig::expires_in(Duration::from_secs(1));
    let presigning = presigning.map_err(|_| unexpected("sign", "the lifetime is out of range"))?;
    let probe = client.put_object().bucket(bucket).key(PROBE_KEY).presigned(presigning).await;
    let probe = probe.map_err(|error| failure("sign", &error))?;
    Signer::like(probe.uri(), PROBE_KEY)
        .ok_or_else(|| unexpected("sign", "the SDK's URLs are not of the expected form"))
}

fn unexpected(operation: &'static str, detail: &'static str) -> ApiError {
    warn!(operation, detail, "the storage answered unexpectedly");
    ErrorCode::Internal.into()
}

/// Converts S3's error to the API's error and logs S3's code. S3's message is not logged, because it can contain keys
/// and URLs.
fn failure<E: ProvideErrorMetadata + std::fmt::Debug>(
    operation: &'static str,
    error: &SdkError<E, HttpResponse>,
) -> ApiError
where
    SdkError<E, HttpResponse>: RequestId,
{
    let storage_code = error.code().unwrap_or_default();
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    let code = code_of_storage_error(operation == "complete", status, storage_code);
    let storage_request_id = error.request_id().unwrap_or_default();
    if code == ErrorCode::Internal {
        warn!(operation, status, storage_code, storage_request_id, "the storage refused");
    } else {
        info!(operation, status, storage_code, storage_request_id, "the storage refused");
    }
    let detail = (code == ErrorCode::PartsRefused).then(|| storage_code.to_owned());
    ApiError { code, field: None, detail }
}
