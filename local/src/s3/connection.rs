//! Address and credentials of an S3 server: the embedded one or another.

use directput_server::Credentials;

/// Address, bucket and credentials of an S3 server.
#[derive(Clone)]
pub struct S3Connection {
    /// URL at which browsers reach the server.
    pub url: String,
    /// Region in signatures.
    pub region: String,
    /// Name of the bucket.
    pub bucket: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Session token, if the keys are temporary.
    pub session_token: Option<String>,
}

impl S3Connection {
    /// Returns the connection to the server at `url`, with the settings BUCKET, AWS_REGION, AWS_ACCESS_KEY_ID,
    /// AWS_SECRET_ACCESS_KEY and, for temporary keys, AWS_SESSION_TOKEN.
    ///
    /// # Errors
    /// The name of a required setting that is not set.
    pub fn from_settings(url: String, settings: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let need =
            |name: &str| settings(name).ok_or_else(|| format!("--use-s3: the environment variable {name} is not set"));
        Ok(Self {
            url,
            region: need("AWS_REGION")?,
            bucket: need("BUCKET")?,
            access_key: need("AWS_ACCESS_KEY_ID")?,
            secret_key: need("AWS_SECRET_ACCESS_KEY")?,
            session_token: settings("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
        })
    }

    /// Returns the keys that sign requests.
    pub fn credentials(&self) -> Credentials {
        Credentials {
            access_key_id: self.access_key.clone(),
            secret_access_key: self.secret_key.clone(),
            session_token: self.session_token.clone(),
        }
    }
}
