"""Who answers a run's model calls, and whether that is charged: said at its start, decided once, kept in its journal."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class AnswerChoice(BaseModel):
    """What a start says about it; what is not said, the stage decides.

    `rehearse` is whether the rehearsal answers in the model's place, `charge` whether a rehearsed run draws on budgets and
    counts among the costs as one that a model answers does.
    """

    model_config = ConfigDict(extra="forbid")

    rehearse: bool | None = Field(default=None, strict=True, exclude_if=lambda said: said is None)
    charge: bool | None = Field(default=None, strict=True, exclude_if=lambda said: said is None)


class Answers(BaseModel):
    """The decision. What a model answers is always charged."""

    model_config = ConfigDict(frozen=True)

    rehearsed: bool
    charged: bool = True
