"""The tool-call boundary: whatever a tool does, the model gets a result that it can read.

A tool that raises, hangs or answers too much becomes a tool error; nothing that it does ends the run.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from threading import Thread
from typing import Any, Final

from pydantic import ValidationError

from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.errors import PlatformFault, StepwardError, ToolArgumentInvalid, ToolFailed
from stepward.domain.json_values import fault_of
from stepward.domain.tool_use import ToolUse
from stepward.domain.tools import Effect
from stepward.tools.base import BoundTool, ToolContext
from stepward.tools.catalog import bind

RESULT_LIMIT_BYTES: Final = 64 * 1024
_LOG: Final = logging.getLogger(__name__)


def execute(call: ToolCall, use: ToolUse | None, context: ToolContext) -> ToolResult:
    """Validate, run within the tool's time, limit; every fault comes back as a result with `error`.

    Only the platform's own passing faults are raised, where trying again is harmless.
    """
    if use is None:
        return failed(
            call,
            ToolArgumentInvalid.__name__,
            f"there is no tool {call.tool!r}; use one that you were given.",
        )
    tool = bind(use)
    try:
        arguments = _arguments(tool, call)
        content = _within(tool.timeout_s, lambda: tool.run(arguments, context))
        return ToolResult(call=call.id, tool=call.tool, content=_limited(content))
    except StepwardError as error:
        if isinstance(error, PlatformFault) and error.retryable and tool.effect is not Effect.ONCE:
            raise
        return failed(call, error.code, error.detail)
    except Exception as error:  # noqa: BLE001  the boundary: a tool's own bug is the model's news, not the run's end
        _LOG.exception("the tool %s raised", use.tool)
        return failed(call, ToolFailed.__name__, f"the tool raised {type(error).__name__}: {error}"[:500])


def failed(call: ToolCall, code: str, detail: str) -> ToolResult:
    """Tell the model what went wrong with its call."""
    return ToolResult(call=call.id, tool=call.tool, content={"error": code, "detail": detail}, error=code)


def _arguments(tool: BoundTool, call: ToolCall) -> Any:
    if call.arguments is None:
        shown = (call.arguments_text or "")[:200]
        raise ToolArgumentInvalid(
            f"the arguments are not a JSON object: {shown!r}. Send the call again as JSON."
        )
    try:
        return tool.read_arguments(call.arguments)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'arguments'}: {e['msg']}" for e in error.errors()[:5]
        )
        raise ToolArgumentInvalid(f"{faults}. The schema is {json.dumps(tool.schema())}") from error


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """Run in a thread that may be left behind: Python cannot stop one, but nobody has to wait for it."""
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["value"] = work()
        except BaseException as error:  # noqa: BLE001  carried over to the waiting thread, raised there
            outcome["error"] = error

    thread = Thread(target=run, daemon=True, name="tool")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise ToolFailed(f"the tool did not answer within {seconds:g} s.")
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]


def _limited(content: Any) -> Any:
    fault = fault_of(content)
    if fault:
        raise ToolFailed(f"the tool answered something that cannot be kept: {fault}.")
    size = len(json.dumps(content, ensure_ascii=False).encode())
    if size > RESULT_LIMIT_BYTES:
        raise ToolFailed(f"the tool answered {size} bytes; the limit is {RESULT_LIMIT_BYTES}. Ask for less.")
    return content
