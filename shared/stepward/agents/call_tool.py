"""Carries out one remote call: mark, execute, record; at most one effect of a `once` tool, whatever happens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from stepward.domain.agents import AgentDefinition, ToolUse
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.errors import Bug, StoreConflict
from stepward.domain.journal import JournalSlice, Turn
from stepward.domain.runs import RunKey
from stepward.domain.tools import OUTCOME_UNKNOWN, Effect
from stepward.ports.datasets import Datasets
from stepward.ports.journal import Journal
from stepward.tools.base import ToolContext
from stepward.tools.catalog import find_tool
from stepward.tools.execution import execute, failed


class CallRequest(BaseModel):
    """What the machine sends for one call.

    `seq` is the place of the turn that asks for it; a journal that is longer than `newest` has gone on without it.
    """

    model_config = ConfigDict(extra="ignore")

    v: Literal[1]
    tenant: str
    run: str
    agent: str
    version: str
    seq: int
    newest: int
    call: str

    @property
    def key(self) -> RunKey:
        """The run's name within its tenant."""
        return RunKey(tenant=self.tenant, run=self.run)


@dataclass(frozen=True)
class CallTool:
    """The use case behind `tool_invoke`."""

    journal: Journal
    datasets: Datasets
    definition: Callable[[str, str, str], AgentDefinition]
    http_allow: tuple[str, ...]
    invocation: str

    def __call__(self, request: CallRequest) -> str:
        """Do the call unless it is done or no longer wanted; say which it was."""
        journal = self.journal.load(request.key, request.seq)
        stored = journal.calls.get(request.call)
        if stored and stored.result:
            return "done before"
        if any(item.seq > request.newest for item in journal.records):
            return "no longer wanted"
        call = _asked(journal, request)
        use = self.definition(request.tenant, request.agent, request.version).tool(call.tool)
        try:
            unknown = self._mark(request, call, use)
        except StoreConflict:
            return "no longer wanted"
        result = unknown or execute(call, use, self._context(request))
        return "done" if self.journal.put_result(request.key, result) else "late"

    def _mark(self, request: CallRequest, call: ToolCall, use: ToolUse | None) -> ToolResult | None:
        """Mark a `once` tool before it runs; if somebody marked it before us, nobody may run it again.

        time →   first:  mark ✓ ── effect ── ✗ dies
                 second:            mark ✗ → outcome_unknown, no effect
                 cancel, or an advance that goes on without the result:  mark ✗ → no effect at all
        """
        if use is None or find_tool(use.tool).effect is not Effect.ONCE:
            return None
        before = self.journal.mark_started(request.key, call.id, self.invocation, request.newest)
        if before is None:
            return None
        return failed(call, OUTCOME_UNKNOWN, "an earlier attempt had begun and its outcome is unknown.")

    def _context(self, request: CallRequest) -> ToolContext:
        call_id = f"{request.run}:{request.call}"
        return ToolContext(request.tenant, call_id, self.datasets, self.http_allow)


def _asked(journal: JournalSlice, request: CallRequest) -> ToolCall:
    first = journal.records[0].record if journal.records else None
    if not isinstance(first, Turn):
        raise Bug(f"record {request.seq} of {request.run} is no turn")
    for call in first.reply.calls:
        if call.id == request.call:
            return call
    raise Bug(f"turn {first.turn} of {request.run} does not ask for {request.call}")
