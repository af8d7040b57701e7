"""The example of a server in FastAPI with a sign-in: the header `Authorization` has the name of the caller."""

from fastapi import Request

import server
from protocol import Refusal


def caller_of(request: Request) -> str:
    scheme, _, name = request.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not name:
        raise Refusal("unauthorized")
    return name


app = server.app
app.dependency_overrides[server.caller_of] = caller_of
