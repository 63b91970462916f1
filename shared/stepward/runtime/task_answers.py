"""Where answers for workflows' tasks go; what that needs is loaded when the first of them comes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepward.domain.task_records import TaskPlace, TaskRecord
    from stepward.ports.tasks import TaskOutcome
    from stepward.workflows.runs.outside_answers import AnswerTask


class Answers:
    """The tasks that wait for somebody outside; loaded when the first of them is answered."""

    def answer(self, tenant: str, run: str, place: TaskPlace, outcome: TaskOutcome) -> TaskRecord | None:
        """Answer a task."""
        return _answer_case().answer(tenant, run, place, outcome)

    def waits(self, tenant: str, run: str, place: TaskPlace) -> bool:
        """Tell whether a task still waits."""
        return _answer_case().waits(tenant, run, place)


def _answer_case() -> AnswerTask:
    from stepward.runtime.workflow_wiring import answer_case  # noqa: PLC0415  most runs are no task's

    return answer_case()
