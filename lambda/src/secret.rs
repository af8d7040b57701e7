//! Where the token keys are kept: a secret of AWS Secrets Manager.

use std::fmt;
use std::sync::Arc;

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::error::{DisplayErrorContext, ProvideErrorMetadata};

use crate::keyring::Source;
use crate::token::{MIN_KEY_BYTES, TokenKeys};

/// The secret, and the bucket that its keys' tokens are for.
#[derive(Debug)]
pub struct Secret {
    client: Client,
    arn: String,
    bucket: String,
}

/// Why there are no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretError {
    /// Secrets Manager did not give out a version: the stage, and its code.
    Unreadable(&'static str, String),
    /// A version has no text.
    NoText(&'static str),
    /// A key is too short.
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
    /// A secret, read by this client.
    pub fn new(client: Client, arn: impl Into<String>, bucket: impl Into<String>) -> Self {
        Self { client, arn: arn.into(), bucket: bucket.into() }
    }

    /// Reads the secret's current version, and the one before while there is one.
    ///
    /// # Errors
    /// A version can't be read or used. That there is no version before the current one is said by Secrets Manager, and by
    /// nothing else: a key that is only out of reach for a moment must not end the uploads that it has opened.
    pub async fn read(&self) -> Result<TokenKeys, SecretError> {
        let (current, previous) = tokio::join!(self.version("AWSCURRENT"), self.version("AWSPREVIOUS"));
        let current = current?.ok_or_else(|| SecretError::Unreadable("AWSCURRENT", NOT_FOUND.to_owned()))?;
        let previous = previous?;
        let keys = TokenKeys::new(current.as_bytes(), previous.as_deref().map(str::as_bytes), &self.bucket);
        keys.ok_or(SecretError::TooShort)
    }

    /// How to read it again, for a keyring.
    pub fn into_source(self) -> Source {
        let secret = Arc::new(self);
        Box::new(move || {
            let secret = Arc::clone(&secret);
            Box::pin(async move { secret.read().await.ok() })
        })
    }

    /// A version, or nothing where there is none of this stage.
    async fn version(&self, stage: &'static str) -> Result<Option<String>, SecretError> {
        let request = self.client.get_secret_value().secret_id(&self.arn).version_stage(stage);
        match request.send().await {
            Ok(reply) => reply.secret_string.map(Some).ok_or(SecretError::NoText(stage)),
            Err(error) if error.code() == Some(NOT_FOUND) => Ok(None),
            Err(error) => Err(SecretError::Unreadable(stage, DisplayErrorContext(&error).to_string())),
        }
    }
}

/// Secrets Manager's code for a stage that no version has (API Reference, "GetSecretValue").
const NOT_FOUND: &str = "ResourceNotFoundException";
