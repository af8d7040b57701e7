//! The secrets of one data folder: made at random once, kept in the folder, printed at start.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What an S3 client needs, and the key of the upload tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// S3's access key id.
    pub access_key: String,
    /// S3's secret access key.
    pub secret_key: String,
    /// The key that seals upload tokens.
    pub token_key: String,
}

/// Only the file's owner may read or write it.
const OWNERS: u32 = 0o600;

impl Credentials {
    /// Reads them from a file, or makes them and writes it. The file becomes its owner's alone.
    pub fn load(path: &Path) -> io::Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) => {
                std::fs::set_permissions(path, Permissions::from_mode(OWNERS))?;
                serde_json::from_slice(&bytes).map_err(io::Error::other)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = Self::random();
                let mut file = File::options().write(true).create_new(true).mode(OWNERS).open(path)?;
                file.write_all(&serde_json::to_vec_pretty(&made)?)?;
                Ok(made)
            }
            Err(error) => Err(error),
        }
    }

    fn random() -> Self {
        let hex = || Uuid::new_v4().simple().to_string();
        Self {
            access_key: format!("LOCAL{}", &hex()[..15].to_ascii_uppercase()),
            secret_key: format!("{}{}", hex(), hex()),
            token_key: format!("{}{}", hex(), hex()),
        }
    }
}
