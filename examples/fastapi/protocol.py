"""The requests of the protocol (docs/openapi.yaml of directput) and the codes of refusals (docs/errors.md)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

MAX_PARTS = 10_000
# HTTP statuses of the codes. All other codes have the status 400.
STATUS = {
    "unauthorized": 401, "token-missing": 401, "token-invalid": 401, "token-expired": 401, "not-your-upload": 403,
    "not-found": 404, "upload-gone": 404, "method-not-allowed": 405, "not-multipart": 409, "parts-refused": 409,
    "already-complete": 409, "body-too-large": 413, "file-too-large": 413, "type-not-allowed": 415,
    "unsupported-media-type": 415, "internal": 500, "storage-unavailable": 503,
}


class Refusal(Exception):
    """The reason why a call is refused. `field` is the wrong field, such as `parts[0].length`."""

    def __init__(self, code: str, field: str = "", detail: str = ""):
        self.code, self.status = code, STATUS.get(code, 400)
        self.entry = {"code": code} | ({"field": field} if field else {}) | ({"detail": detail} if detail else {})


def limit_bytes(name: str) -> str:
    if len(name.encode()) > 1024:  # pydantic's own limit counts characters.
        raise PydanticCustomError("string_too_long", "at most 1024 bytes of UTF-8")
    return name


WORD = r"[!#$%&'+.^_`|~0-9A-Za-z-]+"  # RFC 9110, section 5.6.2, without the star of wildcards such as `image/*`.
PartNumber = Annotated[int, Field(ge=1, le=MAX_PARTS)]
Count = Annotated[int, Field(ge=0)]
Sha256 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$")]
MediaType = Annotated[str, Field(min_length=1, max_length=255, pattern=rf"^{WORD}/{WORD}(;[ -~]*[!-~])?$")]


class Message(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")  # The text "5" is no number. Unknown fields are refused.


class Part(Message):
    number: PartNumber
    length: Count
    checksum: Sha256


class CreateUpload(Message):
    name: Annotated[str, Field(min_length=1), AfterValidator(limit_bytes)]
    type: MediaType
    size: Annotated[int, Field(ge=0, le=MAX_PARTS * 5 * 2**30)]
    algorithm: Literal["sha256"] = "sha256"
    parts: Annotated[list[Part], Field(max_length=MAX_PARTS)] = []
    network: Literal["unknown", "slow-2g", "2g", "3g", "4g", "wifi", "ethernet"] = "unknown"
    lane: Count = 0  # Number of the bucket's host name. This server has one.


class CreateUploads(Message):
    uploads: Annotated[list[Any], Field(min_length=1)]  # A wrong item must not affect the others.


class SignParts(Message):
    parts: Annotated[list[Part], Field(min_length=1, max_length=100)]
    bitsPerSecond: Count | None = None
    lane: Count = 0


class ListParts(Message):
    after: Annotated[PartNumber, Field(strict=False)] | None = None  # A query has only text.


class StoredPart(Message):
    number: PartNumber
    etag: Annotated[str, Field(min_length=1, max_length=130, pattern=r"^[!#-~]+$")]
    checksum: Sha256


class CompleteUpload(Message):
    parts: Annotated[list[StoredPart], Field(max_length=MAX_PARTS)]
    checksum: Annotated[str, Field(min_length=1)]


# The codes for pydantic's kinds of errors.
CODES = {
    "json_invalid": "invalid-json", "missing": "missing-field", "extra_forbidden": "unknown-field",
    "string_too_short": "empty-field", "too_short": "empty-field", "string_too_long": "field-too-long",
    "too_long": "too-many-parts", "greater_than_equal": "out-of-range", "less_than_equal": "out-of-range",
}


def read(model: type[Message], value: Any) -> Any:
    """Reads JSON (bytes) or an object. Refuses it by the first wrong field."""
    try:
        return model.model_validate_json(value) if isinstance(value, bytes) else model.model_validate(value)
    except ValidationError as invalid:
        error = invalid.errors()[0]
    path = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in error["loc"])
    other = "wrong-type" if error["type"].endswith(("_type", "_parsing")) else "invalid-value"
    raise Refusal(CODES.get(error["type"], other), path.removeprefix(".")[:64], error["msg"])
