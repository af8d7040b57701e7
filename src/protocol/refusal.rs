//! Parses refusals of the API and S3 for the drivers of the engine: the browser module and the command line.

use super::ErrorCode;

/// Returns the code of a refused API call whose body is not a [`super::Problem`]. The answer comes from the gateway or
/// from another server on the way. API Gateway's own refusals are JSON (API Gateway Developer Guide, "Troubleshooting
/// HTTP APIs"). Refusals of proxies and captive portals are HTML pages.
pub fn code_of_refusal(status: u16, media_type: Option<&str>) -> ErrorCode {
    let is_json = media_type.is_some_and(|text| text.starts_with("application/json"));
    let is_page = media_type.is_some_and(|text| text.starts_with("text/html"));
    match status {
        401 => ErrorCode::Unauthorized,
        403 if !is_page => ErrorCode::Unauthorized,
        404 if is_json => ErrorCode::NotFound,
        408 => ErrorCode::Timeout,
        413 if is_json => ErrorCode::BodyTooLarge,
        429 => ErrorCode::TooManyRequests,
        // 511: the network wants the user to sign in (RFC 6585, section 6).
        500..=510 | 512..=599 => ErrorCode::Internal,
        _ => ErrorCode::UnexpectedAnswer,
    }
}

/// Returns the wait of a header `Retry-After`, in milliseconds. Reads only seconds (RFC 9110, section 10.2.3), and
/// ignores a date, because the client's clock may be wrong by more than the wait.
pub fn retry_after_ms(header: Option<&str>) -> Option<u64> {
    header?.trim_ascii().parse::<u32>().ok().map(|seconds| u64::from(seconds) * 1_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateways_refusal_is_distinguished_from_an_unrelated_page() {
        let (json, page) = (Some("application/json"), Some("text/html; charset=utf-8"));
        for (status, media_type, code) in [
            (401, page, ErrorCode::Unauthorized),
            (401, None, ErrorCode::Unauthorized),
            (403, json, ErrorCode::Unauthorized),
            (403, None, ErrorCode::Unauthorized),
            (403, page, ErrorCode::UnexpectedAnswer),
            (404, json, ErrorCode::NotFound),
            (404, page, ErrorCode::UnexpectedAnswer),
            (404, None, ErrorCode::UnexpectedAnswer),
            (407, page, ErrorCode::UnexpectedAnswer),
            (408, None, ErrorCode::Timeout),
            (413, json, ErrorCode::BodyTooLarge),
            (413, page, ErrorCode::UnexpectedAnswer),
            (429, page, ErrorCode::TooManyRequests),
            (500, json, ErrorCode::Internal),
            (502, page, ErrorCode::Internal),
            (510, None, ErrorCode::Internal),
            (511, page, ErrorCode::UnexpectedAnswer),
            (512, None, ErrorCode::Internal),
            (599, None, ErrorCode::Internal),
            (600, None, ErrorCode::UnexpectedAnswer),
            (400, json, ErrorCode::UnexpectedAnswer),
            (302, page, ErrorCode::UnexpectedAnswer),
            (200, json, ErrorCode::UnexpectedAnswer),
        ] {
            assert_eq!(code_of_refusal(status, media_type), code, "{status} {media_type:?}");
        }
    }
}
