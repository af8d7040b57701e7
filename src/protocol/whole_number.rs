//! Whole numbers with a range: file sizes and part numbers.

use std::fmt;

use serde::de::{self, Unexpected, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::plan::{MAX_OBJECT_BYTES, MAX_PARTS};

/// Size of a file in bytes, from 0 to [`MAX_OBJECT_BYTES`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileSize(u64);

impl FileSize {
    /// Returns the size, or `None` if `bytes` is greater than [`MAX_OBJECT_BYTES`].
    pub fn new(bytes: u64) -> Option<Self> {
        (bytes <= MAX_OBJECT_BYTES).then_some(Self(bytes))
    }

    /// Returns the size in bytes.
    pub fn bytes(self) -> u64 {
        self.0
    }
}

/// Number of a part, from 1 to 10,000 (S3 User Guide, "Amazon S3 multipart upload limits").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartNumber(u32);

impl PartNumber {
    /// The first part.
    pub const FIRST: Self = Self(1);

    /// Returns the part number, or `None` if `number` is not from 1 to 10,000.
    pub fn new(number: u32) -> Option<Self> {
        (1..=MAX_PARTS).contains(&number).then_some(Self(number))
    }

    /// Returns the number, counted from 1.
    pub fn get(self) -> u32 {
        self.0
    }

    /// Returns the index of the part in a list, counted from 0.
    pub fn index(self) -> usize {
        self.0 as usize - 1
    }
}

/// Reads a whole number in a range. Returns a type error for a fraction or a text, and a value error for a number that
/// is out of range.
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
        // JavaScript has only floating-point numbers, so a whole number may arrive as one.
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

/// Serialises a whole number. In a browser the number becomes a double, which is exact up to 2⁵³. No size or time here
/// is larger. The code of serde-wasm-bindgen for larger integers would make the Wasm module larger.
pub fn serialize_whole<S: Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    if cfg!(target_arch = "wasm32") {
        serializer.serialize_f64(*number as f64)
    } else {
        serializer.serialize_u64(*number)
    }
}

/// Serialises an optional whole number like [`serialize_whole`].
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
