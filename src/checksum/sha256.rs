//! SHA-256, and the COMPOSITE checksum of a multipart object: the SHA-256 of the concatenated digests of the parts,
//! written as `<Base64>-<number of parts>`.

use std::fmt;

use base64ct::{Base64, Encoding};
use sha2::{Digest, Sha256};

use crate::plan::MAX_PARTS;
use crate::protocol::{Refusal, string_on_the_wire};

/// A SHA-256 digest. Its text is Base64, as in S3's header `x-amz-checksum-sha256`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Sha256Digest([u8; 32]);

impl Sha256Digest {
    /// Returns the digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Returns the digest that consists of these 32 bytes.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 44 characters of Base64.
    ///
    /// # Errors
    /// [`Refusal::Empty`], [`Refusal::TooLong`], or [`Refusal::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.len() {
            0 => return Err(Refusal::Empty),
            length if length > 44 => return Err(Refusal::TooLong),
            _ => {}
        }
        let mut bytes = [0; 32];
        match Base64::decode(text, &mut bytes) {
            Ok(decoded) if decoded.len() == 32 => Ok(Self(bytes)),
            _ => Err(Refusal::Malformed),
        }
    }

    /// Returns the digest as 44 characters of Base64.
    pub fn to_text(&self) -> String {
        Base64::encode(&self.0, &mut [0; 44]).unwrap_or_default().to_owned()
    }

    /// Returns the 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for Sha256Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sha256Digest({self})")
    }
}

string_on_the_wire!(Sha256Digest, "a SHA-256 digest as 44 characters of Base64");

/// Incremental SHA-256 of bytes that arrive in slices.
#[derive(Clone, Default)]
pub struct Sha256Hasher(Sha256);

impl Sha256Hasher {
    /// Adds the bytes that follow.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// Returns the digest of all added bytes.
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
        let mut composite = Composing::default();
        digests.into_iter().for_each(|digest| composite.add(digest));
        composite.finish()
    }

    /// Combines the digests of all parts, in order. Returns `None` if a digest is missing.
    pub(super) fn of_all(digests: impl Iterator<Item = Option<Sha256Digest>>) -> Option<Self> {
        let mut composite = Composing::default();
        for digest in digests {
            composite.add(&digest?);
        }
        Some(composite.finish())
    }

    /// Reads `<Base64>-<number of parts>`.
    ///
    /// # Errors
    /// [`Refusal::Empty`], [`Refusal::TooLong`] if the digest is too long, or [`Refusal::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.is_empty() {
            return Err(Refusal::Empty);
        }
        let (digest, count) = text.split_once('-').ok_or(Refusal::Malformed)?;
        let parts: u32 = count.parse().map_err(|_| Refusal::Malformed)?;
        if !(1..=MAX_PARTS).contains(&parts) || itoa::Buffer::new().format(parts) != count {
            return Err(Refusal::Malformed);
        }
        Ok(Self { digest: Sha256Digest::parse(digest)?, parts })
    }

    /// Returns `<Base64>-<number of parts>`.
    pub fn to_text(&self) -> String {
        self.digest.to_text() + "-" + itoa::Buffer::new().format(self.parts)
    }
}

#[derive(Default)]
struct Composing {
    hasher: Sha256Hasher,
    parts: u32,
}

impl Composing {
    fn add(&mut self, digest: &Sha256Digest) {
        self.hasher.update(digest.as_bytes());
        self.parts += 1;
    }

    fn finish(self) -> CompositeChecksum {
        CompositeChecksum { digest: self.hasher.finish(), parts: self.parts }
    }
}

string_on_the_wire!(CompositeChecksum, "a composite SHA-256 such as <Base64>-3");
