//! Opening an upload: the checks of the file, its plan, its key, its token and the presigned URLs of the first parts.

use std::time::Duration;

use directput::checksum::{ChecksumAlgorithm, PartChecksum};
use directput::plan::{BATCH_FILE_BYTES, DEFAULT_PART_BYTES, Plan};
use directput::protocol::{CreateUpload, ErrorCode, PartNumber, UploadCreated, UploadKind};
use tracing::info;

use crate::api::{Api, Context};
use crate::checks::check_each;
use crate::config::Config;
use crate::error::ApiError;
use crate::grant::Grant;
use crate::lifetime::single_put_lifetime;
use crate::object_key::{name_for_metadata, new_key};
use crate::s3::{Object, Target};
use crate::token::NewUpload;

/// A file that is acceptable and has a key, but is not open yet.
pub(crate) struct NewFile {
    pub(crate) request: CreateUpload,
    pub(crate) plan: Plan,
    pub(crate) key: String,
    pub(crate) caller: Option<String>,
    /// Total size of the files that the client sends before this one, in bytes.
    bytes_before: u64,
    /// Percent-encoded name.
    name: String,
}

impl NewFile {
    /// Calls `with` with the object that the file becomes.
    pub(crate) fn with_object<T>(&self, with: impl FnOnce(Object<'_>) -> T, config: &Config) -> T {
        let disposition = config.download_names.disposition(&self.request.content_type, &self.name);
        with(Object {
            key: &self.key,
            content_type: &self.request.content_type,
            name: Some(&self.name),
            disposition: &disposition,
        })
    }
}

impl Api {
    /// Checks a file against the settings, and chooses its plan and its key.
    pub(crate) fn new_file(
        &self,
        request: CreateUpload,
        caller: Option<&str>,
        grant: Option<&Grant>,
        context: &Context<'_>,
    ) -> Result<NewFile, ApiError> {
        self.check_acceptable(&request, grant)?;
        let plan = self.plan(&request);
        let folder = grant.and_then(|grant| grant.folder.as_ref());
        let key = new_key(folder, caller, &request.name, (context.random)());
        let name = name_for_metadata(&request.name);
        Ok(NewFile { request, plan, key, caller: caller.map(str::to_owned), bytes_before: 0, name })
    }

    /// Checks a file of a batch. `bytes_before` is the total size of the earlier files of the batch, in bytes.
    pub(crate) fn new_small_file(
        &self,
        request: CreateUpload,
        caller: Option<&str>,
        grant: Option<&Grant>,
        bytes_before: u64,
        context: &Context<'_>,
    ) -> Result<NewFile, ApiError> {
        if request.size.bytes() > BATCH_FILE_BYTES {
            let detail = format!("at most {BATCH_FILE_BYTES} bytes in a batch");
            return Err(ApiError::field(ErrorCode::OutOfRange, "size", detail));
        }
        let file = self.new_file(request, caller, grant, context)?;
        // A batch makes no calls to S3, but opening a multipart upload needs one.
        if file.plan.is_multipart() {
            let detail = "expected the checksum of the whole file";
            return Err(ApiError::field(ErrorCode::EmptyField, "parts", detail));
        }
        Ok(NewFile { bytes_before, ..file })
    }

    /// Opens a file of a batch.
    pub(crate) fn opened_small(&self, file: NewFile, context: &Context<'_>) -> Result<UploadCreated, ApiError> {
        let size = file.plan.size();
        let created = self.opened_as(file, None, context)?;
        info!(key = created.key, size, parts = 1, multipart = false, "opened");
        Ok(created)
    }

    /// Opens a file: signs the first parts and seals the token. `upload` is S3's upload id, or `None` for a single PUT.
    pub(crate) fn opened_as(
        &self,
        file: NewFile,
        upload: Option<String>,
        context: &Context<'_>,
    ) -> Result<UploadCreated, ApiError> {
        let plan = file.plan;
        // The client may have cut the file into parts of another length. Only the parts that match this plan are
        // signed.
        let matching = file.request.parts.iter().filter_map(|wanted| {
            let part = plan.part(wanted.number).filter(|part| part.length == wanted.length)?;
            Some((part, wanted.checksum.as_ref()))
        });
        let first: Vec<_> = matching.take(self.config.max_parts_per_request as usize).collect();
        let (speed, lane) = (file.request.network.bits_per_second(), file.request.lane);
        let sign = |target: Target<'_>| match first.is_empty() {
            true => Ok(Vec::new()),
            false => self.signed(target, first, speed, lane, file.bytes_before, context),
        };
        let signed = match &upload {
            Some(upload_id) => sign(Target::Part { key: &file.key, upload_id }),
            None => file.with_object(|object| sign(Target::Object(object)), &self.config),
        }?;
        let lifetime = self.token_lifetime(&plan);
        let NewFile { request, key, caller, name, .. } = file;
        let new = NewUpload {
            key: key.clone(),
            bytes: bytes_of_whole(&request).filter(|_| upload.is_none()).copied(),
            // S3 already has the name of a multipart upload. Each PUT of a single object sends the name as metadata.
            name: upload.is_none().then_some(name),
            upload,
            size: request.size,
            part_bytes: plan.part_bytes(),
            content_type: request.content_type,
            // The checksum of a single PUT is known before the PUT, so `crc64nvme-after` becomes `crc64nvme`.
            algorithm: if plan.is_multipart() { request.algorithm } else { request.algorithm.computed_by() },
            caller,
        };
        let token = context.keys.seal(new, lifetime, context.now)?;
        Ok(UploadCreated {
            token,
            key,
            kind: if plan.is_multipart() { UploadKind::Multipart } else { UploadKind::Single },
            part_size: plan.part_bytes(),
            part_count: plan.part_count(),
            max_parts_per_request: self.config.max_parts_per_request,
            expires_in_seconds: lifetime.as_secs(),
            parts: signed,
            lane_count: self.bucket.lane_count(),
            max_uploads_per_request: self.config.max_uploads_per_request(),
        })
    }

    /// Returns the plan of the upload. A single PUT needs the checksum of the whole file in its token, so that no other
    /// bytes can be written to the key. A file without a known checksum is therefore sent as a multipart upload, which
    /// accepts no parts after its completion.
    fn plan(&self, request: &CreateUpload) -> Plan {
        let plan = Plan::new(request.size, self.config.single_put_bytes);
        let is_known = request.algorithm == ChecksumAlgorithm::None || bytes_of_whole(request).is_some();
        let in_parts = || Plan::restore(request.size, DEFAULT_PART_BYTES, true).unwrap_or(plan);
        if plan.is_multipart() || is_known { plan } else { in_parts() }
    }

    fn token_lifetime(&self, plan: &Plan) -> Duration {
        let longest = Duration::from_secs(self.config.token_lifetime_seconds);
        if plan.is_multipart() { longest } else { single_put_lifetime(plan.size()).min(longest) }
    }

    /// Checks a file's size, type and checksums against the settings of the deployment and the rules of the request.
    fn check_acceptable(&self, request: &CreateUpload, grant: Option<&Grant>) -> Result<(), ApiError> {
        let of_request = grant.and_then(|grant| grant.max_file_bytes).unwrap_or(u64::MAX);
        let max_bytes = self.config.max_file_bytes.min(of_request);
        if request.size.bytes() > max_bytes {
            return Err(ApiError::field(ErrorCode::FileTooLarge, "size", format!("at most {max_bytes} bytes")));
        }
        let of_request = grant.and_then(|grant| grant.allowed_types.as_ref());
        for allowed in std::iter::once(&self.config.allowed_types).chain(of_request) {
            match allowed.contains(&request.content_type) {
                Some(true) => {}
                Some(false) => {
                    return Err(ApiError::field(ErrorCode::TypeNotAllowed, "type", "not on this server's list"));
                }
                None => {
                    let detail = "expected a media type such as image/png (RFC 9110, section 8.3.1)";
                    return Err(ApiError::field(ErrorCode::InvalidValue, "type", detail));
                }
            }
        }
        if !self.config.allowed_checksums.contains(&request.algorithm) {
            let names: Vec<_> = self.config.allowed_checksums.iter().map(|algorithm| algorithm.as_str()).collect();
            let detail = format!("expected one of {}", names.join(", "));
            return Err(ApiError::field(ErrorCode::InvalidValue, "algorithm", detail));
        }
        check_each(&request.parts, request.algorithm, |_, _| Ok(()))
    }
}

/// Returns the checksum of the whole file if the request lists the whole file as part 1.
fn bytes_of_whole(request: &CreateUpload) -> Option<&PartChecksum> {
    let whole = request.parts.iter().find(|part| part.number == PartNumber::FIRST);
    whole.filter(|part| part.length == request.size.bytes())?.checksum.as_ref()
}
