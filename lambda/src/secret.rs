//! The secret in AWS Secrets Manager that contains the token keys.

use std::fmt;
use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata};

use directput_server::host::Source;
use directput_server::token::{MIN_KEY_BYTES, TokenKeys};

/// The secret, and the bucket that the tokens are for.
#[derive(Debug)]
pub struct Secret {
    client: Client,
    arn: String,
    bucket: String,
}

/// Reason why the keys can't be read or used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretError {
    /// Secrets Manager did not return a version. The fields are the version's stage and the error.
    Unreadable(&'static str, String),
    /// The version with this stage is binary and has no text.
    NoText(&'static str),
    /// A key has less than [`MIN_KEY_BYTES`] bytes.
    TooShort,
}

impl fmt::Display for SecretError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(stage, code) => write!(f, "the {stage} version of TOKEN_SECRET_ARN can't be read: {code}"),
            Self::NoText(stage) => write!(f, "the {stage} version of TOKEN_SECRET_ARN has no text"),
            Self::TooShort => write!(f, "TOKEN_SECRET_ARN has a key of less than {MIN_KEY_BYTES} characters"),
        }
    }
}

impl std::error::Error for SecretError {}

impl Secret {
    /// Returns the secret with this ARN. `client` reads it.
    pub fn new(client: Client, arn: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self { client, arn: arn.into(), bucket: bucket.into() }
    }

    /// Reads the secret's current version, and its previous version if there is one.
    ///
    /// # Errors
    /// [`SecretError`] if a version can't be read or used. A previous version is absent only if Secrets Manager answers
    /// that it does not exist. Any other failure to read the previous version is an error, because without the previous
    /// key the function would refuse the tokens that this key has sealed.
    pub async fn read(&self) -> Result<TokenKeys, SecretError> {
        let (current, previous) = tokio::join!(self.version("AWSCURRENT"), self.version("AWSPREVIOUS"));
        let current = current?.ok_or_else(|| SecretError::Unreadable("AWSCURRENT", NOT_FOUND.to_owned()))?;
        let previous = previous?;
        let keys = TokenKeys::new(current.as_bytes(), previous.as_deref().map(str::as_bytes), &self.bucket);
        keys.ok_or(SecretError::TooShort)
    }

    /// Returns the function with which a keyring reads the secret again.
    pub fn into_source(self) -> Source {
        let secret = Arc::new(self);
        Box::new(move || {
            let secret = Arc::clone(&secret);
            Box::pin(async move { secret.read().await.ok() })
        })
    }

    /// Returns the text of the version with this stage, or `None` if no version has this stage.
    async fn version(&self, stage: &'static str) -> Result<Option<String>, SecretError> {
        let request = self.client.get_secret_value().secret_id(&self.arn).version_stage(stage);
        match request.send().await {
            Ok(reply) => reply.secret_string.map(Some).ok_or(SecretError::NoText(stage)),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(SecretError::Unreadable(stage, DisplayErrorContext(&error).to_string())),
        }
    }
}

/// Secrets Manager's error code if no version has the stage (API Reference, "GetSecretValue").
const NOT_FOUND: &str = "ResourceNotFoundException";
