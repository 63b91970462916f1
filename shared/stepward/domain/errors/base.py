"""The root of all errors, and those of callers, policies, the platform and tasks."""

from __future__ import annotations


class StepwardError(Exception):
    """Base of all errors: a code, a detail for people, and the retry rule of state machines."""

    retryable = False
    http_status = 500
    status: int | None = None  # the HTTP status of the far end's answer, if that answer was the failure

    def __init__(self, detail: str, *, field: str | None = None, fix: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field
        self.fix = fix

    @property
    def code(self) -> str:
        """The stable name, equal in the API, in the journal and in the state machines."""
        return type(self).__name__


class CallerError(StepwardError):
    """The caller can fix it; unlike after a `PolicyStop`, nothing has run yet."""

    http_status = 400


class InvalidRequest(CallerError):
    """A field of the request is wrong. `errors` lists further ones when there are several."""

    def __init__(
        self,
        detail: str,
        *,
        field: str | None = None,
        fix: str | None = None,
        errors: list[dict[str, str]] | None = None,
    ) -> None:
        super().__init__(detail, field=field, fix=fix)
        self.errors = errors or []


class RehearsalMissing(InvalidRequest):
    """An agent in a rehearsed run has no rehearsal.

    Its model is not asked instead, for that would cost money.
    """


class NotAuthenticated(CallerError):
    """The request has no valid credentials; unlike after `NotAllowed`, a right key would help."""

    http_status = 401


class NotAllowed(CallerError):
    """The principal is known but may not do this; another key with the same rights fails too."""

    http_status = 403


class NotFound(CallerError):
    """It does not exist, or it belongs to another tenant: the two look the same on purpose."""

    http_status = 404


class Conflict(CallerError):
    """It exists already with other content, or is past the state that the request needs."""

    http_status = 409


class PolicyStop(StepwardError):
    """The run's own rules end it; unlike with `CallerError`, work may have been done and paid."""

    http_status = 403


class SafetyBlocked(PolicyStop):
    """A safety check refused an input, a tool call or an output."""


class RateLimited(PolicyStop):
    """Too many requests in a time; unlike `ProviderThrottled` it is our own limit."""

    http_status = 429

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class BudgetExceeded(PolicyStop):
    """The next model call could cost more than is left; raised before the call."""

    http_status = 402


class ApprovalDenied(PolicyStop):
    """A person refused an approval."""


class RunCancelled(PolicyStop):
    """A caller cancelled the run."""

    http_status = 409


class MaxIterationsReached(PolicyStop):
    """The agent took as many turns as `max_iterations` allows without coming to an answer."""


class AttachmentChanged(PolicyStop):
    """A file that the run shows its model is not what it was at the start; no model was asked."""

    http_status = 409


class DeadlineExceeded(PolicyStop):
    """The run's active time is over; unlike `DependencyTimeout` the limit is the run's own."""

    http_status = 408


class Bug(StepwardError):
    """A state that must not occur: it needs to be investigated."""


class PlatformFault(StepwardError):
    """AWS, or this platform, is at fault."""

    http_status = 503


class StoreThrottled(PlatformFault):
    """A table or a bucket wants fewer requests."""

    retryable = True


class StoreConflict(PlatformFault):
    """Another writer was first; unlike after a `Conflict`, trying again is right."""

    retryable = True


class DependencyTimeout(PlatformFault):
    """A service that we need did not answer in time."""

    retryable = True


class MachineMissing(PlatformFault):
    """A version's state machine is gone and is being made again; the version itself exists."""

    retryable = True


class TaskFault(StepwardError):
    """A workflow's task failed; raised to its state machine only, after all is recorded."""


class TaskRetry(TaskFault):
    """The attempt failed, and the task's own rule allows another."""

    retryable = True


class TaskFailed(TaskFault):
    """The task failed for good and its run ends with it; the record says why."""
