//! Checks of a request against the upload's token and plan.

use std::collections::BTreeSet;

use directput::checksum::{ChecksumAlgorithm, ObjectChecksum, PartChecksum};
use directput::plan::Plan;
use directput::protocol::{CompleteUpload, ErrorCode, PartNumber, PartToSign, TOKEN_HEADER};

use crate::error::ApiError;
use crate::token::Claims;

/// Checks that no part is repeated, that each part has the length in the plan, and that each checksum is of the
/// upload's algorithm.
pub(crate) fn check_parts(parts: &[PartToSign], plan: &Plan, algorithm: ChecksumAlgorithm) -> Result<(), ApiError> {
    if parts.is_empty() {
        return Err(ApiError::field(ErrorCode::EmptyField, "parts", "expected at least one part"));
    }
    check_each(parts, algorithm, |index, wanted| {
        let part = plan.part(wanted.number).ok_or_else(|| out_of_range(index, plan))?;
        if wanted.length != part.length {
            let detail = format!("part {} has {} bytes", part.number.get(), part.length);
            return Err(ApiError::field(ErrorCode::PartWrongLength, format!("parts[{index}].length"), detail));
        }
        Ok(())
    })
}

/// Checks each part by `check`, that no part is repeated, and that each checksum is of the upload's algorithm. A single
/// PUT is signed for one checksum only, so part 1 must not occur with two.
pub(crate) fn check_each(
    parts: &[PartToSign],
    algorithm: ChecksumAlgorithm,
    check: impl Fn(usize, &PartToSign) -> Result<(), ApiError>,
) -> Result<(), ApiError> {
    let mut seen = BTreeSet::new();
    for (index, wanted) in parts.iter().enumerate() {
        check(index, wanted)?;
        if !seen.insert(wanted.number) {
            return Err(repeated(index));
        }
        check_checksum(wanted.checksum.as_ref(), algorithm, index)?;
    }
    Ok(())
}

/// Checks that the checksum of a single PUT is the checksum in the token. Otherwise, after the application has checked
/// and deleted the object, a client could write other bytes to the same key.
pub(crate) fn check_bytes(parts: &[PartToSign], claims: &Claims) -> Result<(), ApiError> {
    if claims.bytes.is_none() || parts.iter().all(|part| part.checksum == claims.bytes) {
        return Ok(());
    }
    Err(ApiError::field(ErrorCode::InvalidValue, "parts[0].checksum", "the upload was opened for other bytes"))
}

pub(crate) fn token_error(code: ErrorCode) -> ApiError {
    ApiError { code, field: Some(TOKEN_HEADER.to_owned()), detail: None }
}

pub(crate) fn plan_of(claims: &Claims) -> Result<Plan, ApiError> {
    claims.plan().ok_or_else(|| token_error(ErrorCode::TokenInvalid))
}

pub(crate) fn upload_id(claims: &Claims) -> Result<&str, ApiError> {
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
fn check_checksum(checksum: Option<&PartChecksum>, algorithm: ChecksumAlgorithm, index: usize) -> Result<(), ApiError> {
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
pub(crate) fn check_completion(
    request: &CompleteUpload,
    plan: &Plan,
    algorithm: ChecksumAlgorithm,
) -> Result<(), ApiError> {
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
