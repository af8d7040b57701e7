//! What is kept of an unfinished upload for the next run: a file for each in the user's state folder, which nobody else
//! may read, as it holds the upload token.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use directput::checksum::Sha256Digest;
use directput::engine::{Failure, Record};
use directput::protocol::ErrorCode;
use etcetera::{BaseStrategy, choose_base_strategy};
use serde::{Deserialize, Serialize};

use crate::disk::State;

/// An unfinished upload.
#[derive(Debug, Serialize, Deserialize)]
pub struct Kept {
    /// What its file was.
    pub file: State,
    /// What the engine needs to go on.
    pub record: Record,
}

/// Where the unfinished upload of one file to one API is kept. While this lives, no other process goes on with it.
#[derive(Debug)]
pub struct Memory {
    path: PathBuf,
    _lock: Option<File>,
}

impl Memory {
    /// Opens the memory of a file and an API.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`] if another process has it, [`ErrorCode::Internal`] if the folder can't be written.
    pub fn open(file: &Path, endpoint: &str) -> Result<Self, Failure> {
        let folder = folder().ok_or_else(|| unwritable("there is no home folder"))?;
        let name = Sha256Digest::of(format!("{}\n{endpoint}", file.display()).as_bytes()).to_text();
        // Base64 has a character that no file name may have.
        let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let open = || {
            fs::create_dir_all(&folder)?;
            File::options().create(true).truncate(false).write(true).open(folder.join(format!("{name}.lock")))
        };
        let lock = open().map_err(|error| unwritable(&error.to_string()))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: folder.join(format!("{name}.json")), _lock: Some(lock) }),
            Err(fs::TryLockError::WouldBlock) => Err(ErrorCode::InUse.into()),
            Err(fs::TryLockError::Error(error)) => Err(unwritable(&error.to_string())),
        }
    }

    /// A memory that keeps nothing, for input that can be read only once.
    pub fn none() -> Self {
        Self { path: PathBuf::new(), _lock: None }
    }

    /// What an earlier run has left, if it can be read.
    pub fn load(&self) -> Option<Kept> {
        serde_json::from_slice(&fs::read(&self.path).ok()?).ok()
    }

    /// Keeps this in place of what was kept before: all of it, or what was there.
    pub fn store(&self, kept: &Kept) {
        let write = || {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            // Only its owner may read such a file.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&serde_json::to_vec(kept)?)?;
            file.persist(&self.path)?;
            Ok::<(), std::io::Error>(())
        };
        if let Err(error) = write() {
            eprintln!("directput: the upload can't be gone on with later: {error}");
        }
    }

    /// Nothing is left to go on with.
    pub fn forget(&self) {
        // If there was nothing, there is nothing now.
        let _ = fs::remove_file(&self.path);
    }

    /// Whether the next run could go on.
    pub fn has_any(&self) -> bool {
        self.path.exists()
    }
}

fn folder() -> Option<PathBuf> {
    let places = choose_base_strategy().ok()?;
    // Not every system has a folder for what programs remember.
    Some(places.state_dir().unwrap_or_else(|| places.data_dir()).join("directput"))
}

fn unwritable(why: &str) -> Failure {
    let detail = format!("what is kept of uploads: {why}");
    Failure { detail: Some(detail), ..ErrorCode::Internal.into() }
}
