"""The example of a server in FastAPI with a sign-in: the header `Authorization` has the name of the caller.

The environment variable `TEST_CALL_SECONDS` is the timeout of calls to S3, in seconds.
"""

import os

from fastapi import Request

import server
import storage
from protocol import Refusal


def caller_of(request: Request) -> str:
    scheme, _, name = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not name:
        raise Refusal("unauthorized")
    return name


storage.CALL_SECONDS = float(os.environ.get("TEST_CALL_SECONDS", storage.CALL_SECONDS))
app = server.app
app.dependency_overrides[server.caller_of] = caller_of
