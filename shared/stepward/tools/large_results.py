"""Stores results that are too large for a model, which gets a reference and a summary."""

from __future__ import annotations

import json
from typing import Any, Final

from stepward.domain.errors import ToolFailed
from stepward.domain.json_text import fault_of
from stepward.tools.base import ToolContext

SHOWN_BYTES: Final = 64 * 1024
KEPT_BYTES: Final = 5 * 1024 * 1024
CUT_FROM_BYTES: Final = 4_000
"""Longer results of old turns are cut where a conversation is too long for its model."""
_BRIEF_BYTES: Final = 1_000
_HEAD_CHARS: Final = 500
_MOST_KEYS: Final = 50


def shown(content: Any, call: str, context: ToolContext) -> Any:
    """Return a tool's answer for the model: the answer, or a reference to it."""
    fault = fault_of(content)
    if fault:
        raise ToolFailed(f"the tool answered something that cannot be kept: {fault}.")
    body = json.dumps(content, ensure_ascii=False).encode()
    if len(body) <= SHOWN_BYTES:
        return content
    most = KEPT_BYTES if context.results else SHOWN_BYTES
    if context.results is None or len(body) > most:
        raise ToolFailed(f"the tool answered {len(body)} bytes; the limit is {most}. Ask for less.")
    context.results.keep(context.tenant, context.run, call, body)
    return {"reference": f"{context.run}/{call}", "bytes": len(body), "summary": summary(content)}


def summary(value: Any) -> Any:
    """Summarise a value in a few hundred bytes: a text's head, or names and sizes of items."""
    match value:
        case str():
            return {"type": "text", "characters": len(value), "begins": value[:_HEAD_CHARS]}
        case list():
            first = [_in_a_word(item) for item in value[:3]]
            return {"type": "list", "items": len(value), "first": first}
        case dict():
            named = {str(name)[:80]: _in_a_word(value[name]) for name in list(value)[:_MOST_KEYS]}
            return {"type": "object", "keys": len(value), "values": named}
    return value


def _in_a_word(value: Any) -> str:
    match value:
        case str():
            return value if len(value) <= 60 else f"text of {len(value)} characters"
        case list():
            return f"list of {len(value)} items"
        case dict():
            return f"object of {len(value)} keys: {', '.join(map(str, list(value)[:8]))}"[:160]
    return json.dumps(value)


def size_bytes(content: Any) -> int:
    """Return the size of a result as JSON, in bytes."""
    return len(json.dumps(content, ensure_ascii=False).encode())


def is_reference(content: Any) -> bool:
    """Return whether a result is a reference to a stored one."""
    return isinstance(content, dict) and content.keys() == {"reference", "bytes", "summary"}


def shortened(content: Any, reference: str | None) -> Any:
    """Return a short result of an old turn as it is, and a long one as its size and summary.

    Args:
        content: What the model was shown before.
        reference: By which it can be read whole; None where it cannot. One that it has already stays.
    """
    size = size_bytes(content)
    if size <= CUT_FROM_BYTES:
        return content
    if is_reference(content):
        return {**content, "summary": _briefly(content["summary"])}
    named = {"reference": reference} if reference else {}
    return {**named, "bytes": size, "summary": _briefly(summary(content))}


def _briefly(value: Any) -> Any:
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text.encode()) <= _BRIEF_BYTES else f"{text[:_HEAD_CHARS]}…"
