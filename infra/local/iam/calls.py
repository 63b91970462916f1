"""A signed request of the AWS API, and the permissions that it needs."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, unquote
from wsgiref.types import WSGIEnvironment

from infra.local import account


@dataclass(frozen=True)
class Need:
    """One permission that a call needs."""

    action: str
    resource: str
    context: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """One signed request."""

    service: str
    """The signing name of the service."""

    access_key: str
    environ: WSGIEnvironment

    @property
    def method(self) -> str:
        """The HTTP method."""
        return str(self.environ["REQUEST_METHOD"])

    @property
    def path(self) -> str:
        """The decoded path, as the application gets it."""
        # WSGI carries bytes as latin-1.
        return str(self.environ.get("PATH_INFO", "")).encode("latin-1", "replace").decode("utf-8", "replace")

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters of the query string."""
        return dict(parse_qsl(self.environ.get("QUERY_STRING", ""), keep_blank_values=True))

    def header(self, name: str) -> str:
        """Return a header, or an empty string."""
        return str(self.environ.get("HTTP_" + name.upper().replace("-", "_"), ""))

    @cached_property
    def body(self) -> bytes:
        """The body, which stays readable for the application; empty without a known length."""
        length = int(self.environ.get("CONTENT_LENGTH") or 0)
        data: bytes = self.environ["wsgi.input"].read(length) if length else b""
        if length:
            self.environ["wsgi.input"] = io.BytesIO(data)
        return data

    @cached_property
    def document(self) -> dict[str, Any]:
        """The body as a JSON object; empty if it is none, which the application refuses."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @cached_property
    def form(self) -> dict[str, str]:
        """The body as a form, for services of the query protocol."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace")))


def read_call(environ: WSGIEnvironment) -> Call | None:
    """Read the access key and the service from a signature; None if there is none."""
    signed = str(environ.get("HTTP_AUTHORIZATION", ""))
    _, found, rest = signed.partition("Credential=")
    if not found:
        signed = dict(parse_qsl(environ.get("QUERY_STRING", ""))).get("X-Amz-Credential", "")
        rest = unquote(signed)
    parts = rest.split(",", 1)[0].split("/")
    return Call(parts[3].lower(), parts[0], environ) if len(parts) >= 5 else None


def arn(service: str, resource: str) -> str:
    """Return the ARN of a resource in the laptop's account and region."""
    return f"arn:{account.PARTITION}:{service}:{account.REGION}:{account.ACCOUNT_ID}:{resource}"
