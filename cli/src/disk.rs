//! The file on disk: what it was when the upload began, and its parts, read and hashed. What comes through a pipe is first
//! written to a temporary file: S3 wants to know the size, and parts may have to be sent twice.

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

/// How much is read at a time, in bytes.
const READ_BYTES: usize = 1 << 20;

/// What tells whether a file is still what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Its size in bytes.
    pub size: u64,
    /// When it was changed, in nanoseconds since 1970; 0 where the file system does not say.
    pub changed_at_ns: u64,
}

impl State {
    fn of(metadata: &Metadata) -> Self {
        let changed_at = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Self { size: metadata.len(), changed_at_ns: changed_at.map_or(0, |time| time.as_nanos() as u64) }
    }
}

/// A file that is to stay as it was when it was opened.
#[derive(Debug, Clone)]
pub struct Source {
    /// Where it is, whatever the working folder.
    pub path: PathBuf,
    /// What it was.
    pub state: State,
    /// The temporary file that it was written to; removed with the last that uses it.
    spool: Option<Arc<TempPath>>,
}

impl Source {
    /// Looks at a file. Reads standard input to its end for `-`, and a pipe.
    ///
    /// # Errors
    /// The system's, if there is none, or if it is a folder or can't be read.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        if path == Path::new("-") {
            return Self::spool(std::io::stdin().lock());
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(std::io::Error::other("it is no file"));
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

    /// Whether it came through a pipe, so that no later run can read it.
    pub fn is_piped(&self) -> bool {
        self.spool.is_some()
    }

    /// Whether it still is what it was.
    pub fn is_unchanged(&self) -> bool {
        std::fs::metadata(&self.path).is_ok_and(|metadata| State::of(&metadata) == self.state)
    }

    /// Reads a part and hashes it; takes as long as the disk does.
    ///
    /// # Errors
    /// [`ErrorCode::FileChanged`].
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
    /// The engine has no part hashed by [`ChecksumAlgorithm::None`].
    fn new(algorithm: ChecksumAlgorithm) -> Self {
        match algorithm {
            ChecksumAlgorithm::Sha256 | ChecksumAlgorithm::None => Self::Sha256(Sha256Hasher::default()),
            ChecksumAlgorithm::Crc64nvme => Self::Crc64Nvme(Crc64NvmeHasher::default()),
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
