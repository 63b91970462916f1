"""Translates Bedrock's errors into faults of a provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    EventStreamError,
    NoCredentialsError,
    NoRegionError,
    ParamValidationError,
    PartialCredentialsError,
)

from stepward.domain.errors import (
    KeyMissing,
    KeyRefused,
    ModelUnknown,
    ProviderFault,
    ProviderRefused,
    ProviderUnavailable,
)
from stepward.models.provider_faults import ErrorResponse, fault_of, unreachable
from stepward.ports.models import CallContext

_STATUS: Final[Mapping[str, int]] = {
    "ThrottlingException": 429,
    "ModelNotReadyException": 429,
    "ModelTimeoutException": 408,
    "ModelErrorException": 424,
    "ModelStreamErrorException": 424,
    "InternalServerException": 500,
    "ServiceUnavailableException": 503,
    "ValidationException": 400,
}
"""The status of an error within a stream, which has begun with 200."""
_MODEL_FAILED: Final = 424
_ROLE: Final = (
    "the operator lets the function's role call bedrock:InvokeModelWithResponseStream on the model and its"
    " inference profile, and asks for access to the model in Bedrock's console"
)


def fault(error: ClientError, call: CallContext) -> ProviderFault:
    """Translate an error that came in place of a stream or within one."""
    answered = _answered(error, call)
    kind, status, message = answered.kind, answered.status, answered.message
    where = f"{kind or status}" + (f", request {answered.request_id}" if answered.request_id else "")
    if status in (401, 403):
        # Messages about signatures repeat what was signed, so only the one about permissions is shown.
        why = f": {message}" if kind == "AccessDeniedException" else ""
        return KeyRefused(
            f"{call.provider} does not let this function call {call.vendor_model} ({where}){why}", fix=_ROLE
        )
    if kind == "ValidationException" and "model identifier is invalid" in message:
        return ModelUnknown(
            f"{call.provider} has no model {call.vendor_model!r} in this region ({where}).",
            field="model",
            fix="GET /models lists those that are known",
        )
    if kind == "ServiceQuotaExceededException":
        return ProviderRefused(
            f"{call.provider} allows no more ({where}): {message}",
            fix="the account's owner asks Service Quotas for more of Bedrock",
        )
    if status == _MODEL_FAILED:
        return ProviderUnavailable(f"{call.vendor_model} failed ({where}): {message}")
    if "maximum tokens you requested" in message:  # the answer's length, which no shorter prompt changes
        return ProviderRefused(
            f"{call.provider} answered ({where}): {message}",
            field="max_output_tokens",
            fix="ask for a shorter answer",
        )
    return fault_of(answered)


def unsent(error: BotoCoreError, call: CallContext) -> ProviderFault:
    """Translate an error of the connection: the call was not made, or no answer came."""
    match error:
        case NoCredentialsError() | PartialCredentialsError() | CredentialRetrievalError():
            return KeyMissing(
                f"there are no AWS credentials for {call.provider!r}.", field="model", fix=_ROLE
            )
        case NoRegionError():
            return ProviderRefused(
                f"no AWS region is set for {call.provider!r}.", fix="set AWS_DEFAULT_REGION"
            )
        case ParamValidationError():
            return ProviderRefused(f"{call.provider} does not take this request: {_line(str(error))}")
    return unreachable(call.provider, f"{type(error).__name__}: {error}")


def _answered(error: ClientError, call: CallContext) -> ErrorResponse:
    said, meta = error.response.get("Error") or {}, error.response.get("ResponseMetadata") or {}
    name = str(said.get("Code") or "")
    kind = name[:1].upper() + name[1:]  # within a stream its first letter is small
    headers: Mapping[str, Any] = meta.get("HTTPHeaders") or {}
    return ErrorResponse(
        provider=call.provider,
        status=_STATUS.get(kind) if isinstance(error, EventStreamError) else meta.get("HTTPStatusCode"),
        kind="" if kind.isdigit() else kind,  # without a name it is the status
        message=_line(str(said.get("Message") or "")),
        headers={key.lower(): str(value) for key, value in headers.items()},
        model=call.vendor_model,
        request_id=meta.get("RequestId"),
    )


def _line(message: str) -> str:
    if "<html" in message.lower():
        return "a page of HTML where JSON should be"
    return " ".join(message.split())[:300]
