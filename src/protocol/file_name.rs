//! The name of a file.

use super::text::{Refusal, check_length, string_on_the_wire};

/// Name of the user's file: 1 to 1,024 bytes of UTF-8, any characters.
///
/// An object's key never contains the name. The Lambda derives the key's extension from the name, and stores the name,
/// percent-encoded, in the object's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// Maximum length, in bytes of UTF-8.
    pub const MAX_BYTES: usize = 1024;

    /// Reads a name of 1 to [`FileName::MAX_BYTES`] bytes.
    ///
    /// # Errors
    /// [`Refusal::Empty`] or [`Refusal::TooLong`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        check_length(text, Self::MAX_BYTES)?;
        Ok(Self(text.to_owned()))
    }

    /// Returns a name for a text of any length. Cuts the end of a text that is too long. Returns `file` for an empty
    /// text.
    pub fn fit(text: &str) -> Self {
        let mut end = text.len().min(Self::MAX_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self(text.get(..end).filter(|fitting| !fitting.is_empty()).unwrap_or("file").to_owned())
    }

    /// Returns the name on the user's disk.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn to_text(&self) -> &str {
        &self.0
    }
}

string_on_the_wire!(FileName, "a name of 1 to 1,024 bytes");

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
    fn a_name_has_1_to_1024_bytes() {
        let name = |length| FileName::parse(&"x".repeat(length)).map(|name| name.as_str().len());
        assert_eq!((name(0), name(1), name(1024)), (Err(Refusal::Empty), Ok(1), Ok(1024)));
        assert_eq!((name(1025), name(1026)), (Err(Refusal::TooLong), Err(Refusal::TooLong)));
    }
}
