"""Checks of a deployed stage: `make verify-aws`. Each function is a check, and its docstring states the expected behaviour
of AWS. A check returns its observation, or raises `Wrong` or `Skipped`. docs/aws-checks.md has a row for each check.
"""

import base64
import hashlib
import json
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import boto3
from botocore.exceptions import ClientError

from stage import Answer, Stage, Upload, at_once, call, crc64nvme, digest, expect, need

# Larger than SINGLE_PUT_BYTES, so that the upload has parts.
MULTIPART_BYTES = (16 << 20) + 1
LARGEST_BYTES = 50 << 30
# Maximum delay of CloudWatch Logs, in seconds.
LOG_SECONDS = 90


def allows(answer: Answer, origin: str) -> str:
    allowed = answer.headers.get("access-control-allow-origin")
    expect(allowed in (origin, "*"), f"{answer}, without Access-Control-Allow-Origin for {origin}")
    return f"{answer}, with Access-Control-Allow-Origin"


# --- CORS ---------------------------------------------------------------------------------------------


def api_preflight(stage: Stage) -> str:
    """API Gateway answers the preflight of a page that may upload."""
    headers = {"origin": stage.origin, "access-control-request-method": "POST",
               "access-control-request-headers": "content-type,upload-token"}
    answer = call("OPTIONS", stage.endpoint, headers)
    expect(answer.status in (200, 204), f"answered by {answer}")
    return allows(answer, stage.origin)


def bucket_preflight(stage: Stage) -> str:
    """S3 answers the preflight of a presigned PUT."""
    first = stage.open().first()
    names = ",".join(sorted(first["headers"]))
    headers = {"origin": stage.origin, "access-control-request-method": "PUT", "access-control-request-headers": names}
    answer = call("OPTIONS", first["url"], headers)
    expect(answer.status in (200, 204), f"answered by {answer}")
    return allows(answer, stage.origin)


def cors_on_401(stage: Stage) -> str:
    """A 401 of API Gateway itself has CORS headers, so that the page can distinguish it from a failed network."""
    need(stage.has_sign_in, "the stage has no sign-in")
    answer = call("POST", stage.endpoint, {"origin": stage.origin, "content-type": "application/json"}, b"{}")
    expect(answer.status == 401, f"answered by {answer}")
    return allows(answer, stage.origin)


def throttled(stage: Stage) -> Answer:
    """Returns a 429 of API Gateway, caused by requests that open no upload."""
    rate = int(stage.parameters.get("UploadsPerSecond", "0"))
    need(0 < rate <= 50, f"UploadsPerSecond is {rate}: reaching it would be a load test")
    headers = stage.headers(origin=stage.parameters.get("AllowedOrigins", "").split(",")[0], content_type="application/json")
    for _ in range(5):
        answers = at_once(4 * rate, lambda: call("POST", stage.endpoint, headers, b"{}"))
        refused = [answer for answer in answers if answer.status == 429]
        if refused:
            return refused[0]
    expect(False, f"{20 * rate} calls at {rate} per second, and none was answered by 429")


def throttling(stage: Stage) -> str:
    """API Gateway answers 429 to more uploads than UploadsPerSecond."""
    answer = throttled(stage)
    return f"429, Retry-After: {answer.headers.get('retry-after', 'none')}"


def cors_on_429(stage: Stage) -> str:
    """A 429 of API Gateway itself has CORS headers, so that the page waits instead of failing."""
    return allows(throttled(stage), stage.origin)


# --- signed PUTs -----------------------------------------------------------------------------------


def single_put(stage: Stage) -> str:
    """A presigned PUT stores its object once, and refuses other bytes."""
    upload = stage.open()
    other = stage.put(upload, secrets.token_bytes(64))
    expect(other.status in (400, 403), f"other bytes were answered by {other}")
    stored = stage.put(upload)
    expect(stored.status == 200, f"the PUT was answered by {stored}")
    again = stage.put(upload)
    expect(again.status == 412, f"the second PUT was answered by {again}")
    return f"other bytes {other.status}, first PUT 200, second 412"


def lanes(stage: Stage) -> str:
    """Each name of the bucket answers the preflight of a page and stores its object."""
    count = stage.open().reply["laneCount"]
    need(count > 1, "the stage has one name (Lanes)")
    hosts = []
    for lane in range(count):
        upload = stage.open(lane=lane)
        first = upload.first()
        hosts.append(urlsplit(first["url"]).netloc)
        headers = {"origin": stage.origin, "access-control-request-method": "PUT",
                   "access-control-request-headers": ",".join(sorted(first["headers"]))}
        allows(call("OPTIONS", first["url"], headers), stage.origin)
        stored = stage.put(upload)
        expect(stored.status == 200, f"the PUT to lane {lane} was answered by {stored}")
    expect(len(set(hosts)) == count, f"{count} lanes lead to {len(set(hosts))} hosts")
    return f"{count} hosts"


def batch(stage: Stage) -> str:
    """One call opens several files, and refuses one of them alone."""
    entry = {"name": "verify-aws.bin", "type": "application/octet-stream", "size": 1,
             "parts": [{"number": 1, "length": 1, "checksum": digest(b"x")}]}
    answer = stage.post(f"{stage.endpoint}/batch", {"uploads": [entry, entry | {"type": "none"}, entry]})
    expect(answer.status == 200, f"answered by {answer}")
    seen = ["open" if "token" in opened else opened["code"] for opened in answer.json()["uploads"]]
    expect(seen == ["open", "invalid-value", "open"], f"the files are {', '.join(seen)}")
    return ", ".join(seen)


def unsigned_headers(stage: Stage) -> str:
    """S3 refuses unsigned headers, except those of caching and language."""
    values = {
        "content-encoding": "gzip", "x-amz-meta-more": "1", "x-amz-tagging": "a=b", "x-amz-acl": "public-read",
        "cache-control": "max-age=31536000", "content-language": "en", "expires": "Thu, 01 Jan 2037 00:00:00 GMT",
    }
    kept = [name for name, value in values.items() if stage.put(stage.open(), **{name: value}).status == 200]
    # Scripts may set these headers on any request, so signing can't exclude them (docs/security.md).
    wrong = set(kept) - {"cache-control", "content-language", "expires"}
    expect(not wrong, f"accepted: {', '.join(sorted(wrong))}")
    return f"kept: {', '.join(kept) or 'none'}"


def plain_http(stage: Stage) -> str:
    """The bucket refuses requests without TLS."""
    upload = stage.open()
    url = upload.first()["url"]
    need(url.startswith("https:"), "the bucket's URL has no TLS")
    answer = call("PUT", url.replace("https:", "http:", 1), upload.first()["headers"], upload.body)
    expect(answer.status == 403, f"answered by {answer}")
    return str(answer)


def delete_then_put(stage: Stage) -> str:
    """After its object was deleted, an upload's token can't get a URL for other bytes."""
    upload = stage.open()
    expect(stage.put(upload).status == 200, "the PUT failed")
    stage.s3().delete_object(Bucket=stage.outputs["BucketName"], Key=upload.reply["key"])
    other = secrets.token_bytes(64)
    part = {"number": 1, "length": len(other), "checksum": digest(other)}
    answer = stage.post(stage.endpoint + "/parts", {"parts": [part]}, upload_token=upload.reply["token"])
    expect(400 <= answer.status < 500, f"other bytes for the same token were answered by {answer}")
    return f"other bytes {answer}"


def delete_marker(stage: Stage) -> str:
    """A delete marker counts as no object: an uploader can store the same bytes again, once, and no other bytes."""
    upload = stage.open()
    expect(stage.put(upload).status == 200, "the PUT failed")
    deleted = stage.s3().delete_object(Bucket=stage.outputs["BucketName"], Key=upload.reply["key"])
    need(deleted.get("DeleteMarker"), "the bucket has no versions (Versioning)")
    other = secrets.token_bytes(64)
    part = {"number": 1, "length": len(other), "checksum": digest(other)}
    answer = stage.post(stage.endpoint + "/parts", {"parts": [part]}, upload_token=upload.reply["token"])
    expect(400 <= answer.status < 500, f"other bytes for the same token were answered by {answer}")
    again, once_more = stage.put(upload), stage.put(upload)
    expect(again.status == 200, f"the same bytes over the marker were answered by {again}")
    expect(once_more.status == 412, f"the same bytes over themselves were answered by {once_more}")
    return f"other bytes {answer.status}, the same bytes 200, then 412"


# --- the bucket's policy ------------------------------------------------------------------------------


def refused_to_others(stage: Stage) -> str:
    """Only the function can write below uploads/, whatever rights another principal has."""
    key = f"uploads/verify-aws-{secrets.token_hex(8)}"
    try:
        stage.s3().put_object(Bucket=stage.outputs["BucketName"], Key=key, Body=b"x", IfNoneMatch="*")
    except ClientError as error:
        code = error.response["Error"]["Code"]
        expect(code == "AccessDenied", f"refused by {code}")
        return "AccessDenied"
    stage.made.append(key)
    expect(False, "an object was written")


def other_prefixes(stage: Stage) -> str:
    """Principals with the rights can write other prefixes of the bucket: quarantine, GuardDuty, a backend."""
    key = f"verify-aws/{secrets.token_hex(8)}"
    stage.s3().put_object(Bucket=stage.outputs["BucketName"], Key=key, Body=b"x")
    stage.made.append(key)
    return "written"


def unscanned(stage: Stage) -> str:
    """An object can't be read until GuardDuty has found it clean."""
    need(stage.parameters.get("MalwareScan") == "true", "uploads are not scanned (MalwareScan)")
    upload = stage.open()
    expect(stage.put(upload).status == 200, "the PUT failed")
    try:
        stage.s3().get_object(Bucket=stage.outputs["BucketName"], Key=upload.reply["key"])
    except ClientError as error:
        code = error.response["Error"]["Code"]
        expect(code == "AccessDenied", f"refused by {code}")
        return "AccessDenied"
    expect(False, "the object was read; the scan may have taken less than a second")


# --- completion ---------------------------------------------------------------------------------------


def send(stage: Stage, upload: Upload, threads: int = 2) -> list[dict]:
    """Sends every part, one batch of URLs at a time. Returns the parts for the completion."""
    reply, done = upload.reply, []
    token = {"upload_token": reply["token"]}
    batch = min(reply["maxPartsPerRequest"], 10)
    for start in range(1, reply["partCount"] + 1, batch):
        numbers = range(start, min(start + batch, reply["partCount"] + 1))
        wanted = [{"number": n, "length": len(upload.part(n)), "checksum": digest(upload.part(n))} for n in numbers]
        signed = stage.post(stage.endpoint + "/parts", {"parts": wanted, "bitsPerSecond": 10**8}, **token)
        expect(signed.status == 200, f"signing was answered by {signed}")
        put = lambda part: call("PUT", part["url"], part["headers"], upload.part(part["number"]))
        with ThreadPoolExecutor(threads) as pool:
            answers = list(pool.map(put, signed.json()["parts"]))
        for part, answer in zip(wanted, answers):
            expect(answer.status == 200, f"part {part['number']} was answered by {answer}")
            etag = answer.headers["etag"].strip('"')
            done.append({"number": part["number"], "etag": etag, "checksum": part["checksum"]})
    return done


def composite(parts: list[dict]) -> str:
    joined = b"".join(base64.b64decode(part["checksum"]) for part in parts)
    return f"{base64.b64encode(hashlib.sha256(joined).digest()).decode()}-{len(parts)}"


def completed(stage: Stage, upload: Upload, threads: int = 2) -> str:
    parts = send(stage, upload, threads)
    message = {"parts": parts, "checksum": composite(parts)}
    started = time.monotonic()
    first = stage.post(stage.endpoint + "/complete", message, upload_token=upload.reply["token"])
    seconds = time.monotonic() - started
    expect(first.status == 200, f"the completion was answered by {first} after {seconds:.1f} s")
    expect(first.json()["checksum"] == message["checksum"], "the answer has another checksum")
    again = stage.post(stage.endpoint + "/complete", message, upload_token=upload.reply["token"])
    expect(again.status == 200 and again.json() == first.json(), f"the repeated completion was answered by {again}")
    return f"{len(parts)} parts joined in {seconds:.1f} s, and again"


def completion(stage: Stage) -> str:
    """S3 joins an upload of several parts, and a repeated completion is answered like the first."""
    need(int(stage.parameters.get("MaxFileSize", LARGEST_BYTES)) >= MULTIPART_BYTES, "MaxFileSize allows no parts")
    return completed(stage, stage.open(secrets.token_bytes(MULTIPART_BYTES)))


def verified_after(stage: Stage) -> str:
    """S3 computes the CRC64NVME of a part that has none, and refuses a completion that names another."""
    need("crc64nvme-after" in stage.parameters.get("AllowedChecksums", ""), "AllowedChecksums lacks crc64nvme-after")
    body = secrets.token_bytes(64)
    upload = stage.open(body, algorithm="crc64nvme-after", parts=[{"number": 1, "length": len(body)}])
    stored = stage.put(upload)
    computed = stored.headers.get("x-amz-checksum-crc64nvme")
    expect(stored.status == 200, f"the PUT was answered by {stored}")

    def complete(checksum: str) -> Answer:
        part = {"number": 1, "etag": stored.headers["etag"].strip('"'), "checksum": checksum}
        message = {"parts": [part], "checksum": checksum}
        return stage.post(stage.endpoint + "/complete", message, upload_token=upload.reply["token"])

    other = complete(crc64nvme(b"other bytes"))
    expect(other.status == 409, f"the checksum of other bytes was answered by {other}")
    joined = complete(crc64nvme(body))
    expect(joined.status == 200, f"the completion was answered by {joined}")
    # The client then compares at the completion alone.
    expect(computed == crc64nvme(body), f"the PUT's checksum is {computed or 'not in the answer'}")
    return f"other bytes {other}, then 200"


class Zeros:
    """A sequence of zero bytes that takes no memory."""

    def __init__(self, size: int):
        self.size = size

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, span: slice) -> bytes:
        start, stop, _ = span.indices(self.size)
        return bytes(max(0, stop - start))


def largest_completion(stage: Stage) -> str:
    """S3 joins the largest upload, with up to 10,000 parts, before API Gateway's timeout of 30 s."""
    need(stage.is_large, "it sends up to 50 GiB: LARGE=1 make verify-aws")
    size = min(LARGEST_BYTES, int(stage.parameters.get("MaxFileSize", LARGEST_BYTES)))
    return completed(stage, stage.open(Zeros(size)), threads=8)


# --- addresses ----------------------------------------------------------------------------------------


def encoded_path(stage: Stage) -> str:
    """API Gateway treats `/%75ploads` as `/uploads`, with the same throttling, or does not find it."""
    addresses = [stage.endpoint] + ([stage.site_endpoint] if "SiteUrl" in stage.outputs else [])
    seen = []
    for endpoint in addresses:
        answer = stage.post(endpoint.replace("/uploads", "/%75ploads"), {})
        # 400 is the function's answer to an empty message, so the route was found.
        expect(answer.status in (400, 403, 404, 405, 429), f"answered by {answer}")
        seen.append(str(answer))
    return ", ".join(seen)


def headers_through_cloudfront(stage: Stage) -> str:
    """CloudFront passes `Authorization` and `Upload-Token` of a GET to the API."""
    need(stage.outputs.get("SiteUrl"), "the stage has no site")
    need(int(stage.parameters.get("MaxFileSize", LARGEST_BYTES)) >= MULTIPART_BYTES, "MaxFileSize allows no parts")
    upload = stage.open(bytes(MULTIPART_BYTES), stage.site_endpoint)
    answer = call("GET", stage.site_endpoint + "/parts", stage.headers(upload_token=upload.reply["token"]))
    stage.abort(upload)
    expect(answer.status == 200, f"answered by {answer}")
    return f"{answer.status}, {'signed in' if stage.has_sign_in else 'without sign-in'}"


def errors_uncached(stage: Stage) -> str:
    """CloudFront caches no error of the API."""
    seen = [call("GET", stage.site_endpoint + "/parts", stage.headers()) for _ in range(2)]
    for answer in seen:
        expect(answer.status >= 400, f"a GET without a token was answered by {answer}")
        expect("age" not in answer.headers, f"{answer} is {answer.headers.get('age')} s old")
        expect("hit" not in answer.headers.get("x-cache", "").lower(), f"{answer}: {answer.headers.get('x-cache')}")
    return f"{seen[1]}, {seen[1].headers.get('x-cache', 'no x-cache')}"


def execute_api_closed(stage: Stage) -> str:
    """An API with its own domain can't be reached by its execute-api address."""
    need(stage.parameters.get("ApiDomain"), "the API has no own domain (ApiDomain)")
    region = boto3.session.Session().region_name
    url = f"https://{stage.resource('Api')}.execute-api.{region}.amazonaws.com/uploads"
    answer = call("POST", url, {"content-type": "application/json"}, b"{}")
    expect(answer.status in (403, 404), f"answered by {answer}")
    return str(answer)


# --- logs and metrics ---------------------------------------------------------------------------------


def log_lines(group: str, pattern: str) -> list[str]:
    """Returns the lines of the last ten minutes that match. Waits for the first, up to LOG_SECONDS."""
    client = boto3.client("logs")
    until = time.monotonic() + LOG_SECONDS
    while True:
        found = client.filter_log_events(
            logGroupName=group, filterPattern=pattern, startTime=int((time.time() - 600) * 1000))["events"]
        if found or time.monotonic() > until:
            return [event["message"] for event in found]
        time.sleep(5)


def logs_join(stage: Stage) -> str:
    """The access log has Lambda's id of each request, which the function's log also has."""
    stage.open()
    lines = log_lines(stage.resource("AccessLog"), '{ $.status = "201" }')
    expect(lines, "the access log has no line of an opened upload")
    request_id = json.loads(lines[-1])["integrationRequestId"]
    expect(len(request_id) > 8, f"integrationRequestId is {request_id!r}")
    expect(log_lines(stage.resource("FunctionLog"), f'"{request_id}"'), f"the function's log doesn't have {request_id}")
    return "joined"


def metrics(stage: Stage) -> str:
    """CloudWatch has extracted metrics from the function's log (EMF)."""
    stage.open()
    dimensions = [{"Name": "Stage", "Value": stage.name}]
    found = boto3.client("cloudwatch").list_metrics(Namespace="directput", Dimensions=dimensions)["Metrics"]
    names = sorted({metric["MetricName"] for metric in found})
    expect({"Opened", "OpenedBytes"} <= set(names), f"there are {names}; the first ones take some minutes")
    return ", ".join(names)


def alarms(stage: Stage) -> str:
    """The alarms exist, and none is on."""
    found = boto3.client("cloudwatch").describe_alarms(AlarmNamePrefix=f"directput-{stage.name}-")["MetricAlarms"]
    expect(found, "there are none")
    on = [alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM"]
    expect(not on, f"on: {', '.join(on)}")
    return f"{len(found)}, none on"


def undelivered(stage: Stage) -> str:
    """The backend's events arrive: the dead-letter queue is empty."""
    need("DeadLettersUrl" in stage.outputs, "no backend gets events (NotifyUrl, NotifyQueueArn)")
    attributes = boto3.client("sqs").get_queue_attributes(
        QueueUrl=stage.outputs["DeadLettersUrl"], AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    count = int(attributes["ApproximateNumberOfMessages"])
    expect(count == 0, f"{count} messages")
    return "empty"


# Order matters: the checks of logs must come after the checks that write them.
CHECKS = [
    api_preflight, bucket_preflight, cors_on_401, single_put, lanes, batch, unsigned_headers, plain_http, delete_then_put,
    delete_marker, refused_to_others, other_prefixes, unscanned, completion, verified_after, largest_completion, encoded_path,
    headers_through_cloudfront, errors_uncached, execute_api_closed, throttling, cors_on_429, logs_join, metrics, alarms, undelivered,
]
