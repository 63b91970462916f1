"""What runs cost by what is registered: an agent's estimate, and the plan of a workflow that another one runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from stepward.agents.estimate import Estimated, Figures
from stepward.agents.find import find_agent
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import CallerError
from stepward.ports.registry import Registry
from stepward.workflow.limits import DEEPEST_NESTING
from stepward.workflow.planning.costs import UNKNOWN, Money
from stepward.workflow.planning.diff import Version
from stepward.workflow.planning.plan import plan

Read = Callable[[str, str | None], Version]
EstimateAgent = Callable[[str, AgentDefinition, object], Estimated]


@dataclass(frozen=True)
class KnownCosts:
    """One tenant's; each agent and workflow is asked for once. `above` are the workflows that it is asked from."""

    tenant: str
    agents: Registry
    estimate: EstimateAgent
    read: Read
    above: tuple[str, ...] = ()
    _agents: dict[tuple[str, str | None], Estimated | None] = field(default_factory=dict)
    _workflows: dict[tuple[str, str | None], Money] = field(default_factory=dict)

    def of_agent(self, agent: str, version: str | None, limit_usd_micros: int | None) -> Money:
        """An agent's estimate on an empty input; its own limit and the task's bound what its model may cost."""
        key = (agent, version)
        if key not in self._agents:
            self._agents[key] = self._estimated(agent, version)
        found = self._agents[key]
        if found is None:
            return UNKNOWN.model_copy(update={"most_usd_micros": limit_usd_micros})
        limits = [one for one in (limit_usd_micros, found.cost_limit_usd_micros) if one is not None]
        most = min(found.most.model_usd_micros, *limits) + found.most.aws_usd_micros
        return Money(
            least_usd_micros=min(_both(found.least), most),
            expected_usd_micros=min(_both(found.expected), most) if found.expected else None,
            most_usd_micros=most,
        )

    def of_workflow(self, workflow: str, version: str | None) -> Money:
        """The other workflow's own plan; one that runs in a circle costs nothing, since its run is refused."""
        if workflow in self.above or len(self.above) >= DEEPEST_NESTING:
            return Money()
        key = (workflow, version)
        if key not in self._workflows:
            self._workflows[key] = self._planned(workflow, version)
        return self._workflows[key]

    def _estimated(self, agent: str, version: str | None) -> Estimated | None:
        try:
            found = find_agent(self.agents, self.tenant, agent, version)
            return self.estimate(self.tenant, found.definition, {})
        except CallerError:
            return None

    def _planned(self, workflow: str, version: str | None) -> Money:
        try:
            found = self.read(workflow, version)
        except CallerError:
            return UNKNOWN
        inner = replace(self, above=(*self.above, workflow), _workflows={})
        return plan(found.definition, found.compiled, inner).cost


def _both(figures: Figures) -> int:
    return figures.model_usd_micros + figures.aws_usd_micros
