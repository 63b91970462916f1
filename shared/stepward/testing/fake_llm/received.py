"""Record received requests, one record per request, without keys."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
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

    `key_digest` tells keys apart without showing them, see `key_digest()`. `events_sent` counts the events sent so far;
    `disconnected` says that the client went away before the end, `done` that the provider has nothing more to send.

    Example:
        >>> Received(1, "POST", "/v1/messages", {}, body={"model": "claude-haiku-5-5"}).model
        'claude-haiku-5-5'
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
        """The model that was asked for; None without one."""
        return self.body.get("model") if isinstance(self.body, dict) else None


def key_digest(key: str) -> str:
    """Return the digest by which `Received.key_digest` names a key.

    Args:
        key: The key.

    Returns:
        Twelve hexadecimal digits of its SHA-256.

    Example:
        >>> key_digest("sk-test")
        'f3abf2a6cc4f'
    """
    return hashlib.sha256(key.encode()).hexdigest()[:12]


def without_secrets(headers: Mapping[str, str]) -> dict[str, str]:
    """Copy headers with names in lower case, without the values of keys."""
    return {name.lower(): REMOVED if name.lower() in _SECRET else value for name, value in headers.items()}


_FIELDS: Final = re.compile(
    r"(?i)^(?:x-)?(?:api[-_]?key|password|passwd|secret|token|authorization|cookie|credentials?|private[-_]?key)$"
    r"|(?i:[-_](?:api[-_]?key|password|secret|token)$)"
)
_VALUES: Final = re.compile(
    r"sk-[A-Za-z0-9_-]{8,}|(?:AKIA|ASIA)[0-9A-Z]{12,}|sw_[A-Za-z0-9_-]{8,}|(?i:bearer) [A-Za-z0-9._~+/=-]{8,}"
    r"|eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*|gh[pousr]_[A-Za-z0-9]{16,}|xox[abprs]-[A-Za-z0-9-]{8,}"
)
_COUNTS: Final = re.compile(r"(?i)tokens$")


def without_secrets_in(value: Any, known: Collection[str] = ()) -> Any:
    """Copy a JSON value with its secrets replaced.

    Args:
        value: The value to be written.
        known: Values that are secret wherever they are, such as the key of the request.

    Returns:
        The copy: texts that look like keys, and fields that are named like one, hold `[removed]`.
    """
    if isinstance(value, Mapping):
        return {name: _field(str(name), item, known) for name, item in value.items()}
    if isinstance(value, list):
        return [without_secrets_in(item, known) for item in value]
    return text_without_secrets(value, known) if isinstance(value, str) else value


def text_without_secrets(text: str, known: Collection[str] = ()) -> str:
    """Copy a text with everything that looks like a key, and all known values, replaced."""
    for secret in known:
        if secret:
            text = text.replace(secret, REMOVED)
    return _VALUES.sub(REMOVED, text)


def _field(name: str, item: Any, known: Collection[str]) -> Any:
    if _FIELDS.search(name) and isinstance(item, str) and not _COUNTS.search(name):
        return REMOVED
    return without_secrets_in(item, known)
