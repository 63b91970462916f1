"""What a task type says of itself in data: its states, its picture, its branches, and who answers it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from stepward.domain.bounds import Bound, exactly
from stepward.domain.footprint import MARK, Units
from stepward.expressions.evaluate import is_expression

# How it runs.


class Step(StrEnum):
    """What a state of a task does; a type lists its own in order, and a group has none."""

    CALL = "call"
    """Calls `task_run`, which does the work and keeps the outcome."""
    AWAIT = "await"
    """Calls `task_run` with a token, and waits until somebody answers it."""
    BEGIN = "begin"
    """Calls `task_run`, which tells the states behind it what there is to do."""
    PAUSE = "pause"
    """Lets the settings' `left_s` pass without anything running."""
    ITEMS = "items"
    """Runs the tasks within once for each of the settings' `items`, side by side."""
    ROUNDS = "rounds"
    """Runs the tasks within until the settings' `until` holds, one round after another."""
    KEEP = "keep"
    """Calls `task_run` once more, which keeps what came of the states before."""


class Starts(StrEnum):
    """Of what a task starts a run that answers it."""

    AGENT = "agent"
    WORKFLOW = "workflow"


@dataclass(frozen=True)
class Branch:
    """Tasks that run only if a task's output is this answer; `field` is the setting that names them."""

    field: str
    answer: bool
    tasks: tuple[str, ...]


# What it takes of AWS beside its states and its record.


@dataclass(frozen=True)
class Answered:
    """Who takes the answer to an awaited task from outside; a run that answers counts its own."""

    function: str
    requests: Bound
    """How often it is called by HTTP: to look at what is asked, and to answer."""
    has_authorizer: bool = True
    is_approval: bool = False
    """Whether an approval is kept: who is asked, that they were told, and what was decided."""

    @property
    def calls(self) -> Bound:
        """Functions that are called for it, the authorizer included."""
        return self.requests * exactly(1 + self.has_authorizer)


def beside(steps: tuple[Step, ...]) -> Units:
    """Count what is kept of a task that runs beside its record and its mark: the items of a list."""
    return MARK if Step.ITEMS in steps else Units()


# How it is drawn.


LABEL_CHARS: Final = 22


@dataclass(frozen=True)
class Picture:
    """Colour, sign and shape of a type's tasks."""

    color: str
    sign: str
    """A path in a square of 24."""
    shape: tuple[str, str] = ("[", "]")
    """The brackets of a node in Mermaid."""


def short(text: str, chars: int = LABEL_CHARS) -> str:
    """Cut a text to a length, an expression without its brackets."""
    bare = text.strip()[2:-2].strip() if is_expression(text) else text
    return bare if len(bare) <= chars else bare[: chars - 1] + "…"
