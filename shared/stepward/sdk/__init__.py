"""What a Python program imports to use Stepward over HTTP, with no AWS library and no AWS credentials."""

from stepward.sdk.client import Stepward
from stepward.sdk.errors import ApiError, BadCall, FieldError, StepwardError, StillRunning, Unreachable
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
    RunPage,
    RunTotals,
    has_ended,
)

__all__ = [
    # the client
    "Stepward",
    # what it raises
    "StepwardError",
    "ApiError",
    "BadCall",
    "FieldError",
    "StillRunning",
    "Unreachable",
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
    "has_ended",
]
