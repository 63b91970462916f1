"""A request and a response as the gateway's parts pass them on, apart from any socket."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

JSON_TYPE = "application/json"


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Header names are lower case, in the order and number in which they came.
    """

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes = b""
    source_ip: str = "127.0.0.1"

    def header(self, name: str) -> str | None:
        """Join all values of a header the way API Gateway joins them."""
        values = [value for key, value in self.headers if key == name]
        return ",".join(values) if values else None


@dataclass(frozen=True)
class Response:
    """One HTTP response."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def message(status: int, text: str) -> Response:
    """Answer in API Gateway's own words, which every client of it must be ready for."""
    return Response(status, [("content-type", JSON_TYPE)], json.dumps({"message": text}).encode())


BAD_REQUEST = message(400, "Bad Request")
NOT_FOUND = message(404, "Not Found")
UNAUTHORIZED = message(401, "Unauthorized")
FORBIDDEN = message(403, "Forbidden")
TOO_LARGE = message(413, "Request Entity Too Large")
INTERNAL_ERROR = message(500, "Internal Server Error")
UNAVAILABLE = message(503, "Service Unavailable")
