"""Where a run comes from that no caller started: the run that waits for it, or the one whose turn it goes on from."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.line import RunBudget
from stepward.domain.task_records import TaskPlace


class Parent(BaseModel):
    """The run that waits for this one: which call or task of it, how deep this is, which agents and budgets are above."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    call: str
    tool: str
    depth: int
    ancestors: tuple[str, ...]
    task: TaskPlace | None = None
    budgets: tuple[RunBudget, ...] = Field(default=(), exclude_if=lambda found: not found)


class Fork(BaseModel):
    """Where a run comes from that goes on from another one's turn, and what was changed on the way.

    `prompt` and `model` are those of `agent`, who carried the run on at that turn; `results` names the calls whose
    results were replaced; `family` are the runs whose journals this one shares, the nearest first.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

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
