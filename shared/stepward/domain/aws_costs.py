"""Count what AWS charges for a run from its journal, without measuring anything.

Counted are the entered states, the functions' requests and memory times, the tables' units by the published rule
(1 KB a write, 4 KB a read, twice in a transaction), large bodies in S3, and the request that started the run. The times
of functions are those between a writer's records, so what lies before the first and after the last is assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Final

from stepward.domain.aws_prices import ROOM_MEMORY_MB, USD_MICROS_EACH, AwsCost
from stepward.domain.footprint import (
    AGENT_CONTINUES,
    AGENT_ENDS,
    AGENT_PARKS,
    AGENT_QUEUES,
    AGENT_STARTS,
    BUDGET_DRAWN,
    BUDGET_RETURNED,
    ITEM_BYTES,
    MARK,
    Units,
)
from stepward.domain.journal import (
    Admitted,
    AnyRecord,
    CallItem,
    Claimed,
    Continued,
    Created,
    Parked,
    Queued,
    Results,
    Sequenced,
    ToppedUp,
    Turn,
)
from stepward.domain.money import rounded_up

INLINE_BODY_BYTES: Final = 100_000
"""A larger body lies in S3, and its item names it."""
ADVANCE_EDGES_MS: Final = 25
"""Before the claim and after the last record of an advance."""
TOOL_EDGES_MS: Final = 20
ASSUMED_TOOL_MS: Final = 50
START_MS: Final = {"authorizer": 15, "runs_api": 40}
DISPATCH_MS: Final = 30

_IN_TRANSACTIONS: Final = frozenset(
    {"created", "inherited", "admitted", "queued", "parked", "topped_up", "continued"}
)


@dataclass
class AwsTally:
    """Counts what a run uses of AWS; every number is what AWS counts by the same name."""

    transitions: int = 0
    lambda_requests: int = 0
    lambda_mb_ms: int = 0
    write_units: float = 0
    read_units: float = 0
    s3_puts: int = 0
    s3_gets: int = 0
    http_requests: int = 0
    events: int = 0
    queue_messages: int = 0
    journal_bytes: int = 0
    budgets: int = 0
    spans: dict[str, tuple[str, str]] = field(default_factory=dict)

    def copy(self) -> AwsTally:
        """Return a copy that counts on without changing this one."""
        return replace(self, spans=dict(self.spans))

    def add(self, other: AwsTally) -> None:
        """Add another tally, except for times that are still running."""
        for name in USD_MICROS_EACH:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def take(self, units: Units) -> None:
        """Add an effect's units from the table."""
        for name, amount in units.priced().items():
            setattr(self, name, getattr(self, name) + amount)

    def cost(self) -> AwsCost:
        """Price the counts."""
        counts = {name: getattr(self, name) for name in USD_MICROS_EACH}
        counts["lambda_mb_ms"] += self._advancing_mb_ms()
        exact = sum((Decimal(str(n)) * USD_MICROS_EACH[name] for name, n in counts.items()), Decimal(0))
        return AwsCost(counts=_shown(counts), usd_micros=rounded_up(exact))

    def apply(self, item: Sequenced, calls: Mapping[str, CallItem]) -> None:
        """Count the next record."""
        record = item.record
        self.write(len(record.model_dump_json()), twice=record.kind in _IN_TRANSACTIONS)
        if record.writer in self.spans:
            self.spans[record.writer] = (self.spans[record.writer][0], record.at)
        self._apply_kind(record, calls)

    def _apply_kind(self, record: AnyRecord, calls: Mapping[str, CallItem]) -> None:
        match record:
            case Created():
                self.start(
                    by_request=record.parent is None,
                    queued=record.position is not None,
                    budgets=len(record.allowance.budgets) if record.allowance else 0,
                )
            case Claimed():
                self.advance()
                self.spans[record.writer] = (record.at, record.at)
            case Results():
                self._remote(record, calls)
            case Admitted() | ToppedUp():
                self.draw(record)
            case Parked():
                self.wait(len(record.calls))
            case Queued():
                self.count_queueing()
            case Continued():
                self.begin_epoch()
            case Turn():
                self._use_response_cache(record)
                self._end_if(record.end is not None)
            case _:
                self._end_if(record.kind == "ended")

    def start(self, *, by_request: bool = True, queued: bool = False, budgets: int = 0) -> None:
        """Count a run's beginning."""
        if by_request:
            self.http_requests += 1
            for room, ms in START_MS.items():
                self.invoke(room, ms)
        self.budgets = budgets
        self.take(AGENT_STARTS + BUDGET_DRAWN.times(budgets))
        if queued:
            self.count_queueing()

    def draw(self, record: Admitted | ToppedUp) -> None:
        """Count a draw that is not the start's own."""
        if record.allowance:
            self.budgets = len(record.allowance.budgets)
            self.take(BUDGET_DRAWN.times(self.budgets))

    def count_queueing(self) -> None:
        """Count joining and leaving the queue, with the message and function that serve it."""
        self.take(AGENT_QUEUES)
        self.invoke("dispatch", DISPATCH_MS)

    def advance(self, ms: int = 0) -> None:
        """Count one advance: two states, one function, one read of the whole journal."""
        self.transitions += 2
        self.invoke("agent_advance", ADVANCE_EDGES_MS + ms)
        self.read_units += max(1, ceil(self.journal_bytes / 4096))

    def write(self, body_bytes: int, *, twice: bool = False) -> None:
        """Count one record."""
        stored = ITEM_BYTES + body_bytes
        if body_bytes > INLINE_BODY_BYTES:
            self.s3_puts += 1
            stored = 2 * ITEM_BYTES
        self.journal_bytes += stored
        self.write_units += ceil(stored / 1024) * (2 if twice else 1)

    def call_tools(self, bodies_bytes: list[int], took_ms: list[int], marks: int = 0) -> None:
        """Count one turn's calls in functions of their own: a state for all and one for each."""
        self.transitions += 1 + len(bodies_bytes)
        self.write_units += marks
        for ms in took_ms:
            self.invoke("tool_invoke", ms + TOOL_EDGES_MS)
            self.read_units += 2
        for size in bodies_bytes:
            self.write(size)

    def _use_response_cache(self, turn: Turn) -> None:
        """Count a turn's lookup in the cache, and its reply as stored.

        A reply that is no whole answer is not stored, so this may count one write too many.
        """
        if not turn.cache_missed and turn.reply.cache_hit is None:
            return
        stored = ITEM_BYTES + len(turn.reply.model_dump_json())
        if turn.reply.cache_hit:
            self.read_units += ceil(stored / 4096) / 2
            return
        self.read_units += 0.5
        self.write_units += ceil(stored / 1024) if stored <= INLINE_BODY_BYTES else 0

    def wait(self, calls: int) -> None:
        """Count a wait: one state for all, and a state and a function for each."""
        self.transitions += 1 + calls
        self.take(AGENT_PARKS + BUDGET_RETURNED.times(self.budgets) + MARK.times(2 * calls))
        for _ in range(calls):
            self.invoke("dispatch", DISPATCH_MS)

    def begin_epoch(self) -> None:
        """Count the last state of an execution that hands the run to a new one.

        Its advance is counted by its claim.
        """
        self.transitions += 1
        self.take(AGENT_CONTINUES)

    def end(self) -> None:
        """Count a run's end."""
        self.transitions += 1
        self.take(AGENT_ENDS + BUDGET_RETURNED.times(self.budgets))

    def _end_if(self, is_end: bool) -> None:
        if is_end:
            self.end()

    def invoke(self, room: str, ms: int) -> None:
        """Count one function's work."""
        self.lambda_requests += 1
        self.lambda_mb_ms += ROOM_MEMORY_MB[room] * ms

    def _remote(self, record: Results, calls: Mapping[str, CallItem]) -> None:
        found = [calls[o.call] for o in record.outcomes if o.result is None and o.call in calls]
        results = [call.result for call in found if call.result]
        if results:
            self.call_tools(
                [len(result.model_dump_json()) for result in results],
                [ASSUMED_TOOL_MS if r.took_ms is None else r.took_ms for r in results],
                marks=sum(call.started_by is not None for call in found),
            )

    def _advancing_mb_ms(self) -> int:
        return sum(ROOM_MEMORY_MB["agent_advance"] * _ms(*span) for span in self.spans.values())


def aws_cost(records: Iterable[Sequenced], calls: Mapping[str, CallItem]) -> AwsCost:
    """Count and price a run from its journal."""
    tally = AwsTally()
    for item in records:
        tally.apply(item, calls)
    return tally.cost()


def _ms(first: str, last: str) -> int:
    took = datetime.fromisoformat(last) - datetime.fromisoformat(first)
    return max(0, round(took.total_seconds() * 1000))


def _shown(counts: dict[str, float]) -> dict[str, int]:
    """Round up to whole numbers; memory times are in thousandths of a GB-second."""
    shown = {name: ceil(number) for name, number in counts.items() if name != "lambda_mb_ms"}
    return {**shown, "lambda_gb_ms": ceil(counts["lambda_mb_ms"] / 1024)}
