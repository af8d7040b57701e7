//! The file on disk: its state when it was opened, and the hashing of its parts.
//!
//! Input from a pipe is written to a temporary file before the upload. The size of the input must be known when the
//! upload is opened, and a part may have to be read several times.

use std::fs::{File, Metadata};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use directput::checksum::{ChecksumAlgorithm, Crc64NvmeHasher, PartChecksum, Sha256Hasher};
use directput::engine::Failure;
use directput::plan::Part;
use directput::protocol::ErrorCode;
use serde::{Deserialize, Serialize};
use tempfile::{NamedTempFile, TempPath};

/// Length of one read, in bytes.
const READ_BYTES: usize = 1 << 20;

/// State of a file. If the state changes, the file was modified.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Size in bytes.
    pub size: u64,
    /// Time of the last modification, in nanoseconds since 1970, or 0 if the file system does not record it.
    pub changed_at_ns: u64,
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        let changed_at = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self { size: metadata.len(), changed_at_ns: changed_at.map_or(0, |time| time.as_nanos() as u64) }
    }
}

/// A file that must not change during the upload.
#[derive(Debug, Clone)]
pub struct Source {
    /// Absolute path.
    pub path: PathBuf,
    /// State when the file was opened.
    pub state: State,
    /// Temporary file with piped input. It is removed when the last clone of the source is dropped. `None` for other
    /// input.
    spool: Option<Arc<TempPath>>,
}

impl Source {
    /// Opens a file. If the path is `-` (standard input) or a pipe, copies its bytes to a temporary file.
    ///
    /// # Errors
    /// The file does not exist, is a folder, or can't be read.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        if path == Path::new("-") {
            return Self::spool(std::io::stdin().lock());
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(std::io::Error::other("it is a folder, not a file"));
        }
        if !metadata.is_file() {
            return Self::spool(file);
        }
        Ok(Self { path: path.canonicalize()?, state: State::of(&metadata), spool: None })
    }

    fn spool(mut from: impl Read) -> std::io::Result<Self> {
        let mut file = NamedTempFile::new()?;
        std::io::copy(&mut from, &mut file)?;
        let state = State::of(&file.as_file().metadata()?);
        let spool = file.into_temp_path();
        Ok(Self { path: spool.to_path_buf(), state, spool: Some(Arc::new(spool)) })
    }

    /// Returns whether the input came from standard input or a pipe. A later run can't read such input again.
    pub fn is_piped(&self) -> bool {
        self.spool.is_some()
    }

    /// Returns whether the file still has the state that it had when it was opened.
    pub fn is_unchanged(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|metadata| State::of(&metadata) == self.state)
    }

    /// Reads a part and hashes it. Blocks the thread.
    ///
    /// # Errors
    /// [`ErrorCode::FileChanged`] if the file has changed or can't be read.
    pub fn hash(&self, part: Part, algorithm: ChecksumAlgorithm) -> Result<PartChecksum, Failure> {
        let mut hasher = Hasher::new(algorithm);
        let mut read = || {
            let mut file = File::open(&self.path)?;
            file.seek(SeekFrom::Start(part.offset))?;
            let mut left = part.length;
            let mut buffer = vec![0; READ_BYTES.min(left.max(1) as usize)];
            while left > 0 {
                let wanted = buffer.len().min(left as usize);
                file.read_exact(&mut buffer[..wanted])?;
                hasher.update(&buffer[..wanted]);
                left -= wanted as u64;
            }
            Ok(())
        };
        read().map_err(unreadable)?;
        if self.is_unchanged() { Ok(hasher.finish()) } else { Err(ErrorCode::FileChanged.into()) }
    }
}

enum Hasher {
    Sha256(Sha256Hasher),
    Crc64Nvme(Crc64NvmeHasher),
}

impl Hasher {
    /// Returns a hasher for the algorithm. The engine never hashes parts with [`ChecksumAlgorithm::None`].
    fn new(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Sha256 | ChecksumAlgorithm::None => Self::Sha256(Sha256Hasher::default()),
            ChecksumAlgorithm::Crc64nvme | ChecksumAlgorithm::Crc64nvmeAfter => {
                Self::Crc64Nvme(Crc64NvmeHasher::default())
            }
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Crc64Nvme(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> PartChecksum {
        match self {
            Self::Sha256(hasher) => hasher.finish().into(),
            Self::Crc64Nvme(hasher) => hasher.finish().into(),
        }
    }
}

fn unreadable(error: std::io::Error) -> Failure {
    Failure { detail: Some(error.to_string()), ..ErrorCode::FileChanged.into() }
}
