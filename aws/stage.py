"""A deployed stage as `make verify-aws` sees it: its addresses, its parameters, and uploads by hand."""

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
    """The stage has nothing that the check is about."""


class Wrong(Exception):
    """AWS does something else than what the check expects."""


def expect(is_right: bool, said: str) -> None:
    if not is_right:
        raise Wrong(said)


def need(is_there, said: str) -> None:
    if not is_there:
        raise Skipped(said)


@dataclass
class Answer:
    status: int
    # Names are in lower case.
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict:
        return json.loads(self.body)

    def __str__(self) -> str:
        """The status, and the error's code, without what could be a URL or a token."""
        body = self.body.decode(errors="replace")
        code = body.partition("<Code>")[2].partition("</Code>")[0]
        if not code and body.startswith("{"):
            code = str(self.json().get("code") or self.json().get("message") or "")
        return f"{self.status} {code}".strip()


def call(method: str, url: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Answer:
    """One request, as it is said here: no redirects, no headers that a library would add."""
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
    """What `work` returns, called so often at the same time."""
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: work(), range(count)))


def digest(body: bytes) -> str:
    return base64.b64encode(hashlib.sha256(body).digest()).decode()


@dataclass
class Upload:
    """An upload that was opened, and what it is of."""
    reply: dict
    body: bytes

    def part(self, number: int) -> bytes:
        size = self.reply["partSize"]
        return self.body[(number - 1) * size:number * size]

    def first(self) -> dict:
        """The first part as it was signed: its URL and its headers."""
        return self.reply["parts"][0]


@dataclass
class Stage:
    name: str
    outputs: dict[str, str]
    parameters: dict[str, str]
    # "Bearer …" of a user of the stage, where it has sign-in.
    authorization: str | None = None
    # Whether checks that take gigabytes and an hour are wanted.
    is_large: bool = False
    # Another S3 than AWS's, for tests.
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
        """The API behind CloudFront."""
        need("SiteUrl" in self.outputs, "the stage has no site")
        return self.outputs["SiteUrl"] + "/uploads"

    @property
    def origin(self) -> str:
        """A page that may upload."""
        allowed = self.parameters.get("AllowedOrigins", "")
        need(allowed, "no page of another origin may upload (AllowedOrigins)")
        return allowed.split(",")[0]

    @property
    def has_sign_in(self) -> bool:
        return bool(self.parameters.get("JwtIssuer"))

    def resource(self, logical_id: str) -> str:
        """The physical name of a resource of the stack."""
        client = boto3.client("cloudformation")
        found = client.describe_stack_resource(StackName=f"directput-{self.name}", LogicalResourceId=logical_id)
        return found["StackResourceDetail"]["PhysicalResourceId"]

    def s3(self):
        """S3 with the rights of who runs this, not those of the function."""
        return boto3.client("s3", **self.s3_options)

    def headers(self, **more: str) -> dict[str, str]:
        need(self.authorization or not self.has_sign_in, "DIRECTPUT_AUTHORIZATION has to be set: 'Bearer <a token>'")
        signed_in = {"authorization": self.authorization} if self.authorization else {}
        return {**signed_in, **{name.replace("_", "-"): value for name, value in more.items()}}

    def post(self, url: str, message: dict, **headers: str) -> Answer:
        sent = self.headers(content_type="application/json", **headers)
        return call("POST", url, sent, json.dumps(message).encode())

    def open(self, body: bytes | None = None, endpoint: str | None = None) -> Upload:
        """Opens an upload of these bytes; that of a small file is signed at once."""
        body = secrets.token_bytes(64) if body is None else body
        request = {"name": "verify-aws.bin", "type": "application/octet-stream", "size": len(body)}
        if len(body) < 1 << 20:
            request["parts"] = [{"number": 1, "length": len(body), "checksum": digest(body)}]
        answer = self.post(endpoint or self.endpoint, request)
        # The stage's own throttling is no finding here.
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
        """Sends an upload's first part, or other bytes in its place, with more headers if any."""
        first = upload.first()
        headers = {**first["headers"], **{name.replace("_", "-"): value for name, value in more.items()}}
        return call("PUT", first["url"], headers, upload.part(1) if body is None else body)

    def forget(self) -> None:
        """Removes the objects that the checks have made, as far as whoever runs this may."""
        client = self.s3()
        for key in self.made:
            client.delete_object(Bucket=self.outputs["BucketName"], Key=key)
        self.made.clear()
