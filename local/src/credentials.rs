//! The secrets of one data folder: made at random once, kept in the folder, printed at start.

use std::io;
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

impl Credentials {
    /// Reads them from a file, or makes them and writes it.
    pub fn load(path: &Path) -> io::Result<Self> {
        match std::fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = Self::random();
                std::fs::write(path, serde_json::to_vec_pretty(&made)?)?;
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
