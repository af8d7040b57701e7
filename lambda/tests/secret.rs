//! Reading the token keys from Secrets Manager: when a version is absent, and when reading fails.
#![allow(missing_docs, clippy::unwrap_used)]

use aws_sdk_secretsmanager::Client;
use aws_sdk_secretsmanager::config::http::{HttpRequest, HttpResponse};
use aws_sdk_secretsmanager::config::retry::RetryConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials, Region};

use aws_smithy_runtime_api::client::http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use directput_lambda::secret::{Secret, SecretError};
use serde_json::{Value, json};

/// Status and body of the answer for a version. `None` breaks the connection.
type Answer = Option<(u16, Value)>;

#[derive(Debug, Clone)]
struct SecretsManager {
    current: Answer,
    previous: Answer,
}

impl HttpConnector for SecretsManager {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let asked: Value = serde_json::from_slice(request.body().bytes().unwrap()).unwrap();
        assert_eq!(asked["SecretId"], "arn");
        let answer = if asked["VersionStage"] == "AWSCURRENT" { &self.current } else { &self.previous };
        HttpConnectorFuture::ready(match answer {
            Some((status, body)) => {
                Ok(HttpResponse::new((*status).try_into().unwrap(), SdkBody::from(body.to_string())))
            }
            None => Err(ConnectorError::io("broken".into())),
        })
    }
}

fn text(secret: &str) -> Answer {
    Some((200, json!({ "SecretString": secret })))
}

fn refusal(status: u16, code: &str) -> Answer {
    Some((status, json!({ "__type": code, "Message": "" })))
}

fn secret(current: Answer, previous: Answer) -> Secret {
    let connector = SharedHttpConnector::new(SecretsManager { current, previous });
    let config = aws_sdk_secretsmanager::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
        .retry_config(RetryConfig::disabled())
        .http_client(http_client_fn(move |_, _| connector.clone()));
    Secret::new(Client::from_conf(config.build()), "arn", "bucket")
}

fn key() -> Answer {
    text(&"k".repeat(32))
}

#[tokio::test]
async fn before_the_first_rotation_there_is_one_key() {
    assert!(secret(key(), refusal(400, "ResourceNotFoundException")).read().await.is_ok());
    assert!(secret(key(), text(&"o".repeat(32))).read().await.is_ok());
}

#[tokio::test]
async fn a_key_that_cannot_be_read_does_not_count_as_absent() {
    for failure in [
        None,
        refusal(400, "ThrottlingException"),
        refusal(400, "AccessDeniedException"),
        refusal(400, "DecryptionFailure"),
        refusal(400, "InvalidRequestException"),
        refusal(500, "InternalServiceError"),
        refusal(404, ""),
    ] {
        let error = secret(key(), failure.clone()).read().await.err();
        assert!(matches!(error, Some(SecretError::Unreadable("AWSPREVIOUS", _))), "{failure:?}: {error:?}");
        let error = secret(failure.clone(), key()).read().await.err();
        assert!(matches!(error, Some(SecretError::Unreadable("AWSCURRENT", _))), "{failure:?}: {error:?}");
        assert!(
            secret(key(), failure).into_source()().await.is_none(),
            "the source reports the failure to the keyring"
        );
    }
}

#[tokio::test]
async fn missing_short_and_binary_keys_are_refused() {
    let missing = || refusal(400, "ResourceNotFoundException");
    let read = async |current, previous| secret(current, previous).read().await.err();
    assert!(matches!(read(missing(), missing()).await, Some(SecretError::Unreadable("AWSCURRENT", _))));
    assert_eq!(read(text("short"), missing()).await, Some(SecretError::TooShort));
    assert_eq!(read(key(), text("short")).await, Some(SecretError::TooShort));
    let binary = || Some((200, json!({ "SecretBinary": "AAAA" })));
    assert_eq!(read(binary(), missing()).await, Some(SecretError::NoText("AWSCURRENT")));
    assert_eq!(read(key(), binary()).await, Some(SecretError::NoText("AWSPREVIOUS")));
}

#[test]
fn an_error_names_the_version_and_the_variable() {
    for (error, text) in [
        (
            SecretError::Unreadable("AWSCURRENT", "AccessDeniedException".to_owned()),
            "the AWSCURRENT version of TOKEN_SECRET_ARN can't be read: AccessDeniedException",
        ),
        (SecretError::NoText("AWSPREVIOUS"), "the AWSPREVIOUS version of TOKEN_SECRET_ARN has no text"),
        (SecretError::TooShort, "TOKEN_SECRET_ARN has a key of less than 32 characters"),
    ] {
        assert_eq!(error.to_string(), text);
    }
}
