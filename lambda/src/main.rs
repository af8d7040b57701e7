//! The Lambda function. It builds the state once, builds the router and runs it.

use std::time::Duration;

use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_sdk_secretsmanager::config::{BehaviorVersion, Credentials as SdkCredentials, Region, SharedHttpClient};
use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpConnector, http_client_fn};
use axum::Router;
use directput_lambda::log::log_as_json;
use directput_lambda::quota_table::count_in;
use directput_lambda::s3_client::send_by;
use directput_lambda::secret::Secret;
use directput_server::config::{Config, ConfigError};
use directput_server::host::{Caller, GatewayRequestId, Host, Keyring, RequestId, fixed, router};
use directput_server::quota::DailyLimits;
use directput_server::token::{MIN_KEY_BYTES, TokenKeys};
use directput_server::{Api, Bucket, Credentials};
use lambda_http::request::RequestContext;
use lambda_http::tower::ServiceBuilder;
use lambda_http::{Context, Error, Request};

/// Timeout of a call to Secrets Manager. The sum of this timeout, `TABLE_TIMEOUT` and the timeout of a call to S3 (25
/// s) is less than API Gateway's timeout (30 s).
const SECRET_TIMEOUT: Duration = Duration::from_secs(3);

/// Timeout of a call to the DynamoDB table of quotas.
const TABLE_TIMEOUT: Duration = Duration::from_secs(1);

/// Timeout for connecting to a service of AWS.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    log_as_json();
    let router = start().await.inspect_err(|error| tracing::error!(%error, "the function can't start"))?;
    let home_issuer = std::env::var("JWT_ISSUER").ok().filter(|issuer| !issuer.is_empty());
    let identify = move |request| with_identity(request, home_issuer.as_deref());
    let service = ServiceBuilder::new().map_request(identify).service(router);
    lambda_http::run(service).await
}

async fn start() -> Result<Router, Error> {
    let get = |name: &str| std::env::var(name).ok();
    let config = Config::from_env(get)?;
    let aws = Aws::from_env(&get)?;
    let keys = token_keys(&get, &aws, &config.bucket).await?;
    let bucket = Bucket::from_env(&config, get)?;
    let (daily_limits, count) = match DailyLimits::from_env(get)? {
        Some((table, limits)) => (Some(limits), Some(count_in(aws.tables(), table))),
        None => (None, None),
    };
    let api = Api { config, bucket: bucket.owned_by(get("BUCKET_OWNER")), daily_limits };
    Ok(router(Host { api, keys, credentials: fixed(aws.credentials), send: send_by(aws.connector), count }))
}

/// Configuration that all AWS clients share. Lambda sets the region and the role's credentials as environment variables
/// (Lambda Developer Guide, "Defined runtime environment variables"), so the function does not load the SDK's slower
/// provider chains. All clients share one connection pool and one set of TLS roots.
struct Aws {
    region: Region,
    credentials: Credentials,
    connector: SharedHttpConnector,
}

impl Aws {
    fn from_env(get: &impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let need = |variable: &'static str| {
            let expected = "the value that Lambda sets".to_owned();
            let value = get(variable).filter(|value| !value.is_empty());
            value.ok_or(ConfigError { variable, expected, is_missing: true })
        };
        let region = Region::new(need("AWS_REGION")?);
        let credentials = Credentials {
            access_key_id: need("AWS_ACCESS_KEY_ID")?,
            secret_access_key: need("AWS_SECRET_ACCESS_KEY")?,
            session_token: get("AWS_SESSION_TOKEN").filter(|token| !token.is_empty()),
        };
        let settings = HttpConnectorSettings::builder().connect_timeout(CONNECT_TIMEOUT).build();
        let connector = Connector::builder().connector_settings(settings);
        let connector = connector.tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc)).build();
        Ok(Self { region, credentials, connector: SharedHttpConnector::new(connector) })
    }

    fn http_client(&self) -> SharedHttpClient {
        let connector = self.connector.clone();
        http_client_fn(move |_, _| connector.clone())
    }

    fn sdk_credentials(&self) -> SdkCredentials {
        let Credentials { access_key_id, secret_access_key, session_token } = self.credentials.clone();
        SdkCredentials::new(access_key_id, secret_access_key, session_token, None, "environment")
    }

    fn tables(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(self.sdk_credentials())
            .timeout_config(TimeoutConfig::builder().operation_timeout(TABLE_TIMEOUT).build())
            .http_client(self.http_client());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(self.sdk_credentials())
            .timeout_config(TimeoutConfig::builder().operation_timeout(SECRET_TIMEOUT).build())
            .http_client(self.http_client());
        aws_sdk_secretsmanager::Client::from_conf(config.build())
    }
}

/// Reads the keys of the upload tokens from the secret that `TOKEN_SECRET_ARN` names. In tests without an AWS account,
/// `TOKEN_KEY` is the key itself.
async fn token_keys(get: &impl Fn(&str) -> Option<String>, aws: &Aws, bucket: &str) -> Result<Keyring, Error> {
    let expected = format!("a secret of at least {MIN_KEY_BYTES} characters");
    let unusable = |variable, is_missing| ConfigError { variable, expected: expected.clone(), is_missing };
    match (get("TOKEN_SECRET_ARN"), get("TOKEN_KEY")) {
        (Some(arn), _) => {
            let secret = Secret::new(aws.secrets(), arn, bucket);
            let keys = secret.read().await?;
            Ok(Keyring::rotating(keys, secret.into_source()))
        }
        (None, Some(key)) => {
            let keys = TokenKeys::new(key.as_bytes(), None, bucket).ok_or_else(|| unusable("TOKEN_KEY", false))?;
            Ok(Keyring::fixed(keys))
        }
        (None, None) => Err(unusable("TOKEN_SECRET_ARN", true).into()),
    }
}

/// Adds to the request's extensions the caller that API Gateway's authorizer has verified, and the request ids of API
/// Gateway and Lambda.
fn with_identity(mut request: Request, home_issuer: Option<&str>) -> Request {
    let extensions = request.extensions_mut();
    if let Some(RequestContext::ApiGatewayV2(context)) = extensions.get::<RequestContext>() {
        let jwt = context.authorizer.as_ref().and_then(|authorizer| authorizer.jwt.as_ref());
        let claim = |name: &str| jwt.and_then(|jwt| jwt.claims.get(name)).map(String::as_str);
        let caller = Caller::of(claim("iss"), claim("sub"), home_issuer);
        let gateway_id = context.request_id.clone().map(GatewayRequestId);
        extensions.insert(caller);
        gateway_id.and_then(|id| extensions.insert(id));
    }
    if let Some(id) = extensions.get::<Context>().map(|context| context.request_id.clone()) {
        extensions.insert(RequestId(id));
    }
    request
}
