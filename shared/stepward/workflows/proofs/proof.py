"""Define a proof: whether a property holds and, if not, a path that violates it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from pydantic import BaseModel, ConfigDict

from stepward.domain.programs import Program
from stepward.domain.workflows import WorkflowDefinition
from stepward.workflows.compiler.compile import Compiled, compile_workflow


class Proof(BaseModel):
    """One property of a version, with its result.

    `is_required` means that the document's policy asks for it, or that nothing may run without it.
    """

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    holds: bool
    is_required: bool
    counter_example: tuple[str, ...] = ()
    """Paths of tasks, in the order in which a run would reach them."""
    words: str


@dataclass(frozen=True)
class Subject:
    """The version that is examined; it is compiled when a proof first asks for that."""

    definition: WorkflowDefinition
    given: Compiled | None = None

    @cached_property
    def compiled(self) -> Compiled:
        """The compiled version."""
        return self.given or compile_workflow(self.definition)

    @property
    def program(self) -> Program:
        """The program of the compiled version."""
        return self.compiled.program


def trail(came_from: dict[str, str], last: str) -> tuple[str, ...]:
    """Return the path of a search to its end, by predecessors; that of the first is ""."""
    way = [last]
    while came_from[way[-1]]:
        way.append(came_from[way[-1]])
    return tuple(reversed(way))


def shown(path: tuple[str, ...]) -> str:
    """Format a path for people."""
    return " → ".join(path)
