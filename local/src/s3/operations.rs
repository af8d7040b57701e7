//! S3's operations on the [`Store`]. The crate `s3s` handles routes, XML and signatures.

use std::sync::Arc;

use directput::checksum::ChecksumAlgorithm as Algorithm;
use futures::TryStreamExt;
use s3s::dto::*;
use s3s::{S3, S3Error, S3Request, S3Response, S3Result, s3_error};
use tokio::io::{AsyncReadExt, AsyncSeekExt};
use tokio_util::io::ReaderStream;

use super::store::{Attributes, Claimed, Completion, Found, ListedPart, NewUpload, Record, Store, hex, receive};

/// S3's operations on one bucket.
#[derive(Debug, Clone)]
pub struct Operations(pub Arc<Store>);

fn claimed_checksum(
    sha256: Option<String>,
    sha1: Option<String>,
    crc32: Option<String>,
    crc32c: Option<String>,
    crc64nvme: Option<String>,
) -> Checksum {
    Checksum {
        checksum_sha256: sha256,
        checksum_sha1: sha1,
        checksum_crc32: crc32,
        checksum_crc32c: crc32c,
        checksum_crc64nvme: crc64nvme,
        ..Checksum::default()
    }
}

fn etag(text: &str) -> Option<ETag> {
    Some(ETag::Strong(text.to_owned()))
}

/// Returns the type of a record's checksum, or `None` if the record has no checksum.
fn checksum_type(sha256: Option<&str>, crc64nvme: Option<&str>) -> Option<ChecksumType> {
    let kind = match sha256.or(crc64nvme)?.contains('-') {
        true => ChecksumType::COMPOSITE,
        false => ChecksumType::FULL_OBJECT,
    };
    Some(ChecksumType::from_static(kind))
}

/// Returns S3's name of an algorithm, or `None` for an upload without checksums.
fn name_of(algorithm: Algorithm) -> Option<ChecksumAlgorithm> {
    match algorithm {
        Algorithm::Sha256 => Some(ChecksumAlgorithm::SHA256),
        Algorithm::Crc64nvme | Algorithm::Crc64nvmeAfter => Some(ChecksumAlgorithm::CRC64NVME),
        Algorithm::None => None,
    }
    .map(ChecksumAlgorithm::from_static)
}

fn write_once(condition: Option<&ETagCondition>) -> S3Result<bool> {
    match condition {
        None => Ok(false),
        Some(ETagCondition::Any) => Ok(true),
        Some(ETagCondition::ETag(_)) => Err(s3_error!(NotImplemented, "If-None-Match takes only * here")),
    }
}

fn metadata_of(found: &Found) -> Metadata {
    found.record.attributes.metadata.clone().into_iter().collect()
}

fn number_of(number: i32) -> S3Result<u32> {
    let number = u32::try_from(number).ok().and_then(directput::protocol::PartNumber::new);
    let refusal = || s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive");
    number.map(directput::protocol::PartNumber::get).ok_or_else(refusal)
}

/// Converts a length for S3's API, which uses `i64`. No file is longer than `i64::MAX` bytes (8 EiB).
fn length(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[async_trait::async_trait]
impl S3 for Operations {
    async fn put_object(&self, request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
        let input = request.input;
        let write_once = write_once(input.if_none_match.as_ref())?;
        let has_sha256 = input.checksum_sha256.is_some();
        let claimed = Claimed {
            length: input.content_length,
            md5: input.content_md5,
            adds_crc64nvme: false,
            checksum: claimed_checksum(
                input.checksum_sha256,
                input.checksum_sha1,
                input.checksum_crc32,
                input.checksum_crc32c,
                input.checksum_crc64nvme,
            ),
        };
        let received = receive(&self.0.incoming(), input.body, &claimed).await?;
        let record = Record {
            attributes: Attributes {
                content_type: input.content_type.map(|value| value.to_string()),
                content_disposition: input.content_disposition,
                content_encoding: input.content_encoding,
                cache_control: input.cache_control,
                metadata: input.metadata.unwrap_or_default().into_iter().collect(),
            },
            etag: hex(&received.md5),
            sha256: has_sha256.then(|| received.sha256.to_string()),
            crc64nvme: received.crc64nvme.clone(),
        };
        self.0.put(&input.key, received, &record, write_once).await?;
        Ok(S3Response::new(PutObjectOutput {
            e_tag: etag(&record.etag),
            checksum_type: checksum_type(record.sha256.as_deref(), record.crc64nvme.as_deref()),
            checksum_sha256: record.sha256,
            checksum_crc64nvme: record.crc64nvme,
            ..PutObjectOutput::default()
        }))
    }

    async fn create_multipart_upload(
        &self,
        request: S3Request<CreateMultipartUploadInput>,
    ) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
        let input = request.input;
        let requested = input.checksum_algorithm;
        let (algorithm, kind) = match requested.as_ref().map(ChecksumAlgorithm::as_str) {
            None => (Algorithm::None, None),
            Some(ChecksumAlgorithm::SHA256) => (Algorithm::Sha256, Some(ChecksumType::COMPOSITE)),
            Some(ChecksumAlgorithm::CRC64NVME) => (Algorithm::Crc64nvme, Some(ChecksumType::FULL_OBJECT)),
            Some(_) => {
                return Err(s3_error!(NotImplemented, "Parts are verified by SHA256 or CRC64NVME here, or not at all"));
            }
        };
        if input.checksum_type.as_ref().is_some_and(|requested| Some(requested.as_str()) != kind) {
            return Err(s3_error!(InvalidRequest, "This checksum type cannot be used with the checksum algorithm"));
        }
        let new = NewUpload {
            key: input.key.clone(),
            attributes: Attributes {
                content_type: input.content_type.map(|value| value.to_string()),
                content_disposition: input.content_disposition,
                content_encoding: input.content_encoding,
                cache_control: input.cache_control,
                metadata: input.metadata.unwrap_or_default().into_iter().collect(),
            },
            algorithm,
        };
        let id = self.0.create_upload(&new).await?;
        Ok(S3Response::new(CreateMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(id),
            checksum_algorithm: requested,
            checksum_type: kind.map(ChecksumType::from_static),
            ..CreateMultipartUploadOutput::default()
        }))
    }

    async fn upload_part(&self, request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
        let input = request.input;
        let number = number_of(input.part_number)?;
        let upload = self.0.upload(&input.key, &input.upload_id).await?;
        // A part of an upload with SHA-256 must have a checksum, because the object's checksum is composite. S3
        // computes a missing CRC64NVME itself.
        if upload.algorithm == Algorithm::Sha256 && input.checksum_sha256.is_none() {
            let expected = upload.algorithm.as_str();
            return Err(s3_error!(InvalidRequest, "Checksum Type mismatch occurred, expected {expected}, actual null"));
        }
        let claimed = Claimed {
            length: input.content_length,
            md5: input.content_md5,
            adds_crc64nvme: upload.algorithm == Algorithm::Crc64nvme,
            checksum: claimed_checksum(
                input.checksum_sha256.clone(),
                input.checksum_sha1,
                input.checksum_crc32,
                input.checksum_crc32c,
                input.checksum_crc64nvme,
            ),
        };
        let received = receive(&self.0.incoming(), input.body, &claimed).await?;
        let part = self.0.put_part(&input.key, &input.upload_id, number, received).await?;
        Ok(S3Response::new(UploadPartOutput {
            e_tag: etag(&part.etag),
            checksum_sha256: input.checksum_sha256,
            checksum_crc64nvme: part.crc64nvme,
            ..UploadPartOutput::default()
        }))
    }

    async fn list_parts(&self, request: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
        let input = request.input;
        let upload = self.0.upload(&input.key, &input.upload_id).await?;
        let marker = input.part_number_marker.unwrap_or(0);
        let page = input.max_parts.unwrap_or(1_000).clamp(0, 1_000);
        let mut rest: Vec<ListedPart> = self.0.parts(&input.key, &input.upload_id).await?;
        rest.retain(|part| i64::from(part.number) > i64::from(marker));
        let is_truncated = rest.len() > page.cast_unsigned() as usize;
        rest.truncate(page.cast_unsigned() as usize);
        let next = rest.last().map(|part| part.number.cast_signed());
        let part = |part: ListedPart| Part {
            part_number: Some(part.number.cast_signed()),
            size: Some(length(part.size)),
            e_tag: etag(&part.etag),
            checksum_sha256: (upload.algorithm == Algorithm::Sha256).then_some(part.sha256),
            checksum_crc64nvme: part.crc64nvme,
            ..Part::default()
        };
        Ok(S3Response::new(ListPartsOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            upload_id: Some(input.upload_id),
            part_number_marker: Some(marker),
            next_part_number_marker: next,
            max_parts: Some(page),
            is_truncated: Some(is_truncated),
            checksum_algorithm: name_of(upload.algorithm),
            parts: Some(rest.into_iter().map(part).collect()),
            ..ListPartsOutput::default()
        }))
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let uploads = self.0.uploads().await?.into_iter().map(|upload| MultipartUpload {
            key: Some(upload.key),
            upload_id: Some(upload.id),
            initiated: Some(upload.initiated.into()),
            ..MultipartUpload::default()
        });
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(request.input.bucket),
            uploads: Some(uploads.collect()),
            is_truncated: Some(false),
            ..ListMultipartUploadsOutput::default()
        }))
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.0.abort_upload(&request.input.key, &request.input.upload_id).await?;
        Ok(S3Response::new(AbortMultipartUploadOutput::default()))
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        let input = request.input;
        let parts = input.multipart_upload.and_then(|upload| upload.parts).unwrap_or_default();
        let parts = parts.into_iter().map(|part| {
            let number = number_of(part.part_number.unwrap_or_default())?;
            let checksum = part.checksum_sha256.or(part.checksum_crc64nvme);
            Ok((number, part.e_tag.map(ETag::into_value).unwrap_or_default(), checksum))
        });
        let size = input.mpu_object_size;
        let wanted = Completion {
            parts: parts.collect::<S3Result<_>>()?,
            sha256: input.checksum_sha256,
            crc64nvme: input.checksum_crc64nvme,
            size: size.map(|size| u64::try_from(size).map_err(|_| s3_error!(InvalidArgument))).transpose()?,
            write_once: write_once(input.if_none_match.as_ref())?,
        };
        let record = self.0.complete_upload(&input.key, &input.upload_id, &wanted).await?;
        Ok(S3Response::new(CompleteMultipartUploadOutput {
            bucket: Some(input.bucket),
            key: Some(input.key),
            e_tag: etag(&record.etag),
            checksum_type: checksum_type(record.sha256.as_deref(), record.crc64nvme.as_deref()),
            checksum_sha256: record.sha256,
            checksum_crc64nvme: record.crc64nvme,
            ..CompleteMultipartUploadOutput::default()
        }))
    }

    async fn get_object(&self, request: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
        let found = self.0.find(&request.input.key).await?;
        let range = match request.input.range {
            Some(range) => range.check(found.size)?,
            None => 0..found.size,
        };
        let mut file = tokio::fs::File::open(&found.path).await.map_err(S3Error::internal_error)?;
        file.seek(std::io::SeekFrom::Start(range.start)).await.map_err(S3Error::internal_error)?;
        let stream = ReaderStream::with_capacity(file.take(range.end - range.start), 256 << 10);
        let is_partial = range.end - range.start != found.size;
        let metadata = metadata_of(&found);
        let shows = request.input.checksum_mode.is_some() && !is_partial;
        let (sha256, crc64nvme) = (found.record.sha256.filter(|_| shows), found.record.crc64nvme.filter(|_| shows));
        Ok(S3Response::new(GetObjectOutput {
            body: Some(StreamingBlob::wrap(stream.map_ok(Into::into))),
            content_length: Some(length(range.end - range.start)),
            content_range: is_partial.then(|| format!("bytes {}-{}/{}", range.start, range.end - 1, found.size)),
            accept_ranges: Some("bytes".to_owned()),
            content_type: found.record.attributes.content_type.and_then(|text| text.parse().ok()),
            content_disposition: found.record.attributes.content_disposition,
            content_encoding: found.record.attributes.content_encoding,
            cache_control: found.record.attributes.cache_control,
            e_tag: etag(&found.record.etag),
            last_modified: Some(found.modified.into()),
            checksum_type: checksum_type(sha256.as_deref(), crc64nvme.as_deref()),
            checksum_sha256: sha256,
            checksum_crc64nvme: crc64nvme,
            metadata: Some(metadata),
            ..GetObjectOutput::default()
        }))
    }

    async fn head_object(&self, request: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
        let found = self.0.find(&request.input.key).await?;
        let metadata = metadata_of(&found);
        let shows = request.input.checksum_mode.is_some();
        let (sha256, crc64nvme) = (found.record.sha256.filter(|_| shows), found.record.crc64nvme.filter(|_| shows));
        Ok(S3Response::new(HeadObjectOutput {
            content_length: Some(length(found.size)),
            accept_ranges: Some("bytes".to_owned()),
            content_type: found.record.attributes.content_type.and_then(|text| text.parse().ok()),
            content_disposition: found.record.attributes.content_disposition,
            content_encoding: found.record.attributes.content_encoding,
            cache_control: found.record.attributes.cache_control,
            e_tag: etag(&found.record.etag),
            last_modified: Some(found.modified.into()),
            checksum_type: checksum_type(sha256.as_deref(), crc64nvme.as_deref()),
            checksum_sha256: sha256,
            checksum_crc64nvme: crc64nvme,
            metadata: Some(metadata),
            ..HeadObjectOutput::default()
        }))
    }

    async fn delete_object(&self, request: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
        let marker = self.0.delete(&request.input.key).await?;
        Ok(S3Response::new(DeleteObjectOutput {
            delete_marker: marker.is_some().then_some(true),
            version_id: marker,
            ..DeleteObjectOutput::default()
        }))
    }

    async fn put_bucket_versioning(
        &self,
        request: S3Request<PutBucketVersioningInput>,
    ) -> S3Result<S3Response<PutBucketVersioningOutput>> {
        let status = request.input.versioning_configuration.status;
        self.0.keep_markers(status.is_some_and(|status| status.as_str() == BucketVersioningStatus::ENABLED)).await?;
        Ok(S3Response::new(PutBucketVersioningOutput::default()))
    }

    async fn list_objects_v2(
        &self,
        request: S3Request<ListObjectsV2Input>,
    ) -> S3Result<S3Response<ListObjectsV2Output>> {
        let input = request.input;
        let after = input.continuation_token.clone().or(input.start_after).unwrap_or_default();
        let page = input.max_keys.unwrap_or(1_000).clamp(0, 1_000);
        let mut keys = self.0.keys(input.prefix.as_deref().unwrap_or_default()).await?;
        keys.retain(|key| *key > after);
        let is_truncated = keys.len() > page.cast_unsigned() as usize;
        keys.truncate(page.cast_unsigned() as usize);
        let next = keys.last().cloned().filter(|_| is_truncated);
        let mut contents = Vec::new();
        for key in keys {
            let found = self.0.find(&key).await?;
            contents.push(Object {
                key: Some(key),
                size: Some(length(found.size)),
                e_tag: etag(&found.record.etag),
                last_modified: Some(found.modified.into()),
                ..Object::default()
            });
        }
        Ok(S3Response::new(ListObjectsV2Output {
            name: Some(input.bucket),
            prefix: input.prefix,
            key_count: Some(contents.len() as i32),
            max_keys: Some(page),
            is_truncated: Some(is_truncated),
            next_continuation_token: next,
            contents: Some(contents),
            ..ListObjectsV2Output::default()
        }))
    }

    async fn head_bucket(&self, _: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
        Ok(S3Response::new(HeadBucketOutput::default()))
    }

    async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
        let bucket = s3s::dto::Bucket { name: Some(self.0.bucket().to_owned()), ..Default::default() };
        Ok(S3Response::new(ListBucketsOutput { buckets: Some(vec![bucket]), ..ListBucketsOutput::default() }))
    }
}
