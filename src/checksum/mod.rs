//! Checksums as S3 computes them; no IO.
//!
//! S3 knows SHA-256 over a multipart object only as a COMPOSITE checksum: the SHA-256 of the parts'
//! digests, one behind the other, written `<Base64>-<number of parts>` (S3 User Guide, "Checking
//! object integrity for data uploads").

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::plan::MAX_PARTS;
use crate::protocol::{Refusal, string_on_the_wire};

/// A SHA-256 digest, written in Base64 as S3's `x-amz-checksum-sha256` is.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Takes over a digest that somebody else computed.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 44 characters of Base64.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.len() {
            0 => return Err(Refusal::Empty),
            length if length > 44 => return Err(Refusal::TooLong),
            _ => {}
        }
        let bytes = STANDARD.decode(text).map_err(|_| Refusal::Malformed)?;
        bytes.try_into().map(Self).map_err(|_| Refusal::Malformed)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

string_on_the_wire!(Sha256Digest, "a SHA-256 digest as 44 characters of Base64");

/// A SHA-256 in the making, for bytes that arrive one slice after the other.
#[derive(Clone, Default)]
pub struct Sha256Hasher(Sha256);

impl Sha256Hasher {
    /// Adds the bytes that follow.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all of them.
    pub fn finish(self) -> Sha256Digest {
        Sha256Digest(self.0.finalize().into())
    }
}

/// The COMPOSITE checksum of a multipart object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompositeChecksum {
    digest: Sha256Digest,
    parts: u32,
}

impl CompositeChecksum {
    /// Combines the digests of all parts, in order.
    pub fn of<'a>(digests: impl IntoIterator<Item = &'a Sha256Digest>) -> Self {
        let mut hasher = Sha256Hasher::default();
        let mut parts = 0;
        for digest in digests {
            hasher.update(digest.as_bytes());
            parts += 1;
        }
        Self { digest: hasher.finish(), parts }
    }

    /// Reads `<Base64>-<number of parts>`.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::Empty);
        }
        let (digest, count) = text.split_once('-').ok_or(Refusal::Malformed)?;
        let parts: u32 = count.parse().map_err(|_| Refusal::Malformed)?;
        if !(1..=MAX_PARTS).contains(&parts) || parts.to_string() != count {
            return Err(Refusal::Malformed);
        }
        Ok(Self { digest: Sha256Digest::parse(digest)?, parts })
    }

    /// Of how many parts it is.
    pub fn parts(&self) -> u32 {
        self.parts
    }
}

impl fmt::Display for CompositeChecksum {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.digest, self.parts)
    }
}

string_on_the_wire!(CompositeChecksum, "a composite SHA-256 such as <Base64>-3");
