//! The API as an axum router.
//!
//! The router passes requests to [`Api`], sends the API's calls to S3, counts uploads and writes the log.

mod caller;
#[cfg(feature = "reqwest")]
mod client;
mod keyring;
mod log;

use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::any;
use directput::protocol::{ErrorCode, TOKEN_HEADER};
use futures::future::join_all;
use tokio::time::timeout;
use tracing::warn;
use uuid::Uuid;

use crate::api::{Api, Context, Step};
use crate::error::ApiError;
use crate::quota::Use;
use crate::request::{Answer, Request as ApiRequest, Route};
use crate::s3::{Credentials, S3Reply, S3Request};
use crate::token::TokenKeys;

pub use caller::Caller;
#[cfg(feature = "reqwest")]
pub use client::reqwest_client;
pub use keyring::{Keyring, MAX_AGE, Source};
pub use log::{GatewayRequestId, RequestId, log_as_json_to};

/// Timeout of a call to S3. It is 5 s shorter than API Gateway's timeout (API Gateway Developer Guide, "Quotas for HTTP
/// API"), so that the client gets an answer of this API and retries. S3 can take minutes to join thousands of parts. A
/// repeated completion succeeds after the parts are joined.
const CALL_TIMEOUT: Duration = Duration::from_secs(25);

/// Future that another thread may run.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// Function that sends a request to S3 once. Returns `None` if the connection fails. The client of the API retries, so
/// this function does not have to.
pub type SendToS3 = Box<dyn Fn(S3Request) -> BoxFuture<S3Reply> + Send + Sync>;

/// Function that returns the current keys for S3, or `None` if it can't get them. Called for each request, so it should
/// keep the keys until they expire.
pub type CredentialsSource = Box<dyn Fn() -> BoxFuture<Option<Credentials>> + Send + Sync>;

/// Counts an upload if the count stays within the limits. Otherwise returns [`ErrorCode::TooManyRequests`] and counts
/// nothing. Returns [`ErrorCode::StorageUnavailable`] if counting fails.
pub type Count = Box<dyn Fn(Use) -> BoxFuture<Result<(), ErrorCode>> + Send + Sync>;

/// The API, and the functions by which it reaches other systems.
pub struct Host {
    /// The API.
    pub api: Api,
    /// Keys that seal and open the upload tokens.
    pub keys: Keyring,
    /// Keys that sign requests to S3.
    pub credentials: CredentialsSource,
    /// Sends requests to S3.
    pub send: SendToS3,
    /// Counts uploads if the API has daily limits.
    pub count: Option<Count>,
}

/// Returns a source of keys that never change.
pub fn fixed(credentials: Credentials) -> CredentialsSource {
    Box::new(move || Box::pin(std::future::ready(Some(credentials.clone()))))
}

/// Returns the router of the whole API, with the paths `/uploads`, `/uploads/batch`, `/uploads/parts` and
/// `/uploads/complete`. The application may nest the router, and may add a [`Caller`], a [`Grant`](crate::Grant) and
/// a [`RequestId`] to the extensions of a request.
pub fn router(host: Host) -> Router {
    Router::new()
        .route("/uploads", any(handle))
        .route("/uploads/{call}", any(handle))
        .fallback(handle)
        .with_state(Arc::new(host))
}

async fn handle(State(host): State<Arc<Host>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let id = parts.extensions.get().map_or_else(|| Uuid::new_v4().to_string(), |RequestId(id)| id.clone());
    let span = log::span(&parts, &id);
    let answer = log::logged(span, async {
        let max_bytes = Route::of(parts.method.as_str(), parts.uri.path()).map_or(0, Route::max_body_bytes);
        let body = to_bytes(body, max_bytes).await.ok();
        let Caller(caller) = parts.extensions.get().cloned().unwrap_or_default();
        let text = |name| parts.headers.get(name).map(|value: &HeaderValue| value.to_str().unwrap_or_default());
        let request = ApiRequest {
            id: &id,
            caller: caller.as_deref(),
            grant: parts.extensions.get(),
            method: parts.method.as_str(),
            path: parts.uri.path(),
            query: parts.uri.query().unwrap_or_default(),
            content_type: text(header::CONTENT_TYPE.as_str()),
            token: text(TOKEN_HEADER),
            body: body.as_deref(),
        };
        host.answer(request).await.unwrap_or_else(|code| Answer::refused(&id, code.into()))
    });
    response(answer.await)
}

impl Host {
    async fn answer(&self, request: ApiRequest<'_>) -> Result<Answer, ErrorCode> {
        let credentials = (self.credentials)().await.ok_or(ErrorCode::StorageUnavailable);
        let credentials = credentials.inspect_err(|_| warn!("there are no credentials to sign with"))?;
        fn context<'c>(keys: &'c TokenKeys, credentials: &'c Credentials) -> Context<'c> {
            Context { now: SystemTime::now(), random: &|| Uuid::new_v4().into_bytes(), keys, credentials }
        }
        let begin = |keys: &_| self.api.begin(request, &context(keys, &credentials));
        let (mut step, keys) = self.keys.try_keys(begin, opened_no_token).await?;
        loop {
            step = match step {
                Step::Answer(answer) => return Ok(answer),
                Step::Count(counting) => {
                    let counted = counting.uses.iter().map(|wanted| self.count(wanted.clone()));
                    let outcomes = join_all(counted).await;
                    counting.counted(&outcomes, &self.api, &context(&keys, &credentials))
                }
                Step::Call(call) => {
                    let reply = timeout(CALL_TIMEOUT, (self.send)(call.request.clone())).await.ok().flatten();
                    Step::Answer(call.answered(reply, &self.api, &context(&keys, &credentials)))
                }
            };
        }
    }

    async fn count(&self, wanted: Use) -> Result<(), ErrorCode> {
        match &self.count {
            Some(count) => count(wanted).await,
            None => Ok(()),
        }
    }
}

/// Returns whether a request was refused because no key opens its token.
fn opened_no_token(step: &Step) -> bool {
    let Step::Answer(Answer { error: Some(ApiError { code, .. }), .. }) = step else { return false };
    *code == ErrorCode::TokenInvalid
}

fn response(answer: Answer) -> Response {
    let mut headers = HeaderMap::new();
    for (name, value) in answer.headers {
        // The id of a request can come from a header of the client.
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let mut response = Response::new(Body::from(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *response.headers_mut() = headers;
    response
}
