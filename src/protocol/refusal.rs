//! How the API and S3 say no, read by whoever drives the engine: in a browser, or from a command line.

use super::ErrorCode;

/// The code of a refused call of the API whose body is no [`super::Problem`]: what stands in front of it has spoken.
pub fn code_of_status(status: u16) -> ErrorCode {
    match status {
        401 | 403 => ErrorCode::Unauthorized,
        404 => ErrorCode::NotFound,
        413 => ErrorCode::BodyTooLarge,
        429 => ErrorCode::TooManyRequests,
        500..=599 => ErrorCode::Internal,
        _ => ErrorCode::InvalidReply,
    }
}

/// A header `Retry-After` in seconds (RFC 9110, section 10.2.3), in milliseconds. A date is taken as no
/// header: the client's clock may be wrong by more than it asks for.
pub fn retry_after_ms(header: Option<&str>) -> Option<u64> {
    header?.trim_ascii().parse::<u32>().ok().map(|seconds| u64::from(seconds) * 1_000)
}

/// The text of an element of S3's error document, such as `Code`, at most 64 characters of it (S3 API Reference, "Error
/// responses"). The document is flat and holds no markup in its texts, and workers have no XML parser.
pub fn element(xml: &str, name: &str) -> Option<String> {
    let text = xml.split('<').find_map(|tag| tag.strip_prefix(name)?.strip_prefix('>'))?;
    Some(text.chars().take(64).collect())
}
