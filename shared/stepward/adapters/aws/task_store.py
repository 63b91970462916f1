"""Records of workflows' tasks in the journal table, in the partition of their run.

START           how the run began, who cancelled it, and whether it holds a slot
VALUE#<name>    the input, lists of items, outputs that are too large for a record; over 100 KB in S3
LATCH#<n>@<at>  r:<path> a task's record, or 1 where it is kept elsewhere; w:<join> the token that waits for all of them
TASK#<path>@<at> b:<attempt> the mark of an attempt
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import CONDITION_FAILED, error_code, translated
from stepward.adapters.aws.items import Item, PlainItem, every_item, from_item, run_pk, to_item
from stepward.adapters.aws.journal import DynamoJournal
from stepward.adapters.aws.transactions import Step, put_new, transact
from stepward.domain.errors import NotFound, StoreThrottled
from stepward.domain.run_queue import SlotState
from stepward.domain.runs import RunKey
from stepward.domain.task_records import TaskKey, TaskRecord
from stepward.ports.tasks import Begun, Inherited, Latch, LatchKey, RunSnapshot, WorkflowStarted

START: Final = "START"
STANDING: Final = "standing"
INPUT: Final = "input"
OUTPUT: Final = "output"
KEPT_ELSEWHERE: Final = "1"
_BATCH: Final = 100
_ROUNDS: Final = 8
_TRANSACTION_BYTES: Final = 3_000_000
"""Of the 4 MB that a transaction may have; names and keys take some of it."""


@dataclass(frozen=True)
class DynamoTaskStore:
    """Keeps the records of tasks, and their large bodies in the bucket."""

    journal: DynamoJournal

    @property
    def table(self) -> str:
        """The table's name."""
        return self.journal.table

    def beginning(
        self, key: RunKey, started: WorkflowStarted, given: Any, slot_state: SlotState | None = None
    ) -> list[Step]:
        """Lay out the items of a run's start, for the transaction that writes its head too."""
        kept = {STANDING: slot_state.model_dump_json(), "change": slot_state.change} if slot_state else {}
        start = {"pk": run_pk(key), "sk": START, "body": started.model_dump_json(), **kept}
        return [
            put_new("start", self.table, to_item(start)),
            put_new(INPUT, self.table, self._value_item(key, INPUT, given)),
        ]

    def snapshot(self, key: RunKey, latches: Sequence[LatchKey], begun: Sequence[TaskKey]) -> RunSnapshot:
        """Read the start, some latches and some marks: one call for up to a hundred items."""
        names = [START, *(latch_sk(one) for one in latches), *(f"TASK#{task}" for task in begun)]
        return _snapshot(key, self._batch(key, list(dict.fromkeys(names))))

    def full_snapshot(self, key: RunKey) -> RunSnapshot:
        """Read the whole partition, without the values."""
        values = {":pk": run_pk(key), ":values": "VALUE#"}
        with translated(f"reading the tasks of {key.run}"):
            items = [from_item(item) for item in every_item(self.table, "pk = :pk AND sk < :values", values)]
        return _snapshot(key, items)

    def given(self, key: RunKey) -> Any:
        """Read the run's input."""
        return self.value(key, INPUT)

    def keep(self, key: RunKey, latch: LatchKey, path: str, record: TaskRecord) -> tuple[TaskRecord, Latch]:
        """Write a task's record.

        time →   keep ─ written ─ ✗ answer lost ─ the SDK tries again ─ condition fails ─ the record there is ours: fine
                 keep ─ condition fails ─ the record is another's, which stays
        """
        item = self._set(key, latch, path, record.model_dump_json(exclude_none=True))
        found = _latch(item)
        return found.records[path], found

    def notify_latch(self, key: RunKey, latch: LatchKey, path: str) -> Latch:
        """Note in another latch that a task has its record; safe to repeat."""
        return _latch(self._set(key, latch, path, KEPT_ELSEWHERE))

    def park(self, key: RunKey, latch: LatchKey, join: str, token: str, needs: Iterable[str]) -> bool:
        """Write the token of a join that waits, as small machines do it themselves.

        time →   record ✓ ─ record ✓ ─ park ✗ goes on            record ✓ ─ park ✓ ─ record ✓ sees the token
        """
        names = {f"#{index}": f"r:{need}" for index, need in enumerate(needs)}
        with translated(f"waiting as {join} of {key.run}"):
            try:
                client("dynamodb").update_item(
                    TableName=self.table,
                    Key=to_item({"pk": run_pk(key), "sk": latch_sk(latch)}),
                    UpdateExpression="SET #w = :w",
                    ConditionExpression=" OR ".join(f"attribute_not_exists({one})" for one in names),
                    ExpressionAttributeNames={"#w": f"w:{join}", **names},
                    ExpressionAttributeValues=to_item({":w": token}),
                )
            except ClientError as error:
                if error_code(error) != CONDITION_FAILED:
                    raise
                return False
        return True

    def begin(self, key: RunKey, task: TaskKey, begun: Begun) -> tuple[Begun, bool]:
        """Mark an attempt; the first mark stays."""
        name = f"b:{begun.attempt}"
        body = begun.model_dump_json(exclude_none=True)
        item, is_ours = self._update(key, f"TASK#{task}", name, body)
        return Begun.model_validate_json(item[name]), is_ours

    def put_value(self, key: RunKey, name: str, value: Any) -> None:
        """Write a value; the same name written again holds the same value."""
        with translated(f"keeping {name} of {key.run}"):
            client("dynamodb").put_item(TableName=self.table, Item=self._value_item(key, name, value))

    def value(self, key: RunKey, name: str) -> Any:
        """Read a value."""
        where = to_item({"pk": run_pk(key), "sk": f"VALUE#{name}"})
        with translated(f"reading {name} of {key.run}"):
            found = client("dynamodb").get_item(TableName=self.table, Key=where, ConsistentRead=True)
        if "Item" not in found:
            raise NotFound(f"the run {key.run} has no value {name!r}.")
        return json.loads(self.journal.body_of(from_item(found["Item"])))

    def copy_values(self, source: RunKey, target: RunKey) -> None:
        """Copy values to another run; bodies in S3 are shared, because they never change."""
        values = {":pk": run_pk(source), ":v": "VALUE#"}
        with translated(f"copying what {source.run} kept"):
            for item in every_item(self.table, "pk = :pk AND begins_with(sk, :v)", values):
                if item["sk"]["S"] not in (f"VALUE#{INPUT}", f"VALUE#{OUTPUT}"):
                    copied = {**item, **to_item({"pk": run_pk(target)})}
                    client("dynamodb").put_item(TableName=self.table, Item=copied)

    def inherit(self, key: RunKey, inherited: Sequence[Inherited]) -> None:
        """Write inherited records as whole latches, a hundred a transaction.

        Ten thousand records in as many calls would outlast the request.

        time →   head ✓ ─ latches ✓ ─ start ✓        janitor: starts it first ─ a task's record ✓ ─ ours are kept one by one
        """
        by_latch: dict[str, list[Inherited]] = {}
        for one in inherited:
            by_latch.setdefault(latch_sk(one.latch), []).append(one)
        for few in _in_transactions([_inherited_item(key, sk, ones) for sk, ones in by_latch.items()]):
            steps = [put_new(item["sk"], self.table, to_item(item)) for item in few]
            if transact(steps, f"taking over into {key.run}"):
                for one in (one for item in few for one in by_latch[item["sk"]]):
                    self._set(key, one.latch, one.path, _inherited_body(one))

    def cancel(self, key: RunKey, by: str) -> bool:
        """Write the canceller of the run; the first stays."""
        return self._update(key, START, "cancelled_by", by)[1]

    def _value_item(self, key: RunKey, name: str, value: Any) -> Item:
        body = self.journal.body(key, f"VALUE#{name}", json.dumps(value, ensure_ascii=False))
        return to_item({"pk": run_pk(key), "sk": f"VALUE#{name}", **body})

    def _set(self, key: RunKey, latch: LatchKey, path: str, body: str) -> PlainItem:
        return self._update(key, latch_sk(latch), f"r:{path}", body)[0]

    def _update(self, key: RunKey, sk: str, name: str, body: str) -> tuple[PlainItem, bool]:
        """Set an attribute that is missing; return the item then, and whether we set it."""
        with translated(f"writing {name} of {key.run}"):
            try:
                found = client("dynamodb").update_item(
                    TableName=self.table,
                    Key=to_item({"pk": run_pk(key), "sk": sk}),
                    UpdateExpression="SET #n = :b",
                    ConditionExpression="attribute_not_exists(#n)",
                    ExpressionAttributeNames={"#n": name},
                    ExpressionAttributeValues=to_item({":b": body}),
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except ClientError as error:
                if error_code(error) != CONDITION_FAILED:
                    raise
                old = from_item(error.response["Item"])
                return old, old[name] == body
        return from_item(found["Attributes"]), True

    def _batch(self, key: RunKey, names: list[str]) -> list[PlainItem]:
        found: list[PlainItem] = []
        pending = [to_item({"pk": run_pk(key), "sk": name}) for name in names]
        with translated(f"reading tasks of {key.run}"):
            for _ in range(_ROUNDS + len(pending) // _BATCH):
                asked, pending = pending[:_BATCH], pending[_BATCH:]
                request = {self.table: {"Keys": asked, "ConsistentRead": True}}
                answer = client("dynamodb").batch_get_item(RequestItems=request)
                found += [from_item(item) for item in answer["Responses"].get(self.table, [])]
                pending += answer.get("UnprocessedKeys", {}).get(self.table, {}).get("Keys", [])
                if not pending:
                    return found
        raise StoreThrottled(f"the tasks of {key.run} could not be read at once.")


def _inherited_item(key: RunKey, sk: str, inherited: Sequence[Inherited]) -> dict[str, str]:
    return {"pk": run_pk(key), "sk": sk, **{f"r:{one.path}": _inherited_body(one) for one in inherited}}


def _inherited_body(one: Inherited) -> str:
    return one.record.model_dump_json(exclude_none=True) if one.record else KEPT_ELSEWHERE


def _in_transactions(items: Sequence[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    """Split items into batches that one transaction may hold."""
    few: list[dict[str, str]] = []
    size_bytes = 0
    for item in items:
        own_bytes = sum(len(value.encode()) for value in item.values())
        if few and (len(few) == _BATCH or size_bytes + own_bytes > _TRANSACTION_BYTES):
            yield few
            few, size_bytes = [], 0
        few.append(item)
        size_bytes += own_bytes
    if few:
        yield few


def latch_sk(latch: LatchKey) -> str:
    """Return the sort key of a latch, as the machines that wait at it write it."""
    return f"LATCH#{latch.latch}@{latch.at}" if latch.at else f"LATCH#{latch.latch}"


def _snapshot(key: RunKey, items: list[PlainItem]) -> RunSnapshot:
    by_name = {item["sk"]: item for item in items}
    start = by_name.get(START)
    if start is None:
        raise NotFound(f"there is no run {key.run!r} of a workflow.", field="run_id")
    records: dict[TaskKey, TaskRecord] = {}
    begun: dict[TaskKey, tuple[Begun, ...]] = {}
    latches: dict[LatchKey, Latch] = {}
    for name, item in by_name.items():
        kind, _, rest = name.partition("#")
        if kind == "LATCH":
            latch, _, at = rest.partition("@")
            if any(name.startswith("w:") for name in item):
                latches[LatchKey(latch, at)] = _latch(item)
            records |= {TaskKey(path=path, at=at): record for path, record in _records(item)}
        elif kind == "TASK":
            path, _, at = rest.partition("@")
            marks = sorted((name for name in item if name.startswith("b:")), key=lambda one: int(one[2:]))
            begun[TaskKey(path=path, at=at)] = tuple(Begun.model_validate_json(item[one]) for one in marks)
    started = WorkflowStarted.model_validate_json(start["body"])
    return RunSnapshot(started, start.get("cancelled_by"), records, begun, slot_state_of(start), latches)


def slot_state_of(start: PlainItem) -> SlotState | None:
    """Read the state of a run's slot from its start."""
    return SlotState.model_validate_json(start[STANDING]) if STANDING in start else None


def _latch(item: PlainItem) -> Latch:
    return Latch(
        records=dict(_records(item)),
        settled=frozenset(name[2:] for name in item if name.startswith("r:")),
        waiting={name[2:]: str(token) for name, token in item.items() if name.startswith("w:")},
    )


def _records(item: PlainItem) -> Iterator[tuple[str, TaskRecord]]:
    for name, body in item.items():
        if name.startswith("r:") and body != KEPT_ELSEWHERE:
            yield name[2:], TaskRecord.model_validate_json(body)
