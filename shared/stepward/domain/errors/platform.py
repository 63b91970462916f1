"""What goes wrong with AWS or with us, and what a workflow's machine is told of a task."""

from __future__ import annotations

from stepward.domain.errors.base import StepwardError


class PlatformFault(StepwardError):
    """AWS, or we, are at fault."""

    http_status = 503


class StoreThrottled(PlatformFault):
    """A table or a bucket wants fewer requests."""

    retryable = True


class StoreConflict(PlatformFault):
    """Somebody else wrote first; unlike `Conflict`, trying again is right."""

    retryable = True


class DependencyTimeout(PlatformFault):
    """A service that we need did not answer in time."""

    retryable = True


class MachineMissing(PlatformFault):
    """A version's state machine is gone, and was ordered anew; unlike `NotFound`, the version is there."""

    retryable = True


class TaskFault(StepwardError):
    """A workflow's task did not bring what it should; raised to its state machine only, after all is kept."""


class TaskRetry(TaskFault):
    """The attempt failed, and the task's own rule allows another."""

    retryable = True


class TaskFailed(TaskFault):
    """The task failed for good and its run ends with it; the record says why."""
