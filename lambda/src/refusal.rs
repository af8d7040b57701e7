//! Maps S3's error codes to the API's error codes.
//!
//! Status codes alone are ambiguous. S3 answers 400 both to a request that arrived too slowly and to parts that can't be
//! joined, 404 both for a missing bucket and for a missing upload, and 200 to a completion that fails later (S3 API
//! Reference, "CompleteMultipartUpload"). A temporary error, or an error in the deployment, must not end an upload. Only
//! a code of S3 that is known to be final ends one.

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use directput::protocol::ErrorCode;

/// Returns the API's error code for an S3 error (S3 API Reference, "Error responses", "List of error codes").
///
/// `status` is the HTTP status of the answer, or 0 without an answer. `storage_code` is S3's code, or empty without one.
pub fn code_of_storage_error(is_completion: bool, status: u16, storage_code: &str) -> ErrorCode {
    match storage_code {
        "NoSuchUpload" => ErrorCode::UploadGone,
        // The key was made for this upload, so an object under it comes from an earlier completion.
        "PreconditionFailed" if is_completion => ErrorCode::AlreadyComplete,
        // The stored parts differ from those that the client names, or they do not make the object that it wants. Garage
        // answers InvalidDigest if a part's checksum is wrong.
        "BadDigest"
        | "EntityTooLarge"
        | "EntityTooSmall"
        | "InvalidDigest"
        | "InvalidPart"
        | "InvalidPartOrder"
        | "InvalidRequest"
        | "XAmzContentChecksumMismatch"
            if is_completion =>
        {
            ErrorCode::PartsRefused
        }
        // S3 or the network is busy, or two requests conflict. Expired credentials and signatures are renewed for the next
        // request. S3's documentation says that parts have to be sent again after ConditionalRequestConflict. In this API
        // its most likely cause is a repeated completion while S3 still works on the first; if the upload is gone, the
        // next answer is NoSuchUpload.
        "ConditionalRequestConflict"
        | "ExpiredToken"
        | "IncompleteBody"
        | "InternalError"
        | "InternalServerError"
        | "InvalidSessionException"
        | "KMS.ThrottlingException"
        | "OperationAborted"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "ServiceUnavailable"
        | "TokenRefreshRequired"
        | "TooManyRequests" => ErrorCode::StorageUnavailable,
        // The body of the call was damaged on its way.
        "XAmzContentSHA256Mismatch" => ErrorCode::StorageUnavailable,
        // The bucket is new, and its DNS entry has not reached all servers yet.
        "Redirect" | "TemporaryRedirect" => ErrorCode::StorageUnavailable,
        // Errors that the SDK retries for all services.
        busy if THROTTLING_ERRORS.contains(&busy) || TRANSIENT_ERRORS.contains(&busy) => ErrorCode::StorageUnavailable,
        _ => code_of_status(status),
    }
}

/// Returns the code for an error whose S3 code is unknown. A missing answer, and a 200 that was cut off or ends in an
/// error, are retried.
fn code_of_status(status: u16) -> ErrorCode {
    match status {
        0 | 200..=299 | 408 | 409 | 425 | 429 | 500 | 502..=599 => ErrorCode::StorageUnavailable,
        _ => ErrorCode::Internal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ErrorCode::{AlreadyComplete, Internal, PartsRefused, StorageUnavailable, UploadGone};

    /// S3's codes that opening, listing, completing and aborting can return, with their statuses, their meaning for a
    /// completion, and their meaning for the other calls.
    ///
    /// Compared with the API Reference, "Error responses", "List of error codes" (2026), and with the SDKs' model of S3
    /// (`Error$Code` in botocore 1.44's `service-2.json`). `tests/aws/deploy/storage_codes_test.py` compares this file
    /// with that model in each run. Codes that are in neither list are marked.
    const TABLE: &[(&str, u16, ErrorCode, ErrorCode)] = &[
        // Final: these end an upload, or mean that it has ended. XAmzContentChecksumMismatch is not listed.
        ("NoSuchUpload", 404, UploadGone, UploadGone),
        ("PreconditionFailed", 412, AlreadyComplete, Internal),
        ("BadDigest", 400, PartsRefused, Internal),
        ("EntityTooLarge", 400, PartsRefused, Internal),
        ("EntityTooSmall", 400, PartsRefused, Internal),
        ("InvalidDigest", 400, PartsRefused, Internal),
        ("InvalidPart", 400, PartsRefused, Internal),
        ("InvalidPartOrder", 400, PartsRefused, Internal),
        ("InvalidRequest", 400, PartsRefused, Internal),
        ("XAmzContentChecksumMismatch", 400, PartsRefused, Internal),
        // Temporary.
        ("503 SlowDown", 503, StorageUnavailable, StorageUnavailable),
        ("ConditionalRequestConflict", 409, StorageUnavailable, StorageUnavailable),
        ("ExpiredToken", 400, StorageUnavailable, StorageUnavailable),
        ("IncompleteBody", 400, StorageUnavailable, StorageUnavailable),
        ("InternalError", 500, StorageUnavailable, StorageUnavailable),
        ("InvalidSessionException", 400, StorageUnavailable, StorageUnavailable),
        ("OperationAborted", 409, StorageUnavailable, StorageUnavailable),
        ("Redirect", 307, StorageUnavailable, StorageUnavailable),
        ("RequestTimeout", 400, StorageUnavailable, StorageUnavailable),
        ("RequestTimeTooSkewed", 403, StorageUnavailable, StorageUnavailable),
        ("ServiceUnavailable", 503, StorageUnavailable, StorageUnavailable),
        ("SlowDown", 503, StorageUnavailable, StorageUnavailable),
        ("TemporaryRedirect", 307, StorageUnavailable, StorageUnavailable),
        ("TokenRefreshRequired", 400, StorageUnavailable, StorageUnavailable),
        // Temporary, not on S3's list: from services behind S3, from other servers, or from older versions of S3.
        ("InternalServerError", 500, StorageUnavailable, StorageUnavailable),
        ("KMS.ThrottlingException", 400, StorageUnavailable, StorageUnavailable),
        ("RequestExpired", 400, StorageUnavailable, StorageUnavailable),
        ("TooManyRequests", 429, StorageUnavailable, StorageUnavailable),
        ("XAmzContentSHA256Mismatch", 400, StorageUnavailable, StorageUnavailable),
        // Errors in the account, the bucket, the role or the function. The client retries until they are fixed.
        ("AccessDenied", 403, Internal, Internal),
        ("AccountProblem", 403, Internal, Internal),
        ("AllAccessDisabled", 403, Internal, Internal),
        ("AuthorizationHeaderMalformed", 400, Internal, Internal),
        ("AuthorizationQueryParametersError", 400, Internal, Internal),
        ("CredentialsNotSupported", 400, Internal, Internal),
        ("EndpointNotFound", 400, Internal, Internal),
        ("IllegalLocationConstraintException", 400, Internal, Internal),
        ("IncorrectEndpoint", 400, Internal, Internal),
        ("InvalidAccessKeyId", 403, Internal, Internal),
        ("InvalidAccessPoint", 400, Internal, Internal),
        ("InvalidAccessPointAliasError", 400, Internal, Internal),
        ("InvalidAddressingHeader", 400, Internal, Internal),
        ("InvalidArgument", 400, Internal, Internal),
        ("InvalidBucketName", 400, Internal, Internal),
        ("InvalidBucketOwnerAWSAccountID", 400, Internal, Internal),
        ("InvalidBucketState", 409, StorageUnavailable, StorageUnavailable),
        ("InvalidEncryptionAlgorithmError", 400, Internal, Internal),
        ("InvalidHostHeader", 400, Internal, Internal),
        ("InvalidHttpMethod", 400, Internal, Internal),
        ("InvalidObjectState", 403, Internal, Internal),
        ("InvalidPayer", 403, Internal, Internal),
        ("InvalidSecurity", 403, Internal, Internal),
        ("InvalidSignature", 400, Internal, Internal),
        ("InvalidStorageClass", 400, Internal, Internal),
        ("InvalidToken", 400, Internal, Internal),
        ("InvalidURI", 400, Internal, Internal),
        ("KMS.DisabledException", 400, Internal, Internal),
        ("KMS.InvalidKeyUsageException", 400, Internal, Internal),
        ("KMS.KMSInvalidStateException", 400, Internal, Internal),
        ("KMS.NotFoundException", 400, Internal, Internal),
        ("KeyTooLongError", 400, Internal, Internal),
        ("MalformedXML", 400, Internal, Internal),
        ("MaxMessageLengthExceeded", 400, Internal, Internal),
        ("MetadataTooLarge", 400, Internal, Internal),
        ("MethodNotAllowed", 405, Internal, Internal),
        ("MissingAuthenticationToken", 403, Internal, Internal),
        ("MissingContentLength", 411, Internal, Internal),
        ("MissingRequestBodyError", 400, Internal, Internal),
        ("MissingSecurityHeader", 400, Internal, Internal),
        ("NoSuchAccessPoint", 404, Internal, Internal),
        ("NoSuchBucket", 404, Internal, Internal),
        ("NoSuchKey", 404, Internal, Internal),
        ("NotImplemented", 501, Internal, Internal),
        ("NotSignedUp", 403, Internal, Internal),
        ("PermanentRedirect", 301, Internal, Internal),
        ("RequestHeaderSectionTooLarge", 400, Internal, Internal),
        ("SignatureDoesNotMatch", 403, Internal, Internal),
        ("UnauthorizedAccessError", 403, Internal, Internal),
        ("UnexpectedContent", 400, Internal, Internal),
        ("UnexpectedIPError", 403, Internal, Internal),
        ("UnsupportedArgument", 400, Internal, Internal),
        ("UnsupportedSignature", 400, Internal, Internal),
        // On no list, or not from S3.
        ("", 0, StorageUnavailable, StorageUnavailable),
        ("", 200, StorageUnavailable, StorageUnavailable),
        ("", 400, Internal, Internal),
        ("", 403, Internal, Internal),
        ("", 404, Internal, Internal),
        ("", 408, StorageUnavailable, StorageUnavailable),
        ("", 412, Internal, Internal),
        ("", 429, StorageUnavailable, StorageUnavailable),
        ("", 502, StorageUnavailable, StorageUnavailable),
        ("", 504, StorageUnavailable, StorageUnavailable),
        ("SomethingNew", 400, Internal, Internal),
        ("SomethingNew", 503, StorageUnavailable, StorageUnavailable),
    ];

    /// Number of codes at the top of the table that end an upload.
    const FINAL_CODES: usize = 10;

    /// S3's other codes on both lists. They belong to calls that the API doesn't make (ACLs, access points, policies,
    /// logging, versions, SOAP, forms). If one of them arrives nevertheless, the client retries.
    const OF_OTHER_CALLS: &str = "AccessControlListNotSupported AccessPointAlreadyOwnedByYou AmbiguousGrantByEmailAddress \
        BucketAlreadyExists BucketAlreadyOwnedByYou BucketHasAccessPointsAttached BucketNotEmpty ClientTokenConflict \
        ConnectionClosedByRequester CrossLocationLoggingProhibited DeviceNotActiveError \
        IllegalVersioningConfigurationException IncorrectNumberOfFilesInPostRequest InlineDataTooLarge \
        InvalidBucketAclWithObjectOwnership InvalidLocationConstraint InvalidPolicyDocument InvalidRange InvalidRegion \
        InvalidSOAPRequest InvalidTag InvalidTargetBucketForLogging MalformedACLError MalformedPOSTRequest \
        MalformedPolicy MaxPostPreDataLengthExceededError MissingAttachment MissingSecurityElement \
        NoLoggingStatusForKey NoSuchAsyncRequest NoSuchBucketPolicy NoSuchCORSConfiguration \
        NoSuchLifecycleConfiguration NoSuchMultiRegionAccessPoint NoSuchObjectLockConfiguration NoSuchTagSet \
        NoSuchVersion NoSuchWebsiteConfiguration NoTransformationDefined NotDeviceOwnerError NotModified \
        ObjectLockConfigurationNotFoundError OwnershipControlsNotFoundError PermanentRedirectControlError \
        RequestIsNotMultiPartContent RequestTorrentOfBucketError ResponseInterrupted RestoreAlreadyInProgress \
        ServerSideEncryptionConfigurationNotFoundError TagPolicyException TokenCodeInvalidError TooManyAccessPoints \
        TooManyBuckets TooManyMultiRegionAccessPointregionsError TooManyMultiRegionAccessPoints \
        UnresolvableGrantByEmailAddress UserKeyMustBeSpecified";

    #[test]
    fn each_code_of_s3_has_one_meaning() {
        for &(storage_code, status, completion, other) in TABLE {
            let of = |is_completion| code_of_storage_error(is_completion, status, storage_code);
            assert_eq!((of(true), of(false)), (completion, other), "{storage_code} {status}");
        }
    }

    #[test]
    fn an_error_inside_a_200_is_mapped_by_its_code() {
        for &(storage_code, status, completion, _) in TABLE.iter().filter(|(code, ..)| !code.is_empty()) {
            // A 200 with an unknown code is retried.
            let is_known =
                code_of_storage_error(true, 0, storage_code) == code_of_storage_error(true, 418, storage_code);
            let expected = if is_known { completion } else { StorageUnavailable };
            assert_eq!(code_of_storage_error(true, 200, storage_code), expected, "{storage_code} {status}");
        }
    }

    #[test]
    fn only_final_codes_end_an_upload() {
        for &(storage_code, status, completion, other) in &TABLE[FINAL_CODES..] {
            assert!(completion.is_retryable() && other.is_retryable(), "{storage_code} {status}");
        }
        // 200: an error inside the answer to a completion.
        let unexpected = OF_OTHER_CALLS.split_whitespace().chain(["SomethingNew"]);
        for (storage_code, status) in
            unexpected.flat_map(|code| [200, 304, 400, 403, 404, 409, 412].map(|of| (code, of)))
        {
            for is_completion in [true, false] {
                let code = code_of_storage_error(is_completion, status, storage_code);
                assert!(code.is_retryable(), "{storage_code} {status}");
            }
        }
    }

    #[test]
    fn errors_that_the_sdk_retries_never_end_an_upload() {
        for storage_code in THROTTLING_ERRORS.iter().chain(TRANSIENT_ERRORS) {
            for status in [0, 200, 400, 403, 404, 409, 412, 503] {
                for is_completion in [true, false] {
                    let code = code_of_storage_error(is_completion, status, storage_code);
                    assert_eq!(code, StorageUnavailable, "{storage_code} {status}");
                }
            }
        }
    }
}
