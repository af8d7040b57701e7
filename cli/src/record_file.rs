//! The record of an unfinished upload, from which a later run resumes. Each record is a file in the user's state
//! folder. The record contains the upload token, so only the user can read the file.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use directput::checksum::Sha256Digest;
use directput::engine::{Failure, Record};
use directput::protocol::ErrorCode;
use etcetera::{BaseStrategy, choose_base_strategy};
use serde::{Deserialize, Serialize};

use crate::disk::State;

/// Contents of a record file.
#[derive(Debug, Serialize, Deserialize)]
pub struct UnfinishedUpload {
    /// State of the uploaded file.
    pub file: State,
    /// Record from which the engine resumes.
    pub record: Record,
}

/// Record file for one file and one API. Until the value is dropped, a lock prevents other processes from uploading the
/// same file to the same API.
#[derive(Debug)]
pub struct RecordFile {
    path: PathBuf,
    _lock: Option<File>,
}

impl RecordFile {
    /// Locks the record file of a file and an API. The record does not have to exist.
    ///
    /// # Errors
    /// [`ErrorCode::InUse`] if another process has the lock; [`ErrorCode::Internal`] if the folder can't be written.
    pub fn open(file: &Path, endpoint: &str) -> Result<Self, Failure> {
        let folder = folder().ok_or_else(|| unwritable("there is no home folder"))?;
        let name = Sha256Digest::of(format!("{}\n{endpoint}", file.display()).as_bytes()).to_text();
        // Base64 contains `/`, which a file name can't have.
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

    /// Returns a record file without a path, for piped input. Piped input has no record, because a later run can't read
    /// it again.
    pub fn none() -> Self {
        Self { path: PathBuf::new(), _lock: None }
    }

    /// Returns the record of an earlier run, or `None` if there is no record or it can't be read.
    pub fn load(&self) -> Option<UnfinishedUpload> {
        serde_json::from_slice(&fs::read(&self.path).ok()?).ok()
    }

    /// Replaces the record in one step. If writing fails, prints a warning and keeps the old record.
    pub fn store(&self, upload: &UnfinishedUpload) {
        let write = || {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            // Temporary files are created with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&serde_json::to_vec(upload)?)?;
            file.persist(&self.path)?;
            Ok::<(), std::io::Error>(())
        };
        if let Err(error) = write() {
            eprintln!("directput: this upload can't be resumed later: {error}");
        }
    }

    /// Removes the record.
    pub fn forget(&self) {
        // The error is ignored, because there may be no record.
        let _ = fs::remove_file(&self.path);
    }

    /// Returns whether there is a record. A later run can resume from a record.
    pub fn exists(&self) -> bool {
        self.path.exists()
    }
}

fn folder() -> Option<PathBuf> {
    let folders = choose_base_strategy().ok()?;
    // On systems without a folder for the state of programs, the records are in the folder for the data of programs.
    Some(folders.state_dir().unwrap_or_else(|| folders.data_dir()).join("directput"))
}

fn unwritable(reason: &str) -> Failure {
    let detail = format!("the records of uploads: {reason}");
    Failure { detail: Some(detail), ..ErrorCode::Internal.into() }
}
