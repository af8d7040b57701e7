//! Texts on the wire: the reasons for which a text is refused, and the serde code of types that are texts.

use serde::de::{self, Unexpected};

/// Reason for which a text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The text is empty.
    Empty,
    /// The text has too many bytes.
    TooLong,
    /// The text has a wrong form.
    Malformed,
}

impl Refusal {
    /// Converts the reason to a serde error. A server derives the error code from this error. `expected` describes the
    /// accepted values.
    pub fn explain<E: de::Error>(self, text: &str, expected: &dyn de::Expected) -> E {
        match self {
            Self::Empty | Self::TooLong => E::invalid_length(text.len(), expected),
            Self::Malformed => E::invalid_value(Unexpected::Other("such a text"), expected),
        }
    }
}

/// Implements serde and `Display` for a type with `to_text()` and `parse(&str) -> Result<Self, Refusal>`. `Display`
/// does not use `format!`, because the code of `format!` would make the Wasm module larger.
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

/// Checks that a text has 1 to `max_bytes` bytes.
///
/// # Errors
/// [`Refusal::Empty`] or [`Refusal::TooLong`].
pub(super) fn check_length(text: &str, max_bytes: usize) -> Result<(), Refusal> {
    match text.len() {
        0 => Err(Refusal::Empty),
        length if length > max_bytes => Err(Refusal::TooLong),
        _ => Ok(()),
    }
}
