//! Opens uploads: checks a file, chooses its key and plan, and signs the parts that the request lists.

use std::time::Duration;

use directput::checksum::{ChecksumAlgorithm, PartChecksum};
use directput::plan::{BATCH_FILE_BYTES, DEFAULT_PART_BYTES, Plan};
use directput::protocol::{CreateUpload, ErrorCode, PartNumber, UploadCreated, UploadKind};
use tracing::info;

use crate::api::{App, check_checksum};
use crate::error::ApiError;
use crate::lifetime::single_put_lifetime;
use crate::object_key::{name_for_metadata, new_key};
use crate::quota::Quota;
use crate::storage::{Object, Target};
use crate::token::NewUpload;

impl App {
    /// Opens one upload of a batch. `bytes_before` is the total size of the earlier files of the batch, in bytes.
    pub(crate) async fn open_small(
        &self,
        request: CreateUpload,
        caller: Option<String>,
        quota: Option<&Quota>,
        bytes_before: u64,
    ) -> Result<UploadCreated, ApiError> {
        if request.size.bytes() > BATCH_FILE_BYTES {
            let detail = format!("at most {BATCH_FILE_BYTES} bytes in a batch");
            return Err(ApiError::field(ErrorCode::OutOfRange, "size", detail));
        }
        self.check_acceptable(&request)?;
        let plan = self.plan(&request);
        // A batch makes no calls to S3, but opening a multipart upload needs one.
        if plan.is_multipart() {
            let detail = "expected the checksum of the whole file";
            return Err(ApiError::field(ErrorCode::EmptyField, "parts", detail));
        }
        let key = new_key(caller.as_deref(), &request.name);
        let created = self.open(request, plan, key, caller, quota, bytes_before).await?;
        info!(key = created.key, size = plan.size(), parts = 1, multipart = false, "opened");
        Ok(created)
    }

    /// Opens an upload of a file that [`Self::check_acceptable`] has accepted. `bytes_before` is the total size of the
    /// files that the client sends before it, in bytes.
    pub(crate) async fn open(
        &self,
        request: CreateUpload,
        plan: Plan,
        key: String,
        caller: Option<String>,
        quota: Option<&Quota>,
        bytes_before: u64,
    ) -> Result<UploadCreated, ApiError> {
        if let Some(quota) = quota {
            quota.take(caller.as_deref(), request.size.bytes()).await?;
        }
        let name = name_for_metadata(&request.name);
        let disposition = self.config.download_names.disposition(&request.content_type, &name);
        let object =
            Object { key: &key, content_type: &request.content_type, name: Some(&name), disposition: &disposition };
        let upload = match plan.is_multipart() {
            true => Some(self.storage.create(object, request.algorithm).await?),
            false => None,
        };
        let target = match &upload {
            Some(upload_id) => Target::Part { key: &key, upload_id },
            None => Target::Object(object),
        };
        // The client may have cut the file into parts of another length. Only the parts that match this plan are
        // signed.
        let matching = request.parts.iter().filter_map(|wanted| {
            let part = plan.part(wanted.number).filter(|part| part.length == wanted.length)?;
            Some((part, wanted.checksum.as_ref()))
        });
        let first: Vec<_> = matching.take(self.config.max_parts_per_request as usize).collect();
        let signed = match first.is_empty() {
            true => Vec::new(),
            false => self.sign(target, first, request.network.bits_per_second(), request.lane, bytes_before).await?,
        };
        let lifetime = self.token_lifetime(&plan);
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
        let token = self.keys.seal(new, lifetime).await?;
        Ok(UploadCreated {
            token,
            key,
            kind: if plan.is_multipart() { UploadKind::Multipart } else { UploadKind::Single },
            part_size: plan.part_bytes(),
            part_count: plan.part_count(),
            max_parts_per_request: self.config.max_parts_per_request,
            expires_in_seconds: lifetime.as_secs(),
            parts: signed,
            lane_count: self.storage.lane_count(),
            max_uploads_per_request: self.config.max_uploads_per_request(),
        })
    }

    /// Returns the plan of the upload. A single PUT needs the checksum of the whole file in its token, so that no other
    /// bytes can be written to the key. A file without a known checksum is therefore sent as a multipart upload, which
    /// accepts no parts after its completion.
    pub(crate) fn plan(&self, request: &CreateUpload) -> Plan {
        let plan = Plan::new(request.size, self.config.single_put_bytes);
        let is_known = request.algorithm == ChecksumAlgorithm::None || bytes_of_whole(request).is_some();
        let in_parts = || Plan::restore(request.size, DEFAULT_PART_BYTES, true).unwrap_or(plan);
        if plan.is_multipart() || is_known { plan } else { in_parts() }
    }

    fn token_lifetime(&self, plan: &Plan) -> Duration {
        let longest = Duration::from_secs(self.config.token_lifetime_seconds);
        if plan.is_multipart() { longest } else { single_put_lifetime(plan.size()).min(longest) }
    }

    /// Checks a file's size, type and checksums against the settings of the deployment.
    pub(crate) fn check_acceptable(&self, request: &CreateUpload) -> Result<(), ApiError> {
        if request.size.bytes() > self.config.max_file_bytes {
            let detail = format!("at most {} bytes", self.config.max_file_bytes);
            return Err(ApiError::field(ErrorCode::FileTooLarge, "size", detail));
        }
        match self.config.allowed_types.contains(&request.content_type) {
            Some(true) => {}
            Some(false) => return Err(ApiError::field(ErrorCode::TypeNotAllowed, "type", "not on this server's list")),
            None => {
                let detail = "expected a media type such as image/png (RFC 9110, section 8.3.1)";
                return Err(ApiError::field(ErrorCode::InvalidValue, "type", detail));
            }
        }
        if !self.config.allowed_checksums.contains(&request.algorithm) {
            let names: Vec<_> = self.config.allowed_checksums.iter().map(|algorithm| algorithm.as_str()).collect();
            let detail = format!("expected one of {}", names.join(", "));
            return Err(ApiError::field(ErrorCode::InvalidValue, "algorithm", detail));
        }
        for (index, wanted) in request.parts.iter().enumerate() {
            check_checksum(wanted.checksum.as_ref(), request.algorithm, index)?;
        }
        Ok(())
    }
}

/// Returns the checksum of the whole file if the request lists the whole file as part 1.
fn bytes_of_whole(request: &CreateUpload) -> Option<&PartChecksum> {
    let whole = request.parts.iter().find(|part| part.number == PartNumber::FIRST);
    whole.filter(|part| part.length == request.size.bytes())?.checksum.as_ref()
}
