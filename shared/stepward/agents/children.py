"""Start the run of an agent that another run calls, and stop it with its parent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from stepward.agents.answering import answers_of, inherited
from stepward.agents.finalize import answer_call
from stepward.agents.lookup import startable_agent
from stepward.agents.run_ports import RunPorts
from stepward.agents.start import Launch, Start
from stepward.domain.conversation import ToolCall
from stepward.domain.errors import CallerError, ModelFault, NotAllowed, PolicyStop
from stepward.domain.run_origins import Caller, Parent
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunKey, StartOptions
from stepward.ports.registry import Registry
from stepward.tools.agent import Task
from stepward.tools.arguments import read_arguments
from stepward.tools.base import BoundTool
from stepward.tools.execution import failed

DEEPEST: Final = 5
"""How many runs may wait for each other in a chain: a deeper one is hard to account for."""


@dataclass(frozen=True)
class StartChild:
    """Opens a call of the tool `agent`: a child run whose id is recorded before it begins."""

    ports: RunPorts
    registry: Registry

    def __call__(self, key: RunKey, state: RunState, call: ToolCall, tool: BoundTool) -> None:
        """Start the child once, or return why there is none.

        time →   first:  mark child ✓ ─ ✗ dies          again: the mark names the child: start it by that name
                 cancel: ended ✓ ─ reads marks          we: mark ✓ ─ look: ended → no start
        """
        start_once(self.ports, key, call, lambda run: self._start(key, state, call, tool, run))

    def _start(self, key: RunKey, state: RunState, call: ToolCall, tool: BoundTool, run: str) -> None:
        task: Task = read_arguments(tool, call)
        above = state.start.parent
        ancestors = (*(above.ancestors if above else ()), state.agent.agent)
        depth = (above.depth if above else 0) + 1
        agent = startable_agent(
            self.registry, key.tenant, tool.settings.agent, tool.settings.version
        ).definition
        check_descent(agent.id, ancestors, depth)
        answers = inherited(answers_of(state.start), agent)
        Start(self.ports, self.registry).launch(
            Caller(tenant=key.tenant, principal=state.start.principal),
            Launch(
                agent=agent,
                given=task.input,
                answers=answers,
                said=StartOptions(priority=state.start.priority),
                run=run,
                cost_limit_usd_micros=share_of_child(state),
                parent=Parent(
                    run=key.run,
                    call=call.id,
                    tool=call.tool,
                    depth=depth,
                    ancestors=ancestors,
                    budgets=state.run_budgets,
                ),
            ),
        )


def start_once(ports: RunPorts, key: RunKey, call: ToolCall, start: Callable[[str], None]) -> None:
    """Start the run that a call asks for, by the id in its mark; a refusal answers the call."""
    run = _name_of_child(ports, key, call)
    if run is None:
        return
    try:
        start(run)
    except (CallerError, ModelFault, PolicyStop) as error:
        answer_call(ports, key, failed(call, error.code, error.detail))


def _name_of_child(ports: RunPorts, key: RunKey, call: ToolCall) -> str | None:
    """Record, or find, the id of the run that a call starts; None if no longer wanted."""
    item = ports.journal.mark_started(key, call.id, ports.ids.new("run"))
    found = item or ports.journal.call(key, call.id)
    return None if found is None or found.result else found.started_by


def check_descent(agent: str, ancestors: tuple[str, ...], depth: int) -> None:
    """Refuse runs that would start each other endlessly, in a circle or in depth."""
    if agent in ancestors:
        path = " → ".join((*ancestors, agent))
        raise NotAllowed(f"the agents would ask each other in a circle: {path}.", field="agent")
    if depth > DEEPEST:
        raise NotAllowed(f"agents may ask each other {DEEPEST} deep, this would be {depth}.", field="agent")


def share_of_child(state: RunState) -> int | None:
    """Divide what the parent may still spend among the children that it starts at once."""
    limit = state.start.cost_limit_usd_micros
    if limit is None or state.parked is None:
        return limit
    spent = state.ledger.spent_usd_micros + state.ledger.children_usd_micros
    return max(1, (limit - spent) // max(1, len(state.parked.calls)))


def children_of(state: RunState) -> Iterator[str]:
    """Return the ids of the runs that a run waits for."""
    for call in state.pending.reply.calls if state.pending else ():
        item = state.calls.get(call.id)
        if item and item.result is None and (item.started_by or "").startswith("run_"):
            yield str(item.started_by)
