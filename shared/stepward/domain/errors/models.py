"""Errors of the model's requests, and of its provider."""

from __future__ import annotations

from stepward.domain.errors.base import StepwardError


class ModelFault(StepwardError):
    """The model asked for something that cannot be done; it receives that as a tool result."""

    http_status = 422


class ToolArgumentInvalid(ModelFault):
    """The arguments do not fit the tool's schema; unlike `ToolFailed`, the tool never ran."""


class ToolFailed(ModelFault):
    """The tool ran, or should have run, and gave no usable result."""


class ToolUnavailable(ModelFault):
    """The tool gave no answer in time, or a 429 or 5xx; the same call may do better later.

    `has_begun` says whether something may have happened in the world; `retry_after_s` when it asked to be called again.
    """

    retryable = True

    def __init__(self, detail: str, *, has_begun: bool = True, retry_after_s: float | None = None) -> None:
        super().__init__(detail)
        self.has_begun = has_begun
        self.retry_after_s = retry_after_s


class TaskTimedOut(ModelFault):
    """A workflow's task took longer than its `timeout_s`; the run itself has time left."""

    retryable = True


class CircuitOpen(ModelFault):
    """The far end failed too often and gets time to recover; this call was not sent."""


class OutputMalformed(ModelFault):
    """The model's reply itself cannot be read."""


class RehearsalFailed(OutputMalformed):
    """A script has no reply for a turn; no model was asked, and nothing is owed."""

    @property
    def code(self) -> str:
        """The code of an unreadable reply: to the run's caller the two are the same."""
        return OutputMalformed.__name__


class OutputTruncated(OutputMalformed):
    """The reply was cut at the agent's limit; its text is kept, and none of its calls is made."""


class OutputEmpty(OutputMalformed):
    """The model answered nothing, even when asked once more."""


class OutputInvalid(OutputMalformed):
    """The answer does not fit `output_schema`; unlike with `OutputMalformed`, it can be read."""


class ProviderFault(StepwardError):
    """The model's provider is at fault, not the model's reply."""

    http_status = 502


class ProviderThrottled(ProviderFault):
    """The provider wants fewer requests.

    `retry_after_s` is the provider's own, if it gave one. `is_ours` says that the stage's own limit held the
    call back: the provider was not asked.
    """

    retryable = True
    http_status = 503

    def __init__(self, detail: str, *, retry_after_s: float | None = None, is_ours: bool = False) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.is_ours = is_ours


class ProviderUnavailable(ProviderFault):
    """The provider did not answer, or with a 5xx."""

    retryable = True
    http_status = 503


class StreamCut(ProviderUnavailable):
    """A reply began and broke off or stalled; unlike after `ProviderUnavailable`, it is paid.

    The class of `partial` is `ModelReply`; it holds what came and its usage.
    """

    def __init__(self, detail: str, *, partial: object) -> None:
        super().__init__(detail)
        self.partial = partial


class AskNextModel(ProviderUnavailable):
    """Too little time is left to ask the next model; another function asks it at once.

    `tried` are the models that gave no answer, and the code is that of their `fault`. `is_round_over` says
    that the next one has failed before them, in an earlier function: all have been asked once more, and a
    pause is due.
    """

    def __init__(self, fault: ProviderFault, *, tried: tuple[str, ...], is_round_over: bool = False) -> None:
        super().__init__(fault.detail)
        self.fault = fault
        self.tried = tried
        self.is_round_over = is_round_over

    @property
    def code(self) -> str:
        """The code of the fault of the models before the next one."""
        return self.fault.code


class ProviderRefused(ProviderFault):
    """The provider declined the request itself: a wrong key, an unknown model, a content rule."""


class KeyMissing(ProviderRefused):
    """The provider's key was not set; unlike with `KeyRefused`, the provider was not asked."""


class KeyRefused(ProviderRefused):
    """The provider refuses the key, or refuses it for this model."""


class ModelUnknown(ProviderRefused):
    """The provider has no model of this name, or not any more."""


class ModelRefused(ProviderFault):
    """The model declined to answer; unlike `ProviderRefused`, it was asked and is paid."""


class ContentFiltered(ProviderFault):
    """The provider's filter removed the answer; the model itself may have answered."""


class ContextTooLong(ProviderFault):
    """The prompt does not fit the model's context window."""

    http_status = 422
