"""Wait for a run or a version within a request, with ever longer pauses."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from tenacity import RetryError, Retrying, retry_if_result, stop_after_delay, wait_exponential

from stepward.domain.errors import InvalidRequest

if TYPE_CHECKING:
    from stepward.ports.workflow_registry import RegisteredWorkflow

MOST_S: Final = 25


def wait_of(text: str | None) -> int:
    """Parse `?wait=`.

    Args:
        text: The parameter; None where it is not given.

    Returns:
        Seconds to wait, 0 to 25.

    Raises:
        InvalidRequest: It is not a whole number in that range.
    """
    if text is None:
        return 0
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII) or int(text) > MOST_S:
        raise InvalidRequest(
            f"wait is {text[:40]!r}.", field="wait", fix=f"use whole seconds from 0 to {MOST_S}"
        )
    return int(text)


def until_published(look: Callable[[], RegisteredWorkflow], seconds: int) -> RegisteredWorkflow:
    """Wait until a version's state machine is made or refused, or the time is over.

    Args:
        look: Reads the version.
        seconds: How long to wait at most.

    Returns:
        The version as it was read last.
    """
    polling = Retrying(
        retry=retry_if_result(lambda kept: kept.is_publishing),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.05, min=0.05, max=1),
    )
    try:
        found: RegisteredWorkflow = polling(look)
    except RetryError as error:
        found = error.last_attempt.result()
    return found


def until_ended(look: Callable[[], dict[str, Any]], seconds: int) -> dict[str, Any]:
    """Wait until a run has ended or the time is over.

    Args:
        look: Reads the run as the API shows it.
        seconds: How long to wait at most.

    Returns:
        The run as it was read last.
    """
    polling = Retrying(
        retry=retry_if_result(lambda run: run["ended_at"] is None),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.05, min=0.05, max=1),
    )
    try:
        return dict(polling(look))
    except RetryError as error:
        return dict(error.last_attempt.result())
