"""The bucket: presigned PUTs, and the calls that open, list, complete and abort a multipart upload."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, HTTPClientError

from protocol import Part, Refusal, StoredPart

BUCKET = os.environ["BUCKET"]
# S3 can take minutes for a completion. A gateway waits about 30 s, so this server answers earlier, and the client
# repeats the call.
CALL_SECONDS = 25
# `when_required`: boto3 would add a CRC32. URLs would then require a header that browsers don't send.
# `s3v4`: without it, boto3 signs URLs of some regions by the old version 2, which binds no headers.
CONFIG = Config(
    signature_version="s3v4",
    request_checksum_calculation="when_required",
    retries={"mode": "standard", "total_max_attempts": 2},
    connect_timeout=5,
    read_timeout=CALL_SECONDS,
    max_pool_connections=64,
)
s3 = boto3.client("s3", config=CONFIG)
pool = ThreadPoolExecutor(max_workers=64)
log = logging.getLogger("uvicorn.error")


def headers_of_object(plan) -> dict[str, Any]:
    # `attachment`: browsers save the object, and never run a user's HTML under the bucket's host name.
    return {"ContentType": plan.type, "ContentDisposition": "attachment", "Metadata": {"name": plan.name}}


def open_multipart(plan) -> str:
    """Opens a multipart upload. Returns its upload id."""
    algorithm = {"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"}
    return send("create_multipart_upload", Key=plan.key, **headers_of_object(plan), **algorithm)["UploadId"]


def sign(plan, part: Part, seconds: int) -> dict[str, Any]:
    """Signs the PUT of a part, or of a whole object. S3 then accepts only bytes of this length with this checksum, and
    the PUT of a whole object fails if the object exists. boto3 signs every parameter that is a header."""
    bound = {"Bucket": BUCKET, "Key": plan.key, "ContentLength": part.length, "ChecksumSHA256": part.checksum}
    headers = {"x-amz-checksum-sha256": part.checksum}
    if plan.upload_id:
        operation, bound = "upload_part", bound | {"UploadId": plan.upload_id, "PartNumber": part.number}
    else:
        # S3 stores `Content-Encoding` even if it is not signed. A client could send `gzip`, and readers would decode
        # the object.
        once = {"ContentEncoding": "identity", "IfNoneMatch": "*"}
        operation, bound = "put_object", bound | headers_of_object(plan) | once
        headers |= {"content-type": plan.type, "content-disposition": "attachment", "content-encoding": "identity"}
        headers |= {"if-none-match": "*", "x-amz-meta-name": plan.name}
    url = s3.generate_presigned_url(operation, Params=bound, ExpiresIn=seconds)
    return {"number": part.number, "url": url, "headers": headers, "expiresInSeconds": seconds}


def list_parts(plan, after: int | None) -> dict[str, Any]:
    """Returns a page of the parts that S3 holds."""
    page = send("list_parts", Key=plan.key, UploadId=plan.upload_id, PartNumberMarker=after or 0)
    parts = [
        {"number": at["PartNumber"], "size": at["Size"], "etag": bare(at["ETag"]), "checksum": at.get("ChecksumSHA256")}
        for at in page.get("Parts", [])
    ]
    return {"parts": parts} | ({"next": parts[-1]["number"]} if page["IsTruncated"] and parts else {})


def complete(plan, parts: list[StoredPart], checksum: str) -> dict[str, Any]:
    """Joins the parts to the object. S3 compares each part with its checksum. Refuses an object with another one."""
    listed = [{"PartNumber": at.number, "ETag": at.etag, "ChecksumSHA256": at.checksum} for at in parts]
    rules = {"MultipartUpload": {"Parts": listed}, "MpuObjectSize": plan.size, "IfNoneMatch": "*"}
    try:
        stored = send("complete_multipart_upload", Key=plan.key, UploadId=plan.upload_id, **rules)
    except Refusal as refusal:
        if refusal.code != "upload-gone":
            raise
        # S3 answers a repeated completion as the first. Other servers no longer know the upload, but have the object.
        try:
            stored = send("head_object", Key=plan.key, ChecksumMode="ENABLED")
        except Refusal:
            raise refusal from None
    if stored.get("ChecksumSHA256") != checksum:
        raise Refusal("parts-refused")
    return {"key": plan.key, "etag": bare(stored["ETag"]), "checksum": checksum, "size": plan.size}


def abort(plan) -> None:
    """Removes an open upload and its parts. Succeeds if the upload is already gone."""
    try:
        send("abort_multipart_upload", Key=plan.key, UploadId=plan.upload_id)
    except Refusal as refusal:
        if refusal.code != "upload-gone":
            raise


def bare(etag: str) -> str:
    return etag.strip('"')


# S3's codes for a completion whose parts differ from the stored parts.
PARTS = {"BadDigest", "EntityTooLarge", "EntityTooSmall", "InvalidDigest", "InvalidPart", "InvalidPartOrder"}
PARTS |= {"InvalidRequest", "XAmzContentChecksumMismatch"}
# S3's codes with a 4xx status after which a retry may succeed.
SOON = {"ExpiredToken", "IncompleteBody", "RequestTimeout", "RequestTimeTooSkewed", "TokenRefreshRequired"}


def send(operation: str, **parameters: Any) -> dict[str, Any]:
    """Calls S3. Refuses by a code that depends on S3's code, because 404 can mean a missing upload or bucket."""
    call = pool.submit(getattr(s3, operation), Bucket=BUCKET, **parameters)
    try:
        return call.result(CALL_SECONDS)
    except (TimeoutError, HTTPClientError) as error:
        call.cancel()
        log.warning("%s: %s", operation, type(error).__name__)
        raise Refusal("storage-unavailable") from None
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    log.warning("%s: %s", operation, code)  # Not S3's message, which can hold keys and URLs.
    is_completion = operation == "complete_multipart_upload"
    if code == "NoSuchUpload":
        raise Refusal("upload-gone")
    if is_completion and code in PARTS:
        raise Refusal("parts-refused", detail=code)
    if is_completion and code == "PreconditionFailed":
        raise Refusal("already-complete")
    is_mistake = 300 <= status < 500 and status not in (408, 409, 425, 429) and code not in SOON
    raise Refusal("internal" if is_mistake else "storage-unavailable")
