//! From the size of a file to its parts, within the limits of S3.
//!
//! ```
//! use directput::plan::{Plan, SINGLE_PUT_BYTES};
//! use directput::protocol::FileSize;
//!
//! let size = FileSize::new(20_000_000).expect("within S3's limits");
//! let plan = Plan::new(size, SINGLE_PUT_BYTES);
//! assert!(plan.is_multipart());
//! assert_eq!(plan.part_count(), 3);
//! assert_eq!(plan.last().range(), 16_777_216..20_000_000);
//! ```

use std::ops::Range;

use crate::protocol::{FileSize, PartNumber};

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// Maximum number of parts of an object (S3 User Guide, "Amazon S3 multipart upload limits").
pub const MAX_PARTS: u32 = 10_000;

/// Minimum length of every part but the last, in bytes (same page).
pub const MIN_PART_BYTES: u64 = 5 * MIB;

/// Maximum length of a part and of a single PUT, in bytes (same page).
pub const MAX_PART_BYTES: u64 = 5 * GIB;

/// The largest object in bytes: 10,000 parts of 5 GiB, which the same page rounds to 48.8 TiB.
pub const MAX_OBJECT_BYTES: u64 = MAX_PARTS as u64 * MAX_PART_BYTES;

/// Default: maximum size of a file that is sent in one PUT, in bytes. The server may be configured otherwise.
pub const SINGLE_PUT_BYTES: u64 = 16 * MIB;

/// Maximum size of a file that one call opens together with others, in bytes. For a larger one its own call costs
/// little.
pub const BATCH_FILE_BYTES: u64 = 1 << 20;

/// Default length of a part, in bytes; larger files get longer parts, to stay within 10,000. Small enough to lose
/// little when a PUT fails and to be hashed at once, large enough that the preflight of each PUT does not matter.
pub const DEFAULT_PART_BYTES: u64 = 8 * MIB;

/// How a file of a known size is cut into parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    size: u64,
    part_bytes: u64,
    multipart: bool,
}

/// One part: its number and its place in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Which part, counted from 1.
    pub number: PartNumber,
    /// Where it begins in the file, in bytes.
    pub offset: u64,
    /// How long it is, in bytes; 0 only for the one part of an empty file.
    pub length: u64,
}

impl Part {
    /// Returns the bytes of the file that it covers.
    pub fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.length
    }
}

impl Plan {
    /// Plans a file: one PUT up to `single_put_bytes` (at most [`MAX_PART_BYTES`]), parts above.
    pub fn new(size: FileSize, single_put_bytes: u64) -> Self {
        let size = size.bytes();
        if size <= single_put_bytes.min(MAX_PART_BYTES) {
            return Self { size, part_bytes: size, multipart: false };
        }
        // Whole mebibytes keep slices aligned with the pages of the disk and the figures readable.
        let least_bytes = size.div_ceil(MAX_PARTS.into()).next_multiple_of(MIB);
        let part_bytes = least_bytes.clamp(DEFAULT_PART_BYTES, MAX_PART_BYTES);
        Self { size, part_bytes, multipart: true }
    }

    /// Takes over a plan that was made elsewhere, if it keeps S3's limits and fits the file.
    pub fn restore(size: FileSize, part_bytes: u64, multipart: bool) -> Option<Self> {
        let size = size.bytes();
        let is_sound = if multipart {
            (MIN_PART_BYTES..=MAX_PART_BYTES).contains(&part_bytes) && size.div_ceil(part_bytes) <= MAX_PARTS.into()
        } else {
            part_bytes == size && size <= MAX_PART_BYTES
        };
        is_sound.then_some(Self { size, part_bytes, multipart })
    }

    /// Returns the size of the file in bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Returns whether the file travels in parts that are joined at the end.
    pub fn is_multipart(&self) -> bool {
        self.multipart
    }

    /// Returns the length of every part but the last, in bytes.
    pub fn part_bytes(&self) -> u64 {
        self.part_bytes
    }

    /// How many parts there are, from 1 to 10,000.
    pub fn part_count(&self) -> u32 {
        // At least one: an empty file is one empty PUT. The constructors keep it within u32.
        self.size.div_ceil(self.part_bytes.max(1)).max(1) as u32
    }

    /// Returns the part of that number, if the plan has it.
    pub fn part(&self, number: PartNumber) -> Option<Part> {
        (number.get() <= self.part_count()).then(|| self.nth(number))
    }

    /// Returns the last part.
    pub fn last(&self) -> Part {
        self.nth(PartNumber::new(self.part_count()).unwrap_or(PartNumber::FIRST))
    }

    /// Returns all parts in order.
    pub fn parts(&self) -> impl Iterator<Item = Part> + '_ {
        (1..=self.part_count()).filter_map(PartNumber::new).map(|number| self.nth(number))
    }

    fn nth(&self, number: PartNumber) -> Part {
        let offset = number.index() as u64 * self.part_bytes;
        Part { number, offset, length: self.part_bytes.min(self.size - offset) }
    }
}
