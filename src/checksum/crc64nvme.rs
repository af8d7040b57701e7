//! CRC64NVME: CRC-64/NVME of the NVM Command Set Specification, section 5.3.1.3. It is reflected. Its initial value is
//! all ones, and all bits of its result are inverted.
//!
//! The code processes sixteen bytes at a time with sixteen tables (Kounavis and Berry, "A Systematic Approach to
//! Building High Performance Software-based CRC Generators"). The tables are computed at first use: in the Wasm module
//! they would take 32 KiB, and loading them would take longer than computing them.

use std::fmt;
use std::sync::LazyLock;

use base64ct::{Base64, Encoding};

use crate::protocol::{Refusal, string_on_the_wire};

/// Polynomial 0xAD93D23594C93659 with reversed bits: bit 63 stands for x⁰.
const POLYNOMIAL: u64 = 0x9A6C_9329_AC4B_C9B5;

/// Number of bytes that are processed at a time, and number of tables.
const STRIDE: usize = 16;

static TABLES: LazyLock<Box<[[u64; 256]; STRIDE]>> = LazyLock::new(|| {
    let mut tables = Box::new([[0; 256]; STRIDE]);
    for byte in 0..256 {
        tables[0][byte] = (0..8).fold(byte as u64, |crc, _| times_x(crc));
    }
    for table in 1..STRIDE {
        for byte in 0..256 {
            let before = tables[table - 1][byte];
            tables[table][byte] = (before >> 8) ^ tables[0][(before & 0xFF) as usize];
        }
    }
    tables
});

/// Returns the product of a polynomial and x.
fn times_x(polynomial: u64) -> u64 {
    (polynomial >> 1) ^ (POLYNOMIAL & 0u64.wrapping_sub(polynomial & 1))
}

/// Returns the product of two polynomials.
fn times(one: u64, mut other: u64) -> u64 {
    let mut product = 0;
    for power in 0..64 {
        product ^= other & 0u64.wrapping_sub((one >> (63 - power)) & 1);
        other = times_x(other);
    }
    product
}

/// Returns the polynomial x to a power.
fn x_to(mut power: u64) -> u64 {
    let (mut result, mut square) = (1 << 63, 1 << 62);
    while power > 0 {
        if power & 1 == 1 {
            result = times(result, square);
        }
        square = times(square, square);
        power >>= 1;
    }
    result
}

/// A CRC64NVME. Its text is Base64, as in S3's header `x-amz-checksum-crc64nvme`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crc64Nvme(u64);

impl Crc64Nvme {
    /// Length of the text, in bytes.
    pub const TEXT_BYTES: usize = 12;

    /// Returns the checksum of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut hasher = Crc64NvmeHasher::default();
        hasher.update(bytes);
        hasher.finish()
    }

    /// Returns the checksum as 12 characters of Base64.
    pub fn to_text(&self) -> String {
        Base64::encode(&self.0.to_be_bytes(), &mut [0; Self::TEXT_BYTES]).unwrap_or_default().to_owned()
    }

    /// Reads 12 characters of Base64.
    ///
    /// # Errors
    /// [`Refusal::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let mut bytes = [0; 8];
        match Base64::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 8 => Ok(Self(u64::from_be_bytes(bytes))),
            _ => Err(Refusal::Malformed),
        }
    }
}

impl fmt::Debug for Crc64Nvme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crc64Nvme({self})")
    }
}

string_on_the_wire!(Crc64Nvme, "a CRC64NVME as 12 characters of Base64");

/// Incremental CRC64NVME of bytes that arrive in slices.
#[derive(Clone)]
pub struct Crc64NvmeHasher(u64);

impl Default for Crc64NvmeHasher {
    fn default() -> Self {
        Self(!0)
    }
}

impl Crc64NvmeHasher {
    /// Adds the bytes that follow.
    pub fn update(&mut self, bytes: &[u8]) {
        let tables = &**TABLES;
        let (strides, rest) = bytes.as_chunks::<STRIDE>();
        let mut crc = self.0;
        for stride in strides {
            let mixed = u128::from_le_bytes(*stride) ^ u128::from(crc);
            let (low, high) = (mixed as u64, (mixed >> 64) as u64);
            // Without a loop: with optimisation for size, the compiler would keep the loop's counters in memory.
            let look = |table: usize, eight: u64, at: u32| tables[table][usize::from((eight >> (8 * at)) as u8)];
            crc = look(15, low, 0)
                ^ look(14, low, 1)
                ^ look(13, low, 2)
                ^ look(12, low, 3)
                ^ look(11, low, 4)
                ^ look(10, low, 5)
                ^ look(9, low, 6)
                ^ look(8, low, 7)
                ^ look(7, high, 0)
                ^ look(6, high, 1)
                ^ look(5, high, 2)
                ^ look(4, high, 3)
                ^ look(3, high, 4)
                ^ look(2, high, 5)
                ^ look(1, high, 6)
                ^ look(0, high, 7);
        }
        for &byte in rest {
            crc = (crc >> 8) ^ tables[0][usize::from(crc as u8 ^ byte)];
        }
        self.0 = crc;
    }

    /// Returns the checksum of all added bytes.
    pub fn finish(self) -> Crc64Nvme {
        Crc64Nvme(!self.0)
    }
}

/// Combines the checksums of parts into the checksum of the whole. Adding a part shifts the checksum of the parts
/// before it by the length of the added part.
#[derive(Default)]
pub(super) struct Joiner {
    crc: u64,
    /// Length of the previous part in bytes, and the power of x for this length. They are cached, because most parts
    /// have the same length.
    shift: Option<(u64, u64)>,
}

impl Joiner {
    /// Adds the next part.
    pub fn add(&mut self, part: Crc64Nvme, length: u64) {
        let power = match self.shift {
            Some((before, power)) if before == length => power,
            _ => x_to(length * 8),
        };
        self.shift = Some((length, power));
        self.crc = times(power, self.crc) ^ part.0;
    }

    /// Returns the checksum of the whole.
    pub fn finish(self) -> Crc64Nvme {
        Crc64Nvme(self.crc)
    }
}
