//! Values that are right by construction, so that a function which takes one need not check it.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::plan::{MAX_OBJECT_BYTES, MAX_PARTS};

/// Why a text is not a value of the wanted type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It has no characters.
    Empty,
    /// It has more than the bytes that are allowed.
    TooLong,
    /// It has the wrong form.
    Malformed,
}

impl Refusal {
    /// Converts it to a serde error, from which a server derives the error code.
    pub fn explain<E: de::Error>(self, text: &str, expected: &dyn de::Expected) -> E {
        match self {
            Self::Empty | Self::TooLong => E::invalid_length(text.len(), expected),
            Self::Malformed => E::invalid_value(Unexpected::Other("such a text"), expected),
        }
    }
}

/// Serialises and displays a type by its `to_text()` and reads it by its `parse(&str) -> Result<Self, Refusal>`. Format
/// machinery would weigh more in the Wasm module than the texts do.
macro_rules! string_on_the_wire {
    ($type:ty, $expected:expr) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.to_text().as_ref())
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.to_text().as_ref())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $type;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str($expected)
                    }

                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$type, E> {
                        <$type>::parse(text).map_err(|refusal| refusal.explain(text, &self))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}
pub(crate) use string_on_the_wire;

/// The name that the user's file has on disk: 1 to 1,024 bytes of UTF-8, any characters.
///
/// It never reaches a key. The Lambda derives an extension from it and keeps the rest,
/// percent-encoded, as metadata of the object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// The longest name, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 1024;

    /// Takes a name of 1 to [`FileName::MAX_BYTES`] bytes.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        sized(text, Self::MAX_BYTES)?;
        Ok(Self(text.to_owned()))
    }

    /// Takes a name of any length: one that is too long loses its tail, an empty one becomes `file`.
    pub fn fit(text: &str) -> Self {
        let mut end = text.len().min(Self::MAX_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text.get(..end).filter(|fitting| !fitting.is_empty()).unwrap_or("file").to_owned())
    }

    /// Returns the name as the user knows it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn to_text(&self) -> &str {
        &self.0
    }
}

string_on_the_wire!(FileName, "a name of 1 to 1,024 bytes");

/// A media type such as `image/png`: 3 to 255 visible ASCII characters with a slash between them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentType(String);

impl ContentType {
    /// The longest type, in bytes: what RFC 6838 section 4.2 allows for each half, and a slash.
    pub const MAX_BYTES: usize = 255;

    /// Takes a type whose characters are safe in an HTTP header and which has two halves.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        sized(text, Self::MAX_BYTES)?;
        let halves = text.split_once('/').is_some_and(|(major, minor)| !major.is_empty() && !minor.is_empty());
        let safe = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if halves && safe && text.trim() == text { Ok(Self(text.to_owned())) } else { Err(Refusal::Malformed) }
    }

    /// Returns the type of a file of unknown content (RFC 2046 section 4.5.1).
    pub fn unknown() -> Self {
        Self("application/octet-stream".to_owned())
    }

    /// Returns the text of the header `Content-Type`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn to_text(&self) -> &str {
        &self.0
    }
}

string_on_the_wire!(ContentType, "a media type such as image/png, of at most 255 bytes");

/// The entity tag that S3 gave to a part, without its quotes: 1 to 128 visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ETag(String);

impl ETag {
    /// Longer than any that S3 gives (an MD5 in hex, `-`, and a number).
    pub const MAX_BYTES: usize = 128;

    /// Takes a tag with or without its quotes. What makes it weak is left out: proxies that compress add it (RFC 9110,
    /// section 8.8.3), and S3 knows the rest.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let quoted = text.strip_prefix("W/").unwrap_or(text);
        let bare = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        sized(bare, Self::MAX_BYTES)?;
        if bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') {
            Ok(Self(bare.to_owned()))
        } else {
            Err(Refusal::Malformed)
        }
    }

    /// Returns whether a header `ETag` has the form of S3's: quotes, 32 letters or digits, and after a multipart upload
    /// `-` and a number (S3 API Reference, "Object"). Web servers make theirs from lengths and times, which are
    /// shorter.
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

fn sized(text: &str, max_bytes: usize) -> Result<(), Refusal> {
    match text.len() {
        0 => Err(Refusal::Empty),
        length if length > max_bytes => Err(Refusal::TooLong),
        _ => Ok(()),
    }
}

/// The size of a file in bytes, from 0 to [`MAX_OBJECT_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileSize(u64);

impl FileSize {
    /// Takes a size that one S3 object can have.
    pub fn new(bytes: u64) -> Option<Self> {
        (bytes <= MAX_OBJECT_BYTES).then_some(Self(bytes))
    }

    /// Returns the size in bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

/// The number of a part, from 1 to 10,000 (S3 User Guide, "Amazon S3 multipart upload limits").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u32);

impl PartNumber {
    /// The first part.
    pub const FIRST: Self = Self(1);

    /// Takes a number from 1 to 10,000.
    pub fn new(number: u32) -> Option<Self> {
        (1..=MAX_PARTS).contains(&number).then_some(Self(number))
    }

    /// Returns the number, counted from 1.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Returns the place of the part in a list, counted from 0.
    pub fn index(self) -> usize {
        self.0 as usize - 1
    }
}

/// Reads a whole number in a range; a fraction or a text is another type, not another value.
struct WholeNumber {
    min: u64,
    max: u64,
}

impl Visitor<'_> for WholeNumber {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a whole number from {} to {}", self.min, self.max)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
        if (self.min..=self.max).contains(&number) {
            Ok(number)
        } else {
            Err(E::invalid_value(Unexpected::Unsigned(number), &self))
        }
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<u64, E> {
        match u64::try_from(number) {
            Ok(number) => self.visit_u64(number),
            Err(_) => Err(E::invalid_value(Unexpected::Signed(number), &self)),
        }
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<u64, E> {
        // JavaScript has no other numbers, so a whole one may arrive in this form.
        if number.fract() != 0.0 {
            return Err(E::invalid_type(Unexpected::Float(number), &self));
        }
        if number >= 0.0 && number <= self.max as f64 {
            self.visit_u64(number as u64)
        } else {
            Err(E::invalid_value(Unexpected::Float(number), &self))
        }
    }
}

/// Serialises a whole number. In a browser it becomes a double, as all do there: serde-wasm-bindgen would else bring
/// format machinery along for numbers over 2⁵³, which no file or wait of ours reaches.
pub fn serialize_whole<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    if cfg!(target_arch = "wasm32") {
        serializer.serialize_f64(*number as f64)
    } else {
        serializer.serialize_u64(*number)
    }
}

/// Returns the same, where there may be none.
pub fn serialize_any_whole<S: Serializer>(number: &Option<u64>, serializer: S) -> Result<S::Ok, S::Error> {
    match number {
        Some(number) => serialize_whole(number, serializer),
        None => serializer.serialize_none(),
    }
}

impl Serialize for FileSize {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serialize_whole(&self.0, serializer)
    }
}

impl<'de> Deserialize<'de> for FileSize {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_u64(WholeNumber { min: 0, max: MAX_OBJECT_BYTES }).map(Self)
    }
}

impl Serialize for PartNumber {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u32(self.0)
    }
}

impl<'de> Deserialize<'de> for PartNumber {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = deserializer.deserialize_u64(WholeNumber { min: 1, max: MAX_PARTS.into() })?;
        // The visitor has checked the range.
        Ok(Self(number as u32))
    }
}

/// What the browser knows of its link: `navigator.connection`, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkHint {
    /// 50 kbit/s.
    #[serde(rename = "slow-2g")]
    Slow2g,
    /// 100 kbit/s.
    #[serde(rename = "2g")]
    G2,
    /// 1 Mbit/s.
    #[serde(rename = "3g")]
    G3,
    /// 10 Mbit/s.
    #[serde(rename = "4g")]
    G4,
    /// 30 Mbit/s.
    Wifi,
    /// 50 Mbit/s.
    Ethernet,
    /// 1 Mbit/s, to be on the safe side.
    #[default]
    Unknown,
}

impl NetworkHint {
    /// Reads the name on the wire.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "slow-2g" => Self::Slow2g,
            "2g" => Self::G2,
            "3g" => Self::G3,
            "4g" => Self::G4,
            "wifi" => Self::Wifi,
            "ethernet" => Self::Ethernet,
            "unknown" => Self::Unknown,
            _ => return None,
        })
    }

    /// Returns the speed to reckon with until one is measured, in bit/s.
    pub fn bits_per_second(self) -> u64 {
        match self {
            Self::Slow2g => 50_000,
            Self::G2 => 100_000,
            Self::G3 | Self::Unknown => 1_000_000,
            Self::G4 => 10_000_000,
            Self::Wifi => 30_000_000,
            Self::Ethernet => 50_000_000,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_is_cut_between_characters() {
        assert_eq!(FileName::fit(&"é".repeat(600)).as_str(), "é".repeat(512));
        assert_eq!(FileName::fit(&format!("x{}", "é".repeat(600))).as_str(), format!("x{}", "é".repeat(511)));
        assert_eq!(FileName::fit("").as_str(), "file");
        assert_eq!(FileName::parse(&"x".repeat(1025)), Err(Refusal::TooLong));
    }

    #[test]
    fn texts_are_taken_up_to_their_limit_and_the_reason_is_told_beyond_it() {
        let name = |length| FileName::parse(&"x".repeat(length)).map(|name| name.as_str().len());
        assert_eq!((name(0), name(1), name(1024)), (Err(Refusal::Empty), Ok(1), Ok(1024)));
        assert_eq!((name(1025), name(1026)), (Err(Refusal::TooLong), Err(Refusal::TooLong)));
        let tag = |length| ETag::parse(&"x".repeat(length)).map(|tag| tag.as_str().len());
        assert_eq!((tag(128), tag(129)), (Ok(128), Err(Refusal::TooLong)));
        let kind = |length: usize| ContentType::parse(&format!("a/{}", "x".repeat(length - 2))).map(drop);
        assert_eq!((kind(255), kind(256)), (Ok(()), Err(Refusal::TooLong)));
    }

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
    fn an_etag_loses_its_quotes() {
        assert_eq!(ETag::parse("\"abc-2\"").map(|tag| tag.to_string()), Ok("abc-2".to_owned()));
        assert_eq!(ETag::parse("\"\""), Err(Refusal::Empty));
        assert_eq!(ETag::parse("W/\"abc\"").map(|tag| tag.to_string()), Ok("abc".to_owned()));
        for text in ["a b", "a\"b", "a\n", "\u{e9}"] {
            assert_eq!(ETag::parse(text), Err(Refusal::Malformed), "{text:?}");
        }
    }

    #[test]
    fn an_etag_of_s3_is_told_from_that_of_a_web_server() {
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
