//! The four calls of the API to S3: opening, listing, completing and aborting a multipart upload.

use directput::checksum::{ChecksumAlgorithm, ObjectChecksum};
use directput::protocol::{CompletedPart, ErrorCode, PartNumber, PartsListed, StoredPart, UploadCompleted};
use percent_encoding::utf8_percent_encode;

use super::call::{S3Call, S3Reply, body_of, cut_off, unexpected};
use super::put::NAME_HEADER;
use super::sign::UNRESERVED;
use super::{Bucket, Object, xml};
use crate::error::ApiError;

/// S3's names of the calls. The log has them.
const CREATE: &str = "CreateMultipartUpload";
const LIST: &str = "ListParts";
pub(super) const COMPLETE: &str = "CompleteMultipartUpload";
const ABORT: &str = "AbortMultipartUpload";

/// Number of parts in a page of S3's list (S3 API Reference, "ListParts").
const PARTS_PER_PAGE: u32 = 1_000;

impl Bucket {
    fn call(&self, operation: &'static str, method: &'static str, key: &str, query: &str) -> S3Call {
        let url = format!("{}?{query}", self.api.url_of(key));
        let owner = self.owner.iter().map(|owner| ("x-amz-expected-bucket-owner", owner.clone()));
        S3Call { operation, method, url, headers: owner.collect(), body: String::new() }
    }

    /// Returns the call that opens a multipart upload.
    pub(crate) fn create(&self, object: Object<'_>, algorithm: ChecksumAlgorithm) -> S3Call {
        let mut call = self.call(CREATE, "POST", object.key, "uploads");
        call.headers.push(("content-type", object.content_type.as_str().to_owned()));
        call.headers.push(("content-disposition", object.disposition.to_owned()));
        if let Some((algorithm, checksum_type)) = of_s3(algorithm) {
            call.headers.push(("x-amz-checksum-algorithm", algorithm.to_owned()));
            call.headers.push(("x-amz-checksum-type", checksum_type.to_owned()));
        }
        if let Some(name) = object.name {
            call.headers.push((NAME_HEADER, name.to_owned()));
        }
        call
    }

    /// Returns the call that lists one page of the stored parts, beginning after the part `after`.
    pub(crate) fn list(&self, key: &str, upload_id: &str, after: Option<PartNumber>) -> S3Call {
        let id = utf8_percent_encode(upload_id, UNRESERVED);
        let marker = after.map_or(String::new(), |number| format!("&part-number-marker={}", number.get()));
        self.call(LIST, "GET", key, &format!("max-parts={PARTS_PER_PAGE}{marker}&uploadId={id}"))
    }

    /// Returns the call that completes a multipart upload of `size` bytes. S3 checks each part and the size, and does
    /// not overwrite an object. The call may be repeated: S3 answers a repeated completion as the first.
    ///
    /// # Errors
    /// [`ErrorCode::Internal`] if XML can't contain an entity tag.
    pub(crate) fn complete(
        &self,
        key: &str,
        upload_id: &str,
        size: u64,
        parts: &[CompletedPart],
        checksum: Option<&ObjectChecksum>,
    ) -> Result<S3Call, ApiError> {
        let id = utf8_percent_encode(upload_id, UNRESERVED);
        let mut call = self.call(COMPLETE, "POST", key, &format!("uploadId={id}"));
        call.body = xml::completion(parts).ok_or_else(|| unexpected(COMPLETE, "the parts are no XML"))?;
        call.headers.push(("content-type", "application/xml".to_owned()));
        call.headers.push(("x-amz-mp-object-size", size.to_string()));
        call.headers.push(("if-none-match", "*".to_owned()));
        // The request does not contain a composite checksum, because servers disagree on its form (Garage refuses the
        // suffix `-N`). S3 computes the composite checksum from the digests of the parts. `completed` checks it.
        if let Some(ObjectChecksum::Crc64Nvme(checksum)) = checksum {
            call.headers.push(("x-amz-checksum-crc64nvme", checksum.to_string()));
            call.headers.push(("x-amz-checksum-type", FULL_OBJECT.to_owned()));
        }
        Ok(call)
    }

    /// Returns the call that aborts a multipart upload and removes its parts.
    pub(crate) fn abort(&self, key: &str, upload_id: &str) -> S3Call {
        self.call(ABORT, "DELETE", key, &format!("uploadId={}", utf8_percent_encode(upload_id, UNRESERVED)))
    }
}

/// Reads the upload id from the answer to [`Bucket::create`].
///
/// # Errors
/// The API's code for S3's error, see `code_of_storage_error`.
pub(crate) fn created(reply: S3Reply) -> Result<String, ApiError> {
    let created: xml::Created = xml::read(&body_of(CREATE, reply)?).ok_or_else(|| cut_off(CREATE))?;
    created.upload_id.ok_or_else(|| unexpected(CREATE, "the reply has no upload id"))
}

/// Reads the parts from the answer to [`Bucket::list`].
///
/// # Errors
/// The API's code for S3's error, see `code_of_storage_error`.
pub(crate) fn listed(reply: S3Reply) -> Result<PartsListed, ApiError> {
    let listed: xml::Listed = xml::read(&body_of(LIST, reply)?).ok_or_else(|| cut_off(LIST))?;
    let parts: Vec<StoredPart> = listed
        .parts
        .into_iter()
        .filter_map(|part| {
            Some(StoredPart {
                number: PartNumber::new(part.part_number?)?,
                size: part.size?,
                etag: bare(&part.etag?),
                checksum: part.sha256.or(part.crc64nvme),
            })
        })
        .collect();
    let next = parts.last().map(|part| part.number).filter(|_| listed.is_truncated);
    Ok(PartsListed { parts, next })
}

/// Reads the answer to [`Bucket::complete`], and checks that the object has the checksum `checksum`.
///
/// # Errors
/// [`ErrorCode::PartsRefused`] if the object has another checksum; otherwise the API's code for S3's error, see
/// `code_of_storage_error`.
pub(crate) fn completed(
    reply: S3Reply,
    key: String,
    size: u64,
    checksum: Option<&ObjectChecksum>,
) -> Result<UploadCompleted, ApiError> {
    let reply: xml::Completed = xml::read(&body_of(COMPLETE, reply)?).ok_or_else(|| cut_off(COMPLETE))?;
    let missing = || unexpected(COMPLETE, "the reply lacks the entity tag or the checksum");
    // If the upload has no checksums, S3 answers with a CRC64NVME. The API does not return this CRC64NVME, because the
    // client has no value to compare with.
    let computed = match checksum {
        Some(ObjectChecksum::Composite(_)) => Some(reply.sha256.ok_or_else(missing)?),
        Some(ObjectChecksum::Crc64Nvme(_)) => Some(reply.crc64nvme.ok_or_else(missing)?),
        None => None,
    };
    // S3 answers a repeated completion with the existing object's checksum, even if the request has another checksum.
    if computed != checksum.map(ObjectChecksum::to_string) {
        return Err(ErrorCode::PartsRefused.into());
    }
    Ok(UploadCompleted { key, etag: bare(&reply.etag.ok_or_else(missing)?), checksum: computed, size })
}

/// Reads the answer to [`Bucket::abort`]. Succeeds if the upload does not exist.
///
/// # Errors
/// The API's code for S3's error, see `code_of_storage_error`.
pub(crate) fn aborted(reply: S3Reply) -> Result<(), ApiError> {
    match body_of(ABORT, reply) {
        Err(error) if error.code != ErrorCode::UploadGone => Err(error),
        _ => Ok(()),
    }
}

fn bare(etag: &str) -> String {
    etag.trim_matches('"').to_owned()
}

/// S3's name of a checksum that is computed over all bytes of the object.
const FULL_OBJECT: &str = "FULL_OBJECT";

/// Returns S3's names of an algorithm and of the type of the object's checksum. Returns `None` for an upload without
/// checksums.
fn of_s3(algorithm: ChecksumAlgorithm) -> Option<(&'static str, &'static str)> {
    match algorithm {
        ChecksumAlgorithm::Sha256 => Some(("SHA256", "COMPOSITE")),
        ChecksumAlgorithm::Crc64nvme | ChecksumAlgorithm::Crc64nvmeAfter => Some(("CRC64NVME", FULL_OBJECT)),
        ChecksumAlgorithm::None => None,
    }
}
