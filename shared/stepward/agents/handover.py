"""Hands a run over to another agent: the journal stays, the next turn is another one's."""

from __future__ import annotations

from collections.abc import Callable

from stepward.agents.outcomes import TurnCalls
from stepward.domain.errors import CallerError, ToolFailed
from stepward.domain.journal import CallOutcome, HandedOver
from stepward.tools.catalog import bind
from stepward.tools.execution import failed
from stepward.tools.hand_off import HandOff

Outcomes = tuple[CallOutcome, ...]


def handed_over(
    calls: TurnCalls, outcomes: Outcomes, latest: Callable[[str, str | None], str]
) -> tuple[Outcomes, HandedOver | None]:
    """Say who carries the run on after a turn: the first agent that it was handed to and that there is."""
    settled = list(outcomes)
    for index, call in enumerate(calls.calls[: len(settled)]):
        use, result = calls.use_of(call), settled[index].result
        if use is None or use.tool != HandOff.name or result is None or result.error:
            continue
        settings = bind(use).settings
        try:
            version = latest(settings.agent, settings.version)
        except CallerError as error:
            settled[index] = CallOutcome(call=call.id, result=failed(call, ToolFailed.__name__, error.detail))
            continue
        return tuple(settled), HandedOver(agent=settings.agent, version=version)
    return tuple(settled), None
