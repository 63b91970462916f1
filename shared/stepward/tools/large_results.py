"""A result that is too large for a model is kept aside: the model gets a reference, the size and a summary."""

from __future__ import annotations

import json
from typing import Any, Final

from stepward.domain.errors import ToolFailed
from stepward.domain.json_values import fault_of
from stepward.tools.base import ToolContext

SHOWN_BYTES: Final = 64 * 1024
KEPT_BYTES: Final = 5 * 1024 * 1024
_HEAD_CHARS: Final = 500
_MOST_KEYS: Final = 50


def carried(content: Any, call: str, context: ToolContext) -> Any:
    """Give what the model is shown of a tool's answer: the answer, or a reference to it."""
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
    """Say what a value is, in a few hundred bytes: the head of a text, the names and sizes of what is inside."""
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
