"""Takes secrets out of what is written to a cassette, so that one can be committed."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, Final

from stepward.testing.fake_llm.received import REMOVED

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
        value: What is to be written.
        known: Values that are secret wherever they stand, such as the key of the request.

    Returns:
        The copy: texts that look like keys, and fields that are named like one, hold `[removed]`.
    """
    if isinstance(value, Mapping):
        return {name: _field(str(name), item, known) for name, item in value.items()}
    if isinstance(value, list):
        return [without_secrets_in(item, known) for item in value]
    return text_without_secrets(value, known) if isinstance(value, str) else value


def text_without_secrets(text: str, known: Collection[str] = ()) -> str:
    """Copy a text with what looks like a key, and all known values, replaced."""
    for secret in known:
        if secret:
            text = text.replace(secret, REMOVED)
    return _VALUES.sub(REMOVED, text)


def _field(name: str, item: Any, known: Collection[str]) -> Any:
    if _FIELDS.search(name) and isinstance(item, str) and not _COUNTS.search(name):
        return REMOVED
    return without_secrets_in(item, known)
