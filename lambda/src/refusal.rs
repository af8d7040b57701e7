//! What S3's refusals mean to a client, by S3's own codes.
//!
//! Status codes say too little: S3 answers 400 to a request that came too slowly and to parts that can't be joined, 404 to a
//! bucket and to an upload that is not there, and 200 to a completion that fails later (S3 API Reference,
//! "CompleteMultipartUpload"). What is wrong here, or over soon, must not end an upload; a code that ends one needs S3's word.

use aws_runtime::retries::classifiers::{THROTTLING_ERRORS, TRANSIENT_ERRORS};
use directput::protocol::ErrorCode;

/// The code for an S3 error (S3 API Reference, "Error responses", "List of error codes").
///
/// `status` is that of the answer, 0 without one. `storage_code` is S3's code, empty without one.
pub fn code_of_storage_error(is_completion: bool, status: u16, storage_code: &str) -> ErrorCode {
    match storage_code {
        "NoSuchUpload" => ErrorCode::UploadGone,
        // The key is new and belongs to this upload, so what is there is what an earlier completion made.
        "PreconditionFailed" if is_completion => ErrorCode::AlreadyComplete,
        // The parts are others than the client believes, or don't make the object that it wants. Garage says InvalidDigest of a
        // part's checksum.
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
        // S3 or the network is busy, or two requests met. Credentials and signatures that came late are new next time. Of
        // ConditionalRequestConflict S3 says that parts have to be sent again. Here its first cause is a completion that S3
        // still works on while the client repeats it; if the upload is gone, the next answer is NoSuchUpload.
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
        // The call was changed on its way.
        "XAmzContentSHA256Mismatch" => ErrorCode::StorageUnavailable,
        // The bucket is new, and its address is not known everywhere yet.
        "Redirect" | "TemporaryRedirect" => ErrorCode::StorageUnavailable,
        // What the SDK repeats for all services.
        busy if THROTTLING_ERRORS.contains(&busy) || TRANSIENT_ERRORS.contains(&busy) => ErrorCode::StorageUnavailable,
        _ => code_of_status(status),
    }
}

/// The code where S3's says nothing that is known here. No answer, and a 200 that was cut off or ends in an error, say no
/// more than that it has to be tried again.
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

    /// S3's codes that opening, listing, completing and aborting can meet, with their statuses: what they mean to a
    /// completion, and to the other calls.
    ///
    /// Held against the API Reference, "Error responses", "List of error codes", as it stood in 2026, and against the list in
    /// the SDKs' model of S3 (`Error$Code` in botocore 1.44's `service-2.json`), against which
    /// `tests/aws/deploy/storage_codes_test.py` holds this file in each run. What is in neither is marked.
    const TABLE: &[(&str, u16, ErrorCode, ErrorCode)] = &[
        // What ends an upload, or has ended it. XAmzContentChecksumMismatch is not listed.
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
        // What is over soon.
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
        // The same, not on S3's list: of other services behind it, of other servers, of older answers.
        ("InternalServerError", 500, StorageUnavailable, StorageUnavailable),
        ("KMS.ThrottlingException", 400, StorageUnavailable, StorageUnavailable),
        ("RequestExpired", 400, StorageUnavailable, StorageUnavailable),
        ("TooManyRequests", 429, StorageUnavailable, StorageUnavailable),
        ("XAmzContentSHA256Mismatch", 400, StorageUnavailable, StorageUnavailable),
        // What has to be put right in the account, the bucket, the role or the function. The upload waits for it.
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
        // What is on no list, or was not S3's.
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

    /// How many of them end an upload.
    const ENDING: usize = 10;

    /// S3's other codes on both lists: of calls that the API doesn't make (ACLs, access points, policies, logging, versions, SOAP,
    /// forms). Should one come all the same, the upload goes on.
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
    fn an_error_inside_a_200_means_what_its_code_does() {
        for &(storage_code, status, completion, _) in TABLE.iter().filter(|(code, ..)| !code.is_empty()) {
            // Without a known code a 200 says no more than that it has to be tried again.
            let is_known =
                code_of_storage_error(true, 0, storage_code) == code_of_storage_error(true, 418, storage_code);
            let expected = if is_known { completion } else { StorageUnavailable };
            assert_eq!(code_of_storage_error(true, 200, storage_code), expected, "{storage_code} {status}");
        }
    }

    #[test]
    fn a_refusal_ends_an_upload_only_by_a_code_that_says_so() {
        for &(storage_code, status, completion, other) in &TABLE[ENDING..] {
            assert!(completion.is_retryable() && other.is_retryable(), "{storage_code} {status}");
        }
        // 200: inside the answer to a completion.
        let elsewhere = OF_OTHER_CALLS.split_whitespace().chain(["SomethingNew"]);
        for (storage_code, status) in
            elsewhere.flat_map(|code| [200, 304, 400, 403, 404, 409, 412].map(|of| (code, of)))
        {
            for is_completion in [true, false] {
                let code = code_of_storage_error(is_completion, status, storage_code);
                assert!(code.is_retryable(), "{storage_code} {status}");
            }
        }
    }

    #[test]
    fn what_the_sdk_repeats_ends_no_upload_whatever_its_status() {
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
