"""A signing API for directput: the six calls of docs/protocol.md. Run it by `uvicorn server:app`."""

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
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware

import storage
from protocol import (
    MAX_PARTS, MAX_PARTS_PER_REQUEST, MAX_UPLOADS_PER_REQUEST, SPEEDS, CompleteUpload, CreateUpload, CreateUploads,
    ListParts, Part, Refusal, SignParts, read,
)  # fmt: skip

MIB = 1 << 20
TOKEN_KEY = os.environ["TOKEN_KEY"].encode()
MAX_FILE_BYTES = int(os.environ.get("MAX_FILE_BYTES", 5 << 30))
ALLOWED_TYPES = os.environ.get("ALLOWED_TYPES", "image/*,video/*,application/pdf").split(",")
ALLOWED_ORIGINS = os.environ.get("ALLOWED_ORIGINS", "").split(",")
# The bucket's rule `AbortIncompleteMultipartUpload` must keep parts for at least this time.
MULTIPART_SECONDS = 7 * 24 * 3600
SINGLE_PUT_BYTES = 16 * MIB
BATCH_FILE_BYTES = MIB
TOKEN_HEADER = "upload-token"

if len(TOKEN_KEY) < 32:  # RFC 7518, section 3.2.
    raise ValueError("TOKEN_KEY has to have 32 bytes at least")
log = logging.getLogger("uvicorn.error")


def caller_of(request: Request) -> str:
    """Returns the id of the caller. Replace it by your sign-in, which raises `Refusal("unauthorized")`."""
    return "anyone"


Caller = Annotated[str, Depends(caller_of)]


class Plan(BaseModel):
    """What an upload is opened for. The client keeps it as a signed token, so the server needs no database."""

    key: str
    size: int
    part_size: int
    type: str
    name: str
    upload_id: str | None = None  # Of a multipart upload.
    checksum: str | None = None  # Of a single PUT.

    def part_count(self) -> int:
        return max(1, -(-self.size // max(1, self.part_size)))

    def length_of(self, number: int) -> int:
        return min(self.part_size, self.size - (number - 1) * self.part_size)

    def sealed(self, caller: str, seconds: int) -> str:
        claims = {"sub": caller, "aud": storage.BUCKET, "exp": int(time()) + seconds}
        return jwt.encode(self.model_dump() | claims, TOKEN_KEY, "HS256")


def plan_of(caller: Caller, token: Annotated[str, Header(alias=TOKEN_HEADER)] = "") -> Plan:
    """Returns the plan in the token of an upload of this caller."""
    if not token:
        raise Refusal("token-missing", TOKEN_HEADER)
    options = {"require": ["exp", "sub", "aud"]}
    try:
        claims = jwt.decode(token, TOKEN_KEY, ["HS256"], audience=storage.BUCKET, options=options)
    except jwt.ExpiredSignatureError:
        raise Refusal("token-expired", TOKEN_HEADER) from None
    except jwt.InvalidTokenError:
        raise Refusal("token-invalid", TOKEN_HEADER) from None
    if claims["sub"] != caller:
        raise Refusal("not-your-upload", TOKEN_HEADER)
    return Plan(**claims)


def multipart_plan_of(plan: Annotated[Plan, Depends(plan_of)]) -> Plan:
    if not plan.upload_id:
        raise Refusal("not-multipart", TOKEN_HEADER)
    return plan


def body_of(model: Any, max_bytes: int) -> Any:
    """Returns a dependency that reads a body of JSON. It stops at `max_bytes`, which FastAPI itself does not."""

    async def read_body(request: Request) -> Any:
        essence = request.headers.get("content-type", "").split(";")[0].strip().lower()
        if essence != "application/json":
            raise Refusal("unsupported-media-type")
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > max_bytes:
                raise Refusal("body-too-large", detail=f"at most {max_bytes} bytes")
        return read(model, bytes(body))

    return Annotated[model, Depends(read_body)]


def planned(wanted: CreateUpload) -> Plan:
    """Checks a file, and chooses its key and its parts."""
    essence = wanted.type.split(";")[0].lower()
    if wanted.size > MAX_FILE_BYTES:
        raise Refusal("file-too-large", "size", f"at most {MAX_FILE_BYTES} bytes")
    if not {essence, essence.split("/")[0] + "/*", "*/*"} & set(ALLOWED_TYPES):
        raise Refusal("type-not-allowed", "type")
    extension = re.search(r"[^/\\](\.[A-Za-z0-9]{1,10})$", wanted.name)
    key = f"uploads/{uuid4()}{extension[1].lower() if extension else ''}"
    # S3 limits metadata to 2 KB. Percent-encoding makes three bytes of one.
    name = quote(wanted.name.encode()[:600].decode(errors="ignore"), safe="")
    part_size = max(8 * MIB, -(-wanted.size // MAX_PARTS // MIB) * MIB)
    plan = Plan(key=key, size=wanted.size, part_size=part_size, type=wanted.type, name=name)
    # A single PUT is signed for the bytes that the client names now, and never for others. A file whose bytes are not
    # named is a multipart upload, also of one part.
    whole = [part.checksum for part in wanted.parts if part.number == 1 and part.length == wanted.size]
    if whole and wanted.size <= SINGLE_PUT_BYTES:
        plan.checksum, plan.part_size = whole[0], wanted.size
    return plan


def signed(plan: Plan, parts: list[Part], bits_per_second: int, bytes_before: int = 0) -> list[dict[str, Any]]:
    """Signs parts. They are sent in this order, so a URL lives for three times the time of its part and those before
    it: 60 to 300 s."""
    urls = []
    for part in parts:
        bytes_before += part.length
        seconds = 3 * -(-bytes_before * 8 // max(1, bits_per_second))
        urls.append(storage.sign(plan, part, min(300, max(60, seconds))))
    return urls


def opened(plan: Plan, wanted: CreateUpload, caller: str, bytes_before: int = 0) -> dict[str, Any]:
    """Returns the answer for an open upload. A client may have cut its file otherwise: such parts are not signed."""
    count = plan.part_count()
    fitting = [part for part in wanted.parts if part.number <= count and part.length == plan.length_of(part.number)]
    # A single PUT may be repeated for 15 minutes, and for twice the time that it takes at 64 kbit/s.
    seconds = MULTIPART_SECONDS if plan.upload_id else 900 + 2 * -(-plan.size // 8000)
    return {
        "token": plan.sealed(caller, seconds),
        "key": plan.key,
        "kind": "multipart" if plan.upload_id else "single",
        "partSize": plan.part_size,
        "partCount": count,
        "maxPartsPerRequest": MAX_PARTS_PER_REQUEST,
        "maxUploadsPerRequest": MAX_UPLOADS_PER_REQUEST,
        "expiresInSeconds": seconds,
        "parts": signed(plan, fitting[:MAX_PARTS_PER_REQUEST], SPEEDS[wanted.network], bytes_before),
    }


app = FastAPI(openapi_url=None, redirect_slashes=False)


@app.post("/uploads", status_code=201)
def create(caller: Caller, wanted: body_of(CreateUpload, 256 << 10)) -> dict[str, Any]:
    """Opens an upload, and signs the parts that are named already."""
    plan = planned(wanted)
    if not plan.checksum:
        plan.upload_id = storage.open_multipart(plan)
    return opened(plan, wanted, caller)


@app.post("/uploads/batch")
def create_batch(caller: Caller, wanted: body_of(CreateUploads, MIB)) -> dict[str, Any]:
    """Opens many small files. One that is refused does not affect the others."""
    if len(wanted.uploads) > MAX_UPLOADS_PER_REQUEST:
        raise Refusal("out-of-range", "uploads", f"at most {MAX_UPLOADS_PER_REQUEST} files")
    entries, bytes_before = [], 0
    for item in wanted.uploads:
        try:
            file = read(CreateUpload, item)
            if file.size > BATCH_FILE_BYTES:
                raise Refusal("out-of-range", "size", f"at most {BATCH_FILE_BYTES} bytes in a batch")
            plan = planned(file)
            if not plan.checksum:
                raise Refusal("empty-field", "parts", "expected the checksum of the whole file")
            entries.append(opened(plan, file, caller, bytes_before))
            bytes_before += file.size
        except Refusal as refusal:
            entries.append(refusal.entry)
    return {"uploads": entries}


@app.post("/uploads/parts")
def sign(plan: Annotated[Plan, Depends(plan_of)], wanted: body_of(SignParts, 256 << 10)) -> dict[str, Any]:
    """Signs the PUTs of the parts that the client sends next."""
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
def list_parts(plan: Annotated[Plan, Depends(multipart_plan_of)], request: Request) -> dict[str, Any]:
    """Lists the parts that S3 holds, a page at a time."""
    return storage.list_parts(plan, read(ListParts, dict(request.query_params)).after)


@app.post("/uploads/complete")
def complete(
    plan: Annotated[Plan, Depends(multipart_plan_of)], wanted: body_of(CompleteUpload, 3 * MIB)
) -> dict[str, Any]:
    """Joins the parts to the object."""
    for index, part in enumerate(wanted.parts):
        if part.number != index + 1:
            raise Refusal("parts-incomplete", f"parts[{index}].number")
    if len(wanted.parts) != plan.part_count():
        raise Refusal("parts-incomplete", "parts")
    digests = b"".join(b64decode(part.checksum) for part in wanted.parts)
    composite = f"{b64encode(sha256(digests).digest()).decode()}-{len(wanted.parts)}"
    if wanted.checksum != composite:
        raise Refusal("invalid-value", "checksum", "expected the checksum that follows from these parts")
    return storage.complete(plan, wanted.parts, composite)


@app.delete("/uploads", status_code=204)
def abort(plan: Annotated[Plan, Depends(plan_of)]) -> None:
    """Removes an upload that is not complete. A single PUT leaves nothing to remove."""
    if plan.upload_id:
        storage.abort(plan)


async def refused(request: Request, error: Exception) -> JSONResponse:
    """Answers a call that is refused, or that does not exist."""
    if isinstance(error, HTTPException):
        error = Refusal({404: "not-found", 405: "method-not-allowed"}.get(error.status_code, "internal"))
    request.state.code = error.code
    return JSONResponse(error.problem(request.state.id), error.status, media_type="application/problem+json")


async def answered(request: Request, call_next: Any) -> Any:
    """Adds what every answer has, and logs it without address, token and names, which are not for a log."""
    request.state.id, request.state.code = str(uuid4()), "ok"
    try:
        answer = await call_next(request)
    except Exception:
        log.exception("request %s", request.state.id)
        answer = await refused(request, Refusal("internal"))
    answer.headers.update({"x-request-id": request.state.id, "cache-control": "no-store"})
    log.info("%s %s %s %s", request.state.id, request.method, answer.status_code, request.state.code)
    return answer


app.add_exception_handler(Refusal, refused)
app.add_exception_handler(HTTPException, refused)
app.add_middleware(BaseHTTPMiddleware, dispatch=answered)
# The last one is the outermost: it answers preflights before anything else, and adds its headers to refusals too.
app.add_middleware(
    CORSMiddleware,
    allow_origins=ALLOWED_ORIGINS,
    allow_methods=["GET", "POST", "DELETE"],
    allow_headers=["authorization", "content-type", TOKEN_HEADER],
    expose_headers=["retry-after", "x-request-id"],
    max_age=3000,
)
