//! Maps S3's error codes to the API's error codes.
//!
//! A status code alone is ambiguous. S3 answers 400 to a request that arrived too slowly, and also to parts that can't
//! be joined. S3 answers 404 for a missing bucket, and also for a missing upload. S3 answers 200 to a completion before
//! the parts are joined. A later failure is only in the body (S3 API Reference, "CompleteMultipartUpload").
//!
//! Temporary errors and errors in the deployment must not end an upload. Only codes of S3 that are known to be final
//! end an upload.

use directput::protocol::ErrorCode;

/// Returns the API's error code for an S3 error (S3 API Reference, "Error responses", "List of error codes").
///
/// `status` is the HTTP status of S3's answer, or 0 if there is no answer. `storage_code` is S3's code, or empty if the
/// answer has no code.
pub fn code_of_storage_error(is_completion: bool, status: u16, storage_code: &str) -> ErrorCode {
    match storage_code {
        "NoSuchUpload" => ErrorCode::UploadGone,
        // Each upload has its own key, so an object with this key comes from an earlier completion of the same upload.
        "PreconditionFailed" if is_completion => ErrorCode::AlreadyComplete,
        // The stored parts differ from the parts in the request, or the joined object has another size or checksum.
        // InvalidDigest is Garage's code for a wrong checksum of a part.
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
        // Temporary: S3 or the network is busy, two requests conflict, or credentials or a signature have expired. The
        // next request has new credentials and a new signature.
        //
        // S3's documentation says that parts have to be sent again after ConditionalRequestConflict. In this API, the
        // most likely cause is a repeated completion while S3 works on the first completion. If the upload is gone, S3
        // answers the next request with NoSuchUpload.
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
        // The body of the request was damaged on its way to S3.
        "XAmzContentSHA256Mismatch" => ErrorCode::StorageUnavailable,
        // The bucket is new, and not all DNS servers have its address yet.
        "Redirect" | "TemporaryRedirect" => ErrorCode::StorageUnavailable,
        // Errors that the SDKs retry for all services.
        "BandwidthLimitExceeded"
        | "EC2ThrottledException"
        | "LimitExceededException"
        | "PriorRequestNotComplete"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestTimeout"
        | "RequestTimeoutException"
        | "SlowDown"
        | "ThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "TransactionInProgressException" => ErrorCode::StorageUnavailable,
        _ => code_of_status(status),
    }
}

/// Returns the API's error code for the status of an answer whose S3 code is unknown. Two cases are temporary errors of
/// the storage: no answer (0), and a 200 whose body is incomplete or contains an error.
fn code_of_status(status: u16) -> ErrorCode {
    match status {
        0 | 200..=299 | 408 | 409 | 425 | 429 | 500 | 502..=599 => ErrorCode::StorageUnavailable,
        _ => ErrorCode::Internal,
    }
}

#[cfg(test)]
mod tests {
    use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};

    use super::*;
    use ErrorCode::{AlreadyComplete, Internal, PartsRefused, StorageUnavailable, UploadGone};

    /// S3's codes for opening, listing, completing and aborting an upload. Each row has S3's code, the HTTP status, the
    /// API's code if the call is a completion, and the API's code if the call is another one.
    ///
    /// The codes are from two lists: the S3 API Reference, "Error responses", "List of error codes" (2026), and the
    /// SDKs' model of S3 (`Error$Code` in botocore 1.44's `service-2.json`). `tests/aws/deploy/storage_codes_test.py`
    /// compares this file with the model. Comments below name the codes that are in neither list.
    const TABLE: &[(&str, u16, ErrorCode, ErrorCode)] = &[
        // Final: the upload ends or has ended. XAmzContentChecksumMismatch is in neither list.
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
        // Temporary, in neither list: from services behind S3, from other servers, or from older versions of S3.
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
        // Answers without a code of S3, and with a code in neither list.
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

    /// The other codes of both lists. These codes belong to calls that the API does not make (ACLs, access points,
    /// policies, logging, versions, SOAP, forms). If S3 returns one of these codes nevertheless, the client retries.
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
            // A code is known if its meaning does not depend on the status. A 200 with an unknown code is retried.
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
        // Status 200: the error is in the body of the answer to a completion.
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
