"""The requests of the protocol, as in docs/openapi.yaml of directput, and the codes of refusals, as in docs/errors.md."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

MAX_PARTS = 10_000
MAX_OBJECT_BYTES = MAX_PARTS * (5 << 30)
MAX_PARTS_PER_REQUEST = 100
MAX_UPLOADS_PER_REQUEST = 128
# Assumed speed of each kind of link, in bit/s, until the client has measured the speed.
SPEEDS = {"unknown": 10**6, "slow-2g": 5 * 10**4, "2g": 10**5, "3g": 10**6, "4g": 10**7, "wifi": 3 * 10**7}
SPEEDS["ethernet"] = 5 * 10**7

# HTTP statuses of the codes. All other codes have the status 400.
STATUS = {
    "unauthorized": 401, "token-missing": 401, "token-invalid": 401, "token-expired": 401, "not-your-upload": 403,
    "not-found": 404, "upload-gone": 404, "method-not-allowed": 405, "not-multipart": 409, "parts-refused": 409,
    "already-complete": 409, "body-too-large": 413, "file-too-large": 413, "type-not-allowed": 415,
    "unsupported-media-type": 415, "internal": 500, "storage-unavailable": 503,
}  # fmt: skip


class Refusal(Exception):
    """The reason why a call is refused. `field` is the wrong field, such as `parts[0].length`."""

    def __init__(self, code: str, field: str | None = None, detail: str | None = None):
        super().__init__(code)
        self.code, self.status = code, STATUS.get(code, 400)
        named = {"code": code, "field": field, "detail": detail}
        self.entry = {name: text for name, text in named.items() if text}

    def problem(self, request_id: str) -> dict[str, Any]:
        """Returns the body of the answer: https://www.rfc-editor.org/rfc/rfc9457."""
        about = {"type": f"urn:directput:error:{self.code}", "title": self.code.replace("-", " ")}
        return about | {"status": self.status, "requestId": request_id} | self.entry


def short(name: str) -> str:
    """Limits the length in bytes of UTF-8. pydantic's own limit counts characters."""
    if len(name.encode()) > 1024:
        raise PydanticCustomError("string_too_long", "at most 1024 bytes")
    return name


TOKEN = r"[!#$%&'+.^_`|~0-9A-Za-z-]+"  # RFC 9110, section 5.6.2, without the star of wildcards.
PartNumber = Annotated[int, Field(ge=1, le=MAX_PARTS)]
Lane = Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
Sha256 = Annotated[str, Field(pattern=r"^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$")]
Name = Annotated[str, Field(min_length=1), AfterValidator(short)]
Type = Annotated[str, Field(min_length=1, max_length=255, pattern=rf"^{TOKEN}/{TOKEN}(;[ -~]*[!-~])?$")]
Etag = Annotated[str, Field(min_length=1, max_length=130, pattern=r"^[!#-~]+$")]


class Message(BaseModel):
    # `strict`: the text "5" is no number. `forbid`: unknown fields are refused.
    model_config = ConfigDict(strict=True, extra="forbid")


class Part(Message):
    number: PartNumber
    length: Annotated[int, Field(ge=0)]
    checksum: Sha256


class CreateUpload(Message):
    name: Name
    type: Type
    size: Annotated[int, Field(ge=0, le=MAX_OBJECT_BYTES)]
    algorithm: Literal["sha256"] = "sha256"
    parts: Annotated[list[Part], Field(max_length=MAX_PARTS)] = []
    network: Literal["unknown", "slow-2g", "2g", "3g", "4g", "wifi", "ethernet"] = "unknown"
    lane: Lane = 0  # Number of the host name to sign for. This server has one host name.


class CreateUploads(Message):
    uploads: Annotated[list[Any], Field(min_length=1)]  # Each is checked by itself.


class SignParts(Message):
    parts: Annotated[list[Part], Field(min_length=1, max_length=MAX_PARTS_PER_REQUEST)]
    bitsPerSecond: Annotated[int, Field(ge=0)] | None = None
    lane: Lane = 0


class ListParts(Message):
    after: Annotated[PartNumber, Field(strict=False)] | None = None  # A query has only text.


class StoredPart(Message):
    number: PartNumber
    etag: Etag
    checksum: Sha256


class CompleteUpload(Message):
    parts: Annotated[list[StoredPart], Field(max_length=MAX_PARTS)]
    checksum: Annotated[str, Field(min_length=1)]


Model = TypeVar("Model", bound=Message)
# The codes for pydantic's kinds of errors.
CODES = {
    "json_invalid": "invalid-json", "missing": "missing-field", "extra_forbidden": "unknown-field",
    "string_too_short": "empty-field", "too_short": "empty-field", "string_too_long": "field-too-long",
    "too_long": "too-many-parts", "greater_than_equal": "out-of-range", "less_than_equal": "out-of-range",
}  # fmt: skip


def read(model: type[Model], value: Any) -> Model:
    """Reads a body (bytes of JSON) or an object. Refuses it by the first wrong field."""
    try:
        return model.model_validate_json(value) if isinstance(value, bytes) else model.model_validate(value)
    except ValidationError as invalid:
        error = invalid.errors(include_url=False, include_input=False)[0]
    kind = error["type"]
    path = "".join(f"[{name}]" if isinstance(name, int) else f".{name}" for name in error["loc"])
    is_other_type = kind.endswith(("_type", "_parsing"))
    code = CODES.get(kind, "wrong-type" if is_other_type else "invalid-value")
    raise Refusal(code, path.removeprefix(".")[:64], error["msg"])
