"""The boundary around tool calls: whatever a tool does, the model gets a result.

A tool that raises, hangs or answers too much becomes a tool error; nothing that it does ends the run.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import SystemRandom
from threading import Thread
from time import perf_counter
from typing import Any, Final

from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.errors import (
    PlatformFault,
    StepwardError,
    ToolArgumentInvalid,
    ToolFailed,
    ToolUnavailable,
)
from stepward.domain.retries import asked_pause_s
from stepward.domain.tools import OUTCOME_UNKNOWN, Effect, ToolUse
from stepward.tools.arguments import read_arguments
from stepward.tools.base import LONGEST_S, BoundTool, ToolContext
from stepward.tools.catalog import bind
from stepward.tools.large_results import shown

_LOG: Final = logging.getLogger(__name__)
_RANDOM: Final = SystemRandom()


def execute(call: ToolCall, use: ToolUse | None, context: ToolContext) -> ToolResult:
    """Validate and run a call within its limits; a fault becomes a result with `error`.

    Attempts are repeated as the agent says. Only the platform's own passing faults are raised, where a repeat does no harm.
    """
    if use is None:
        return failed(
            call,
            ToolArgumentInvalid.__name__,
            f"there is no tool {call.tool!r}; use one that you were given.",
        )
    return _Execution(call, use, bind(use), context).result()


def failed(call: ToolCall, code: str, detail: str, **known: float | None) -> ToolResult:
    """Return the result of a failed call, with `status` and `retry_after_s` where known."""
    content = {
        "error": code,
        "detail": detail,
        **{name: one for name, one in known.items() if one is not None},
    }
    return ToolResult(call=call.id, tool=call.tool, content=content, error=code)


@dataclass
class _Execution:
    """One call with all its attempts, each of which is paid."""

    call: ToolCall
    use: ToolUse
    tool: BoundTool
    context: ToolContext
    attempts: int = 0

    def result(self) -> ToolResult:
        began_s = perf_counter()
        outcome = self._outcome()
        booked = {
            "took_ms": round((perf_counter() - began_s) * 1_000),
            "cost_usd_micros": self.attempts * self.tool.cost_usd_micros,
        }
        return outcome.model_copy(update=booked)

    def _outcome(self) -> ToolResult:
        call, is_once = self.call, self.tool.effect is Effect.ONCE
        try:
            arguments = read_arguments(self.tool, call)
            content = self._attempted(arguments)
            return ToolResult(call=call.id, tool=call.tool, content=shown(content, call.id, self.context))
        except StepwardError as error:
            if isinstance(error, PlatformFault) and error.retryable and not is_once:
                raise
            if isinstance(error, ToolUnavailable) and error.has_begun and is_once:
                detail = f"{error.detail} It may have happened; do not call it again."
                return failed(call, OUTCOME_UNKNOWN, detail, status=error.status)
            return failed(
                call, error.code, error.detail, status=error.status, retry_after_s=asked_pause_s(error)
            )
        except Exception as error:  # noqa: BLE001  the boundary: a tool's own bug is the model's news, not the run's end
            _LOG.exception("the tool %s raised", self.use.tool)
            return failed(call, ToolFailed.__name__, f"the tool raised {type(error).__name__}: {error}"[:500])

    def _attempted(self, arguments: Any) -> Any:
        """Repeat attempts until one succeeds, or another is not allowed, useless or too late."""
        rule, most_s, used_s = self.tool.retry, LONGEST_S[self.tool.placement], 0.0
        while True:
            began_s = perf_counter()
            try:
                return self._attempt(arguments)
            except StepwardError as error:
                used_s += perf_counter() - began_s
                left_s = most_s - used_s - self.tool.timeout_s
                pause_s = rule.next_pause_s(self.attempts, _RANDOM.random(), asked_pause_s(error), left_s)
                if not error.retryable or pause_s is None:
                    raise
            self.context.pause(pause_s)
            used_s += pause_s

    def _attempt(self, arguments: Any) -> Any:
        self.attempts += 1
        context = replace(self.context, timeout_s=self.tool.timeout_s)
        return _within(self.tool.timeout_s, lambda: self.tool.run(arguments, context))


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """Run work in a thread of its own, and raise when the time is over.

    Python cannot stop a thread; it is left to end by itself.
    """
    outcome: dict[str, Any] = {}

    def run() -> None:
        try:
            outcome["value"] = work()
        except BaseException as error:  # noqa: BLE001  shown over to the waiting thread, raised there
            outcome["error"] = error

    thread = Thread(target=run, daemon=True, name="tool")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise ToolUnavailable(f"the tool did not answer within {seconds:g} s.")
    if "error" in outcome:
        raise outcome["error"]
    return outcome["value"]
