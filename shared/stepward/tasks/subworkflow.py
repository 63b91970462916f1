"""Runs another workflow as one task, so that large graphs are made of small ones that people can read."""

from __future__ import annotations

from pydantic import AliasChoices, Field

from stepward.domain.durations import A_YEAR_S
from stepward.domain.ids import AgentId, VersionOrLabel
from stepward.tasks.agent import given_of
from stepward.tasks.base import ChildRun, Place, Ready, TaskContext, TaskSettings, TaskType


class SubworkflowSettings(TaskSettings):
    """Which workflow; without a version the newest at the time of the call."""

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
    place = Place.AWAITED
    settings = SubworkflowSettings
    typical_ms = 30_000

    def most_seconds(self, settings: SubworkflowSettings) -> int | None:
        """The other workflow's own time ends it; a year is the most that it may have."""
        del settings
        return A_YEAR_S

    def open(self, ready: Ready[SubworkflowSettings], context: TaskContext) -> None:
        """Start the run."""
        child = ChildRun(ready.settings.workflow, ready.settings.version, given_of(ready.inputs))
        context.reach.start_workflow(context.place, child)
