"""Says what a run waits for, since when, and until when where that is known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from stepward.domain.journal import AnyRecord, CallItem, Created, Inherited, Parked, Queued, Waiting
from stepward.domain.run_queue import rank_of
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunHead, RunStatus
from stepward.ports.runs import Journal


def waiting_for(head: RunHead, record: AnyRecord | None, journal: Journal) -> dict[str, Any]:
    """Read it off the newest record of a run that nobody has paused.

    Args:
        head: The run.
        record: What its journal says last.
        journal: Where the runs that answer its calls are named.

    Returns:
        `waiting_for` with `what`: `answers` to calls, the word to go on after a `pause`, a `slot`, or the `provider`;
        nothing for a run that waits for nothing.
    """
    found: dict[str, Any] = {}
    match record:
        case Waiting():
            found = _provider(record)
        case Parked(reason="answers"):
            items = [journal.call(head.key, call) for call in record.calls]
            found = _answers(record.calls, items, record.at)
        case Parked():
            found = {"what": record.reason, "since": record.at}
        case Queued():
            found = _slot(rank_of(record.place), record.at)
        case Created() if record.place:
            found = _slot(rank_of(record.place), record.at)
        case Inherited() if head.status is RunStatus.PENDING:
            found = _slot(head.priority, record.at)
        case _:
            return {}
    return {"waiting_for": found}


def waits_of(head: RunHead, state: RunState) -> dict[str, Any]:
    """Say it of a run of which somebody said that it is to pause or to go on: answers come first, paused or not.

    Args:
        head: The run.
        state: What its whole journal tells.
    """
    if state.slot:
        return {}
    since = state.idle_since or head.created_at
    if state.place:
        return {"waiting_for": _slot(rank_of(state.place), since)}
    parked = state.parked.calls if state.parked and state.parked.reason == "answers" else ()
    calls = [call for call in parked if call not in state.calls or state.calls[call].result is None]
    if calls:
        return {"waiting_for": _answers(calls, [state.calls.get(call) for call in calls], since)}
    return {"waiting_for": {"what": "pause", "since": state.paused.at}} if state.paused else {}


def _provider(record: Waiting) -> dict[str, Any]:
    """Tell why: `own_limit` is that we hold the call back ourselves, by a limit or because the provider failed so often."""
    why = {"reason": record.reason, **({"detail": record.detail} if record.detail else {})}
    ours = {} if record.is_retry else {"own_limit": True}
    return {"what": "provider", **why, **ours, "since": record.at, "until": record.until}


def _slot(rank: str, since: str) -> dict[str, Any]:
    return {"what": "slot", "place": rank, "since": since}


def _answers(calls: Iterable[str], items: Iterable[CallItem | None], since: str) -> dict[str, Any]:
    """Name the calls, and of those that a run answers, which; the others a person answers, or nobody yet."""
    runs = {item.call: item.started_by for item in items if item and item.started_by and item.result is None}
    return {"what": "answers", "calls": list(calls), **({"runs": runs} if runs else {}), "since": since}
