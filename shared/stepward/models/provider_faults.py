"""Translates providers' errors: what was wrong, who can fix it, and whether a retry helps."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from stepward.domain.errors import (
    ContextTooLong,
    KeyMissing,
    KeyRefused,
    ModelUnknown,
    ProviderFault,
    ProviderRefused,
    ProviderThrottled,
    ProviderUnavailable,
    StepwardError,
)
from stepward.domain.retries import retry_after_s

USUAL_PAUSE_S: Final = 10.0
_SAID_CHARS: Final = 300
_NAME_CHARS: Final = 100
_WORTH_HIDING_CHARS: Final = 8
"""A shorter key is a word such as `none` or `EMPTY`, which servers that take any key are given."""
_TOO_LONG: Final = re.compile(
    r"prompt is too long|context.{0,20}(length|window)|too many (input )?tokens|maximum context"
    r"|input is too long|exceeds? the (model|maximum|available context)|exceed_context_size",
    re.IGNORECASE,
)
_NO_MORE_MONEY: Final = frozenset({"insufficient_quota", "billing_error"})
_KEY_LIKE: Final = re.compile(r"\b(sk|key|api)[-_][\w*.-]{6,}", re.IGNORECASE)


@dataclass(frozen=True)
class ErrorResponse:
    """A provider's error response.

    Args:
        provider: The name of its entry.
        status: The HTTP status; None where an error came within a stream.
        kind: The vendor's own name of the error.
        message: What the vendor says.
        headers: The answer's headers, with small letters.
        model: Which model was asked.
        request_id: The vendor's name for the call.
    """

    provider: str
    status: int | None
    kind: str = ""
    message: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str = ""
    request_id: str | None = None


def fault_of(answered: ErrorResponse) -> ProviderFault:
    """Translate a provider's error response.

    Returns:
        A fault that is retryable for 408, 409, 429, 5xx, 529 and what the vendor marks so, and final for the rest. It
        names the vendor's request, and never the key.
    """
    fault = _meaning(answered)
    fault.status = answered.status
    return fault


def _meaning(answered: ErrorResponse) -> ProviderFault:
    said = _said(answered)
    marked = answered.headers.get("x-should-retry", "").lower()
    if answered.kind in _NO_MORE_MONEY or answered.status == 402:
        return ProviderRefused(
            f"{said} The account has no credit left.",
            fix=f"top up the account with {answered.provider}",
        )
    if marked == "false" or (marked != "true" and not _is_passing(answered)):
        return _final(answered, said)
    pause_s = asked_pause_s(answered.headers)
    if pause_s is not None or answered.status in (429, 529) or answered.kind in _BUSY:
        return ProviderThrottled(said, retry_after_s=pause_s)
    return ProviderUnavailable(said)


_BUSY: Final = frozenset({
    "overloaded_error", "rate_limit_error", "rate_limit_exceeded", "server_is_overloaded", "slow_down",
    "ThrottlingException",
})  # fmt: skip
_LASTING: Final = frozenset({
    "invalid_request_error", "authentication_error", "permission_error", "invalid_prompt", "context_length_exceeded",
    "data_residency_mismatch", "bio_policy", "misalignment_policy_violation", "image_content_policy_violation",
    "invalid_image", "invalid_image_format", "invalid_base64_image", "invalid_image_url", "invalid_image_mode",
    "image_too_large", "image_too_small", "image_parse_error", "image_file_too_large", "empty_image_file",
    "unsupported_image_media_type", "failed_to_download_image", "image_file_not_found",
})  # fmt: skip
"""Errors within a stream that the same call would meet again."""


def no_key(provider: str) -> KeyMissing:
    """Return the error for a provider without a key; the fix says how to set one."""
    return KeyMissing(
        f"there is no key for {provider!r}.",
        field="model",
        fix=f"the operator sets one: {_set_key(provider)}",
    )


def unreachable(provider: str, why: str) -> ProviderUnavailable:
    """Return the fault of a provider that was not reached, or broke off before it answered."""
    return ProviderUnavailable(f"{provider} gave no answer: {_clean(why)}")


def soonest(faults: Sequence[ProviderFault]) -> ProviderFault:
    """Choose the fault to report for several keys or models.

    Args:
        faults: At least one, in the order in which they were met.

    Returns:
        Of the faults that pass by themselves the one that passes first; without any, the last of the others.
    """
    passing = [fault for fault in faults if fault.retryable]
    return min(passing, key=pause_s) if passing else faults[-1]


def pause_s(fault: StepwardError) -> float:
    """Return the seconds until a retry: as the provider asks, else ten."""
    asked = fault.retry_after_s if isinstance(fault, ProviderThrottled) else None
    return USUAL_PAUSE_S if asked is None else asked


def hide(fault: ProviderFault, key: str) -> None:
    """Remove a key from a fault's texts: some providers repeat what they were sent."""
    fault.detail = without(fault.detail, key)
    fault.fix = without(fault.fix, key) if fault.fix else None
    fault.args = (fault.detail,)


def without(text: str, key: str) -> str:
    """Replace a key in a text, unless the key is so short that it may be a plain word."""
    return text.replace(key, "…") if len(key) >= _WORTH_HIDING_CHARS else text


def asked_pause_s(headers: Mapping[str, str]) -> float | None:
    """Read the pause that the provider asks for, by `retry-after-ms` before `retry-after`."""
    millis = headers.get("retry-after-ms", "")
    if re.fullmatch(r"\d{1,10}(\.\d{1,6})?", millis, re.ASCII):
        return float(millis) / 1_000
    return retry_after_s(headers.get("retry-after"))


def _set_key(provider: str) -> str:
    return (
        f"python -m stepward.runtime.provider_keys set --provider {provider};"
        f" on a laptop `stepward providers set {provider}`"
    )


def _is_passing(answered: ErrorResponse) -> bool:
    if answered.status is None:
        return answered.kind not in _LASTING
    return answered.status in (408, 409, 429) or answered.status >= 500


def _final(answered: ErrorResponse, said: str) -> ProviderFault:
    provider = answered.provider
    if answered.status in (401, 403):
        # Vendors put a part of the key into this message, so none of it is shown.
        return KeyRefused(
            f"{provider} does not take the key ({answered.status}{_request(answered)}).",
            fix=f"the operator sets another: {_set_key(provider)}",
        )
    if answered.status == 404:
        return ModelUnknown(
            f"{provider} has no model {answered.model!r} for this key{_request(answered)}.",
            field="model",
            fix="GET /models lists those that are known",
        )
    if answered.status == 413 or _TOO_LONG.search(f"{answered.kind} {answered.message}"):
        return ContextTooLong(said)
    return ProviderRefused(said)


def _said(answered: ErrorResponse) -> str:
    status = f" with {answered.status}" if answered.status else ""
    kind = f" ({_clean(answered.kind)[:_NAME_CHARS]})" if answered.kind else ""
    message = _clean(answered.message)
    return (
        f"{answered.provider} answered{status}{kind}{_request(answered)}{': ' + message if message else ''}."
    )


def _request(answered: ErrorResponse) -> str:
    return f", request {_clean(answered.request_id)[:_NAME_CHARS]}" if answered.request_id else ""


def _clean(message: str) -> str:
    """Shorten a vendor's message to one line; a page of HTML is named and not shown."""
    if "<html" in message.lower() or "<!doctype" in message.lower():
        return "a page of HTML where JSON should be"
    line = " ".join(message.split())[:_SAID_CHARS].rstrip(".")
    return _KEY_LIKE.sub("…", line)
