"""Execute one remote call: mark, execute, record; a `once` tool has one effect at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from stepward.agents.machine_messages import CallRequest
from stepward.domain.agents import AgentDefinition
from stepward.domain.approvals import approval_call
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.errors import ApprovalDenied, Bug, RunCancelled
from stepward.domain.journal import Sequenced, Turn
from stepward.domain.run_state import is_out_of_band
from stepward.domain.tools import OUTCOME_UNKNOWN, Effect, ToolUse
from stepward.ports.journal import Journal
from stepward.tools.base import ToolContext
from stepward.tools.catalog import bind
from stepward.tools.execution import execute, failed

RECORDS_OF_A_TURN: Final = 20
"""More records than a turn's claims and late bills ever take."""


@dataclass(frozen=True)
class CallTool:
    """The use case behind `tool_invoke`."""

    journal: Journal
    definition: Callable[[str, str, str], AgentDefinition]
    context: Callable[[str, str], ToolContext]
    invocation: str

    def __call__(self, request: CallRequest) -> str:
        """Execute the call unless it is done or no longer wanted; return which it was."""
        stored = self.journal.call(request.key, request.call)
        if stored and stored.result:
            return "done before"
        records = self.journal.read(request.key, request.seq, RECORDS_OF_A_TURN).records
        if _gone_on(records, request.newest):
            return "no longer wanted"
        call = _asked(records, request)
        use = self.definition(request.tenant, request.agent, request.version).tool(call.tool)
        context = self.context(request.tenant, f"{request.run}:{request.call}")
        held_back = self._unapproved(request, call, use) or self._held_back(request, call, use)
        result = held_back or execute(call, use, context)
        return "done" if self.journal.put_result(request.key, result) else "late"

    def _unapproved(self, request: CallRequest, call: ToolCall, use: ToolUse | None) -> ToolResult | None:
        """Check that a guarded call was approved, whatever asks for it: None if it may be made."""
        if use is None or use.approval is None:
            return None
        said = self.journal.call(request.key, approval_call(call.id))
        if said and said.result and said.result.error is None:
            return None
        return failed(call, ApprovalDenied.__name__, "this call was not approved and not made.")

    def _held_back(self, request: CallRequest, call: ToolCall, use: ToolUse | None) -> ToolResult | None:
        """Mark a `once` tool before it runs, then check once more whether it may: None if it may.

        time →   first:    mark ✓ ── effect ── ✗ dies
                 second:            mark ✗ → outcome_unknown, no effect
                 cancel, or an advance that continues without the result, writes first and reads marks then;
                 we mark
                 first and read records then: one of the two always sees the other
        """
        if use is None or bind(use).effect is not Effect.ONCE:
            return None
        if self.journal.mark_started(request.key, call.id, self.invocation) is not None:
            return failed(call, OUTCOME_UNKNOWN, "an earlier attempt had begun and its outcome is unknown.")
        if self._has_gone_on(request):
            return failed(
                call, RunCancelled.__name__, "the run went on without this call, which never began."
            )
        return None

    def _has_gone_on(self, request: CallRequest) -> bool:
        """Read everything after our turn: a run may be paused and resumed many times."""
        seq, full = request.newest + 1, True
        while full:
            since = self.journal.read(request.key, seq, RECORDS_OF_A_TURN).records
            if _gone_on(since, request.newest):
                return True
            seq, full = seq + len(since), len(since) == RECORDS_OF_A_TURN
        return False


def _gone_on(records: Sequence[Sequenced], newest: int) -> bool:
    """Return True if the run continued after our turn; late bills do not count."""
    since = (item.record for item in records if item.seq > newest)
    return any(not is_out_of_band(record) for record in since)


def _asked(records: Sequence[Sequenced], request: CallRequest) -> ToolCall:
    first = records[0].record if records else None
    if not isinstance(first, Turn):
        raise Bug(f"record {request.seq} of {request.run} is no turn")
    for call in first.reply.calls:
        if call.id == request.call:
            return call
    raise Bug(f"turn {first.turn} of {request.run} does not ask for {request.call}")
