"""Asks a person: the run waits without a slot for the decision, or until the time is over."""

from __future__ import annotations

import json
from typing import Any, Final

from pydantic import Field, field_validator

from stepward.domain.approvals import Asking
from stepward.domain.errors import Bug
from stepward.domain.tools import Effect, Placement
from stepward.tools.base import Arguments, Settings, Tool, ToolContext

DETAILS_LIMIT_BYTES: Final = 50_000


class AskingSettings(Settings, Asking):
    """Whom to ask, for how long, and with which form."""


class Question(Arguments):
    """What the person is to decide."""

    question: str = Field(
        min_length=1, max_length=2_000, description="What is to be decided, in words that stand alone."
    )
    details: str | dict[str, Any] | None = Field(
        default=None, description="What the person must know to decide: a text or an object."
    )

    @field_validator("details")
    @classmethod
    def _readable(cls, value: Any) -> Any:
        size = len(json.dumps(value, ensure_ascii=False).encode())
        if size > DETAILS_LIMIT_BYTES:
            raise ValueError(f"they take {size} bytes, the limit is {DETAILS_LIMIT_BYTES}; say less")
        return value


class AskPerson(Tool[AskingSettings, Question]):
    """Opens an approval and answers with the decision."""

    name = "ask_person"
    description = (
        "Asks a person to approve or deny something and waits for the answer, which may take days. "
        "Answers the decision, who made it and when, a comment, and the form that was filled in."
    )
    effect = Effect.ONCE
    placement = Placement.AWAITED
    settings = AskingSettings
    arguments = Question

    def timeout_with(self, settings: AskingSettings) -> float:
        """Return the time that the agent gives people."""
        return settings.timeout_s

    def run(self, arguments: Question, settings: AskingSettings, context: ToolContext) -> Any:
        """Raise: `dispatch` opens the approval instead, and the decision is the answer."""
        del arguments, settings, context
        raise Bug("a person is asked by dispatch, not run as a tool")
