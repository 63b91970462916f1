"""An agent's whole life in memory, with the calls of its registry counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from stepward.agents.lifecycle import Labels, Lifecycle
from stepward.agents.lookup import ListAgents
from stepward.agents.register import Register
from stepward.domain.agent_records import AgentSummary
from tests.support.builders import an_agent_body
from tests.support.driver import World


class Counted:
    """A registry that counts what it is asked."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.calls: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)

        def counted(*said: Any, **more: Any) -> Any:
            self.calls[name] += 1
            return found(*said, **more)

        return counted


@dataclass
class Life:
    """The use cases of definitions over one world; `registry` is asked by all of them."""

    world: World = field(default_factory=World)
    registry: Any = None

    def __post_init__(self) -> None:
        self.registry = self.registry or Counted(self.world.registry)
        self.labels = Labels(self.registry, self.world.clock)
        self.lists = ListAgents(self.registry)

    @property
    def lifecycle(self) -> Lifecycle:
        register = Register(self.registry, self.world.clock, (), suffix=lambda: "A1B2")
        return Lifecycle(self.registry, self.world.runtime, self.world.clock, register)

    def register(self, **changed: Any) -> AgentSummary:
        return self.lifecycle.register("acme", an_agent_body(**changed))[0]

    def show(self, agent: str = "helper", version: str | None = None) -> dict[str, Any]:
        return self.lifecycle.show("acme", agent, version)

    def move(self, to: str, agent: str = "helper") -> dict[str, Any]:
        return self.lifecycle.move("acme", agent, {"to": to})

    def end(self, agent: str = "helper") -> dict[str, Any]:
        return self.lifecycle.terminate("acme", agent)
