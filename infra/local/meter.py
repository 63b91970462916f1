"""Count what a stack would be billed for, at the wire, so that a claim about cost is a measurement.

Exact by the published rule (see `capacity`) with two exceptions: a Query or Scan with a FilterExpression or a
ProjectionExpression is charged by the average size of what it returned, and a condition check in a transaction is
charged like a write.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infra.local import capacity
from infra.local.engine.dynamodb.actions import Action, Answer
from infra.local.touched_items import Touch, touches, view

_REFUSED_CONDITIONS = ("ConditionalCheckFailedException", "TransactionCanceledException")


@dataclass(frozen=True)
class Reading:
    """The meter at one moment, or the difference between two."""

    dynamodb_calls: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    """(function, operation, table or tables) → calls."""

    write_units: dict[tuple[str, str], float] = field(default_factory=dict)
    """(function, table) → units, index writes included."""

    read_units: dict[tuple[str, str], float] = field(default_factory=dict)
    lambda_invocations: Counter[str] = field(default_factory=Counter)

    def since(self, earlier: Reading) -> Reading:
        """Subtract an earlier reading."""
        return Reading(
            self.dynamodb_calls - earlier.dynamodb_calls,
            _difference(self.write_units, earlier.write_units),
            _difference(self.read_units, earlier.read_units),
            self.lambda_invocations - earlier.lambda_invocations,
        )

    def calls_by_operation(self) -> dict[str, int]:
        """Sum the calls of all functions by operation."""
        total: Counter[str] = Counter()
        for (_, operation, _), calls in self.dynamodb_calls.items():
            total[operation] += calls
        return dict(sorted(total.items()))


class Meter:
    """Stand around every DynamoDB action and ask the executor for the rest."""

    def __init__(
        self, function_of: Callable[[str], str | None], invocations: Callable[[], Counter[str]]
    ) -> None:
        """Take two lookups: the function of an access key, and how often each function ran."""
        self._function_of = function_of
        self._invocations = invocations
        self._total = Reading()
        self._lock = threading.Lock()

    def reading(self) -> Reading:
        """Read the meter."""
        with self._lock:
            total = self._total
            return Reading(
                Counter(total.dynamodb_calls),
                dict(total.write_units),
                dict(total.read_units),
                Counter(self._invocations()),
            )

    def observe(self, handler: Any, action: Action) -> Answer:
        """Measure the touched items, let the action run, measure again."""
        operation, body = str(handler._get_action()), dict(handler.params)  # noqa: SLF001 - the action's own name
        function = self._function_of(handler.access_key)
        if function is None:
            return action(handler)
        listed = list(touches(operation, body))
        before = [_current(handler, touch) for touch in listed]
        answer = action(handler)
        bill = _Bill(self._total, function, operation)
        with self._lock:
            bill.count(listed, body)
            if operation in ("Query", "Scan"):
                bill.charge_listing(body, answer)
            elif answer[0] < 300 or any(name in str(answer[2]) for name in _REFUSED_CONDITIONS):
                for touch, old in zip(listed, before, strict=True):
                    new = _current(handler, touch) if answer[0] < 300 else touch.new or old
                    bill.charge(handler, touch, old, new)
        return answer


class _Bill:
    """Write one call's units into the totals."""

    def __init__(self, total: Reading, function: str, operation: str) -> None:
        self._total = total
        self._function = function
        self._operation = operation
        self._transactional = operation.startswith("Transact")

    def count(self, listed: list[Touch], body: dict[str, Any]) -> None:
        tables = sorted({touch.table for touch in listed} or {str(body.get("TableName", ""))})
        self._total.dynamodb_calls[self._function, self._operation, "+".join(tables)] += 1

    def charge(
        self, handler: Any, touch: Touch, old: capacity.Item | None, new: capacity.Item | None
    ) -> None:
        where = (self._function, touch.table)
        if not touch.writes:
            size = [capacity.item_bytes(old)]
            units = capacity.read_units(size, consistent=touch.consistent, transactional=self._transactional)
            _add(self._total.read_units, where, units)
            return
        factor = 2 if self._transactional else 1
        units = factor * capacity.write_units(old, new)
        table = view(handler.dynamodb_backend, touch.table)
        if table is not None:
            keys = frozenset(table.key_names)
            units += sum(capacity.index_write_units(index, old, new, keys) for index in table.indexes)
        _add(self._total.write_units, where, units)

    def charge_listing(self, body: dict[str, Any], answer: Answer) -> None:
        if answer[0] >= 300:
            return
        found = json.loads(answer[2])
        sizes = [capacity.item_bytes(item) for item in found.get("Items", [])]
        scanned, returned = int(found.get("ScannedCount", len(sizes))), max(1, len(sizes))
        if scanned > len(sizes):
            sizes = [sum(sizes) * scanned // returned]
        units = capacity.read_units(sizes, consistent=bool(body.get("ConsistentRead")))
        _add(self._total.read_units, (self._function, body["TableName"]), units)


def _current(handler: Any, touch: Touch) -> capacity.Item | None:
    table = view(handler.dynamodb_backend, touch.table)
    return (
        None
        if table is None or any(name not in touch.key for name in table.key_names)
        else table.item(touch.key)
    )


def _add(units: dict[tuple[str, str], float], where: tuple[str, str], more: float) -> None:
    units[where] = units.get(where, 0.0) + more


def _difference(
    later: dict[tuple[str, str], float], earlier: dict[tuple[str, str], float]
) -> dict[tuple[str, str], float]:
    return {key: value - earlier.get(key, 0.0) for key, value in later.items() if value != earlier.get(key)}
