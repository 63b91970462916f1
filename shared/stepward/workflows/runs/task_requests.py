"""Define what a state machine sends to the function that executes its tasks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stepward.domain.chunks import Chunk
from stepward.domain.run_origins import Compensation
from stepward.domain.runs import RunMessage


class RunIdentity(RunMessage):
    """A run and its version: the execution's input."""

    workflow: str
    version: str
    chunk: Chunk | None = None
    """The chunk, in an execution that runs some items of a large foreach."""
    undo: Compensation | None = None
    """The compensation, in an execution that only compensates a run whose own is over."""


class ItemRange(BaseModel):
    """The items of a chunk, counted from 0, that an execution of its own is to run."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    first: int
    last: int


class TaskRequest(BaseModel):
    """One entry of a state.

    `step` says which of a task's several states it is, or that the run is to be finalized. The run and the number of
    retries are in the machine's own `context`; machines of earlier versions pass `run`, `try` and `entered` themselves.
    """

    model_config = ConfigDict(extra="ignore", populate_by_name=True, defer_build=True)

    run: RunIdentity
    task: str = ""
    join: str = ""
    """The name of the state, for an await whose token the function stores."""
    at: str = ""
    step: Literal["done", "decide", "chunk", "wait", "settle"] | None = None
    tries: int = Field(default=0, alias="try")
    """How often the state was retried."""
    chunk: ItemRange | None = None
    token: str | None = None
    entered: str | None = None
    state: dict[str, Any] | None = None
    """The input of the last state: an error if one ended the run early."""
    fails: bool = False
    """Whether the last state fails with the run; machines of earlier versions do not set it."""

    @property
    def made(self) -> str:
        """When the machine made the token, so that tokens of one state sort; "" if unknown."""
        return f"{self.entered}#{self.tries:06d}" if self.entered else ""

    @model_validator(mode="before")
    @classmethod
    def _of_context(cls, said: Any) -> Any:
        context = said.get("context") if isinstance(said, dict) else None
        if not isinstance(context, dict):
            return said
        state = context.get("State", {})
        found = {"run": context.get("Execution", {}).get("Input"), "try": state.get("RetryCount", 0)}
        return {**found, "entered": state.get("EnteredTime"), **said}
