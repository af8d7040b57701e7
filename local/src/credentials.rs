//! The secrets of a data folder. The first start of a server makes random secrets and stores them in the folder.

use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// S3 credentials, and the key of the upload tokens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Credentials {
    /// S3's access key id.
    pub access_key: String,
    /// S3's secret access key.
    pub secret_key: String,
    /// Key that seals upload tokens.
    pub token_key: String,
}

/// Mode of the file: only its owner may read and write it.
const OWNER_ONLY: u32 = 0o600;

impl Credentials {
    /// Reads the credentials from a file. If the file does not exist, writes new credentials to it. Sets the file's
    /// mode in both cases, so that only the owner can read the file.
    ///
    /// # Errors
    /// The file can't be read or written, or its contents are malformed.
    pub fn load(path: &Path) -> io::Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) => {
                std::fs::set_permissions(path, Permissions::from_mode(OWNER_ONLY))?;
                serde_json::from_slice(&bytes).map_err(io::Error::other)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let credentials = Self::random();
                let mut file = File::options().write(true).create_new(true).mode(OWNER_ONLY).open(path)?;
                file.write_all(&serde_json::to_vec_pretty(&credentials)?)?;
                Ok(credentials)
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
