//! The media type of a file.

use super::text::{Refusal, check_length, string_on_the_wire};

/// Media type such as `image/png`: 3 to 255 visible ASCII characters or inner spaces, with text before and after a
/// slash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType(String);

impl ContentType {
    /// Maximum length, in bytes: two names of at most 127 characters each (RFC 6838, section 4.2), and a slash.
    pub const MAX_BYTES: usize = 255;

    /// Reads a media type. It must contain a slash with text on both sides, and only characters that are safe in an
    /// HTTP header.
    ///
    /// # Errors
    /// [`Refusal::Empty`], [`Refusal::TooLong`], or [`Refusal::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        check_length(text, Self::MAX_BYTES)?;
        let halves = text.split_once('/').is_some_and(|(major, minor)| !major.is_empty() && !minor.is_empty());
        let safe = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if halves && safe && text.trim() == text { Ok(Self(text.to_owned())) } else { Err(Refusal::Malformed) }
    }

    /// Returns the media type of a file with unknown content (RFC 2046, section 4.5.1).
    pub fn unknown() -> Self {
        Self("application/octet-stream".to_owned())
    }

    /// Returns the value of the header `Content-Type`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn to_text(&self) -> &str {
        &self.0
    }
}

string_on_the_wire!(ContentType, "a media type such as image/png, of at most 255 bytes");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_content_type_cannot_smuggle_a_header() {
        for text in ["text/plain\r\nX-Evil: 1", "text", "/plain", "text/", " text/plain", "text/pl\u{e9}in"] {
            assert_eq!(ContentType::parse(text), Err(Refusal::Malformed), "{text:?}");
        }
        let kept = ContentType::parse("text/plain; charset=utf-8").expect("a type");
        assert_eq!(
            (kept.as_str(), kept.to_string().as_str()),
            ("text/plain; charset=utf-8", "text/plain; charset=utf-8")
        );
        assert_eq!(ContentType::unknown().as_str(), "application/octet-stream");
    }

    #[test]
    fn a_type_has_at_most_255_bytes() {
        let kind = |length: usize| ContentType::parse(&format!("a/{}", "x".repeat(length - 2))).map(drop);
        assert_eq!((kind(255), kind(256)), (Ok(()), Err(Refusal::TooLong)));
    }
}
