"""Use Stepward over HTTP from Python, without an AWS library or AWS credentials."""

import sys
from typing import Final

from stepward.sdk import catalog, runs
from stepward.sdk.client import Stepward
from stepward.sdk.errors import (
    ApiError,
    BadCall,
    DocumentRefused,
    FieldError,
    NoOutput,
    StepwardError,
    StillRunning,
    Unreachable,
    WorkflowProblem,
)
from stepward.sdk.flow import Flow, Reference, Task, goto, jsonata, step
from stepward.sdk.runs import output_of
from stepward.sdk.shapes import (
    AgentDetail,
    AgentPage,
    AgentSummary,
    Event,
    EventPage,
    Health,
    Readiness,
    Registration,
    Run,
    RunError,
    RunTotals,
    has_ended,
)
from stepward.sdk.workflow_shapes import (
    RunPage,
    WorkflowDetail,
    WorkflowDiff,
    WorkflowPage,
    WorkflowPlan,
    WorkflowProof,
    WorkflowReport,
    WorkflowRun,
    WorkflowRunPage,
    WorkflowSummary,
    WorkflowTask,
    WorkflowTotals,
    WorkflowVersion,
)

__all__ = [
    # the client
    "Stepward",
    # workflows in Python
    "Flow",
    "Reference",
    "Task",
    "goto",
    "jsonata",
    "step",
    # what it raises
    "StepwardError",
    "ApiError",
    "BadCall",
    "DocumentRefused",
    "FieldError",
    "NoOutput",
    "StillRunning",
    "Unreachable",
    "WorkflowProblem",
    # what it returns
    "AgentDetail",
    "AgentPage",
    "AgentSummary",
    "Event",
    "EventPage",
    "Health",
    "Readiness",
    "Registration",
    "Run",
    "RunError",
    "RunPage",
    "RunTotals",
    "WorkflowDetail",
    "WorkflowDiff",
    "WorkflowPage",
    "WorkflowPlan",
    "WorkflowProof",
    "WorkflowReport",
    "WorkflowRun",
    "WorkflowRunPage",
    "WorkflowSummary",
    "WorkflowTask",
    "WorkflowTotals",
    "WorkflowVersion",
    "has_ended",
    "output_of",
]

_MOVED: Final = {"models": catalog, "outputs": runs, "tools": catalog}
"""Modules under the names of earlier releases, by which programs may import them."""
for _name, _module in _MOVED.items():
    sys.modules[f"{__name__}.{_name}"] = globals()[_name] = _module
