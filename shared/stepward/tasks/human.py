"""The task type `human`: asks a person to approve, or to fill in a form.

While the question is open nothing runs and no slot is held.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final, Literal

from pydantic import Field, ValidationError

from stepward.domain.approval_forms import Form
from stepward.domain.approvals import A_WEEK_S, SHORTEST_S, Asking
from stepward.domain.bounds import Bound
from stepward.domain.errors import ApprovalDenied
from stepward.domain.ids import PRINCIPAL_PATTERN
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.base import Ready, SettingFault, TaskSettings, TaskType
from stepward.tasks.context import Question, TaskContext
from stepward.tasks.facts import Answered, Picture, Step

Principals = tuple[str, ...]
ANYBODY: Final = "anybody who may approve"


class HumanSettings(TaskSettings):
    """The question, who may answer it, and what happens when that takes long."""

    question: str = Field(min_length=1, max_length=2_000, description="What the person is asked.")
    details: Any = Field(default=None, description="What the person is shown beside the question.")
    approvers: Principals = Field(
        default=(), description="The principals who may decide; without any, everybody of the tenant."
    )
    not_requester: bool = Field(
        default=True,
        strict=True,
        description="Whether the one who started the run may not decide, which is the rule unless this is false.",
    )
    form: Form = Field(default=(), description="What the person fills in.")
    on_deny: Literal["fail", "continue"] = Field(
        default="fail",
        description="What a no does: `fail` the task, or `continue` and let the next tasks look at the decision.",
    )
    reminder_after_s: int | None = Field(
        default=None, strict=True, ge=60, description="After how many seconds a reminder is sent."
    )
    escalate_after_s: int | None = Field(
        default=None, strict=True, ge=60, description="After how many seconds `escalate_to` may decide too."
    )
    escalate_to: Principals = Field(
        default=(), description="The principals who may decide too from `escalate_after_s` on."
    )


class HumanTask(TaskType[HumanSettings]):
    """Waits for a decision.

    The output is the decision, who made it, when, and what was filled in.
    """

    name = "human"
    purpose = "Asks a person to approve or to fill in a form, with reminders and escalation."
    example: ClassVar[Mapping[str, Any]] = {
        "question": "Sure?",
        "approvers": ["sam"],
        "timeout_s": 60,
        "form": [{"name": "sum", "type": "number", "required": True}],
    }
    settings = HumanSettings
    steps = (Step.AWAIT,)
    picture = Picture(
        "#c98a00",
        "M12 11.5a3.8 3.8 0 1 0 0-7.6 3.8 3.8 0 0 0 0 7.6zM4.8 20c.6-4 3.4-5.6 7.2-5.6s6.6 1.6 7.2 5.6",
        ("[/", "/]"),
    )
    markers = ("question",)
    typical_ms = 3_600_000
    answered = Answered("approvals_api", Bound(least=0, expected=1, most=3), is_approval=True)
    expressions = ("question", "details")
    needs_timeout = True

    def faults(self, task: TaskDefinition, settings: HumanSettings) -> Iterator[SettingFault]:
        """Yield invalid principals, and settings that an approval would refuse."""
        wrong = [
            SettingFault(field, f"{name!r} is not a principal", "use letters, digits and @._-")
            for field in ("approvers", "escalate_to")
            for name in getattr(settings, field)
            if not re.fullmatch(PRINCIPAL_PATTERN, name)
        ]
        yield from wrong or _unaskable(task, settings)

    def requires_approval(self, settings: HumanSettings) -> bool:
        """Return whether a denial fails the task."""
        return settings.on_deny == "fail"

    def reaches(self, settings: HumanSettings) -> Iterator[tuple[str, str]]:
        """Yield those who may decide."""
        asked = [*settings.approvers, *settings.escalate_to]
        yield from (("people", name) for name in asked or [ANYBODY])

    def caption(self, task: TaskDefinition, settings: HumanSettings) -> str:
        """Return that a person is asked."""
        del task, settings
        return "asks a person"

    def open(self, ready: Ready[HumanSettings], context: TaskContext) -> None:
        """Open the approval."""
        asked = ready.settings
        details = asked.details if isinstance(asked.details, str | None) else _as_json(asked.details)
        context.starter.ask_person(
            context.place,
            Question({**_own(asked), "timeout_s": ready.task.timeout_s}, str(asked.question), details),
        )

    def accept(self, settings: HumanSettings, answer: Any) -> None:
        """Treat a denial as a failure, unless `on_deny` is `continue`.

        Raises:
            ApprovalDenied: The person denied it.
        """
        said_no = isinstance(answer, dict) and answer.get("decision") == "deny"
        if said_no and settings.on_deny == "fail":
            raise ApprovalDenied(f"denied by {answer.get('by', 'a person')}.")


def _own(asked: HumanSettings) -> dict[str, Any]:
    """Return the settings that an approval has by the same names."""
    return asked.model_dump(mode="json", exclude={"question", "details", "on_deny"}, exclude_none=True)


def _unaskable(task: TaskDefinition, settings: HumanSettings) -> Iterator[SettingFault]:
    """Find settings that an approval would refuse, which would fail the task when it runs."""
    try:
        Asking.model_validate({**_own(settings), "timeout_s": max(SHORTEST_S, task.timeout_s or A_WEEK_S)})
    except ValidationError as error:
        for one in error.errors():
            said = one["msg"].removeprefix("Value error, ")
            named = re.search(r"`(\w+)`", said)
            field = ".".join(map(str, one["loc"])) or (named[1] if named else "question")
            yield SettingFault(field, said, f"change `{field}`, or take it out")


def _as_json(details: Any) -> str:
    return json.dumps(details, ensure_ascii=False, indent=2)
