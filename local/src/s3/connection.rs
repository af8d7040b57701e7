//! How an S3 server is reached and signed for: the one in this process, or another that runs already.

use aws_sdk_s3::config::{BehaviorVersion, Builder, Credentials, Region};

/// An S3 server, its bucket, and who may use it.
#[derive(Clone)]
pub struct S3Connection {
    /// Where it listens, as browsers reach it.
    pub url: String,
    /// The region that signatures are made for.
    pub region: String,
    /// The bucket's name.
    pub bucket: String,
    /// S3's access key id.
    pub access_key: String,
    /// S3's secret access key.
    pub secret_key: String,
    /// The session that the keys belong to, if they are temporary.
    pub session_token: Option<String>,
}

impl S3Connection {
    /// The server at `url`, with what is set of BUCKET, AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and, for
    /// temporary keys, AWS_SESSION_TOKEN.
    ///
    /// # Errors
    /// Which of them is needed and not set.
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

    /// Who signs.
    pub fn credentials(&self) -> Credentials {
        Credentials::new(&self.access_key, &self.secret_key, self.session_token.clone(), None, "local")
    }

    /// A client's configuration.
    pub fn config(&self) -> Builder {
        self.config_at(&self.url)
    }

    /// The same for another address of this server.
    pub(crate) fn config_at(&self, url: &str) -> Builder {
        aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(self.region.clone()))
            .credentials_provider(self.credentials())
            .endpoint_url(url)
            .force_path_style(true)
    }
}
