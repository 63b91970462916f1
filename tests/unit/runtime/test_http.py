"""What a function answers leaves it as it was given."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from stepward.runtime.http import as_it_is, http_app, routes


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"b": 1,  "a": 1.50}\n', "application/json"),
        (b"[1]", "application/json; charset=utf-8"),
        (b"not JSON", "application/json"),
        (b"a;b\r\n", "text/csv"),
        (bytes(range(256)), "application/octet-stream"),
        (b"", "application/json"),
    ],
)
def test_bytes_are_answered_as_they_are(body: bytes, content_type: str) -> None:
    router = routes()

    @router.get("/file")
    def read_file() -> Any:
        return as_it_is(body, content_type, {"ETag": "v1"})

    event = {
        "version": "2.0",
        "rawPath": "/file",
        "headers": {},
        "requestContext": {"stage": "$default", "http": {"method": "GET", "path": "/file"}},
    }
    answer = http_app(router).resolve(event, None)
    assert (answer["statusCode"], answer["isBase64Encoded"]) == (200, True)
    assert base64.b64decode(answer["body"]) == body
    assert answer["headers"]["Content-Type"] == content_type
    assert answer["headers"]["ETag"] == "v1"
