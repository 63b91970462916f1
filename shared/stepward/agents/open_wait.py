"""Opens what a run waits for, once its machine waits: the room `dispatch` is called with a task token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from stepward.agents.run_ports import RunPorts
from stepward.domain.agents import AgentDefinition
from stepward.domain.approvals import guarded_call
from stepward.domain.conversation import ToolCall
from stepward.domain.errors import Bug
from stepward.domain.run_state import RunState, fold
from stepward.domain.runs import RunKey
from stepward.ports.tokens import RESUME_CALL, SLOT_CALL
from stepward.tools.base import BoundTool
from stepward.tools.catalog import bind

Opener = Callable[[RunKey, RunState, ToolCall, BoundTool], None]
GUARD: Final = "approval"
"""The opener of what any guarded call waits for; no tool of the gallery has this name."""


class WaitRequest(BaseModel):
    """What the machine sends for one wait; `token` ends it."""

    model_config = ConfigDict(extra="ignore")

    v: Literal[1]
    tenant: str
    run: str
    agent: str
    version: str
    call: str
    token: str
    entered: str = ""
    tried: int = 0

    @property
    def made(self) -> str:
        """When the machine made the token, so that tokens of one wait sort; empty from machines that do not say."""
        return f"{self.entered}#{self.tried:03d}" if self.entered else ""

    @property
    def key(self) -> RunKey:
        """The run's name within its tenant."""
        return RunKey(tenant=self.tenant, run=self.run)


@dataclass(frozen=True)
class OpenWait:
    """The use case behind the machine's waits; `openers` are by tool, and one is for guards."""

    ports: RunPorts
    definition: Callable[[str, str, str], AgentDefinition]
    openers: Mapping[str, Opener]

    def __call__(self, request: WaitRequest) -> str:
        """Keep the token first, then look whether the wait is over already, then open what is waited for.

        time →   answer: result ✓ ─ reads token        we: token ✓ ─ read result
        A token that the machine has given up for a newer one wakes nobody.
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
