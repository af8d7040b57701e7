//! Checksums as S3 computes them. This module does no IO.
//!
//! For a multipart object, S3 offers SHA-256 only as a COMPOSITE checksum, which is the SHA-256 of the parts' digests.
//! S3 offers CRC64NVME only as a FULL_OBJECT checksum, which is the checksum of the whole object (S3 User Guide,
//! "Checking object integrity for data uploads"). Both can be computed from the checksums of the parts.

mod crc64nvme;
mod sha256;

use serde::{Deserialize, Serialize};

pub use crc64nvme::{Crc64Nvme, Crc64NvmeHasher};
pub use sha256::{CompositeChecksum, Sha256Digest, Sha256Hasher};

use crate::protocol::{Refusal, string_on_the_wire};

/// Algorithm that verifies the bytes of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChecksumAlgorithm {
    /// SHA-256: also detects deliberate changes.
    #[default]
    Sha256,
    /// CRC64NVME: detects accidental changes at a lower cost, but not deliberate changes.
    Crc64nvme,
    /// CRC64NVME that is compared after the PUT. Parts are signed and sent before they are hashed, so that no URL waits
    /// for a checksum. The URL of a part accepts any bytes of the part's length, but S3 accepts the object only with
    /// the CRC64NVME of all bytes. A file that is sent in one PUT is hashed first, as with [`Self::Crc64nvme`].
    Crc64nvmeAfter,
    /// No checksum: only the length is verified.
    None,
}

impl ChecksumAlgorithm {
    /// Every algorithm.
    pub const ALL: [Self; 4] = [Self::Sha256, Self::Crc64nvme, Self::Crc64nvmeAfter, Self::None];

    /// Returns the name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Crc64nvme => "crc64nvme",
            Self::Crc64nvmeAfter => "crc64nvme-after",
            Self::None => "none",
        }
    }

    /// Returns the algorithm that computes the checksums: [`Self::Crc64nvme`] for [`Self::Crc64nvmeAfter`], and the
    /// same algorithm otherwise.
    pub fn computed_by(self) -> Self {
        if self == Self::Crc64nvmeAfter { Self::Crc64nvme } else { self }
    }

    /// Reads the name on the wire. Returns `None` if the name is unknown.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == text)
    }
}

/// Checksum of a part, or of an object that was sent in one PUT. Its text is Base64, as in S3's headers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartChecksum {
    /// `x-amz-checksum-sha256`.
    Sha256(Sha256Digest),
    /// `x-amz-checksum-crc64nvme`.
    Crc64Nvme(Crc64Nvme),
}

impl PartChecksum {
    /// Reads Base64. The length determines the algorithm.
    ///
    /// # Errors
    /// [`Refusal::Empty`], [`Refusal::TooLong`], or [`Refusal::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.len() {
            Crc64Nvme::TEXT_BYTES => Crc64Nvme::parse(text).map(Self::Crc64Nvme),
            _ => Sha256Digest::parse(text).map(Self::Sha256),
        }
    }

    /// Returns the checksum in Base64, as in S3's headers.
    pub fn to_text(&self) -> String {
        match self {
            Self::Sha256(digest) => digest.to_text(),
            Self::Crc64Nvme(checksum) => checksum.to_text(),
        }
    }

    /// Returns the algorithm.
    pub fn algorithm(&self) -> ChecksumAlgorithm {
        match self {
            Self::Sha256(_) => ChecksumAlgorithm::Sha256,
            Self::Crc64Nvme(_) => ChecksumAlgorithm::Crc64nvme,
        }
    }
}

impl From<Sha256Digest> for PartChecksum {
    fn from(digest: Sha256Digest) -> Self {
        Self::Sha256(digest)
    }
}

impl From<Crc64Nvme> for PartChecksum {
    fn from(checksum: Crc64Nvme) -> Self {
        Self::Crc64Nvme(checksum)
    }
}

string_on_the_wire!(PartChecksum, "a SHA-256 digest as 44 characters of Base64, or a CRC64NVME as 12");

/// Checksum of an object that was joined from parts, as S3 computes and stores it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectChecksum {
    /// COMPOSITE, from SHA-256.
    Composite(CompositeChecksum),
    /// FULL_OBJECT.
    Crc64Nvme(Crc64Nvme),
}

impl ObjectChecksum {
    /// Combines the checksums of all parts, in order, each with the length of its part in bytes. Returns `None` if a
    /// checksum is missing or of another algorithm, or if `algorithm` is [`ChecksumAlgorithm::None`].
    pub fn of(
        algorithm: ChecksumAlgorithm,
        parts: impl IntoIterator<Item = (Option<PartChecksum>, u64)>,
    ) -> Option<Self> {
        let parts = parts.into_iter();
        match algorithm {
            ChecksumAlgorithm::None => None,
            ChecksumAlgorithm::Sha256 => {
                let digests = parts.map(|(checksum, _)| match checksum? {
                    PartChecksum::Sha256(digest) => Some(digest),
                    PartChecksum::Crc64Nvme(_) => None,
                });
                CompositeChecksum::of_all(digests).map(Self::Composite)
            }
            ChecksumAlgorithm::Crc64nvme | ChecksumAlgorithm::Crc64nvmeAfter => {
                let mut joiner = crc64nvme::Joiner::default();
                for (checksum, length) in parts {
                    match checksum? {
                        PartChecksum::Crc64Nvme(checksum) => joiner.add(checksum, length),
                        PartChecksum::Sha256(_) => return None,
                    }
                }
                Some(Self::Crc64Nvme(joiner.finish()))
            }
        }
    }

    /// Returns the checksum in S3's form: `<Base64>-<number of parts>` for a composite, otherwise Base64.
    pub fn to_text(&self) -> String {
        match self {
            Self::Composite(checksum) => checksum.to_text(),
            Self::Crc64Nvme(checksum) => checksum.to_text(),
        }
    }

    /// Reads `<Base64>-<number of parts>`, or the Base64 of a CRC64NVME.
    ///
    /// # Errors
    /// [`Refusal::Empty`], [`Refusal::TooLong`], or [`Refusal::Malformed`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        match text.len() {
            Crc64Nvme::TEXT_BYTES => Crc64Nvme::parse(text).map(Self::Crc64Nvme),
            _ => CompositeChecksum::parse(text).map(Self::Composite),
        }
    }
}

string_on_the_wire!(ObjectChecksum, "a composite SHA-256 such as <Base64>-3, or a CRC64NVME");
