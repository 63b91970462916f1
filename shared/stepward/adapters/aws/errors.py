"""Translates what boto3 raises into Stepward's errors: the one place that knows AWS's error codes."""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError
from botocore.exceptions import ConnectionError as AwsConnectionError

from stepward.domain.errors import Bug, DependencyTimeout, StepwardError, StoreConflict, StoreThrottled

MOST_TRIES: Final = 10
FIRST_PAUSE_S: Final = 0.02
LONGEST_PAUSE_S: Final = 0.5
CONFLICT: Final = "TransactionConflict"
REASON_THROTTLES: Final = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded"})


def pause_s(response: tuple[Any, dict[str, Any]] | None = None, attempts: int = 1, **_: Any) -> float | None:
    """Return the pause before the same call is made again; None where that would not help.

    time →   run A's end:    transaction on the tenant's counter ─────── ✓
             run B's start:          transaction on the counter ✗ refused ─ pause ─ again ✓
    A refused transaction has done nothing, so it may be sent again as it is.
    """
    if response is None or attempts >= MOST_TRIES or not _is_contended(response[1]):
        return None
    most_s = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**attempts)
    return random.uniform(FIRST_PAUSE_S / 2, most_s)  # noqa: S311  spreads those who collided, keeps no secret


def _is_contended(answer: dict[str, Any]) -> bool:
    if answer.get("Error", {}).get("Code") == f"{CONFLICT}Exception":
        return True
    reasons = {reason.get("Code") for reason in answer.get("CancellationReasons", [])}
    return CONFLICT in reasons or bool(REASON_THROTTLES & reasons)


_LOG: Final = logging.getLogger(__name__)
CONDITION_FAILED: Final = "ConditionalCheckFailedException"
TRANSACTION_CANCELED: Final = "TransactionCanceledException"
_THROTTLES: Final = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "ThrottlingError",
        "TooManyRequestsException",
        "ExecutionLimitExceeded",
    }
)
_CONFLICTS: Final = frozenset(
    {CONDITION_FAILED, "TransactionConflictException", "TransactionInProgressException"}
)
_OUTAGES: Final = frozenset(
    {"InternalServerError", "InternalFailure", "InternalError", "ServiceUnavailable", "500", "503"}
)
_NO_OBJECT: Final = frozenset({"NoSuchKey", "404"})
_REFUSED: Final = frozenset({"403", "AccessDenied"})


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Translate what an AWS call raises into one of our errors.

    `doing` completes "while …" in the error's text.
    """
    try:
        yield
    except ClientError as error:
        raise translate(error, doing) from error
    except (AwsConnectionError, HTTPClientError) as error:
        raise DependencyTimeout(f"AWS did not answer while {doing}: {error}") from error
    except BotoCoreError as error:
        raise Bug(f"the call could not be made while {doing}: {error}") from error


def translate(error: ClientError, doing: str) -> StepwardError:
    """Return our error for AWS's code."""
    code = error_code(error)
    detail = f"{code} while {doing}: {error.response['Error'].get('Message', '')}"
    reasons = set(cancel_reasons(error)) if code == TRANSACTION_CANCELED else set()
    if code in _CONFLICTS or CONFLICT in reasons:
        return StoreConflict(detail)
    if code in _THROTTLES or REASON_THROTTLES & reasons:
        return StoreThrottled(detail)
    if code in _OUTAGES:
        return DependencyTimeout(detail)
    return Bug(detail)


def error_code(error: ClientError) -> str:
    """Return AWS's code of an error."""
    return str(error.response["Error"]["Code"])


def is_missing(error: ClientError, doing: str) -> bool:
    """Return whether S3 says that there is no such object; `doing` completes "while …".

    Without ListBucket it refuses a missing object as it refuses one that may not be read; the log says which it was.
    """
    code = error_code(error)
    if code in _REFUSED:
        _LOG.warning("an object is taken for missing while %s: %s", doing, error)
    return code in _NO_OBJECT | _REFUSED


def cancel_reasons(error: ClientError) -> list[str]:
    """Return why a transaction was cancelled: one code an item, `None` for one without."""
    return [str(reason.get("Code")) for reason in error.response.get("CancellationReasons", [])]
