//! The entity tag of a part.

use super::text::{Refusal, check_length, string_on_the_wire};

/// Entity tag of a part, without quotes: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// Maximum length, in bytes. S3's tags are shorter: an MD5 in hexadecimal, for multipart uploads followed by `-`
    /// and a number.
    pub const MAX_BYTES: usize = 128;

    /// Reads a tag with or without quotes. Removes the prefix `W/`: proxies that compress answers add it (RFC 9110,
    /// section 8.8.3), but S3 knows the tag only without it.
    ///
    /// # Errors
    /// [`Refusal::Empty`], [`Refusal::TooLong`], or [`Refusal::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let quoted = text.strip_prefix("W/").unwrap_or(text);
        let bare = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        check_length(bare, Self::MAX_BYTES)?;
        if bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') {
            Ok(Self(bare.to_owned()))
        } else {
            Err(Refusal::Malformed)
        }
    }

    /// Returns whether a header `ETag` has the form of S3's tags: quotes, 32 letters or digits, and after a multipart
    /// upload `-` and a number (S3 API Reference, "Object"). Web servers derive their tags from lengths and times, so
    /// their tags are shorter.
    pub fn is_of_s3(header: &str) -> bool {
        let Some(bare) = header.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
        let (hash, parts) = bare.split_once('-').unwrap_or((bare, "1"));
        let is_number = !parts.is_empty() && parts.bytes().all(|byte| byte.is_ascii_digit());
        hash.len() == 32 && hash.bytes().all(|byte| byte.is_ascii_alphanumeric()) && is_number
    }

    /// Returns the tag without quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn to_text(&self) -> &str {
        &self.0
    }
}

string_on_the_wire!(ETag, "an entity tag of 1 to 128 visible characters");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_etag_loses_its_quotes() {
        assert_eq!(ETag::parse("\"abc-2\"").map(|tag| tag.to_string()), Ok("abc-2".to_owned()));
        assert_eq!(ETag::parse("\"\""), Err(Refusal::Empty));
        assert_eq!(ETag::parse("W/\"abc\"").map(|tag| tag.to_string()), Ok("abc".to_owned()));
        for text in ["a b", "a\"b", "a\n", "\u{e9}"] {
            assert_eq!(ETag::parse(text), Err(Refusal::Malformed), "{text:?}");
        }
    }

    #[test]
    fn an_etag_has_at_most_128_bytes() {
        let tag = |length| ETag::parse(&"x".repeat(length)).map(|tag| tag.as_str().len());
        assert_eq!((tag(128), tag(129)), (Ok(128), Err(Refusal::TooLong)));
    }

    #[test]
    fn an_etag_of_s3_is_distinguished_from_a_web_servers() {
        let hash = "9a0364b9e99bb480dd25e1f0284c8555";
        for header in [format!("\"{hash}\""), format!("\"{hash}-12\"")] {
            assert!(ETag::is_of_s3(&header), "{header}");
        }
        let others = ["", "\"\"", "\"65a1b2c3-1f4\"", "\"2aa6-5e5c8a1b2c3d4\"", "\"abc\"", hash];
        for header in others.map(str::to_owned).into_iter().chain([
            format!("W/\"{hash}\""),
            format!("\"{hash}-\""),
            format!("\"{hash}-x\""),
            format!("\"{hash}0\""),
            format!("\"{}\"", "-".repeat(32)),
            format!("\"{hash}"),
        ]) {
            assert!(!ETag::is_of_s3(&header), "{header}");
        }
    }
}
