"""Asks a person, for a call of `ask_person` or before a call that is guarded."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from stepward.agents.run_ports import RunPorts
from stepward.agents.settle import answer_call
from stepward.agents.tend_approvals import TendApprovals
from stepward.domain.approvals import Approval, Asking, Guard, approval_call, later
from stepward.domain.conversation import ToolCall
from stepward.domain.errors import Bug, ModelFault
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunKey
from stepward.ports.clock import iso
from stepward.tools.arguments import read_arguments
from stepward.tools.ask_person import Question
from stepward.tools.base import BoundTool
from stepward.tools.execution import failed

SHOWN_ARGUMENTS_BYTES: Final = 200_000


@dataclass(frozen=True)
class AskPerson:
    """Opens a call of the tool `ask_person`."""

    ports: RunPorts
    tend: TendApprovals

    def __call__(self, key: RunKey, state: RunState, call: ToolCall, tool: BoundTool) -> None:
        """Ask once, or answer why nobody was asked."""
        try:
            asked: Question = read_arguments(tool, call)
        except ModelFault as error:
            answer_call(self.ports, key, failed(call, error.code, error.detail))
            return
        asking = Asking.model_validate(tool.settings.model_dump())
        approval = _approval(
            self.ports, key, state, call, asking.model_copy(update={"timeout_s": round(tool.timeout_s)})
        )
        _open(self.ports, self.tend, approval.model_copy(update=dict(asked)))


@dataclass(frozen=True)
class AskFirst:
    """Opens what a guarded call waits for."""

    ports: RunPorts
    tend: TendApprovals

    def __call__(self, key: RunKey, state: RunState, call: ToolCall, tool: BoundTool) -> None:
        """Ask once whether the call may be made; one that could not be made anyway is not asked about."""
        guard = tool.options.approval
        if guard is None:
            raise Bug(f"{call.tool} has no guard")
        try:
            read_arguments(tool, call)
        except ModelFault as error:
            wait = call.model_copy(update={"id": approval_call(call.id)})
            answer_call(self.ports, key, failed(wait, error.code, error.detail))
            return
        question = guard.question or f"May {state.agent.agent} call {call.tool}?"
        about = {"question": question, "details": _shown(key, call), "is_guard": True}
        _open(self.ports, self.tend, _approval(self.ports, key, state, call, guard).model_copy(update=about))


def _approval(
    ports: RunPorts, key: RunKey, state: RunState, call: ToolCall, asking: Asking | Guard
) -> Approval:
    at = iso(ports.clock.now())
    return Approval(
        id=f"{key.run}.{call.id}",
        tenant=key.tenant,
        run=key.run,
        call=call.id,
        tool=call.tool,
        agent=state.agent.agent,
        requester=state.start.principal,
        question="",
        asking=Asking.model_validate(asking.model_dump(include=set(Asking.model_fields))),
        created_at=at,
        due_at=later(at, asking.timeout_s),
    )


def _open(ports: RunPorts, tend: TendApprovals, approval: Approval) -> None:
    """Keep it, then tell of it: a wait that is opened again finds it, and tells only what was not told.

    time →   first: kept ✓ ─ ✗ dies        again, or the janitor: finds it ─ told ✓ noted ✓
    """
    kept = ports.approvals.open(approval)
    if kept is not None:
        tend.tend(kept, ports.clock.now())


def _shown(key: RunKey, call: ToolCall) -> Any:
    """Show all that the call would be made with, or where to read it."""
    size = len(json.dumps(call.arguments, ensure_ascii=False).encode())
    if size <= SHOWN_ARGUMENTS_BYTES:
        return call.arguments
    return {"bytes": size, "read": f"the event agent.tool.called of {call.id} in GET /runs/{key.run}/events"}
