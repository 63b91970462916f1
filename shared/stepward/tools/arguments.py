"""Arguments of tools: parsed from what a model gave, and validated against schemas."""

from __future__ import annotations

import json
from collections.abc import Collection
from itertools import islice
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from stepward.domain.conversation import ToolCall
from stepward.domain.errors import InvalidRequest, ToolArgumentInvalid
from stepward.domain.json_schemas import Schema, faults_of_value
from stepward.domain.nearest import nearest
from stepward.domain.retries import Backoff
from stepward.domain.tools import Effect, ToolUse
from stepward.tools.base import LONGEST_S, BoundTool
from stepward.tools.catalog import CATALOG, bind


def read_arguments(tool: BoundTool, call: ToolCall) -> Any:
    """Validate a call's arguments.

    The error has what a model needs to correct them: the tool, the fields, the faults and the schema.
    """
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
        near = nearest(str(detail["loc"][-1]), known)
        return f"{field}: there is no such argument" + (f", did you mean {near!r}?" if near else "")
    return f"{field}: {detail['msg']}"


def read_described(given: dict[str, Any], schema: Schema) -> dict[str, Any]:
    """Validate arguments against a described schema; the error lists what is wrong."""
    faults = list(islice(faults_of_value(given, schema), 5))
    if faults:
        raise ToolArgumentInvalid("; ".join(faults))
    return given


def check_use(use: ToolUse) -> None:
    """Refuse a taken name, retries of an effect `once`, and calls that take too long."""
    if use.called in CATALOG and use.called != use.tool:
        raise InvalidRequest(
            f"the name {use.called!r} is that of another tool.", field="name", fix="give it another `name`"
        )
    _check_call(bind(use))


def _check_call(tool: BoundTool) -> None:
    asked = tool.options.retry
    if asked and asked.strategy is not Backoff.NONE and tool.effect is Effect.ONCE:
        raise InvalidRequest(
            "its effect is `once`, so it is never tried again.",
            field="retry",
            fix="leave `retry` out, or declare the effect `idempotent` if repeats under one call id are harmless",
        )
    most_s = LONGEST_S.get(tool.placement)
    takes_s = tool.retry.longest_s(tool.timeout_s)
    if most_s is not None and takes_s > most_s:
        raise InvalidRequest(
            f"its attempts and pauses could take {takes_s:g} s together; the most is {most_s:g} s.",
            field="retry" if tool.retry.attempts > 1 else "timeout_s",
            fix="fewer attempts, shorter pauses or a shorter `timeout_s`",
        )
