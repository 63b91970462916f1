"""Every error that Stepward raises, in one tree that says who must act.

StepwardError
├── CallerError          the caller can fix it
│   ├── InvalidRequest   400  a field is wrong; `field` and `fix` say which and how
│   │   └── RehearsalMissing      the run is rehearsed, and an agent in it has no rehearsal
│   ├── NotAuthenticated 401  the request has no valid credentials
│   ├── NotAllowed       403  the principal is known, but may not do this
│   ├── NotFound         404  it does not exist, or not for this tenant
│   └── Conflict         409  it exists already, or is past the state that this needs
├── PolicyStop           the run's own rules stop it
│   ├── SafetyBlocked         a safety check refused
│   ├── RateLimited           too fast; `retry_after_s` says when to come back
│   ├── BudgetExceeded        the next call could cost more than is left
│   ├── ApprovalDenied        a person refused
│   ├── RunCancelled          a caller cancelled the run
│   ├── AttachmentChanged     an attached file is not what it was at the start
│   ├── MaxIterationsReached  the agent took as many turns as it may
│   └── DeadlineExceeded      the run's time is over
├── ModelFault           the model asked for something that cannot be done; it gets the error, and may try
again
│   ├── ToolArgumentInvalid   the arguments do not fit the tool's schema
│   ├── ToolFailed            the tool ran and failed
│   ├── ToolUnavailable       r  the tool gave no answer in time, or asked to be called later
│   ├── TaskTimedOut          r  a workflow's task took longer than its `timeout_s`
│   ├── CircuitOpen           the tool's far end failed so often lately that it is not called for a while
│   └── OutputMalformed       the model's reply cannot be read
│       ├── RehearsalFailed      the script has no reply, so no model was asked; its code is OutputMalformed
│       ├── OutputTruncated      the reply was cut at `max_output_tokens`
│       ├── OutputEmpty          the model said nothing, and nothing again when it was asked once more
│       └── OutputInvalid        the answer does not fit `output_schema`, however often the model was
corrected
├── ProviderFault        the model's provider
│   ├── ProviderThrottled     r  too many requests
│   ├── ProviderUnavailable   r  no answer, or a 5xx
│   │   ├── StreamCut             r  the reply began and broke off: what came is paid
│   │   └── AskNextModel          r  no time to ask the next model; its code is that of the fault before
│   ├── ProviderRefused          the provider declined the request itself
│   │   ├── KeyMissing               the provider's key was not set
│   │   ├── KeyRefused               the provider does not take the key
│   │   └── ModelUnknown             the provider has no such model, or not any more
│   ├── ModelRefused             the model declined to answer
│   ├── ContentFiltered          the provider's filter removed the answer
│   └── ContextTooLong           the prompt does not fit the model
├── PlatformFault        AWS, or this platform
│   ├── StoreThrottled        r  a table or a bucket wants fewer requests
│   ├── StoreConflict         r  another writer was first
│   ├── DependencyTimeout     r  a service did not answer in time
│   └── MachineMissing        r  a workflow's state machine is gone; it is being made again
├── TaskFault            a workflow's task, in the terms that its state machine follows
│   ├── TaskRetry             r  the attempt failed, and the task's own rule allows another
│   └── TaskFailed               the task failed for good, and its run ends with it
└── Bug                  a state that must not occur

The class name is the error name in the state machines and the `code` of the API; r marks `retryable`.
"""

from __future__ import annotations

from stepward.domain.errors.base import (
    ApprovalDenied,
    AttachmentChanged,
    BudgetExceeded,
    Bug,
    CallerError,
    Conflict,
    DeadlineExceeded,
    DependencyTimeout,
    InvalidRequest,
    MachineMissing,
    MaxIterationsReached,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    PlatformFault,
    PolicyStop,
    RateLimited,
    RehearsalMissing,
    RunCancelled,
    SafetyBlocked,
    StepwardError,
    StoreConflict,
    StoreThrottled,
    TaskFailed,
    TaskFault,
    TaskRetry,
)
from stepward.domain.errors.models import (
    AskNextModel,
    CircuitOpen,
    ContentFiltered,
    ContextTooLong,
    KeyMissing,
    KeyRefused,
    ModelFault,
    ModelRefused,
    ModelUnknown,
    OutputEmpty,
    OutputInvalid,
    OutputMalformed,
    OutputTruncated,
    ProviderFault,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    RehearsalFailed,
    StreamCut,
    TaskTimedOut,
    ToolArgumentInvalid,
    ToolFailed,
    ToolUnavailable,
)

__all__ = [
    "AskNextModel",
    "StepwardError",
    "CallerError",
    "InvalidRequest",
    "RehearsalMissing",
    "NotAuthenticated",
    "NotAllowed",
    "NotFound",
    "Conflict",
    "PolicyStop",
    "SafetyBlocked",
    "RateLimited",
    "BudgetExceeded",
    "ApprovalDenied",
    "AttachmentChanged",
    "RunCancelled",
    "MaxIterationsReached",
    "DeadlineExceeded",
    "ModelFault",
    "ToolArgumentInvalid",
    "ToolFailed",
    "ToolUnavailable",
    "TaskTimedOut",
    "CircuitOpen",
    "OutputMalformed",
    "RehearsalFailed",
    "OutputTruncated",
    "OutputEmpty",
    "OutputInvalid",
    "ProviderFault",
    "ProviderThrottled",
    "ProviderUnavailable",
    "StreamCut",
    "ProviderRefused",
    "KeyMissing",
    "KeyRefused",
    "ModelUnknown",
    "ModelRefused",
    "ContentFiltered",
    "ContextTooLong",
    "PlatformFault",
    "StoreThrottled",
    "StoreConflict",
    "DependencyTimeout",
    "MachineMissing",
    "TaskFault",
    "TaskRetry",
    "TaskFailed",
    "Bug",
]
