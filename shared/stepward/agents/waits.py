"""Open what a run waits for once its machine waits: a person, another agent, a workflow."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from stepward.agents.approval_reminders import RemindApprovers
from stepward.agents.children import StartChild
from stepward.agents.finalize import answer_call
from stepward.agents.machine_messages import WaitRequest
from stepward.agents.run_ports import RunPorts
from stepward.domain.agents import AgentDefinition
from stepward.domain.approvals import Approval, Asking, Guard, approval_call, guarded_call, later
from stepward.domain.conversation import ToolCall
from stepward.domain.errors import Bug, ModelFault
from stepward.domain.run_state import RunState, fold
from stepward.domain.runs import RunKey
from stepward.ports.clock import iso
from stepward.ports.registry import Registry
from stepward.ports.run_machine import RESUME_CALL, SLOT_CALL
from stepward.ports.triggers import Events
from stepward.tools.agent import SubAgent
from stepward.tools.arguments import read_arguments
from stepward.tools.ask_person import AskPerson as AskPersonTool
from stepward.tools.ask_person import Question
from stepward.tools.base import BoundTool
from stepward.tools.catalog import bind
from stepward.tools.execution import failed

SHOWN_ARGUMENTS_BYTES: Final = 200_000


@dataclass(frozen=True)
class AskPerson:
    """Opens a call of the tool `ask_person`."""

    ports: RunPorts
    reminders: RemindApprovers

    def __call__(self, key: RunKey, state: RunState, call: ToolCall, tool: BoundTool) -> None:
        """Ask once, or answer why no person was asked."""
        try:
            asked: Question = read_arguments(tool, call)
        except ModelFault as error:
            answer_call(self.ports, key, failed(call, error.code, error.detail))
            return
        asking = Asking.model_validate(tool.settings.model_dump())
        approval = _approval(
            self.ports, key, state, call, asking.model_copy(update={"timeout_s": round(tool.timeout_s)})
        )
        _open(self.ports, self.reminders, approval.model_copy(update=dict(asked)))


@dataclass(frozen=True)
class RequestGuardApproval:
    """Opens what a guarded call waits for."""

    ports: RunPorts
    reminders: RemindApprovers

    def __call__(self, key: RunKey, state: RunState, call: ToolCall, tool: BoundTool) -> None:
        """Ask once whether the call may be made, unless its arguments are invalid anyway."""
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
        _open(
            self.ports,
            self.reminders,
            _approval(self.ports, key, state, call, guard).model_copy(update=about),
        )


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


def _open(ports: RunPorts, reminders: RemindApprovers, approval: Approval) -> None:
    """Store the approval, then announce it; safe to repeat.

    time →   first: stored ✓ ─ ✗ dies        again, or the janitor: finds it ─ announced ✓ recorded ✓
    """
    kept = ports.approvals.open(approval)
    if kept is not None:
        reminders.remind(kept, ports.clock.now())


def _shown(key: RunKey, call: ToolCall) -> Any:
    """Return the call's arguments, or where to read them if they are large."""
    size = len(json.dumps(call.arguments, ensure_ascii=False).encode())
    if size <= SHOWN_ARGUMENTS_BYTES:
        return call.arguments
    return {"bytes": size, "read": f"the event agent.tool.called of {call.id} in GET /runs/{key.run}/events"}


Opener = Callable[[RunKey, RunState, ToolCall, BoundTool], None]
GUARD: Final = "approval"
"""The opener of what any guarded call waits for; no tool of the catalog has this name."""


@dataclass(frozen=True)
class OpenWait:
    """The use case behind the machine's waits; `openers` are by tool, and one is for guards."""

    ports: RunPorts
    definition: Callable[[str, str, str], AgentDefinition]
    openers: Mapping[str, Opener]

    def __call__(self, request: WaitRequest) -> str:
        """Store the token, then check whether the wait is over, then open what is waited for.

        time →   answer: result ✓ ─ reads token        we: token ✓ ─ read result
        A token that the machine has given up for a newer one wakes nothing.
        """
        key = request.key
        if not self.ports.tokens.keep(key, request.call, request.token, request.made):
            return "given up"
        state = fold(self.ports.journal.load(key))
        if self._is_over(request.call, state):
            self.ports.machine.answer(request.token)
            return "over"
        if request.call not in (SLOT_CALL, RESUME_CALL):
            self._open(request, state)
        return "open"

    def _is_over(self, call: str, state: RunState) -> bool:
        if state.end is not None:
            return True
        if call == SLOT_CALL:
            return state.slot is not None
        if call == RESUME_CALL:
            return not state.paused
        item = state.calls.get(call)
        return item is not None and item.result is not None

    def _open(self, request: WaitRequest, state: RunState) -> None:
        guarded = guarded_call(request.call)
        call = _asked(state, guarded or request.call)
        use = self.definition(request.tenant, request.agent, request.version).tool(call.tool)
        if use is None:
            raise Bug(f"{request.agent} {request.version} has no tool {call.tool!r}")
        self.openers[GUARD if guarded else use.tool](request.key, state, call, bind(use))


def _asked(state: RunState, call_id: str) -> ToolCall:
    for call in state.pending.reply.calls if state.pending else ():
        if call.id == call_id:
            return call
    raise Bug(f"the open turn does not ask for {call_id}")


def openers_of(ports: RunPorts, registry: Registry, events: Events) -> Mapping[str, Opener]:
    """Make all openers."""
    reminders = RemindApprovers(ports.approvals, ports.tokens, ports.machine, events, ports.clock)
    return {
        SubAgent.name: StartChild(ports, registry),
        AskPersonTool.name: AskPerson(ports, reminders),
        GUARD: RequestGuardApproval(ports, reminders),
    }
