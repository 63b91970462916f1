"""Runs a workflow: a run of its own, for which the calling run waits without a slot."""

from __future__ import annotations

import re
from typing import Any

from pydantic import Field, field_validator

from stepward.domain.durations import A_YEAR_S
from stepward.domain.errors import Bug
from stepward.domain.ids import VERSION_PATTERN, AgentId
from stepward.domain.tools import Effect, Placement
from stepward.tools.base import Arguments, Settings, Tool, ToolContext


class WorkflowSettings(Settings):
    """Which workflow; without a version, or with latest, the newest at the time of the call."""

    workflow: AgentId
    version: str | None = None

    @field_validator("version")
    @classmethod
    def _is_number_or_latest(cls, version: str | None) -> str | None:
        if version in (None, "latest") or re.fullmatch(VERSION_PATTERN, str(version)):
            return version
        raise ValueError("a workflow's version is a number as in 1.2.0, or latest: it has no labels")


class Given(Arguments):
    """What the workflow is to work on."""

    input: str | dict[str, Any] = Field(
        default_factory=dict, description="The input: an object if the workflow wants one, else a text."
    )


class RunWorkflow(Tool[WorkflowSettings, Given]):
    """Starts a workflow's run and answers with its end."""

    name = "workflow"
    description = "Runs a workflow and answers with its output."
    effect = Effect.ONCE
    placement = Placement.AWAITED
    timeout_s = A_YEAR_S
    settings = WorkflowSettings
    arguments = Given

    def described_with(self, settings: WorkflowSettings) -> str:
        """Describe the tool with the workflow's name."""
        return f"Runs the workflow {settings.workflow} and answers with its output."

    def run(self, arguments: Given, settings: WorkflowSettings, context: ToolContext) -> Any:
        """Raise: `dispatch` starts the run instead, and its end is the answer."""
        del arguments, context
        raise Bug(f"the workflow {settings.workflow} is started by dispatch, not run as a tool")
