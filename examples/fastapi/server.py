"""A signing API for directput: the six calls of its docs/protocol.md."""

import logging
import os
import re
from base64 import b64decode, b64encode
from hashlib import sha256
from time import time
from typing import Annotated, Any
from urllib.parse import quote
from uuid import uuid4

import jwt
from fastapi import Depends, FastAPI, Header, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.middleware.base import BaseHTTPMiddleware

import storage
from protocol import MAX_PARTS, CompleteUpload, CreateUpload, CreateUploads, ListParts, Part, Refusal, SignParts, read

MIB = 2**20
TOKEN_KEY = os.environ["TOKEN_KEY"].encode()
MAX_FILE_BYTES = int(os.environ.get("MAX_FILE_BYTES", 5 * 2**30))
ALLOWED_TYPES = os.environ.get("ALLOWED_TYPES", "image/*,video/*,application/pdf").split(",")
ALLOWED_ORIGINS = os.environ.get("ALLOWED_ORIGINS", "").split(",")
MULTIPART_SECONDS = 7 * 86_400  # The bucket's rule `AbortIncompleteMultipartUpload` must not be shorter.
MAX_UPLOADS = 128
HEADER = "upload-token"
# Assumed speed of each kind of link, in bit/s, until the client has measured the speed.
SPEEDS = {"unknown": 1e6, "slow-2g": 5e4, "2g": 1e5, "3g": 1e6, "4g": 1e7, "wifi": 3e7, "ethernet": 5e7}
log = logging.getLogger("uvicorn.error")
if len(TOKEN_KEY) < 32:  # RFC 7518, section 3.2.
    raise ValueError("TOKEN_KEY has to have 32 bytes at least")


def caller_of(request: Request) -> str:
    """Returns the id of the caller. Replace this function by your sign-in. It refuses by `Refusal("unauthorized")`."""
    return "anyone"


Caller = Annotated[str, Depends(caller_of)]


class Plan(BaseModel):
    """What an upload was opened for. The client keeps it as a signed token, so the server needs no database."""

    key: str
    size: int
    part_size: int
    type: str
    name: str
    upload_id: str | None = None  # Only of a multipart upload.
    checksum: str | None = None  # Only of a single PUT.

    def part_count(self) -> int:
        return max(1, -(-self.size // max(1, self.part_size)))

    def length_of(self, number: int) -> int:
        return min(self.part_size, self.size - (number - 1) * self.part_size)


def plan_of(caller: Caller, token: Annotated[str, Header(alias=HEADER)] = "") -> Plan:
    if not token:
        raise Refusal("token-missing", HEADER)
    rules = {"algorithms": ["HS256"], "audience": storage.BUCKET, "options": {"require": ["aud", "exp", "sub"]}}
    try:
        claims = jwt.decode(token, TOKEN_KEY, **rules)
    except jwt.InvalidTokenError as error:
        is_old = isinstance(error, jwt.ExpiredSignatureError)
        raise Refusal("token-expired" if is_old else "token-invalid", HEADER) from None
    if claims["sub"] != caller:
        raise Refusal("not-your-upload", HEADER)
    return Plan(**claims)


def multipart_of(plan: Annotated[Plan, Depends(plan_of)]) -> Plan:
    if not plan.upload_id:
        raise Refusal("not-multipart", HEADER)
    return plan


def body(model: Any, max_bytes: int) -> Any:
    async def read_body(request: Request) -> Any:
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise Refusal("unsupported-media-type")
        received = b""
        async for chunk in request.stream():  # FastAPI itself would read a body of any length.
            received += chunk
            if len(received) > max_bytes:
                raise Refusal("body-too-large", detail=f"at most {max_bytes} bytes")
        return read(model, received)

    return Annotated[model, Depends(read_body)]


def planned(file: CreateUpload) -> Plan:
    """Checks a file, and chooses its key and its parts."""
    essence = file.type.split(";")[0].lower()
    if file.size > MAX_FILE_BYTES:
        raise Refusal("file-too-large", "size", f"at most {MAX_FILE_BYTES} bytes")
    if not {essence, essence.split("/")[0] + "/*", "*/*"} & set(ALLOWED_TYPES):
        raise Refusal("type-not-allowed", "type")
    extension = re.search(r"[^/\\](\.[A-Za-z0-9]{1,10})\Z", file.name)
    key = f"uploads/{uuid4()}{extension[1].lower() if extension else ''}"
    # S3 takes 2 KB of metadata. Percent-encoding makes three bytes of one.
    name = quote(file.name.encode()[:600].decode(errors="ignore"), safe="")
    # S3 joins 10,000 parts at most.
    part_size = max(8 * MIB, -(-file.size // MAX_PARTS // MIB) * MIB)
    plan = Plan(key=key, size=file.size, part_size=part_size, type=file.type, name=name)
    # A single PUT is signed for the bytes that the client names now, and never for others. A file whose bytes are not
    # named is a multipart upload, also of one part.
    whole = [part.checksum for part in file.parts if part.number == 1 and part.length == file.size]
    if whole and file.size <= 16 * MIB:
        plan.checksum, plan.part_size = whole[0], file.size
    return plan


def signed(plan: Plan, parts: list[Part], bits_per_second: float, bytes_before: int = 0) -> list[dict[str, Any]]:
    """Signs parts that are sent in this order. A URL lives three times as long as it takes to send its part and those
    before it, but from 60 to 300 s."""
    urls = []
    for part in parts:
        bytes_before += part.length
        seconds = 3 * bytes_before * 8 / max(1, bits_per_second)
        urls.append(storage.sign(plan, part, int(min(300, max(60, seconds)))))
    return urls


def opened(plan: Plan, file: CreateUpload, caller: str, bytes_before: int = 0) -> dict[str, Any]:
    count = plan.part_count()
    # The client may have divided the file into other parts. Those parts are not signed.
    fitting = [part for part in file.parts if part.number <= count and part.length == plan.length_of(part.number)]
    if plan.checksum:  # The client may have named part 1 twice, with other bytes.
        fitting = [part for part in fitting if part.checksum == plan.checksum]
    # A single PUT may be tried again for 15 minutes, and twice the time that it takes at 64 kbit/s.
    seconds = MULTIPART_SECONDS if plan.upload_id else 900 + 2 * (file.size // 8000 + 1)
    claims = plan.model_dump() | {"sub": caller, "aud": storage.BUCKET, "exp": int(time()) + seconds}
    return {
        "token": jwt.encode(claims, TOKEN_KEY, "HS256"), "expiresInSeconds": seconds,
        "key": plan.key, "kind": "multipart" if plan.upload_id else "single",
        "partSize": plan.part_size, "partCount": count, "maxPartsPerRequest": 100, "maxUploadsPerRequest": MAX_UPLOADS,
        "parts": signed(plan, fitting[:100], SPEEDS[file.network], bytes_before),
    }


app = FastAPI(openapi_url=None, redirect_slashes=False)


@app.post("/uploads", status_code=201)
def create(caller: Caller, file: body(CreateUpload, 256 * 1024)) -> dict[str, Any]:
    plan = planned(file)
    if not plan.checksum:
        plan.upload_id = storage.open_multipart(plan)
    return opened(plan, file, caller)


@app.post("/uploads/batch")
def create_batch(caller: Caller, batch: body(CreateUploads, MIB)) -> dict[str, Any]:
    if len(batch.uploads) > MAX_UPLOADS:
        raise Refusal("out-of-range", "uploads", f"at most {MAX_UPLOADS} files")
    entries, bytes_before = [], 0
    for item in batch.uploads:
        try:
            file = read(CreateUpload, item)
            if file.size > MIB:
                raise Refusal("out-of-range", "size", f"at most {MIB} bytes in a batch")
            plan = planned(file)
            if not plan.checksum:
                raise Refusal("empty-field", "parts", "expected the checksum of the whole file")
            entries.append(opened(plan, file, caller, bytes_before))
            bytes_before += file.size
        except Refusal as refusal:
            entries.append(refusal.entry)
    return {"uploads": entries}


@app.post("/uploads/parts")
def sign(plan: Annotated[Plan, Depends(plan_of)], wanted: body(SignParts, 256 * 1024)) -> dict[str, Any]:
    seen = set()
    for index, part in enumerate(wanted.parts):
        if part.number > plan.part_count():
            raise Refusal("part-out-of-range", f"parts[{index}].number")
        if part.length != plan.length_of(part.number):
            raise Refusal("part-wrong-length", f"parts[{index}].length")
        if part.number in seen:
            raise Refusal("part-repeated", f"parts[{index}].number")
        if plan.checksum and part.checksum != plan.checksum:
            raise Refusal("invalid-value", f"parts[{index}].checksum", "the upload was opened for other bytes")
        seen.add(part.number)
    speed = SPEEDS["unknown"] if wanted.bitsPerSecond is None else wanted.bitsPerSecond
    return {"parts": signed(plan, wanted.parts, speed)}


@app.get("/uploads/parts")
def list_parts(plan: Annotated[Plan, Depends(multipart_of)], request: Request) -> dict[str, Any]:
    return storage.list_parts(plan, read(ListParts, dict(request.query_params)).after)


@app.post("/uploads/complete")
def complete(plan: Annotated[Plan, Depends(multipart_of)], wanted: body(CompleteUpload, 3 * MIB)) -> dict[str, Any]:
    if [part.number for part in wanted.parts] != list(range(1, plan.part_count() + 1)):
        raise Refusal("parts-incomplete", "parts")
    digests = b"".join(b64decode(part.checksum) for part in wanted.parts)
    composite = f"{b64encode(sha256(digests).digest()).decode()}-{len(wanted.parts)}"
    if wanted.checksum != composite:
        raise Refusal("invalid-value", "checksum", "expected the checksum that follows from these parts")
    return storage.complete(plan, wanted.parts, composite)


@app.delete("/uploads", status_code=204)
def abort(plan: Annotated[Plan, Depends(plan_of)]) -> None:
    if plan.upload_id:  # A single PUT leaves nothing to remove.
        storage.abort(plan)


async def refuse(request: Request, error: Exception) -> JSONResponse:
    """Answers by a problem document: https://www.rfc-editor.org/rfc/rfc9457."""
    if not isinstance(error, Refusal):
        codes = {404: "not-found", 405: "method-not-allowed"}
        error = Refusal(codes.get(getattr(error, "status_code", 500), "internal"))
    request.state.code = error.code
    about = {"type": f"urn:directput:error:{error.code}", "title": error.code.replace("-", " ")}
    problem = about | error.entry | {"status": error.status, "requestId": request.state.id}
    return JSONResponse(problem, error.status, media_type="application/problem+json")


async def answer(request: Request, call_next: Any) -> Any:
    """Adds what every answer has, and logs the call. The log has no address, token or name of a file."""
    request.state.id, request.state.code = str(uuid4()), "ok"
    try:
        response = await call_next(request)
    except Exception as error:
        log.exception("request %s", request.state.id)
        response = await refuse(request, error)
    response.headers.update({"x-request-id": request.state.id, "cache-control": "no-store"})
    log.info("%s %s %s %s", request.state.id, request.method, response.status_code, request.state.code)
    return response


for reason in (Refusal, 404, 405):
    app.add_exception_handler(reason, refuse)
app.add_middleware(BaseHTTPMiddleware, dispatch=answer)
# The outermost, so that refusals have its headers too, and preflights need no sign-in.
app.add_middleware(
    CORSMiddleware, allow_origins=ALLOWED_ORIGINS, allow_methods=["GET", "POST", "DELETE"], max_age=3000,
    allow_headers=["authorization", "content-type", HEADER], expose_headers=["retry-after", "x-request-id"],
)
