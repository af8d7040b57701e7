//! Cuts a file into parts within the limits of S3.
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

/// Maximum size of an object, in bytes: 10,000 parts of 5 GiB. The same page rounds it to 48.8 TiB.
pub const MAX_OBJECT_BYTES: u64 = MAX_PARTS as u64 * MAX_PART_BYTES;

/// Default: maximum size of a file that is sent in one PUT, in bytes. A server may be configured with another size.
pub const SINGLE_PUT_BYTES: u64 = 16 * MIB;

/// Maximum size of a file that one call opens together with other files, in bytes. The call for a larger file takes
/// little time compared with its PUT.
pub const BATCH_FILE_BYTES: u64 = 1 << 20;

/// Default length of a part, in bytes. Files that would need more than 10,000 such parts get longer parts. The length
/// is small enough that a failed PUT loses little and that a part is hashed as a whole. It is large enough that the
/// preflight request of each PUT does not matter.
pub const DEFAULT_PART_BYTES: u64 = 8 * MIB;

/// Division of a file into parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    size: u64,
    part_bytes: u64,
    multipart: bool,
}

/// Number and position of a part in its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part {
    /// Number of the part, counted from 1.
    pub number: PartNumber,
    /// Offset of the first byte in the file, in bytes.
    pub offset: u64,
    /// Length in bytes; 0 only for the one part of an empty file.
    pub length: u64,
}

impl Part {
    /// Returns the range of the part in the file, in bytes.
    pub fn range(&self) -> Range<u64> {
        self.offset..self.offset + self.length
    }
}

impl Plan {
    /// Plans the upload of a file. Files of at most `single_put_bytes` bytes, and at most [`MAX_PART_BYTES`], are sent
    /// in one PUT. Larger files are sent in parts.
    pub fn new(size: FileSize, single_put_bytes: u64) -> Self {
        let size = size.bytes();
        if size <= single_put_bytes.min(MAX_PART_BYTES) {
            return Self { size, part_bytes: size, multipart: false };
        }
        // Whole mebibytes align slices with the pages of the disk, and are easy to read.
        let least_bytes = size.div_ceil(MAX_PARTS.into()).next_multiple_of(MIB);
        let part_bytes = least_bytes.clamp(DEFAULT_PART_BYTES, MAX_PART_BYTES);
        Self { size, part_bytes, multipart: true }
    }

    /// Returns a plan that the server or an earlier session has made. `part_bytes` is the length of every part but the
    /// last. Returns `None` if the plan does not fit the file or breaks S3's limits.
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

    /// Returns whether the file is sent in parts that S3 joins at the end.
    pub fn is_multipart(&self) -> bool {
        self.multipart
    }

    /// Returns the length of every part but the last, in bytes.
    pub fn part_bytes(&self) -> u64 {
        self.part_bytes
    }

    /// Returns the number of parts, from 1 to 10,000.
    pub fn part_count(&self) -> u32 {
        // An empty file is sent in one empty PUT. The constructors make sure that there are at most 10,000 parts.
        self.size.div_ceil(self.part_bytes.max(1)).max(1) as u32
    }

    /// Returns the part with this number, or `None` if the plan has no such part.
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
