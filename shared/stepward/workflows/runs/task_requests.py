"""Define what a state machine sends to the function that executes its tasks."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stepward.domain.chunks import Chunk
from stepward.domain.run_origins import Compensation
from stepward.domain.runs import RunKey


class RunIdentity(BaseModel):
    """Whose run it is, and of what: the execution's input."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    v: Literal[1]
    tenant: str
    run: str
    workflow: str
    version: str
    chunk: Chunk | None = None
    """Of an execution that runs some items of a large foreach: which."""
    undo: Compensation | None = None
    """Of an execution that only undoes what the run had done before its own was over."""

    @property
    def key(self) -> RunKey:
        """The run's name within its tenant."""
        return RunKey(tenant=self.tenant, run=self.run)


class ItemRange(BaseModel):
    """The items of a chunk that is to run in an execution of its own, counted from 0."""

    model_config = ConfigDict(extra="ignore", defer_build=True)

    first: int
    last: int


class TaskRequest(BaseModel):
    """One entry of a state. `step` says which of a task's several states it is, or that the run is to be settled.

    Whose run it is and how often the state was tried stand in the machine's own `context`; machines of versions that
    were made before say `run`, `try` and `entered` themselves.
    """

    model_config = ConfigDict(extra="ignore", populate_by_name=True, defer_build=True)

    run: RunIdentity
    task: str = ""
    join: str = ""
    """Of an await that the room makes: the name of its state."""
    at: str = ""
    step: Literal["done", "decide", "chunk", "wait", "settle"] | None = None
    tries: int = Field(default=0, alias="try")
    """How often the state was entered before because an entry failed."""
    chunk: ItemRange | None = None
    token: str | None = None
    entered: str | None = None
    state: dict[str, Any] | None = None
    """What the settle state was given: an error if one ended the run early."""
    fails: bool = False
    """Whether the settle state fails with the run; machines of versions that were made before do not."""

    @property
    def made(self) -> str:
        """When the machine made the token, so that tokens of one state sort; empty from machines that do not say."""
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
