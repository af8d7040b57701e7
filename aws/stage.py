"""A deployed stage for `make verify-aws`: its addresses and parameters, and requests to it."""

import base64
import hashlib
import http.client
import json
import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import boto3

TIMEOUT_SECONDS = 60


class Skipped(Exception):
    """The stage lacks the feature that the check is about."""


class Wrong(Exception):
    """AWS does not behave as the check expects."""


def expect(is_right: bool, observation: str) -> None:
    if not is_right:
        raise Wrong(observation)


def need(condition, reason: str) -> None:
    if not condition:
        raise Skipped(reason)


@dataclass
class Answer:
    status: int
    # Names are in lower case.
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)

    def __str__(self) -> str:
        """Returns the status and the error's code. Leaves the rest out, because it could be a URL or a token."""
        body = self.body.decode(errors="replace")
        code = body.partition("<Code>")[2].partition("</Code>")[0]
        if not code and body.startswith("{"):
            code = str(self.json().get("code") or self.json().get("message") or "")
        return f"{self.status} {code}".strip()


def call(method: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
    """Sends one request with exactly these headers, and follows no redirects."""
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.netloc, timeout=TIMEOUT_SECONDS)
    try:
        target = parts.path + ("?" + parts.query if parts.query else "")
        connection.request(method, target or "/", body, headers or {})
        reply = connection.getresponse()
        return Answer(reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def at_once(count: int, work) -> list:
    """Calls `work` `count` times concurrently, and returns the results."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: work(), range(count)))


def digest(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


def crc64nvme(body: bytes) -> str:
    """Returns the CRC64NVME as S3 writes it. Takes a second for each megabyte."""
    crc = 2**64 - 1
    for byte in body:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x9A6C9329AC4BC9B5 if crc & 1 else 0)
    return base64.b64encode((crc ^ 2**64 - 1).to_bytes(8, "big")).decode()


@dataclass
class Upload:
    """An open upload, and the bytes of its file."""
    reply: dict
    body: bytes

    def part(self, number: int) -> bytes:
        size = self.reply["partSize"]
        return self.body[(number - 1) * size:number * size]

    def first(self) -> dict:
        """Returns the first signed part, with its URL and headers."""
        return self.reply["parts"][0]


@dataclass
class Stage:
    name: str
    outputs: dict[str, str]
    parameters: dict[str, str]
    # "Bearer …" of a user of the stage, if the stage has sign-in.
    authorization: str | None = None
    # Whether to run checks that send gigabytes and take an hour.
    is_large: bool = False
    # Options of the S3 client, for tests with another S3 server.
    s3_options: dict = field(default_factory=dict)
    made: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, name: str) -> "Stage":
        [stack] = boto3.client("cloudformation").describe_stacks(StackName=f"directput-{name}")["Stacks"]
        return cls(
            name,
            {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", [])},
            {item["ParameterKey"]: item["ParameterValue"] for item in stack.get("Parameters", [])},
            os.environ.get("DIRECTPUT_AUTHORIZATION"),
            os.environ.get("LARGE") == "1",
        )

    @property
    def endpoint(self) -> str:
        return self.outputs["Endpoint"]

    @property
    def site_endpoint(self) -> str:
        """Returns the address of the API behind CloudFront."""
        need("SiteUrl" in self.outputs, "the stage has no site")
        return self.outputs["SiteUrl"] + "/uploads"

    @property
    def origin(self) -> str:
        """Returns the origin of a page that may upload."""
        allowed = self.parameters.get("AllowedOrigins", "")
        need(allowed, "no other origin may upload (AllowedOrigins)")
        return allowed.split(",")[0]

    @property
    def has_sign_in(self) -> bool:
        return bool(self.parameters.get("JwtIssuer"))

    def resource(self, logical_id: str) -> str:
        """Returns the physical name of a resource of the stack."""
        client = boto3.client("cloudformation")
        found = client.describe_stack_resource(StackName=f"directput-{self.name}", LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def s3(self):
        """Returns an S3 client with the rights of the user, not those of the function."""
        return boto3.client("s3", **self.s3_options)

    def headers(self, **more: str) -> dict[str, str]:
        need(self.authorization or not self.has_sign_in, "DIRECTPUT_AUTHORIZATION must be set to 'Bearer <a token>'")
        signed_in = {"authorization": self.authorization} if self.authorization else {}
        return {**signed_in, **{name.replace("_", "-"): value for name, value in more.items()}}

    def post(self, url: str, message: dict, **headers: str) -> Answer:
        sent = self.headers(content_type="application/json", **headers)
        return call("POST", url, sent, json.dumps(message).encode())

    def open(self, body: bytes | None = None, endpoint: str | None = None, **more) -> Upload:
        """Opens an upload of these bytes, by default 64 random ones. The PUT of a small file is signed with the same call.

        `more` has further fields of the request.
        """
        body = secrets.token_bytes(64) if body is None else body
        request = {"name": "verify-aws.bin", "type": "application/octet-stream", "size": len(body)}
        if len(body) < 1 << 20:
            request["parts"] = [{"number": 1, "length": len(body), "checksum": digest(body)}]
        request |= more
        answer = self.post(endpoint or self.endpoint, request)
        # The stage may throttle these calls. That is not what the check is about.
        for _ in range(10):
            if answer.status != 429:
                break
            time.sleep(1)
            answer = self.post(endpoint or self.endpoint, request)
        expect(answer.status == 201, f"opening an upload was answered by {answer}")
        self.made.append(answer.json()["key"])
        return Upload(answer.json(), body)

    def abort(self, upload: Upload) -> None:
        call("DELETE", self.endpoint, self.headers(upload_token=upload.reply["token"]))

    def put(self, upload: Upload, body: bytes | None = None, **more: str) -> Answer:
        """Sends an upload's first part, or other bytes in its place, with additional headers."""
        first = upload.first()
        headers = {**first["headers"], **{name.replace("_", "-"): value for name, value in more.items()}}
        return call("PUT", first["url"], headers, upload.part(1) if body is None else body)

    def forget(self) -> None:
        """Removes the objects that the checks have made. Fails if the user may not delete them."""
        client = self.s3()
        for key in self.made:
            client.delete_object(Bucket=self.outputs["BucketName"], Key=key)
        self.made.clear()
