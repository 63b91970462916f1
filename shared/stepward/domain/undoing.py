"""A run whose execution ended early is undone in an execution of its own."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from stepward.domain.runs import RunError


class Undoing(BaseModel):
    """One execution that does nothing but undo what a run had done, and then end the run."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Of the execution, behind the run's own."""
    error: RunError
    """Why the run ended."""
