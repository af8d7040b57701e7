//! The Lambda function. It builds the state once, builds the router and runs it.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region, SharedHttpClient};
use aws_sdk_secretsmanager::config::timeout::TimeoutConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use axum::{Extension, Router};
use directput_lambda::config::{Config, ConfigError};
use directput_lambda::keyring::Keyring;
use directput_lambda::quota::{DailyLimits, Quota};
use directput_lambda::quota_table::count_in;
use directput_lambda::secret::Secret;
use directput_lambda::storage::Storage;
use directput_lambda::token::{MIN_KEY_BYTES, TokenKeys};
use directput_lambda::{App, Caller, GatewayRequestId, RequestId, log_as_json, router};
use lambda_http::request::RequestContext;
use lambda_http::tower::ServiceBuilder;
use lambda_http::{Context, Error, Request};

/// Timeout of a call to Secrets Manager. The sum of this timeout, `TABLE_TIMEOUT` and the timeout of a call to S3 (25
/// s) is less than API Gateway's timeout (30 s).
const SECRET_TIMEOUT: Duration = Duration::from_secs(3);

/// Timeout of a call to the DynamoDB table of quotas.
const TABLE_TIMEOUT: Duration = Duration::from_secs(1);

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
    let storage = Storage::open(aws.s3(get("S3_ENDPOINT")), aws.credentials.clone(), &config.bucket).await;
    let storage = storage.map_err(|error| format!("the bucket can't be signed for ({})", error.code.as_str()))?;
    let storage = storage.owned_by(get("BUCKET_OWNER"));
    // `S3_ENDPOINT` names a server other than AWS. Such a server has only one host name.
    let lanes = if get("S3_ENDPOINT").is_some() { &[][..] } else { &config.lanes };
    let storage = storage.with_lanes(lanes.iter().map(|lane| lane.configure(aws.s3(None)))).await;
    let storage = storage.map_err(|error| format!("a lane can't be signed for ({})", error.code.as_str()))?;
    let router = router(App { config, storage, keys });
    Ok(match DailyLimits::from_env(get)? {
        Some((table, limits)) => {
            let quota = Quota::new(limits, count_in(aws.tables(), table));
            router.layer(Extension(Arc::new(quota)))
        }
        None => router,
    })
}

/// Configuration that all AWS clients share. Lambda sets the region and the role's credentials as environment variables
/// (Lambda Developer Guide, "Defined runtime environment variables"), so the function does not load the SDK's slower
/// provider chains. All clients share one connection pool and one set of TLS roots.
struct Aws {
    region: Region,
    credentials: Credentials,
    http_client: SharedHttpClient,
}

impl Aws {
    fn from_env(get: &impl Fn(&str) -> Option<String>) -> Result<Self, Error> {
        let need = |variable: &'static str| {
            let expected = "the value that Lambda sets".to_owned();
            get(variable).ok_or(ConfigError { variable, expected, is_missing: true })
        };
        let (id, secret) = (need("AWS_ACCESS_KEY_ID")?, need("AWS_SECRET_ACCESS_KEY")?);
        let tls = tls::Provider::Rustls(CryptoMode::AwsLc);
        Ok(Self {
            region: Region::new(need("AWS_REGION")?),
            credentials: Credentials::new(id, secret, get("AWS_SESSION_TOKEN"), None, "environment"),
            http_client: aws_smithy_http_client::Builder::new().tls_provider(tls).build_https(),
        })
    }

    /// Returns the configuration of an S3 client. In tests without an AWS account, `endpoint` is the address of the S3
    /// server.
    fn s3(&self, endpoint: Option<String>) -> aws_sdk_s3::config::Builder {
        let builder = aws_sdk_s3::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .http_client(self.http_client.clone());
        match endpoint {
            Some(endpoint) => builder.endpoint_url(endpoint).force_path_style(true),
            None => builder,
        }
    }

    fn tables(&self) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(self.credentials.clone())
            .timeout_config(TimeoutConfig::builder().operation_timeout(TABLE_TIMEOUT).build())
            .http_client(self.http_client.clone());
        aws_sdk_dynamodb::Client::from_conf(config.build())
    }

    fn secrets(&self) -> aws_sdk_secretsmanager::Client {
        let config = aws_sdk_secretsmanager::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(self.region.clone())
            .credentials_provider(self.credentials.clone())
            .timeout_config(TimeoutConfig::builder().operation_timeout(SECRET_TIMEOUT).build())
            .http_client(self.http_client.clone());
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
