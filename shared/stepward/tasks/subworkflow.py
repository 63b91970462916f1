"""The task type `subworkflow`: starts another workflow's run and waits for its output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import AliasChoices, Field

from stepward.domain.durations import A_YEAR_S
from stepward.domain.ids import AgentId, VersionOrLabel
from stepward.domain.workflows import TaskDefinition
from stepward.tasks.agent import given_of, versioned
from stepward.tasks.base import Ready, TaskSettings, TaskType
from stepward.tasks.context import ChildRun, TaskContext
from stepward.tasks.facts import Picture, Starts, Step


class SubworkflowSettings(TaskSettings):
    """The workflow and its version; by default the newest when the task starts."""

    workflow: AgentId = Field(
        validation_alias=AliasChoices("workflow", "workflow_id"),
        description="The id of the workflow that runs; its input is `with`, or `with.input` where that is all of it.",
    )
    version: VersionOrLabel | None = Field(
        default=None, description="Its version; without one the newest when the task starts."
    )


class SubworkflowTask(TaskType[SubworkflowSettings]):
    """Runs a workflow; the output is that run's."""

    name = "subworkflow"
    purpose = "Runs another workflow on the task's inputs and brings its output."
    example: ClassVar[Mapping[str, Any]] = {"workflow": "other", "version": "latest"}
    settings = SubworkflowSettings
    steps = (Step.AWAIT,)
    picture = Picture(
        "#3e63dd", "M4 4h6.5v6.5H4zM13.5 13.5H20V20h-6.5zM10.5 7.25h3.25a3 3 0 0 1 3 3v3.25", ("[[", "]]")
    )
    markers = ("workflow",)
    typical_ms = 30_000
    starts = Starts.WORKFLOW

    def most_seconds(self, settings: SubworkflowSettings) -> int | None:
        """Return a year, the most that the other workflow's own time limit may be."""
        del settings
        return A_YEAR_S

    def child(self, settings: SubworkflowSettings) -> ChildRun | None:
        """Return the workflow's run."""
        return ChildRun(settings.workflow, settings.version)

    def reaches(self, settings: SubworkflowSettings) -> Iterator[tuple[str, str]]:
        """Yield the workflow."""
        yield "workflows", versioned(settings.workflow, settings.version)

    def caption(self, task: TaskDefinition, settings: SubworkflowSettings) -> str:
        """Return the workflow's name."""
        del task
        return f"subworkflow {settings.workflow}"

    def open(self, ready: Ready[SubworkflowSettings], context: TaskContext) -> None:
        """Start the run."""
        child = self.child(ready.settings)
        assert child is not None
        context.starter.start_workflow(context.place, replace(child, given=given_of(ready.inputs)))
