"""The origin of a run: its caller, the run that waits for it, or its fork's source."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.run_queue import RunBudget
from stepward.domain.runs import RunError
from stepward.domain.task_records import TaskPlace


class Parent(BaseModel):
    """The run that waits for this one: its call or task, and the ancestors with budgets."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    run: str
    call: str
    tool: str
    depth: int
    ancestors: tuple[str, ...]
    task: TaskPlace | None = None
    budgets: tuple[RunBudget, ...] = Field(default=(), exclude_if=lambda found: not found)


class Fork(BaseModel):
    """The origin of a run that continues another one's turn, and what was changed.

    `prompt` and `model` are those of `agent`, which carried the run on at that turn; `results` names the
    calls whose results were replaced; `family` are the runs whose journals this one shares, the nearest
    first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    run: str
    turn: int
    agent: str | None = None
    prompt: str | None = None
    model: str | None = None
    results: tuple[str, ...] = ()
    family: tuple[str, ...] = ()

    @property
    def edits(self) -> dict[str, str]:
        """What differs from the agent's definition."""
        return {name: value for name, value in (("prompt", self.prompt), ("model", self.model)) if value}


@dataclass(frozen=True)
class Caller:
    """The authenticated caller: from the authorizer, never from the request."""

    tenant: str
    principal: str


_AGENT = "agent:"
_WORKFLOW = "workflow:"


def above_workflow(above_agent: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ancestors of a workflow's run that an agent's run starts."""
    return _turned(above_agent, _AGENT, _WORKFLOW)


def above_agent(above_workflow: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ancestors of an agent's run that a workflow's run starts."""
    return _turned(above_workflow, _WORKFLOW, _AGENT)


def _turned(names: tuple[str, ...], plain: str, marked: str) -> tuple[str, ...]:
    return tuple(name.removeprefix(marked) if name.startswith(marked) else f"{plain}{name}" for name in names)


class Compensation(BaseModel):
    """One execution that only compensates a run, and then ends it."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    name: str
    """The execution's name, appended to the run's."""
    error: RunError
    """Why the run ended."""
