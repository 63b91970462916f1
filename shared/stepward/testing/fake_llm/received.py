"""What came in: one record a request, without the value of any key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

_SECRET: Final = {
    "x-api-key",
    "authorization",
    "x-amz-security-token",
    "cookie",
    "proxy-authorization",
    "api-key",
}
REMOVED: Final = "[removed]"


@dataclass
class Received:
    """One request, and how it was answered.

    `key_digest` tells keys apart without showing them, see `key_digest()`. `events_sent` counts what left before the end;
    `disconnected` says that the client went away before it, `done` that the provider has nothing more to send.
    """

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any = None
    key_digest: str | None = None
    request_id: str = ""
    status: int | None = None
    refused: str | None = None
    fault: str | None = None
    prompt_tokens: int | None = None
    events_sent: int = 0
    disconnected: bool = False
    done: bool = False
    streams: bool = False
    size_bytes: int = 0

    @property
    def model(self) -> str | None:
        """The model that was asked for."""
        return self.body.get("model") if isinstance(self.body, dict) else None


def key_digest(key: str) -> str:
    """Name a key without its value, as `Received.key_digest` does."""
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Copy headers, their names in lower case, the values of keys left out."""
    return {name.lower(): REMOVED if name.lower() in _SECRET else value for name, value in headers.items()}
