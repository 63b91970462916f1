"""Every error that Stepward raises, in one tree, so that each reader knows who must act.

StepwardError
├── CallerError          the caller can mend it
│   ├── InvalidRequest   400  a field is wrong; `field` and `fix` say which and how
│   ├── NotAuthenticated 401  nobody is known behind the request
│   ├── NotAllowed       403  somebody is known, but may not do this
│   ├── NotFound         404  it does not exist, or not for this tenant
│   └── Conflict         409  it exists already, or is past the state that this needs
├── PolicyStop           the run's own rules stop it
│   ├── SafetyBlocked         a safety check said no
│   ├── RateLimited           too fast; `retry_after_s` says when to come back
│   ├── BudgetExceeded        the next call could cost more than is left
│   ├── ApprovalDenied        a person said no
│   ├── RunCancelled          somebody cancelled the run
│   ├── MaxIterationsReached  the agent took as many turns as it may
│   └── DeadlineExceeded      the run's time is over
├── ModelFault           the model asked for something that cannot be done; it is told, and may try again
│   ├── ToolArgumentInvalid   the arguments do not fit the tool's schema
│   ├── ToolFailed            the tool ran and failed
│   ├── ToolUnavailable       r  the tool gave no answer in time, or asked to be called later
│   ├── TaskTimedOut          r  a workflow's task took longer than its `timeout_s`
│   ├── CircuitOpen           the tool's far end failed so often lately that it is left alone for a while
│   └── OutputMalformed       the model's reply cannot be read
│       └── RehearsalFailed      the script has no reply, so nobody was asked; its code is OutputMalformed
├── ProviderFault        the model's provider
│   ├── ProviderThrottled     r  too many requests
│   ├── ProviderUnavailable   r  no answer, or a 5xx
│   ├── ProviderRefused          the provider declined the request itself
│   └── ContextTooLong           the prompt does not fit the model
├── PlatformFault        AWS, or we
│   ├── StoreThrottled        r  a table or a bucket said: slower
│   ├── StoreConflict         r  somebody else wrote first
│   ├── DependencyTimeout     r  a service did not answer in time
│   └── MachineMissing        r  a workflow's state machine is gone; it is being made again
├── TaskFault            a workflow's task, in the words that its state machine follows
│   ├── TaskRetry             r  the attempt failed, and the task's own rule allows another
│   └── TaskFailed               the task failed for good, and its run ends with it
└── Bug                  a state that must not occur

The class name is the error name in the state machines and the `code` of the API; r marks `retryable`.
"""

from __future__ import annotations


class StepwardError(Exception):
    """Gives every error a code, a detail for people, and the retry rule that machines follow."""

    retryable = False
    http_status = 500
    status: int | None = None  # what the far end answered by HTTP, where that answer was the failure

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
    """The caller can mend it; unlike `PolicyStop`, nothing has run yet."""

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


class NotAuthenticated(CallerError):
    """Nobody is known behind the request; unlike `NotAllowed`, a right key would help."""

    http_status = 401


class NotAllowed(CallerError):
    """The principal is known but may not do this; another key of the same rights would not help."""

    http_status = 403


class NotFound(CallerError):
    """It does not exist, or it belongs to another tenant: the two look the same on purpose."""

    http_status = 404


class Conflict(CallerError):
    """It exists already with other content, or is past the state that the request needs."""

    http_status = 409


class PolicyStop(StepwardError):
    """The run's own rules end it; unlike a `CallerError`, work may already have been done and paid."""

    http_status = 403


class SafetyBlocked(PolicyStop):
    """A safety check said no to an input, a tool call or an output."""


class RateLimited(PolicyStop):
    """Too many requests in a time; unlike `ProviderThrottled` it is our own limit."""

    http_status = 429

    def __init__(self, detail: str, *, retry_after_s: int) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class BudgetExceeded(PolicyStop):
    """The next model call could cost more than is left; raised before the call, never after it."""

    http_status = 402


class ApprovalDenied(PolicyStop):
    """A person said no."""


class RunCancelled(PolicyStop):
    """Somebody cancelled the run."""

    http_status = 409


class MaxIterationsReached(PolicyStop):
    """The agent took as many turns as `max_iterations` allows without coming to an answer."""


class DeadlineExceeded(PolicyStop):
    """The run's active time is over; unlike `DependencyTimeout` the limit is the run's own."""

    http_status = 408


class ModelFault(StepwardError):
    """The model asked for something that cannot be done; it is told so as a tool result."""

    http_status = 422


class ToolArgumentInvalid(ModelFault):
    """The arguments do not fit the tool's schema; unlike `ToolFailed`, the tool never ran."""


class ToolFailed(ModelFault):
    """The tool ran, or should have run, and gave no usable result."""


class ToolUnavailable(ModelFault):
    """The tool gave no answer in time, or a 429 or 5xx; unlike `ToolFailed`, the same call may do better later.

    `has_begun` says whether something may have happened in the world; `retry_after_s` when it asked to be called again.
    """

    retryable = True

    def __init__(self, detail: str, *, has_begun: bool = True, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.has_begun = has_begun
        self.retry_after_s = retry_after_s


class TaskTimedOut(ModelFault):
    """A task of a workflow took longer than its own `timeout_s`; unlike `DeadlineExceeded`, the run has time left."""

    retryable = True


class CircuitOpen(ModelFault):
    """The far end is left alone until it has had time to recover; unlike `ToolUnavailable`, nobody asked it now."""


class OutputMalformed(ModelFault):
    """The model's reply itself cannot be read."""


class RehearsalFailed(OutputMalformed):
    """A script has no reply for a turn; unlike after an unreadable reply, no model was asked and nothing is owed."""

    @property
    def code(self) -> str:
        """The code of an unreadable reply: to whoever started the run the two are the same."""
        return OutputMalformed.__name__


class ProviderFault(StepwardError):
    """The model's provider is at fault, not the model's reply."""

    http_status = 502


class ProviderThrottled(ProviderFault):
    """The provider wants fewer requests; `retry_after_s` is its own word for when, if it gave one."""

    retryable = True
    http_status = 503

    def __init__(self, detail: str, *, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class ProviderUnavailable(ProviderFault):
    """The provider did not answer, or with a 5xx."""

    retryable = True
    http_status = 503


class ProviderRefused(ProviderFault):
    """The provider declined the request itself: a wrong key, an unknown model, a content rule."""


class ContextTooLong(ProviderFault):
    """The prompt does not fit the model's context window."""

    http_status = 422


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


class Bug(StepwardError):
    """A state that must not occur: somebody should look at it."""
