"""Compare two runs turn by turn, such as a fork and its source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from stepward.agents.show_runs import ANSWER_LIMIT_BYTES, find_run
from stepward.domain.conversation import Exchange
from stepward.domain.errors import InvalidRequest
from stepward.domain.json_text import carried_bytes
from stepward.domain.run_state import RunState, fold
from stepward.domain.runs import RunHead
from stepward.ports.journal import Journal
from stepward.ports.runs import RuntimeState


@dataclass(frozen=True)
class _Side:
    """One of the two runs."""

    head: RunHead
    state: RunState

    @property
    def turns(self) -> list[Exchange]:
        """Return all turns, including one whose calls have no results yet."""
        pending = self.state.pending
        return [*self.state.history, *([Exchange(reply=pending.reply)] if pending else [])]

    @property
    def start(self) -> dict[str, Any]:
        """Return what the run began with; `prompt` and `model` are those that a fork changed."""
        created, fork = self.state.start, self.state.start.fork
        edits = {"prompt": fork.prompt, "model": fork.model} if fork else {"prompt": None, "model": None}
        given = created.model_dump(include={"agent", "version", "input", "rehearsed"})
        return {**given, **edits}

    @property
    def view(self) -> dict[str, Any]:
        """Return what is compared; a fork's totals exclude the turns that it took over."""
        end, totals = self.state.end, self.state.ledger.billed_totals()
        status = end.status if end else self.head.status
        return {"id": self.head.run, "status": status.value, "totals": totals.model_dump()}


@dataclass(frozen=True)
class DiffRuns:
    """The use case behind `GET /runs/{run_id}/diff?with=`; reads two heads and two journals."""

    journal: Journal
    runtime: RuntimeState

    def __call__(self, tenant: str, run: str, query: dict[str, str]) -> dict[str, Any]:
        """Compare two runs; `left` is the one of the path, `next` the cursor after a full answer."""
        after = _turn(query.get("after"))
        if "with" not in query:
            raise InvalidRequest(
                "there is nothing to compare with.", field="with", fix="name the other run: ?with=run_…"
            )
        left, right = self._side(tenant, run), self._side(tenant, query["with"])
        parts = list(_parts(left.turns, right.turns))
        turns, following = _fitting([part for part in parts if part["turn"] > after])
        return {
            "left": left.view,
            "right": right.view,
            "fork": _kinship(left, right),
            "start": _pairs(left.start, right.start),
            "first_difference": parts[0]["turn"] if parts else None,
            "turns": turns,
            "next": following,
        }

    def _side(self, tenant: str, run: str) -> _Side:
        head = find_run(self.runtime, tenant, run)
        return _Side(head, fold(self.journal.load(head.key)))


def _kinship(left: _Side, right: _Side) -> dict[str, Any] | None:
    """Return whether one is the other's fork, and from which turn."""
    for name, one, other in (("right", right, left), ("left", left, right)):
        fork = one.state.start.fork
        if fork and fork.run == other.head.run:
            return {"side": name, "turn": fork.turn, "results": list(fork.results)}
    return None


def _parts(left: list[Exchange], right: list[Exchange]) -> Iterator[dict[str, Any]]:
    """List the turns that differ, each with its differences; call ids always differ."""
    for number, (one, other) in enumerate(zip_longest(left, right), start=1):
        pairs = _pairs(_said(one), _said(other))
        if pairs:
            yield {"turn": number, **pairs}


def _said(exchange: Exchange | None) -> dict[str, Any]:
    if exchange is None:
        return {"text": None, "calls": None, "results": None}
    calls = [
        {"tool": call.tool, "arguments": call.arguments_text if call.arguments is None else call.arguments}
        for call in exchange.reply.calls
    ]
    results = [
        {"tool": result.tool, "ok": result.error is None, "content": result.content}
        for result in exchange.results
    ]
    return {"text": exchange.reply.text, "calls": calls, "results": results}


def _pairs(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any]:
    return {name: {"left": left[name], "right": right[name]} for name in left if left[name] != right[name]}


def _fitting(parts: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int | None]:
    """Take as many turns as one answer can hold, at least one.

    The last of them is the cursor if some are left.
    """
    size, room = 0, ANSWER_LIMIT_BYTES // 2
    for index, part in enumerate(parts):
        size += carried_bytes(part)
        if index and size > room:
            return parts[:index], int(parts[index - 1]["turn"])
    return parts, None


def _turn(text: str | None) -> int:
    if text is not None and not re.fullmatch(r"\d{1,6}", text, re.ASCII):
        raise InvalidRequest(
            f"after is {text[:40]!r}.", field="after", fix="use the `next` of the answer before"
        )
    return int(text or 0)
