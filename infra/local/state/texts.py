"""JSON that can also hold bytes, which attributes of items and messages may be."""

from __future__ import annotations

import base64
import json
from typing import Any

_BYTES = "$bytes"


def dump(value: Any) -> bytes:
    """Write a value."""
    return json.dumps(value, default=_tagged, separators=(",", ":"), ensure_ascii=False).encode(
        "utf-8", "surrogatepass"
    )


def load(text: bytes) -> Any:
    """Read what `dump` wrote."""
    return json.loads(text.decode("utf-8", "surrogatepass"), object_hook=_untagged)


def _tagged(value: Any) -> Any:
    if isinstance(value, bytes):
        return {_BYTES: base64.b64encode(value).decode("ascii")}
    raise TypeError(f"a {type(value).__name__} cannot be kept")


def _untagged(value: dict[str, Any]) -> Any:
    return base64.b64decode(value[_BYTES]) if value.keys() == {_BYTES} else value
