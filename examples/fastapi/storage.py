"""The bucket: presigned PUTs, and the calls that open, list, complete and abort a multipart upload."""

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from protocol import Part, Refusal, StoredPart

BUCKET = os.environ["BUCKET"]
# S3 can take minutes for a completion. Gateways wait about 30 s, so this server answers earlier, and the client asks
# again.
CALL_SECONDS = 25
log = logging.getLogger("uvicorn.error")
pool = ThreadPoolExecutor(max_workers=64)
s3 = boto3.client("s3", config=Config(
    # The default for URLs in us-east-1 is version 2, which signs neither `content-length` nor `if-none-match`.
    signature_version="s3v4",
    # The default signs for `s3.amazonaws.com`, which redirects while a bucket in another region is new. Browsers follow
    # no redirect of a preflight.
    s3={"addressing_style": "path" if "AWS_ENDPOINT_URL_S3" in os.environ else "virtual"},
    retries={"mode": "standard", "total_max_attempts": 2}, connect_timeout=5, max_pool_connections=64,
))


def about(plan) -> dict[str, Any]:
    # `attachment`: browsers save the object, and never run a user's HTML under the bucket's host name.
    return {"ContentType": plan.type, "ContentDisposition": "attachment", "Metadata": {"name": plan.name}}


def sign(plan, part: Part, seconds: int) -> dict[str, Any]:
    """Signs the PUT of a part or of a whole object. boto3 signs each parameter that is a header."""
    bound = {"Bucket": BUCKET, "Key": plan.key, "ContentLength": part.length, "ChecksumSHA256": part.checksum}
    headers = {"x-amz-checksum-sha256": part.checksum}
    if plan.upload_id:
        bound |= {"UploadId": plan.upload_id, "PartNumber": part.number}
    else:
        # S3 stores `Content-Encoding` even if it is not signed. Readers would decode the object if it were `gzip`.
        bound |= about(plan) | {"ContentEncoding": "identity", "IfNoneMatch": "*"}
        headers |= {"content-type": plan.type, "content-disposition": "attachment", "x-amz-meta-name": plan.name}
        headers |= {"content-encoding": "identity", "if-none-match": "*"}
    operation = "upload_part" if plan.upload_id else "put_object"
    url = s3.generate_presigned_url(operation, Params=bound, ExpiresIn=seconds)
    return {"number": part.number, "url": url, "headers": headers, "expiresInSeconds": seconds}


def open_multipart(plan) -> str:
    algorithm = {"ChecksumAlgorithm": "SHA256", "ChecksumType": "COMPOSITE"}
    return send("create_multipart_upload", Key=plan.key, **about(plan), **algorithm)["UploadId"]


def list_parts(plan, after: int | None) -> dict[str, Any]:
    page = send("list_parts", Key=plan.key, UploadId=plan.upload_id, PartNumberMarker=after or 0)
    parts = [
        {"number": part["PartNumber"], "size": part["Size"], "etag": part["ETag"].strip('"'),
         "checksum": part.get("ChecksumSHA256")}
        for part in page.get("Parts", [])
    ]
    return {"parts": parts, "next": parts[-1]["number"] if page["IsTruncated"] else None}


def complete(plan, parts: list[StoredPart], checksum: str) -> dict[str, Any]:
    """Joins the parts. S3 compares each with its checksum. Refuses an object that has another checksum."""
    listed = [{"PartNumber": part.number, "ETag": part.etag, "ChecksumSHA256": part.checksum} for part in parts]
    rules = {"MultipartUpload": {"Parts": listed}, "MpuObjectSize": plan.size, "IfNoneMatch": "*"}
    try:
        stored = send("complete_multipart_upload", Key=plan.key, UploadId=plan.upload_id, **rules)
    except Refusal as refusal:
        # S3 answers a repeated completion as the first. Other servers have the object, but not the upload any more.
        if refusal.code != "upload-gone" or not (stored := find(plan)):
            raise
    if stored.get("ChecksumSHA256") != checksum:
        raise Refusal("parts-refused")
    return {"key": plan.key, "etag": stored["ETag"].strip('"'), "checksum": checksum, "size": plan.size}


def find(plan) -> dict[str, Any] | None:
    try:
        return send("head_object", Key=plan.key, ChecksumMode="ENABLED")
    except Refusal:
        return None


def abort(plan) -> None:
    try:
        send("abort_multipart_upload", Key=plan.key, UploadId=plan.upload_id)
    except Refusal as refusal:
        if refusal.code != "upload-gone":
            raise


# S3's codes for a completion whose parts differ from the stored parts.
PARTS = ["BadDigest", "EntityTooLarge", "EntityTooSmall", "InvalidDigest", "InvalidPart", "InvalidPartOrder"]
PARTS += ["InvalidRequest", "XAmzContentChecksumMismatch"]
# S3's codes with a 4xx status after which a retry may succeed.
SOON = ["ExpiredToken", "IncompleteBody", "RequestTimeout", "RequestTimeTooSkewed", "TokenRefreshRequired"]


def send(operation: str, **parameters: Any) -> dict[str, Any]:
    """Calls S3. Refuses by S3's code, because the status is not enough: 404 can mean a missing upload or bucket."""
    call = pool.submit(getattr(s3, operation), Bucket=BUCKET, **parameters)
    try:
        return call.result(CALL_SECONDS)
    except ClientError as error:
        code, status = error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    except (BotoCoreError, TimeoutError) as error:
        call.cancel()
        code, status = type(error).__name__, 503
    log.warning("%s: %s", operation, code)  # S3's message can hold keys and URLs.
    if code == "NoSuchUpload":
        raise Refusal("upload-gone")
    if operation == "complete_multipart_upload" and code in PARTS:
        raise Refusal("parts-refused", detail=code)
    if operation == "complete_multipart_upload" and code == "PreconditionFailed":
        raise Refusal("already-complete")
    is_mistake = 300 <= status < 500 and status not in (408, 409, 425, 429) and code not in SOON
    raise Refusal("internal" if is_mistake else "storage-unavailable")
