"""Facts that a task type declares: its states, picture, branches, and how it is answered."""

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
    """Calls `task_run`, which does the work and records the outcome."""
    AWAIT = "await"
    """Calls `task_run` with a token, and waits for the answer."""
    BEGIN = "begin"
    """Calls `task_run`, which returns what the next states do."""
    PAUSE = "pause"
    """Waits for the settings' `left_s` without a function."""
    ITEMS = "items"
    """Runs the tasks within once for each of the settings' `items`, in parallel."""
    ROUNDS = "rounds"
    """Runs the tasks within until the settings' `until` holds, one iteration after another."""
    KEEP = "keep"
    """Calls `task_run` again, which records the outcome of the states before."""


class Starts(StrEnum):
    """The kind of run that answers a task."""

    AGENT = "agent"
    WORKFLOW = "workflow"


@dataclass(frozen=True)
class Branch:
    """Tasks that run only for one answer; `field` is the setting that names them."""

    field: str
    answer: bool
    tasks: tuple[str, ...]


# What it takes of AWS beside its states and its record.


@dataclass(frozen=True)
class Answered:
    """The function that takes the answer to an awaited task from outside."""

    function: str
    requests: Bound
    """The number of HTTP calls: to show the question, and to answer it."""
    has_authorizer: bool = True
    is_approval: bool = False
    """Whether an approval is stored, with its notifications and its decision."""

    @property
    def calls(self) -> Bound:
        """The number of function calls, those of the authorizer included."""
        return self.requests * exactly(1 + self.has_authorizer)


def beside(steps: tuple[Step, ...]) -> Units:
    """Return the writes of a task beside its record and its mark: the items of a list."""
    return MARK if Step.ITEMS in steps else Units()


# How it is drawn.


LABEL_CHARS: Final = 22


@dataclass(frozen=True)
class Picture:
    """Colour, sign and shape of a type's tasks."""

    color: str
    sign: str
    """An SVG path in a square of 24."""
    shape: tuple[str, str] = ("[", "]")
    """The brackets of a node in Mermaid."""


def short(text: str, chars: int = LABEL_CHARS) -> str:
    """Cut a text to a length; of an expression the brackets are left out."""
    bare = text.strip()[2:-2].strip() if is_expression(text) else text
    return bare if len(bare) <= chars else bare[: chars - 1] + "…"
