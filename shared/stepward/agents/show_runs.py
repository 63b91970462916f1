"""Show runs, their events and what they wait for, from heads and journals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from stepward.domain.budgets import BudgetRef
from stepward.domain.errors import InvalidRequest
from stepward.domain.events import events_of
from stepward.domain.journal import (
    Admitted,
    AnyRecord,
    CallItem,
    Created,
    Ended,
    Inherited,
    JournalSlice,
    Parked,
    Pause,
    Queued,
    Resume,
    Sequenced,
    Turn,
    Waiting,
)
from stepward.domain.json_text import carried_bytes
from stepward.domain.run_queue import rank_of
from stepward.domain.run_state import RunState, fold
from stepward.domain.runs import RunHead, RunStatus, checked_key, existing_head, run_view
from stepward.ports.journal import Journal
from stepward.ports.runs import RuntimeState


def waiting_for(head: RunHead, record: AnyRecord | None, journal: Journal) -> dict[str, Any]:
    """Tell what a run waits for by its newest record, if that is not about pausing.

    Args:
        head: The run.
        record: Its journal's newest record.
        journal: Where the runs that answer its calls are named.

    Returns:
        `waiting_for` with `what`: `answers` to calls, the word to go on after a `pause`, a `slot`, or the
        `provider`; nothing for a run that waits for nothing.
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
            found = _slot(rank_of(record.position), record.at)
        case Created() if record.position:
            found = _slot(rank_of(record.position), record.at)
        case Inherited() if head.status is RunStatus.PENDING:
            found = _slot(head.priority, record.at)
        case _:
            return {}
    return {"waiting_for": found}


def waits_of(head: RunHead, state: RunState) -> dict[str, Any]:
    """Tell what a run waits for that was asked to pause or resume: answers come first.

    Args:
        head: The run.
        state: What its whole journal tells.
    """
    if state.slot:
        return {}
    since = state.idle_since or head.created_at
    if state.position:
        return {"waiting_for": _slot(rank_of(state.position), since)}
    parked = state.parked.calls if state.parked and state.parked.reason == "answers" else ()
    calls = [call for call in parked if call not in state.calls or state.calls[call].result is None]
    if calls:
        return {"waiting_for": _answers(calls, [state.calls.get(call) for call in calls], since)}
    return {"waiting_for": {"what": "pause", "since": state.paused.at}} if state.paused else {}


def _provider(record: Waiting) -> dict[str, Any]:
    """Tell why it waits for a provider.

    `own_limit` means that the platform holds the call back, by a limit or because the provider failed too
    often.
    """
    why = {"reason": record.reason, **({"detail": record.detail} if record.detail else {})}
    ours = {} if record.is_retry else {"own_limit": True}
    return {"what": "provider", **why, **ours, "since": record.at, "until": record.until}


def _slot(rank: str, since: str) -> dict[str, Any]:
    return {"what": "slot", "place": rank, "since": since}


def _answers(calls: Iterable[str], items: Iterable[CallItem | None], since: str) -> dict[str, Any]:
    """Name the calls, and the runs that answer them; the others await a person."""
    runs = {item.call: item.started_by for item in items if item and item.started_by and item.result is None}
    return {"what": "answers", "calls": list(calls), **({"runs": runs} if runs else {}), "since": since}


MOST_LISTED: Final = 100
ANSWER_LIMIT_BYTES: Final = 5_000_000
"""Lambda's answers have 6 MB at most, with a body that is escaped as a JSON text."""


def find_run(runtime: RuntimeState, tenant: str, run: str) -> RunHead:
    """Read a run's head; refuse an unknown or another tenant's run."""
    return existing_head(runtime.head(checked_key(tenant, run)), run)


def new_run_view(head: RunHead, given: Any) -> dict[str, Any]:
    """Show a run that was just started: all of it is known, so nothing is read."""
    return {**run_view(head), "status": RunStatus.PENDING, "input": given, "output": None}


def page_size(text: str | None, default: int = 20) -> int:
    """Read `limit` from a query string."""
    if text is None:
        return default
    if not re.fullmatch(r"\d{1,3}", text, re.ASCII) or not 1 <= int(text) <= MOST_LISTED:
        raise InvalidRequest(
            f"limit is {text[:40]!r}.", field="limit", fix=f"use a whole number from 1 to {MOST_LISTED}"
        )
    return int(text)


@dataclass(frozen=True)
class ShowRuns:
    """The use cases behind `GET /runs/{run_id}`, with and without `/events`."""

    journal: Journal
    runtime: RuntimeState

    def detail(self, tenant: str, run: str) -> dict[str, Any]:
        """Show a run with its input and, once there is one, its output."""
        head = find_run(self.runtime, tenant, run)
        given = _beginning(head, [item.record for item in self.journal.read(head.key, 1, 2).records])
        if not head.ended:
            return {**self._unsettled(head), **given}
        last = next(iter(self.journal.read(head.key, head.ended_seq or 1, 1).records), None)
        return {**run_view(head), **given, "output": _output(last)}

    def _unsettled(self, head: RunHead) -> dict[str, Any]:
        """Show a run by its journal, which knows an end a moment before the head does."""
        newest = self.journal.newest(head.key)
        record = newest.record if newest else None
        end = record.end if isinstance(record, Ended | Turn) else None
        if isinstance(record, Pause | Resume):
            state = fold(self.journal.load(head.key))
            return {
                **run_view(head),
                "status": _status_by(head, state),
                **waits_of(head, state),
                "output": None,
            }
        if record is None or end is None:
            return {
                **run_view(head),
                "status": _status(head, record),
                **waiting_for(head, record, self.journal),
                "output": None,
            }
        state = fold(self.journal.load(head.key))
        said = {"status": end.status, "ended_at": record.at, "error": end.error}
        counted = {"totals": state.ledger.billed_totals(), "aws": state.aws.cost()}
        seen = head.model_copy(update={**said, **counted})
        return {**run_view(seen), "output": _output(newest)}

    def events(self, tenant: str, run: str, query: dict[str, str]) -> dict[str, Any]:
        """Show what happened after a cursor; `next` is the cursor for the next request."""
        head = find_run(self.runtime, tenant, run)
        after = _cursor(run, query.get("after"))
        page = self.journal.read(head.key, after + 1, page_size(query.get("limit"), MOST_LISTED))
        records = _fitting(run, page)
        events = [event for item in records for event in events_of(run, item, page.calls)]
        reached = records[-1].seq if records else after
        return {
            "events": events,
            "next": reached,
            "ended": head.ended and reached >= (head.ended_seq or 0),
        }


def _fitting(run: str, page: JournalSlice) -> list[Sequenced]:
    """Take as many records as one answer can hold, and at least one."""
    fitting: list[Sequenced] = []
    size = 0
    for item in page.records:
        size += carried_bytes(events_of(run, item, page.calls))
        if fitting and size > ANSWER_LIMIT_BYTES:
            break
        fitting.append(item)
    return fitting


def _status(head: RunHead, record: AnyRecord | None) -> RunStatus:
    match record:
        case None | Created() | Inherited():
            return RunStatus.PENDING
        case Waiting():
            return RunStatus.RATE_LIMITED
        case _:
            return head.status if head.status is RunStatus.WAITING else RunStatus.RUNNING


def _beginning(head: RunHead, first: Sequence[AnyRecord]) -> dict[str, Any]:
    """Show what a run was given: input, files, prompt, budgets, and a fork's origin."""
    created = first[0] if first else None
    if not isinstance(created, Created):
        return {"input": None}
    fork = created.fork.model_dump(exclude_none=True, exclude={"family"}) if created.fork else None
    files = [one.model_dump(mode="json") for one in created.attachments]
    return {
        "input": created.input,
        **({"charged_to": _charged_to(first)} if head.charged else {}),
        **({"attachments": files} if files else {}),
        **({"fork_of": fork} if fork else {}),
        **({"prompt": created.prompt.named} if created.prompt else {}),
    }


def _charged_to(first: Sequence[AnyRecord]) -> list[str]:
    """Name the budgets from which a run drew with its slot; none where none is set."""
    draws = [one.allowance for one in first if isinstance(one, Created | Admitted) and one.allowance]
    return [
        BudgetRef.of(key).in_words for key in dict.fromkeys(key for draw in draws for key in draw.budgets)
    ]


def _status_by(head: RunHead, state: RunState) -> RunStatus:
    """Return the status of a run that was asked to pause or resume."""
    if head.status is RunStatus.RUNNING and state.owner is None:
        return RunStatus.PENDING
    return head.status


def _output(last: Sequenced | None) -> str | None:
    record = last.record if last else None
    return record.reply.text if isinstance(record, Turn) and record.end else None


def _cursor(run: str, text: str | None) -> int:
    """Read `after`: a sequence number, or the id of an event."""
    if text is None:
        return 0
    found = re.fullmatch(rf"(?:{run}:)?(\d{{1,9}})(?::\d{{1,9}})?", text, re.ASCII)
    if not found:
        raise InvalidRequest(
            f"after is {text[:80]!r}.",
            field="after",
            fix="use the `next` of the answer before, or an event's id",
        )
    return int(found[1])
