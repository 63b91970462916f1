"""Collect the results of a turn's calls, and hand the run over where a call asks for that."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from stepward.domain.agents import AgentDefinition
from stepward.domain.approvals import approval_call, guarded_call
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.errors import CallerError, ToolArgumentInvalid, ToolFailed
from stepward.domain.journal import CallItem, CallOutcome, HandedOver
from stepward.domain.tools import OUTCOME_UNKNOWN, Effect, Placement, ToolUse
from stepward.tools.base import ToolContext
from stepward.tools.catalog import bind
from stepward.tools.execution import execute, failed
from stepward.tools.hand_off import HandOff

CALLS_A_TURN: Final = 12
"""So that any turn fits into what an execution's history has left when it counts as full."""
NO_ANSWER: Final = "NoAnswer"
"""The result's error when no answer came in time."""


@dataclass(frozen=True)
class TurnCalls:
    """The calls of one turn of one run; `items` is what the journal holds of them."""

    agent: AgentDefinition
    run: str
    calls: Sequence[ToolCall]
    items: dict[str, CallItem]
    context: Callable[[str], ToolContext]

    def remote(self) -> list[ToolCall]:
        """List the remote calls that have no result yet."""
        return self._without_result_in(Placement.REMOTE)

    def awaited(self) -> list[ToolCall]:
        """List what others have to answer: open calls, and the approvals of guarded ones."""
        return [
            call.model_copy(update={"id": approval_call(call.id)})
            if self._must_be_asked_about(call)
            else call
            for call in self._without_result_in(Placement.AWAITED)
        ]

    def next_remote(self) -> list[str]:
        """List the remote calls to make at once: as many of each tool as the agent allows."""
        asked: list[str] = []
        at_once: Counter[str] = Counter()
        for call in self.remote():
            use = self.agent.tool(call.tool)
            at_once[call.tool] += 1
            if use and at_once[call.tool] <= (use.concurrency or CALLS_A_TURN):
                asked.append(call.id)
        return asked

    def outcomes(self, failures: dict[str, str]) -> tuple[CallOutcome, ...]:
        """Finalize every call; `failures` are the errors by call that the machine saw."""
        with ThreadPoolExecutor(max_workers=CALLS_A_TURN, thread_name_prefix="inline") as pool:
            settled = list(pool.map(lambda call: self._outcome(call, failures), self._accepted()))
        return (*settled, *map(_one_too_many, self.calls[CALLS_A_TURN:]))

    def no_result(self, call: ToolCall, error: str) -> ToolResult:
        """Return the error result of a call without one; `error` is what the machine saw."""
        item, use = self.items.get(call.id), self.agent.tool(call.tool)
        if guarded_call(call.id) or self._placement(call) is Placement.AWAITED:
            return failed(call, NO_ANSWER, f"there was no answer in time: {error}.")
        if item and item.started_by and use and bind(use).effect is Effect.ONCE:
            return failed(
                call, OUTCOME_UNKNOWN, "the tool had begun when its function died; do not call it again."
            )
        return failed(call, ToolFailed.__name__, f"the tool's function gave no result: {error}.")

    def bound_timeout_s(self, call: ToolCall) -> int:
        """Return how many seconds a call's answer may take."""
        use = self.agent.tool(call.tool)
        if use and use.approval and guarded_call(call.id):
            return use.approval.timeout_s
        return max(1, round(bind(use).timeout_s)) if use else 1

    def use_of(self, call: ToolCall) -> ToolUse | None:
        """Return how the agent uses the tool of a call."""
        return self.agent.tool(call.tool)

    def _accepted(self) -> Sequence[ToolCall]:
        return self.calls[:CALLS_A_TURN]

    def _outcome(self, call: ToolCall, failures: dict[str, str]) -> CallOutcome:
        refusal = self._refusal(call)
        if refusal:
            return CallOutcome(call=call.id, result=refusal)
        if self._placement(call) is Placement.INLINE:
            context = self.context(f"{self.run}:{call.id}")
            return CallOutcome(call=call.id, result=execute(call, self.agent.tool(call.tool), context))
        if self.stored(call):
            return CallOutcome(call=call.id)
        return CallOutcome(call=call.id, result=self.no_result(call, failures.get(call.id, "no result")))

    def _without_result_in(self, placement: Placement) -> list[ToolCall]:
        return [
            call for call in self._accepted() if self._placement(call) is placement and not self.stored(call)
        ]

    def stored(self, call: ToolCall) -> ToolResult | None:
        """Return the result that the journal holds of a call."""
        item = self.items.get(call.id)
        return item.result if item else None

    def _placement(self, call: ToolCall) -> Placement:
        """Return where a call is answered now: a guarded one by a person, a refused one here."""
        use = self.agent.tool(call.tool)
        if use is None or self._refusal(call):
            return Placement.INLINE
        return Placement.AWAITED if self._must_be_asked_about(call) else bind(use).placement

    def _must_be_asked_about(self, call: ToolCall) -> bool:
        use = self.agent.tool(call.tool)
        return bool(use and use.approval) and self._said(call) is None

    def _refusal(self, call: ToolCall) -> ToolResult | None:
        """Return the result of a guarded call that is not made.

        It was refused, got no answer in time, or has arguments that the tool does not take.
        """
        said = self._said(call)
        return said.model_copy(update={"call": call.id}) if said and said.error else None

    def _said(self, call: ToolCall) -> ToolResult | None:
        """Return a person's answer about a guarded call."""
        item = self.items.get(approval_call(call.id))
        return item.result if item else None


def _one_too_many(call: ToolCall) -> CallOutcome:
    detail = f"a turn may make {CALLS_A_TURN} calls; make this one in the next turn."
    return CallOutcome(call=call.id, result=failed(call, ToolArgumentInvalid.__name__, detail))


Outcomes = tuple[CallOutcome, ...]


def handed_over(
    calls: TurnCalls, outcomes: Outcomes, carrier: Callable[[str, str | None], HandedOver]
) -> tuple[Outcomes, HandedOver | None]:
    """Return which agent continues the run: the first existing target of a hand-over."""
    settled = list(outcomes)
    for index, call in enumerate(calls.calls[: len(settled)]):
        use, result = calls.use_of(call), settled[index].result
        if use is None or use.tool != HandOff.name or result is None or result.error:
            continue
        settings = bind(use).settings
        try:
            return tuple(settled), carrier(settings.agent, settings.version)
        except CallerError as error:
            settled[index] = CallOutcome(call=call.id, result=failed(call, ToolFailed.__name__, error.detail))
    return tuple(settled), None
