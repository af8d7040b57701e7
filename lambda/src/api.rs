//! Handlers of the six calls of the API. Each handler extracts the request, checks it, acts and answers.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn;
use axum::routing::post;
use axum::{Extension, Json, Router};
use directput::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use directput::plan::{MAX_PARTS, Part, Plan};
use directput::protocol::{
    BatchEntry, BatchRefusal, CompleteUpload, CreateUpload, ErrorCode, ListParts, PartNumber, PartToSign, PartsListed,
    PartsSigned, SignParts, SignedPart, TOKEN_HEADER, UploadCompleted, UploadCreated, UploadsCreated,
};
use futures::future::join_all;
use tracing::info;

use crate::config::Config;
use crate::error::ApiError;
use crate::fields::{Limits, read_body, read_query, read_uploads};
use crate::keyring::Keyring;
use crate::lifetime::url_lifetime;
use crate::log::{Caller, log_caller, log_key, trace};
use crate::object_key::new_key;
use crate::quota::Quota;
use crate::storage::{Object, Storage, Target};
use crate::token::Claims;

/// Maximum length of a body that opens one upload or asks for signatures, in bytes. A body with 1,000 parts fits.
const MAX_BODY_BYTES: usize = 256 << 10;

/// Maximum length of a body that opens a batch of uploads, in bytes. A body with 128 files of the longest names fits.
const MAX_BATCH_BODY_BYTES: usize = 1 << 20;

/// Maximum length of a body that completes an upload, in bytes. A body with 10,000 parts fits.
const MAX_COMPLETE_BODY_BYTES: usize = 3 << 20;

/// State shared by all calls.
pub struct App {
    /// Limits that requests are checked against.
    pub config: Config,
    /// Bucket that receives the files.
    pub storage: Storage,
    /// Keys that seal and open the upload tokens.
    pub keys: Keyring,
}

/// Returns the router of the whole API. The server that runs the router may add a [`Caller`], a [`crate::RequestId`]
/// and an [`Arc`] of a [`Quota`] to the extensions of a request.
pub fn router(app: App) -> Router {
    Router::new()
        .route("/uploads", post(create).delete(abort))
        .route("/uploads/batch", post(create_batch))
        .route("/uploads/parts", post(sign).get(list))
        .route("/uploads/complete", post(complete))
        .fallback(async || ApiError::from(ErrorCode::NotFound))
        .method_not_allowed_fallback(async || ApiError::from(ErrorCode::MethodNotAllowed))
        .layer(from_fn(trace))
        .with_state(Arc::new(app))
}

type CallerExtension = Option<Extension<Caller>>;

type QuotaExtension = Option<Extension<Arc<Quota>>>;

fn quota(extension: &QuotaExtension) -> Option<&Quota> {
    extension.as_ref().map(|Extension(quota)| &**quota)
}

async fn create(
    State(app): State<Arc<App>>,
    caller: CallerExtension,
    counts: QuotaExtension,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<UploadCreated>), ApiError> {
    let caller = app.caller(caller)?;
    let request: CreateUpload = read_body(&headers, body, Limits { bytes: MAX_BODY_BYTES, parts: MAX_PARTS }).await?;
    app.check_acceptable(&request)?;
    let key = new_key(caller.as_deref(), &request.name);
    log_key(&key);
    let (size, plan) = (request.size.bytes(), app.plan(&request));
    let created = app.open(request, plan, key, caller, quota(&counts), 0).await?;
    info!(size, parts = plan.part_count(), multipart = plan.is_multipart(), "opened");
    Ok((StatusCode::CREATED, Json(created)))
}

async fn create_batch(
    State(app): State<Arc<App>>,
    caller: CallerExtension,
    counts: QuotaExtension,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<UploadsCreated>, ApiError> {
    let caller = app.caller(caller)?;
    let limits = Limits { bytes: MAX_BATCH_BODY_BYTES, parts: MAX_PARTS };
    let requests = read_uploads(&headers, body, limits, app.config.max_uploads_per_request() as usize).await?;
    let mut bytes = 0;
    let opened = requests.into_iter().map(|request| {
        let bytes_before = bytes;
        bytes += request.as_ref().map_or(0, |request: &CreateUpload| request.size.bytes());
        let (app, caller, counts) = (&app, caller.clone(), &counts);
        async move {
            let opened = match request {
                Ok(request) => app.open_small(request, caller, quota(counts), bytes_before).await,
                Err(error) => Err(error),
            };
            opened.map_or_else(|error| BatchEntry::Refused(refused(error)), BatchEntry::Created)
        }
    });
    Ok(Json(UploadsCreated { uploads: join_all(opened).await }))
}

/// Logs why one file of a batch is refused. Returns the file's entry in the answer.
fn refused(error: ApiError) -> BatchRefusal {
    info!(code = error.code.as_str(), field = error.loggable_field(), "refused");
    let ApiError { code, field, detail } = error;
    BatchRefusal { code, detail, field }
}

async fn sign(
    State(app): State<Arc<App>>,
    caller: CallerExtension,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<PartsSigned>, ApiError> {
    let claims = app.claims(caller, &headers).await?;
    let limits = Limits { bytes: MAX_BODY_BYTES, parts: app.config.max_parts_per_request };
    let request: SignParts = read_body(&headers, body, limits).await?;
    let plan = plan_of(&claims)?;
    check_batch(&request.parts, &plan, claims.algorithm)?;
    check_bytes(&request.parts, &claims)?;

    let (content_type, name) = (&claims.content_type, claims.name.as_deref());
    let disposition = app.config.download_names.disposition(content_type, name.unwrap_or_default());
    let target = match &claims.upload {
        Some(upload_id) => Target::Part { key: &claims.key, upload_id },
        None => Target::Object(Object { key: &claims.key, content_type, name, disposition: &disposition }),
    };
    let wanted = request.parts.iter().filter_map(|wanted| Some((plan.part(wanted.number)?, wanted.checksum.as_ref())));
    let bits_per_second = request.bits_per_second.unwrap_or(UNKNOWN_BITS_PER_SECOND);
    let parts = app.sign(target, wanted, bits_per_second, request.lane, 0).await?;
    Ok(Json(PartsSigned { parts }))
}

async fn list(
    State(app): State<Arc<App>>,
    caller: CallerExtension,
    headers: HeaderMap,
    Query(query): Query<Vec<(String, String)>>,
) -> Result<Json<PartsListed>, ApiError> {
    let claims = app.claims(caller, &headers).await?;
    let request: ListParts = read_query(query)?;
    let upload_id = upload_id(&claims)?;
    Ok(Json(app.storage.list(&claims.key, upload_id, request.after).await?))
}

async fn complete(
    State(app): State<Arc<App>>,
    caller: CallerExtension,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<UploadCompleted>, ApiError> {
    let claims = app.claims(caller, &headers).await?;
    let upload_id = upload_id(&claims)?;
    let plan = plan_of(&claims)?;
    let limits = Limits { bytes: MAX_COMPLETE_BODY_BYTES, parts: plan.part_count() };
    let request: CompleteUpload = read_body(&headers, body, limits).await?;
    check_completion(&request, &plan, claims.algorithm)?;
    let checksum = request.checksum.as_ref();
    let completed = app.storage.complete(&claims.key, upload_id, plan.size(), &request.parts, checksum).await?;
    info!(size = plan.size(), parts = plan.part_count(), "completed");
    Ok(Json(completed))
}

async fn abort(
    State(app): State<Arc<App>>,
    caller: CallerExtension,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let claims = app.claims(caller, &headers).await?;
    // Only a multipart upload stores parts, which have to be removed.
    if let Some(upload_id) = &claims.upload {
        app.storage.abort(&claims.key, upload_id).await?;
        info!("aborted");
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Speed of the link that is assumed if the request names no speed, in bit/s.
const UNKNOWN_BITS_PER_SECOND: u64 = 1_000_000;

impl App {
    /// Returns the caller. Rejects anonymous calls if `needs_caller` is set.
    fn caller(&self, extension: CallerExtension) -> Result<Option<String>, ApiError> {
        let caller = extension.and_then(|Extension(Caller(caller))| caller);
        if self.config.needs_caller && caller.as_ref().is_none_or(String::is_empty) {
            return Err(ErrorCode::Unauthorized.into());
        }
        if let Some(caller) = &caller {
            log_caller(caller);
        }
        Ok(caller)
    }

    /// Returns the claims of the request's upload token.
    async fn claims(&self, extension: CallerExtension, headers: &HeaderMap) -> Result<Claims, ApiError> {
        let caller = self.caller(extension)?;
        let token = headers.get(TOKEN_HEADER).ok_or_else(|| token_error(ErrorCode::TokenMissing))?;
        let token = token.to_str().map_err(|_| token_error(ErrorCode::TokenInvalid))?;
        let claims = self.keys.open(token, caller.as_deref()).await.map_err(token_error)?;
        log_key(&claims.key);
        Ok(claims)
    }

    /// Signs the PUTs of `parts`. The client sends them in this order, after `bytes_before` bytes of other files. The
    /// URL of a later part gets a longer lifetime, because the part waits longer.
    pub(crate) async fn sign<'a>(
        &self,
        target: Target<'_>,
        parts: impl IntoIterator<Item = (Part, Option<&'a PartChecksum>)>,
        bits_per_second: u64,
        lane: u32,
        mut bytes_before: u64,
    ) -> Result<Vec<SignedPart>, ApiError> {
        let batch = self.storage.batch(lane).await?;
        let signed = parts.into_iter().map(|(part, checksum)| {
            let limits = &self.config.url_lifetime_seconds;
            let lifetime = url_lifetime(bytes_before, part.length, bits_per_second, limits);
            bytes_before += part.length;
            batch.sign(target, part, checksum, lifetime)
        });
        Ok(signed.collect())
    }
}

/// Checks that no part is repeated, that each part has the length in the plan, and that each checksum is of the
/// upload's algorithm.
fn check_batch(parts: &[PartToSign], plan: &Plan, algorithm: ChecksumAlgorithm) -> Result<(), ApiError> {
    if parts.is_empty() {
        return Err(ApiError::field(ErrorCode::EmptyField, "parts", "expected at least one part"));
    }
    let mut seen = BTreeSet::new();
    for (index, wanted) in parts.iter().enumerate() {
        let part = plan.part(wanted.number).ok_or_else(|| out_of_range(index, plan))?;
        if wanted.length != part.length {
            let detail = format!("part {} has {} bytes", part.number.get(), part.length);
            return Err(ApiError::field(ErrorCode::PartWrongLength, format!("parts[{index}].length"), detail));
        }
        if !seen.insert(wanted.number) {
            return Err(repeated(index));
        }
        check_checksum(wanted.checksum.as_ref(), algorithm, index)?;
    }
    Ok(())
}

/// Checks that the checksum of a single PUT is the checksum in the token. Otherwise, after the application has checked
/// and deleted the object, a client could write other bytes to the same key.
fn check_bytes(parts: &[PartToSign], claims: &Claims) -> Result<(), ApiError> {
    if claims.bytes.is_none() || parts.iter().all(|part| part.checksum == claims.bytes) {
        return Ok(());
    }
    Err(ApiError::field(ErrorCode::InvalidValue, "parts[0].checksum", "the upload was opened for other bytes"))
}

fn token_error(code: ErrorCode) -> ApiError {
    ApiError { code, field: Some(TOKEN_HEADER.to_owned()), detail: None }
}

fn plan_of(claims: &Claims) -> Result<Plan, ApiError> {
    claims.plan().ok_or_else(|| token_error(ErrorCode::TokenInvalid))
}

fn upload_id(claims: &Claims) -> Result<&str, ApiError> {
    claims.upload.as_deref().ok_or_else(|| token_error(ErrorCode::NotMultipart))
}

fn out_of_range(index: usize, plan: &Plan) -> ApiError {
    let detail = format!("the upload has {} parts", plan.part_count());
    ApiError::field(ErrorCode::PartOutOfRange, format!("parts[{index}].number"), detail)
}

fn repeated(index: usize) -> ApiError {
    ApiError::field(ErrorCode::PartRepeated, format!("parts[{index}].number"), "this part is already in the list")
}

/// Checks that the checksum of a part to be signed is of this algorithm. With `crc64nvme-after`, the checksum may be
/// absent, because the client compares the part with S3's checksum after the PUT.
pub(crate) fn check_checksum(
    checksum: Option<&PartChecksum>,
    algorithm: ChecksumAlgorithm,
    index: usize,
) -> Result<(), ApiError> {
    match checksum {
        None if algorithm == ChecksumAlgorithm::Crc64nvmeAfter => Ok(()),
        checksum => check_final_checksum(checksum, algorithm, index),
    }
}

/// Checks that a part's checksum is of this algorithm, or that the checksum is absent if the algorithm is `none`.
fn check_final_checksum(
    checksum: Option<&PartChecksum>,
    algorithm: ChecksumAlgorithm,
    index: usize,
) -> Result<(), ApiError> {
    if checksum.map_or(ChecksumAlgorithm::None, PartChecksum::algorithm) == algorithm.computed_by() {
        return Ok(());
    }
    let code = if checksum.is_none() { ErrorCode::MissingField } else { ErrorCode::InvalidValue };
    let detail = format!("this upload is verified by {}", algorithm.as_str());
    Err(ApiError::field(code, format!("parts[{index}].checksum"), detail))
}

/// Checks that the request names every part once, in order. Also checks that the object's checksum is the one that
/// follows from the checksums of the parts.
fn check_completion(request: &CompleteUpload, plan: &Plan, algorithm: ChecksumAlgorithm) -> Result<(), ApiError> {
    let mut previous: Option<PartNumber> = None;
    for (index, part) in request.parts.iter().enumerate() {
        plan.part(part.number).ok_or_else(|| out_of_range(index, plan))?;
        if previous == Some(part.number) {
            return Err(repeated(index));
        }
        if part.number.index() != index {
            let detail = format!("expected part {} here", index + 1);
            return Err(ApiError::field(ErrorCode::PartsIncomplete, format!("parts[{index}].number"), detail));
        }
        previous = Some(part.number);
        check_final_checksum(part.checksum.as_ref(), algorithm, index)?;
    }
    if request.parts.len() != plan.part_count() as usize {
        let detail = format!("expected {} parts", plan.part_count());
        return Err(ApiError::field(ErrorCode::PartsIncomplete, "parts", detail));
    }
    let parts = request.parts.iter().zip(plan.parts()).map(|(wanted, part)| (wanted.checksum, part.length));
    if ObjectChecksum::of(algorithm, parts) != request.checksum {
        return Err(ApiError::field(
            ErrorCode::InvalidValue,
            "checksum",
            "expected the checksum that follows from these parts",
        ));
    }
    Ok(())
}
