"""Check what must hold at every moment of a schedule, after every write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count

from stepward.domain.conversation import ToolResult
from stepward.domain.journal import Sequenced, Turn
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunHead, RunKey
from stepward.ports.run_machine import RESUME_CALL, SLOT_CALL
from stepward.testing.schedules.platform import Platform

Call = tuple[str, str]
QueueEntry = tuple[str, str]
"""A tenant, and the sort key of a run in its queue."""


class InvariantBroken(Exception):
    """An invariant does not hold in the middle of a schedule."""


class Moments:
    """Follow every journal, and compare it with heads, slots, run queue and budgets."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._states: dict[str, RunState] = {}
        self._results: dict[Call, ToolResult] = {}
        self._joined: dict[QueueEntry, int] = {}
        self._joins = count(1)

    def check(self) -> None:
        """Raise `InvariantBroken` with all that does not hold now."""
        broken = list(self._violations())
        if broken:
            raise InvariantBroken("; ".join(broken))

    def _violations(self) -> Iterator[str]:
        yield from self._platform.call_log.uncovered
        for key in self._platform.journal.written_since():
            yield from self._new_records(key)
        yield from self._slots_and_queue_agree()
        yield from self._queue_order()
        yield from self._slots()
        yield from self._budgets()
        yield from self._waits_hold_no_slot()

    def _new_records(self, key: RunKey) -> Iterator[str]:
        """Read what was written since the last check.

        Nothing but bills follows an end, and no result ever changes.
        """
        state = self._states.setdefault(key.run, RunState())
        fresh = self._platform.journal.load(key, state.seq + 1)
        state.calls = fresh.calls
        for item in fresh.records:
            if state.end is not None and not _is_bill(item):
                yield f"{key.run}: {item.record.kind} at {item.seq} follows the end at {state.end_seq}"
            state.apply(item)
        for name, call in fresh.calls.items():
            first = self._results.setdefault((key.run, name), call.result) if call.result else None
            if first != call.result:
                yield f"{key.run}: the result of {name} was {first!r:.200} and is {call.result!r:.200}"
        yield from self._spends_what_it_has_drawn(self._platform.runtime.heads[key], state)

    def _spends_what_it_has_drawn(self, head: RunHead, state: RunState) -> Iterator[str]:
        """A run with budgets has spent and reserved no more than it has drawn.

        No run exceeds its own limit.
        """
        ledger, limit = state.ledger, state.start.cost_limit_usd_micros
        has_budgets = bool(self._platform.limits.tenant(head.tenant).budgets)
        if has_budgets and not head.ended and ledger.left_usd_micros < 0:
            beyond = -ledger.left_usd_micros
            yield f"{head.run}: has spent and reserved {beyond} micro-dollars more than it has drawn"
        if limit is not None and ledger.spent_usd_micros > limit:
            yield f"{head.run}: has spent and reserved {ledger.spent_usd_micros}, its limit is {limit}"

    def _slots_and_queue_agree(self) -> Iterator[str]:
        """Slots and the run queue agree with the journals."""
        line = self._platform.runtime.line
        holders = {key.run for key in line.slots}
        for head in self._platform.runtime.heads.values():
            state = self._states[head.run]
            if (head.run in holders) != (state.slot is not None and not head.ended):
                yield f"{head.run}: its journal has the slot {state.slot}, those who hold one are {holders}"
            if state.position and state.end is None and (head.tenant, state.position) not in line.positions:
                yield f"{head.run}: is in the run queue by its journal, and will not be found there"

    def _queue_order(self) -> Iterator[str]:
        """A run leaves the queue only after those before it that were there first."""
        positions = self._platform.runtime.line.positions
        for gone in [position for position in self._joined if position not in positions]:
            since, run = self._joined.pop(gone), gone[1].split("#")[2]
            before = [one for one in self._joined if one[0] == gone[0] and one[1] < gone[1]]
            passed = [one[1] for one in before if self._joined[one] < since]
            if passed and RunKey(tenant=gone[0], run=run) in self._platform.runtime.line.slots:
                yield f"{run}: was admitted before {', '.join(passed)}"
        for position in positions:
            if position not in self._joined:
                self._joined[position] = next(self._joins)

    def _slots(self) -> Iterator[str]:
        line, limits = self._platform.runtime.line, self._platform.limits
        active = Counter(key.tenant for key in line.slots)
        for tenant, number in active.items():
            if number > limits.tenant(tenant).active:
                yield f"{tenant}: {number} runs are active, {limits.tenant(tenant).active} are allowed"
        if active.total() > limits.account().active:
            yield f"the account: {active.total()} runs are active, {limits.account().active} are allowed"

    def _budgets(self) -> Iterator[str]:
        """No budget is below zero, and what it lacks is what its runs have spent or hold."""
        held = Counter[str]()
        for head in self._platform.runtime.heads.values():
            held[head.tenant] += self._held_usd_micros(head)
        for budget in self._platform.runtime.budgets.every():
            if budget.remaining_usd_micros < 0:
                yield f"{budget.tenant}: {budget.ref.item_key} is at {budget.remaining_usd_micros}"
            taken = budget.limit_usd_micros - budget.remaining_usd_micros
            if taken != held[budget.tenant]:
                lacks = f"{taken} were taken from {budget.ref.item_key}"
                yield f"{budget.tenant}: {lacks}, its runs have {held[budget.tenant]}"

    def _held_usd_micros(self, head: RunHead) -> int:
        """Return what a run takes from a budget: its draws until it has ended, then its cost."""
        ledger = self._states[head.run].ledger
        if head.ended:
            return ledger.spent_usd_micros
        return ledger.settled_usd_micros + sum(draw.usd_micros for draw in ledger.draws)

    def _waits_hold_no_slot(self) -> Iterator[str]:
        """A run whose machine waits for people or other runs, and for nothing else, holds no slot."""
        for execution in self._platform.executions.values():
            waits = (
                [task.payload["call"] for task in execution.waits()] if execution.status == "RUNNING" else []
            )
            is_waiting = waits and len(waits) == len(execution.tasks)
            state = self._states.get(execution.key.run)
            if is_waiting and state and state.slot and not {SLOT_CALL, RESUME_CALL} & set(waits):
                yield f"{execution.key.run}: holds a slot while it waits for {', '.join(waits)}"


def _is_bill(item: Sequenced) -> bool:
    return isinstance(item.record, Turn) and item.record.late
