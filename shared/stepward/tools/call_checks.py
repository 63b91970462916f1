"""Refuses, when an agent is registered, what its options would make of a tool's calls that cannot be kept."""

from __future__ import annotations

from stepward.domain.errors import InvalidRequest
from stepward.domain.retries import Backoff
from stepward.domain.tool_use import ToolUse
from stepward.domain.tools import Effect
from stepward.tools.base import LONGEST_S, BoundTool
from stepward.tools.catalog import CATALOG, bind


def check_use(use: ToolUse) -> None:
    """Refuse a name that is another tool's, retries of what must happen once, and calls that take too long."""
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
