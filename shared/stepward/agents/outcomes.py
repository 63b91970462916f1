"""Brings together what became of a turn's calls: inline ones are run here, remote ones read from the journal."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.errors import ToolArgumentInvalid, ToolFailed
from stepward.domain.journal import CallItem, CallOutcome
from stepward.domain.tools import OUTCOME_UNKNOWN, Effect, Placement
from stepward.ports.datasets import Datasets
from stepward.tools.base import ToolContext
from stepward.tools.catalog import bind
from stepward.tools.execution import execute, failed

CALLS_A_TURN: Final = 12
"""200 turns of 12 calls and 300 waits make 22,000 events: Step Functions allows 25,000, and retries take some."""


@dataclass(frozen=True)
class TurnCalls:
    """The calls of one turn of one run; `items` is what the journal holds of them."""

    agent: AgentDefinition
    tenant: str
    run: str
    calls: Sequence[ToolCall]
    items: dict[str, CallItem]
    datasets: Datasets

    def waiting(self) -> list[str]:
        """The remote calls that have no result yet."""
        return [call.id for call in self._accepted() if self._remote(call) and not self._stored(call)]

    def outcomes(self, failures: dict[str, str]) -> tuple[CallOutcome, ...]:
        """Settle every call; `failures` are the errors by call that the machine saw."""
        with ThreadPoolExecutor(max_workers=CALLS_A_TURN, thread_name_prefix="inline") as pool:
            settled = list(pool.map(lambda call: self._outcome(call, failures), self._accepted()))
        return (*settled, *map(_one_too_many, self.calls[CALLS_A_TURN:]))

    def _accepted(self) -> Sequence[ToolCall]:
        return self.calls[:CALLS_A_TURN]

    def _outcome(self, call: ToolCall, failures: dict[str, str]) -> CallOutcome:
        if not self._remote(call):
            return CallOutcome(
                call=call.id, result=execute(call, self.agent.tool(call.tool), self._context(call))
            )
        if self._stored(call):
            return CallOutcome(call=call.id)
        return CallOutcome(
            call=call.id, result=self._without_result(call, failures.get(call.id, "no result"))
        )

    def _without_result(self, call: ToolCall, error: str) -> ToolResult:
        item, use = self.items.get(call.id), self.agent.tool(call.tool)
        if item and item.started_by and use and bind(use).effect is Effect.ONCE:
            return failed(
                call, OUTCOME_UNKNOWN, "the tool had begun when its function died; do not call it again."
            )
        return failed(call, ToolFailed.__name__, f"the tool's function gave no result: {error}.")

    def _stored(self, call: ToolCall) -> ToolResult | None:
        item = self.items.get(call.id)
        return item.result if item else None

    def _remote(self, call: ToolCall) -> bool:
        use = self.agent.tool(call.tool)
        return use is not None and bind(use).placement is Placement.REMOTE

    def _context(self, call: ToolCall) -> ToolContext:
        return ToolContext(tenant=self.tenant, call_id=f"{self.run}:{call.id}", datasets=self.datasets)


def _one_too_many(call: ToolCall) -> CallOutcome:
    detail = f"a turn may make {CALLS_A_TURN} calls; make this one in the next turn."
    return CallOutcome(call=call.id, result=failed(call, ToolArgumentInvalid.__name__, detail))
