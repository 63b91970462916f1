"""Reads what a model filled in, and tells it what is wrong so that its next call can be right."""

from __future__ import annotations

import json
from collections.abc import Collection
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stepward.domain.conversation import ToolCall
from stepward.domain.errors import ToolArgumentInvalid
from stepward.tools.base import BoundTool


def read_arguments(tool: BoundTool, call: ToolCall) -> Any:
    """Validate a call's arguments; the error names the tool, the fields, what is wrong with them, and the schema."""
    if call.arguments is None:
        shown = (call.arguments_text or "")[:200]
        raise ToolArgumentInvalid(
            f"the arguments are not a JSON object: {shown!r}. Send the call again as JSON."
        )
    try:
        return tool.read_arguments(call.arguments)
    except ValidationError as error:
        known = tool.schema().get("properties", {})
        faults = "; ".join(_fault(one, known) for one in error.errors()[:5])
        raise _invalid(call, faults, tool) from error
    except ToolArgumentInvalid as error:
        raise _invalid(call, error.detail, tool) from error


def _invalid(call: ToolCall, faults: str, tool: BoundTool) -> ToolArgumentInvalid:
    return ToolArgumentInvalid(f"{call.tool}: {faults}. The schema is {json.dumps(tool.schema())}")


def _fault(detail: ErrorDetails, known: Collection[str]) -> str:
    field = ".".join(map(str, detail["loc"])) or "arguments"
    if detail["type"] == "extra_forbidden":
        near = get_close_matches(str(detail["loc"][-1]), known, n=1)
        return f"{field}: there is no such argument" + (f", did you mean {near[0]!r}?" if near else "")
    return f"{field}: {detail['msg']}"
