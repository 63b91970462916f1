"""Define a proof: whether a property holds and, if not, the path that breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from stepward.domain.programs import Program
from stepward.domain.workflows import WorkflowDefinition
from stepward.workflows.compiler.compile import Compiled, compile_workflow


class Proof(BaseModel):
    """One property. `is_required` tells that the document's policy asks for it, or that nothing may run without it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    holds: bool
    is_required: bool
    counter_example: tuple[str, ...] = ()
    """Paths of tasks, in the order in which a run would come to them."""
    words: str


@dataclass(frozen=True)
class Subject:
    """The version that is looked at; it is compiled when a proof first asks for that."""

    definition: WorkflowDefinition
    given: Compiled | None = None

    @cached_property
    def compiled(self) -> Compiled:
        """The version as it was compiled."""
        return self.given or compile_workflow(self.definition)

    @property
    def program(self) -> Program:
        """What its rooms read."""
        return self.compiled.program


def trail(came_from: dict[str, str], last: str) -> tuple[str, ...]:
    """Return the way by which a search came to its end, the first first; the first came from ""."""
    way = [last]
    while came_from[way[-1]]:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def shown(path: tuple[str, ...]) -> str:
    """Spell a way for people."""
    return " → ".join(path)
