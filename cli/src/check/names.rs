//! Names of all checks.

/// Returns the names from `first` to `last`, in the order of [`ALL`].
pub fn between(first: &str, last: &str) -> &'static [&'static str] {
    let place = |name: &str| ALL.iter().position(|other| *other == name);
    place(first).zip(place(last)).map_or(&[], |(first, last)| &ALL[first..=last])
}

/// Names of all checks, in the order of the report. `docs/check.md` has a row for each.
pub const ALL: &[&str] = &[
    // The API's address, and its answer to a good client.
    "api-reachable",
    "api-tls",
    "api-clock",
    "opening",
    "bucket-tls",
    "signing-clock",
    "no-store",
    "request-id",
    "credentials-required",
    // CORS of the API.
    "api-preflight",
    "api-preflight-origin",
    "api-preflight-method",
    "api-preflight-headers",
    "api-cors-max-age",
    "api-cors-answers",
    "api-cors-errors",
    "api-cors-exposed",
    "api-cors-foreign",
    // CORS of the bucket.
    "bucket-preflight",
    "bucket-preflight-origin",
    "bucket-preflight-method",
    "bucket-preflight-headers",
    "bucket-cors-max-age",
    "bucket-cors-errors",
    "bucket-cors-foreign",
    // Presigned PUTs, and changes to them.
    "signed-headers",
    "url-lifetime",
    "url-lifetime-claim",
    "checksum-bound",
    "checksum-header-bound",
    "length-bound",
    "type-bound",
    "key-bound",
    "headers-bound",
    "put",
    "bucket-cors-answers",
    "bucket-cors-etag",
    "bucket-cors-checksum",
    "bucket-cors-exposed",
    "write-once",
    "method-bound",
    "url-expiry",
    // The bucket without a signature.
    "anonymous-read",
    "anonymous-list",
    "anonymous-write",
    "anonymous-delete",
    // Keys and names.
    "key-shape",
    "key-unique",
    "key-hostile-names",
    "content-disposition",
    // Tokens.
    "token-missing",
    "token-changed",
    "token-bound",
    "single-checksum",
    // Refusals.
    "error-format",
    "error-json",
    "error-fields",
    "error-content-type",
    "body-limit",
    "unknown-path",
    "unknown-method",
    "checksum-required",
    // Optional calls.
    "batch-opening",
    "batch-isolation",
    "batch-limit",
    "lanes",
    // Uploads in parts.
    "multipart-opening",
    "multipart-signing",
    "multipart-plan",
    "part-checksum-bound",
    "part-length-bound",
    "part-number-bound",
    "part-put",
    "part-list",
    "part-list-paging",
    "completion-incomplete",
    "completion-etag",
    "completion-checksum",
    "completion-token",
    "completion",
    "completion-repeated",
    "part-after-completion",
    "abort",
    "part-after-abort",
    "abort-repeated",
];
