"""Agents and workflows in one world, where workflows' tasks start runs of agents that are really advanced."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from stepward.agents.start import Start
from stepward.domain.budgets import BudgetRef, BudgetScope
from stepward.domain.run_state import fold
from stepward.domain.runs import RunKey
from stepward.workflows.runs.child_runs import ChildRuns
from stepward.workflows.runs.notify import NotifyEnd
from stepward.workflows.runs.outside_answers import AnswerTask
from tests.support.builders import an_agent_body
from tests.support.driver import World
from tests.support.workflow_world import WorkflowWorld

SUM = {"call": [{"tool": "calculate", "arguments": {"expression": "6 * 7"}}]}
RESERVE = 2_560
"""More than one call of the agent reserves, and much more than it costs."""


class Joint:
    """Workflows whose agents are real runs, advanced a turn at a time in the order that a test says."""

    def __init__(self, **body: Any) -> None:
        self.agents, self.flows = World(time_left_s=lambda: 0.0), WorkflowWorld()
        self.agents.ports = replace(self.agents.ports, tasks=AnswerTask(self.flows.ports))
        turns = {"turns": [SUM, SUM, {"say": "42"}]}
        limits = {"max_output_tokens": 50}
        tools = [{"tool": "calculate"}]
        self.agents.register(an_agent_body(tools=tools, limits=limits, rehearsal=turns, model="deep", **body))
        self.flows.reach.of = self._reach  # type: ignore[assignment,method-assign]
        self.flows._tell = NotifyEnd(self.agents.ports, self.agents.told)  # type: ignore[method-assign]

    def _reach(self, key: RunKey) -> ChildRuns:
        start = Start(self.agents.ports, self.agents.registry)
        return ChildRuns(self.flows.ports, key, start, self.flows.starter, _never, _never)

    def begin(self, agents: int, limit_usd: str | None, **said: Any) -> RunKey:
        tasks = [{"id": f"a{n}", "type": "agent", "agent": "helper", **said} for n in range(agents)]
        self.flows.register(
            tasks, on_error="continue", **({"cost_limit_usd": limit_usd} if limit_usd else {})
        )
        key = self.flows.start()
        self.settle_down()
        return key

    def settle_down(self) -> None:
        """Let all machines go on until they wait for agents, which takes them no time."""
        loop = self.flows.loop
        loop.run(until=lambda: loop._due[0][0] > loop.now_s)

    @property
    def open(self) -> list[RunKey]:
        return [head.key for head in self.agents.runtime.heads.values() if not head.ended]

    def carry(self, order: Callable[[list[RunKey]], RunKey]) -> None:
        """Advance agents until none is left."""
        while found := self.open:
            self.agents.serve()
            self.agents.advance(order(found))
            self.settle_down()

    def spent(self) -> int:
        keys = list(self.agents.runtime.heads)
        return sum(fold(self.agents.journal.load(key)).ledger.spent_usd_micros for key in keys)

    def left(self, key: RunKey, limit: int = 0) -> int:
        """What remains; all of the limit where nobody has drawn yet."""
        head = self.flows.runs.head(key)
        assert head is not None
        ref = BudgetRef(scope=BudgetScope.RUN, id=key.run, period=head.created_at[:10])
        state = self.agents.runtime.budgets.states("acme", [ref]).get(ref)
        return state.remaining_usd_micros if state else limit


def _never(*said: Any) -> str:
    raise AssertionError(said)
