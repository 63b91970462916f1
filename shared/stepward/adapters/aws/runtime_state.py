"""Heads of runs in DynamoDB, and the transactions that start, admit, park and end a run."""

from __future__ import annotations

from dataclasses import dataclass, field

from stepward.adapters.aws import slots
from stepward.adapters.aws.budgets import DynamoBudgets
from stepward.adapters.aws.clients import client
from stepward.adapters.aws.cost_book import cost_step
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import from_item
from stepward.adapters.aws.journal import DynamoJournal
from stepward.adapters.aws.new_runs import NewRuns
from stepward.adapters.aws.prompt_counts import arm_step
from stepward.adapters.aws.run_lists import head_key, read_head
from stepward.adapters.aws.slots import SlotReturns
from stepward.adapters.aws.transactions import Refused, Step, put_new, transact, update
from stepward.domain.costs import CostLine
from stepward.domain.errors import Bug, StoreConflict
from stepward.domain.journal import (
    Admitted,
    AnyRecord,
    Continued,
    Parked,
    Pause,
    Queued,
    Resume,
    ToppedUp,
    Turn,
)
from stepward.domain.run_queue import Allowance, Draw, QueuedRun, Slot
from stepward.domain.runs import RunHead, RunKey, RunStatus, Totals
from stepward.domain.ttl_cache import TtlCache
from stepward.ports.run_queue import Freed, NoSlot, SlotLimits
from stepward.ports.runs import NewRun, Settlement, Started, has_begun

RECORD = "record"
HEAD = "head"


@dataclass(frozen=True)
class DynamoRuntimeState:
    """Keeps heads of agents' runs; a change writes its journal record in one transaction."""

    table: str
    journal: DynamoJournal
    new_runs: NewRuns
    asked: TtlCache[Freed] = field(default_factory=lambda: TtlCache(slots.HINT_TTL_S))
    """Which counters had a wake-up requested lately: it is sent without reading them again."""

    def start(self, new: NewRun) -> Started:
        """Start a run, or find what its key started."""
        return self.new_runs.start(new)

    def head(self, key: RunKey) -> RunHead | None:
        """Read a head, strongly consistent."""
        with translated(f"reading {key.run}"):
            item = (
                client("dynamodb")
                .get_item(TableName=self.table, Key=head_key(key), ConsistentRead=True)
                .get("Item")
            )
        return read_head(item) if item and "workflow" not in item else None

    def admit(
        self, waiting: QueuedRun, at: str, writer: str, limits: SlotLimits, draw: Draw | None
    ) -> Admitted | NoSlot:
        """Give a run a slot.

        time →   dispatch A: seq 5 ✓ slot ✓ place gone       dispatch B, the same run: seq 5 ✗ → nothing changes
                 cancel:     seq 5 ✓                         dispatch: seq 5 ✗ → looks again, sees the cancel
        """
        key, asked = RunKey(tenant=waiting.tenant, run=waiting.run), True
        for slot in slots.slots_to_try(waiting.run, limits):
            record = Admitted(at=at, writer=writer, slot=slot, allowance=draw.allowance if draw else None)
            refused = self._admit(key, waiting, record, limits, draw)
            if refused is not None and slots.empty_budgets(refused):
                record = record.model_copy(update={"allowance": _nothing(draw)})
                refused = self._admit(key, waiting, record, limits, None)
            if refused is None:
                return record
            if slots.TENANT not in refused and slots.ACCOUNT not in refused:
                raise StoreConflict(f"{waiting.run} has gone on: {', '.join(refused.by)}.")
            asked = asked and slots.is_asked(refused)
        return NoSlot(asked)

    def _admit(
        self, key: RunKey, waiting: QueuedRun, record: Admitted, limits: SlotLimits, draw: Draw | None
    ) -> Refused | None:
        left = [slots.leave(self.table, key.tenant, waiting.position)] if waiting.position else []
        steps = [
            self._record(key, waiting.seq + 1, record),
            self._status(key, RunStatus.RUNNING),
            *left,
            *slots.take(self.table, key, record.slot, limits, past_others=True, parked=has_begun(waiting)),
            *slots.draw_steps(self.table, key.tenant, draw),
        ]
        return transact(steps, f"admitting {key.run}")

    def queue(self, waiting: QueuedRun, record: Queued) -> None:
        """Put a run at the head of the queue.

        time →   advance: seq 9 ✓ place ✓      cancel: seq 9 ✗ → looks again and removes the place from the queue
        """
        key = RunKey(tenant=waiting.tenant, run=waiting.run)
        joined = waiting.model_copy(update={"seq": waiting.seq + 1})
        steps = [self._record(key, joined.seq, record), slots.join(self.table, joined)]
        self._all(steps, f"queueing {key.run}")

    def hold(self, key: RunKey, seq: int, record: Pause, position: str | None) -> None:
        """Write that a run is paused.

        time →   pauser: seq 5 ✓ place gone      dispatch: admits with seq 5 ✗ → looks again: the place is gone
                 turn:   seq 5 ✓                 pauser: seq 5 ✗ → looks again and takes seq 6, or learns of the end
        """
        left = [slots.leave(self.table, key.tenant, position)] if position else []
        self._all(
            [self._record(key, seq, record), self._paused(key, paused=True), *left], f"pausing {key.run}"
        )

    def release(self, key: RunKey, seq: int, record: Resume, waiting: QueuedRun | None) -> None:
        """Write that a run is resumed.

        time →   resumer: seq 6 ✓ place ✓        another resumer: seq 6 ✗ → looks again: it is not paused any more
        """
        joined = [slots.join(self.table, waiting)] if waiting else []
        self._all(
            [self._record(key, seq, record), self._paused(key, paused=False), *joined], f"resuming {key.run}"
        )

    def park(
        self, key: RunKey, seq: int, record: Parked, slot: Slot | None, returns: tuple[Allowance, ...]
    ) -> Freed:
        """Return slot and money while the run waits.

        time →   advance: seq 7 ✓ slot given back      cancel: seq 7 ✗ → looks again: there is no slot to give back
        """
        kept = [
            self._record(key, seq, record),
            self._status(key, RunStatus.WAITING),
            *slots.return_steps(self.table, key.tenant, returns),
        ]
        return self._giving_back(key, kept, slot, f"parking {key.run}", parked=True)

    def begin_epoch(self, key: RunKey, seq: int, record: Continued) -> None:
        """Write that a new execution continues the run.

        time →   advance: seq 8 ✓ epoch 2 ✓      the same, late: seq 8 ✗ → looks again: its execution is an old one
                 cancel:  seq 8 ✓ head ended     advance: seq 8 ✗ → looks again: nothing is left to carry on
        """
        self._all([self._record(key, seq, record), self._epoch(key, record.epoch)], f"continuing {key.run}")

    def top_up(self, key: RunKey, seq: int, record: ToppedUp, draw: Draw) -> bool:
        """Draw once more from the run's budgets.

        time →   run A: 5 left ≥ 5 ✓ 0 left      run B: 0 left ≥ 5 ✗ → B ends as BUDGET_EXCEEDED
        """
        steps = [self._record(key, seq, record), *slots.draw_steps(self.table, key.tenant, draw)]
        refused = transact(steps, f"topping up {key.run}")
        if refused is not None and RECORD in refused:
            raise StoreConflict(f"record {seq} of {key.run} is taken.")
        for budget in slots.empty_budgets(refused) if refused else []:
            DynamoBudgets(self.table).refused(key.tenant, budget, record.at)
        return refused is None

    def close(self, key: RunKey, settlement: Settlement) -> Freed:
        """Write the end and return what the run holds, once.

        time →   advance: head ✓ slot ✓ budgets ✓      cancel: head ✗ (ended_at is there): the first one stays
        """
        lines = settlement.costs
        kept = [
            self._end(key, settlement),
            *([slots.leave(self.table, key.tenant, settlement.position)] if settlement.position else []),
            *([slots.forget_parked(self.table, key.tenant)] if settlement.parked else []),
            *slots.return_steps(self.table, key.tenant, settlement.returns),
            *(cost_step(self.table, key, line) for line in lines),
            *([arm_step(self.table, key, settlement.arm)] if settlement.arm else []),
        ]
        return self._giving_back(key, kept, settlement.slot, f"closing {key.run}")

    def mark_notified(self, key: RunKey) -> None:
        """Take a run out of the janitor's index."""
        with translated(f"settling {key.run}"):
            client("dynamodb").update_item(
                TableName=self.table, Key=head_key(key), UpdateExpression="REMOVE gsi3pk, gsi3sk"
            )

    def book_late(
        self,
        key: RunKey,
        seq: int,
        turn: Turn,
        totals: Totals,
        returns: tuple[Allowance, ...],
        cost: CostLine | None,
    ) -> None:
        """Append a late reply and count it everywhere in one transaction.

        Journal, head, budgets and costs never disagree.

        time →   one late reply: seq 9 ✓ head ✓        another's: seq 9 ✗ head ✗ → it looks again and takes seq 10
        """
        counted = update(
            HEAD,
            self.table,
            {"pk": f"T#{key.tenant}#R#{key.run}", "sk": "HEAD"},
            "SET totals = :totals",
            {":totals": totals.model_dump()},
            "attribute_exists(ended_at)",
        )
        costs = [cost_step(self.table, key, cost)] if cost else []
        returned = slots.return_steps(self.table, key.tenant, returns)
        self._all(
            [self._record(key, seq, turn), counted, *returned, *costs], f"booking a late reply of {key.run}"
        )

    # ── steps ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _giving_back(
        self, key: RunKey, kept: list[Step], slot: Slot | None, doing: str, *, parked: bool = False
    ) -> Freed:
        refused, freed = SlotReturns(self.table, self.asked)(key, kept, slot, doing, parked=parked)
        return self._freed(key, refused, freed, doing)

    def _freed(self, key: RunKey, refused: Refused | None, freed: Freed, doing: str) -> Freed:
        if refused is None:
            return freed
        if HEAD in refused:
            return Freed(done=False)
        if RECORD in refused:
            raise StoreConflict(f"{key.run} has gone on.")
        raise Bug(f"{doing}: {', '.join(refused.by)} is not as the journal says")

    def _all(self, steps: list[Step], doing: str) -> None:
        refused = transact(steps, doing)
        if refused is not None:
            raise StoreConflict(f"{doing}: {', '.join(refused.by)} has changed.")

    def _record(self, key: RunKey, seq: int, record: AnyRecord) -> Step:
        return put_new(RECORD, self.journal.table, self.journal.record_item(key, seq, record))

    def _status(self, key: RunKey, status: RunStatus) -> Step:
        return update(
            "status",
            self.table,
            from_item(head_key(key)),
            "SET #status = :status",
            {":status": status.value},
            names={"#status": "status"},
        )

    def _paused(self, key: RunKey, *, paused: bool) -> Step:
        return update(
            "word",
            self.table,
            from_item(head_key(key)),
            "SET paused = :paused",
            {":paused": paused},
            "attribute_not_exists(ended_at)",
        )

    def _epoch(self, key: RunKey, epoch: int) -> Step:
        return update(
            HEAD,
            self.table,
            from_item(head_key(key)),
            "SET epoch = :epoch",
            {":epoch": epoch, ":before": epoch - 1},
            "epoch = :before AND attribute_not_exists(ended_at)",
        )

    def _end(self, key: RunKey, settlement: Settlement) -> Step:
        values = settlement.closing.model_dump(mode="json", exclude_none=True)
        # A child stays in the janitor's list until its parent knows of its end, and so does who has asked people.
        removed = "" if settlement.tells_others else " REMOVE gsi3pk, gsi3sk"
        return update(
            HEAD,
            self.table,
            from_item(head_key(key)),
            "SET " + ", ".join(f"#{name} = :{name}" for name in values) + removed,
            {f":{name}": value for name, value in values.items()},
            "attribute_exists(pk) AND attribute_not_exists(ended_at)",
            {f"#{name}": name for name in values},
        )


def _nothing(draw: Draw | None) -> Allowance | None:
    return Allowance(usd_micros=0, budgets=draw.budgets) if draw else None
