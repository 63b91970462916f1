"""Waits for a run within a request, with ever longer pauses."""

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
    """Read `?wait=`."""
    if text is None:
        return 0
    if not re.fullmatch(r"\d{1,2}", text, re.ASCII) or int(text) > MOST_S:
        raise InvalidRequest(
            f"wait is {text[:40]!r}.", field="wait", fix=f"use whole seconds from 0 to {MOST_S}"
        )
    return int(text)


def until_published(look: Callable[[], RegisteredWorkflow], seconds: int) -> RegisteredWorkflow:
    """Look at a workflow's version until its machine is made or refused, or the time is over; answer the last look."""
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
    """Look at a run until it has ended or the time is over; answer the last look."""
    polling = Retrying(
        retry=retry_if_result(lambda run: run["ended_at"] is None),
        stop=stop_after_delay(seconds),
        wait=wait_exponential(multiplier=0.05, min=0.05, max=1),
    )
    try:
        return dict(polling(look))
    except RetryError as error:
        return dict(error.last_attempt.result())
