//! The API as a function of its requests, without network, clock or randomness.
//!
//! [`Api::begin`] takes a request and returns a [`Step`]. The host does what the step asks for, passes the outcome to the
//! step, and gets the next step, until it has the [`Answer`]. A request has at most one [`Step::Count`], then at most one
//! [`Step::Call`], then the answer.

use std::time::SystemTime;

use directput::checksum::PartChecksum;
use directput::plan::{MAX_PARTS, Part, Plan};
use directput::protocol::{
    BatchEntry, BatchRefusal, CompleteUpload, CreateUpload, ErrorCode, ListParts, PartsSigned, SignParts, SignedPart,
    UploadsCreated,
};
use tracing::info;

use crate::checks::{check_bytes, check_completion, check_parts, plan_of, token_error, upload_id};
use crate::config::Config;
use crate::error::ApiError;
use crate::fields::{read_body, read_query, read_uploads};
use crate::lifetime::url_lifetime;
use crate::log::{log_caller, log_key};
use crate::open::NewFile;
use crate::quota::{DailyLimits, Use};
use crate::request::{Answer, Request, Route};
use crate::s3::operation::{aborted, completed, created, listed};
use crate::s3::{Bucket, Credentials, Object, S3Call, S3Reply, S3Request, Target};
use crate::token::{Claims, TokenKeys};

/// Settings of the API, and the bucket that receives the files.
#[derive(Debug)]
pub struct Api {
    /// Limits that requests are checked against.
    pub config: Config,
    /// The bucket.
    pub bucket: Bucket,
    /// Limits of the uploads that one caller may open in a day, or `None` if the host counts no uploads.
    pub daily_limits: Option<DailyLimits>,
}

/// What a step takes from the host.
pub struct Context<'a> {
    /// Current time.
    pub now: SystemTime,
    /// Returns 16 random bytes from a source that is safe for cryptography. The keys of objects are made of them.
    pub random: &'a dyn Fn() -> [u8; 16],
    /// Keys that seal and open the upload tokens.
    pub keys: &'a TokenKeys,
    /// Keys that sign requests to S3.
    pub credentials: &'a Credentials,
}

/// What the host has to do next.
#[must_use]
pub enum Step {
    /// Count uploads, then call [`Counting::counted`].
    Count(Counting),
    /// Send a request to S3, then call [`Call::answered`].
    Call(Box<Call>),
    /// Answer the request.
    Answer(Answer),
}

/// Uploads that the host has to count.
pub struct Counting {
    /// The uploads. The host counts each of them for itself.
    pub uses: Vec<Use>,
    id: String,
    then: AfterCount,
}

enum AfterCount {
    Create(Box<NewFile>),
    /// The files of a batch that are acceptable, and the refusals of the others.
    CreateBatch(Vec<Result<NewFile, ApiError>>),
}

/// A call to S3.
pub struct Call {
    /// Request to send.
    pub request: S3Request,
    id: String,
    then: AfterCall,
}

enum AfterCall {
    Create(Box<NewFile>),
    List,
    Complete { key: String, plan: Plan, request: CompleteUpload },
    Abort,
}

impl Api {
    /// Begins to answer a request.
    pub fn begin(&self, request: Request<'_>, context: &Context<'_>) -> Step {
        let step = Route::of(request.method, request.path).map_err(ApiError::from);
        let step = step.and_then(|route| match route {
            Route::Create => self.create(request, context),
            Route::CreateBatch => self.create_batch(request, context),
            Route::Sign => self.sign(request, context),
            Route::List => self.list(request, context),
            Route::Complete => self.complete(request, context),
            Route::Abort => self.abort(request, context),
        });
        step.unwrap_or_else(|error| Step::Answer(Answer::refused(request.id, error).with_allowed_methods(request.path)))
    }

    fn create(&self, request: Request<'_>, context: &Context<'_>) -> Result<Step, ApiError> {
        let caller = self.caller(request)?;
        let wanted: CreateUpload = read_body(Route::Create, request, MAX_PARTS)?;
        let file = self.new_file(wanted, caller, request.grant, context)?;
        log_key(&file.key);
        let uses = self.uses([&file], context.now);
        let counting = Counting { uses, id: request.id.to_owned(), then: AfterCount::Create(Box::new(file)) };
        Ok(counting.step(self, context))
    }

    fn create_batch(&self, request: Request<'_>, context: &Context<'_>) -> Result<Step, ApiError> {
        let caller = self.caller(request)?;
        let max_items = self.config.max_uploads_per_request() as usize;
        let wanted = read_uploads::<CreateUpload>(request, MAX_PARTS, max_items)?;
        let mut bytes = 0;
        let files = wanted.into_iter().map(|wanted| {
            let bytes_before = bytes;
            bytes += wanted.as_ref().map_or(0, |wanted| wanted.size.bytes());
            self.new_small_file(wanted?, caller, request.grant, bytes_before, context)
        });
        let files: Vec<_> = files.collect();
        let uses = self.uses(files.iter().flatten(), context.now);
        let counting = Counting { uses, id: request.id.to_owned(), then: AfterCount::CreateBatch(files) };
        Ok(counting.step(self, context))
    }

    fn sign(&self, request: Request<'_>, context: &Context<'_>) -> Result<Step, ApiError> {
        let claims = self.claims(request, context)?;
        let wanted: SignParts = read_body(Route::Sign, request, self.config.max_parts_per_request)?;
        let plan = plan_of(&claims)?;
        check_parts(&wanted.parts, &plan, claims.algorithm)?;
        check_bytes(&wanted.parts, &claims)?;

        let (content_type, name) = (&claims.content_type, claims.name.as_deref());
        let disposition = self.config.download_names.disposition(content_type, name.unwrap_or_default());
        let target = match &claims.upload {
            Some(upload_id) => Target::Part { key: &claims.key, upload_id },
            None => Target::Object(Object { key: &claims.key, content_type, name, disposition: &disposition }),
        };
        let parts = wanted.parts.iter().filter_map(|part| Some((plan.part(part.number)?, part.checksum.as_ref())));
        let bits_per_second = wanted.bits_per_second.unwrap_or(UNKNOWN_BITS_PER_SECOND);
        let parts = self.signed(target, parts, bits_per_second, wanted.lane, 0, context)?;
        Ok(Step::Answer(Answer::json(request.id, 200, &PartsSigned { parts })))
    }

    fn list(&self, request: Request<'_>, context: &Context<'_>) -> Result<Step, ApiError> {
        let claims = self.claims(request, context)?;
        let wanted: ListParts = read_query(request.query)?;
        let call = self.bucket.list(&claims.key, upload_id(&claims)?, wanted.after);
        self.call(request.id, call, AfterCall::List, context)
    }

    fn complete(&self, request: Request<'_>, context: &Context<'_>) -> Result<Step, ApiError> {
        let claims = self.claims(request, context)?;
        let upload_id = upload_id(&claims)?;
        let plan = plan_of(&claims)?;
        let wanted: CompleteUpload = read_body(Route::Complete, request, plan.part_count())?;
        check_completion(&wanted, &plan, claims.algorithm)?;
        let checksum = wanted.checksum.as_ref();
        let call = self.bucket.complete(&claims.key, upload_id, plan.size(), &wanted.parts, checksum)?;
        let then = AfterCall::Complete { key: claims.key, plan, request: wanted };
        self.call(request.id, call, then, context)
    }

    fn abort(&self, request: Request<'_>, context: &Context<'_>) -> Result<Step, ApiError> {
        let claims = self.claims(request, context)?;
        // Only a multipart upload stores parts, which have to be removed.
        match &claims.upload {
            Some(upload_id) => {
                self.call(request.id, self.bucket.abort(&claims.key, upload_id), AfterCall::Abort, context)
            }
            None => Ok(Step::Answer(Answer::empty(request.id))),
        }
    }

    fn call(&self, id: &str, call: S3Call, then: AfterCall, context: &Context<'_>) -> Result<Step, ApiError> {
        let request = call.signed(self.bucket.api.region(), context.credentials, context.now)?;
        Ok(Step::Call(Box::new(Call { request, id: id.to_owned(), then })))
    }

    /// Returns the caller. Rejects anonymous calls if `needs_caller` is set.
    fn caller<'r>(&self, request: Request<'r>) -> Result<Option<&'r str>, ApiError> {
        if self.config.needs_caller && request.caller.is_none_or(str::is_empty) {
            return Err(ErrorCode::Unauthorized.into());
        }
        if let Some(caller) = request.caller {
            log_caller(caller);
        }
        Ok(request.caller)
    }

    /// Returns the claims of the request's upload token.
    fn claims(&self, request: Request<'_>, context: &Context<'_>) -> Result<Claims, ApiError> {
        let caller = self.caller(request)?;
        let token = request.token.ok_or_else(|| token_error(ErrorCode::TokenMissing))?;
        let claims = context.keys.open(token, caller, context.now).map_err(token_error)?;
        log_key(&claims.key);
        Ok(claims)
    }

    /// Returns what the host has to count for these files.
    fn uses<'f>(&self, files: impl IntoIterator<Item = &'f NewFile>, now: SystemTime) -> Vec<Use> {
        let Some(limits) = self.daily_limits else { return Vec::new() };
        files.into_iter().map(|file| limits.use_of(file.caller.as_deref(), file.plan.size(), now)).collect()
    }

    /// Signs the PUTs of `parts`. The client sends them in this order, after `bytes_before` bytes of other files. The
    /// URL of a later part gets a longer lifetime, because the part waits longer.
    pub(crate) fn signed<'p>(
        &self,
        target: Target<'_>,
        parts: impl IntoIterator<Item = (Part, Option<&'p PartChecksum>)>,
        bits_per_second: u64,
        lane: u32,
        mut bytes_before: u64,
        context: &Context<'_>,
    ) -> Result<Vec<SignedPart>, ApiError> {
        let signing = self.bucket.sign(lane, context.credentials, context.now);
        let signing = signing.ok_or_else(|| ApiError::detail(ErrorCode::Internal, "the clock is out of range"))?;
        let signed = parts.into_iter().map(|(part, checksum)| {
            let limits = &self.config.url_lifetime_seconds;
            let lifetime = url_lifetime(bytes_before, part.length, bits_per_second, limits);
            bytes_before += part.length;
            signing.put(target, part, checksum, lifetime)
        });
        Ok(signed.collect())
    }
}

/// Speed of the link that is assumed if the request names no speed, in bit/s.
const UNKNOWN_BITS_PER_SECOND: u64 = 1_000_000;

impl Counting {
    /// Returns the first step: counting, or the step after it if there is nothing to count.
    fn step(self, api: &Api, context: &Context<'_>) -> Step {
        if self.uses.is_empty() { self.counted(&[], api, context) } else { Step::Count(self) }
    }

    /// Continues with the outcome of each count. An upload without an outcome is opened.
    pub fn counted(self, outcomes: &[Result<(), ErrorCode>], api: &Api, context: &Context<'_>) -> Step {
        let Self { id, then, .. } = self;
        match then {
            AfterCount::Create(file) => {
                let step = match outcomes.first() {
                    Some(Err(code)) => Err(ApiError::from(*code)),
                    _ => api.open(&id, file, context),
                };
                step.unwrap_or_else(|error| Step::Answer(Answer::refused(&id, error)))
            }
            AfterCount::CreateBatch(files) => {
                let mut outcomes = outcomes.iter();
                let uploads = files.into_iter().map(|file| {
                    let file = file.and_then(|file| match outcomes.next() {
                        Some(Err(code)) => Err(ApiError::from(*code)),
                        _ => Ok(file),
                    });
                    match file.and_then(|file| api.opened_small(file, context)) {
                        Ok(created) => BatchEntry::Created(created),
                        Err(error) => BatchEntry::Refused(refused(error)),
                    }
                });
                Step::Answer(Answer::json(&id, 200, &UploadsCreated { uploads: uploads.collect() }))
            }
        }
    }
}

/// Logs why one file of a batch is refused. Returns the file's entry in the answer.
fn refused(error: ApiError) -> BatchRefusal {
    info!(code = error.code.as_str(), field = error.loggable_field(), "refused");
    let ApiError { code, field, detail } = error;
    BatchRefusal { code, detail, field }
}

impl Api {
    /// Opens a file. A multipart upload needs a call to S3 first.
    fn open(&self, id: &str, file: Box<NewFile>, context: &Context<'_>) -> Result<Step, ApiError> {
        if file.plan.is_multipart() {
            let call = file.with_object(|object| self.bucket.create(object, file.request.algorithm), &self.config);
            return self.call(id, call, AfterCall::Create(file), context);
        }
        Ok(Step::Answer(self.opened(id, *file, None, context)?))
    }

    fn opened(
        &self,
        id: &str,
        file: NewFile,
        upload_id: Option<String>,
        context: &Context<'_>,
    ) -> Result<Answer, ApiError> {
        let plan = file.plan;
        let created = self.opened_as(file, upload_id, context)?;
        info!(size = plan.size(), parts = plan.part_count(), multipart = plan.is_multipart(), "opened");
        Ok(Answer::json(id, 201, &created))
    }
}

impl Call {
    /// Returns the answer to the request. `reply` is S3's answer, or `None` if S3 did not answer.
    pub fn answered(self, reply: S3Reply, api: &Api, context: &Context<'_>) -> Answer {
        let Self { id, then, .. } = self;
        let answer = match then {
            AfterCall::Create(file) => {
                created(reply).and_then(|upload_id| api.opened(&id, *file, Some(upload_id), context))
            }
            AfterCall::List => listed(reply).map(|parts| Answer::json(&id, 200, &parts)),
            AfterCall::Complete { key, plan, request } => completed(reply, key, plan.size(), request.checksum.as_ref())
                .map(|completed| {
                    info!(size = plan.size(), parts = plan.part_count(), "completed");
                    Answer::json(&id, 200, &completed)
                }),
            AfterCall::Abort => aborted(reply).map(|()| {
                info!("aborted");
                Answer::empty(&id)
            }),
        };
        answer.unwrap_or_else(|error| Answer::refused(&id, error))
    }
}
