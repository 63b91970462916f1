"""Heads of runs in DynamoDB, and the one transaction that starts a run."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import (
    CONDITION_FAILED,
    cancel_reasons,
    error_code,
    translated,
)
from stepward.adapters.aws.items import ABSENT, bad_cursor, from_cursor, from_item, run_pk, to_cursor, to_item
from stepward.adapters.aws.journal import DynamoJournal
from stepward.domain.errors import Bug, StoreConflict
from stepward.domain.journal import Created, Turn
from stepward.domain.runs import Closing, RunHead, RunKey, Totals
from stepward.ports.clock import Clock
from stepward.ports.runtime_state import IdempotencyKey, RunPage, key_used_before

MONTHS_LISTED: Final = 13
OPEN_SHARDS: Final = 4


@dataclass(frozen=True)
class DynamoRuntimeState:
    """The runtime table; starts also write the first record of the journal."""

    table: str
    journal: DynamoJournal
    clock: Clock

    def start(self, head: RunHead, first: Created, idempotency: IdempotencyKey | None) -> RunHead:
        """Create head, first record and idempotency record together, or find what the key started.

        time →   caller A:  transaction ✓                          run 1
                 caller A again, same key:  ✗ the key is there → same body: run 1; other body: Conflict
        """
        puts = [
            _put(self.table, _head_item(head)),
            _put(self.journal.table, self.journal.record_item(head.key, 1, first)),
        ]
        if idempotency:
            puts.append(self._put_key(head, idempotency))
        try:
            with translated(f"starting {head.run}"):
                client("dynamodb").transact_write_items(TransactItems=puts)
        except Bug as error:
            return self._started_before(head, idempotency, error)
        return head

    def _put_key(self, head: RunHead, idempotency: IdempotencyKey) -> dict[str, Any]:
        """Take a key that is free, or whose day is over although the table has not forgotten it yet."""
        put = _put(self.table, _key_item(head, idempotency))
        put["Put"]["ConditionExpression"] += " OR expires_at < :now"
        put["Put"]["ExpressionAttributeValues"] = to_item({":now": int(self.clock.now().timestamp())})
        return put

    def _started_before(self, head: RunHead, idempotency: IdempotencyKey | None, error: Bug) -> RunHead:
        cause = error.__cause__
        reasons = cancel_reasons(cause) if isinstance(cause, ClientError) else []
        if idempotency is None or reasons[2:] != ["ConditionalCheckFailed"]:
            raise error
        key = {name: _key_item(head, idempotency)[name] for name in ("pk", "sk")}
        with translated("reading an idempotency record"):
            item = client("dynamodb").get_item(TableName=self.table, Key=key, ConsistentRead=True).get("Item")
        before = from_item(item or {})
        if before.get("body_sha256") != idempotency.body_sha256:
            raise key_used_before()
        found = self.head(RunKey(tenant=head.tenant, run=before["run"]))
        if found is None:
            raise Bug(f"an idempotency record names {before['run']}, which has no head") from error
        return found

    def head(self, key: RunKey) -> RunHead | None:
        """Read a head, strongly consistent."""
        with translated(f"reading {key.run}"):
            item = (
                client("dynamodb")
                .get_item(TableName=self.table, Key=_head_key(key), ConsistentRead=True)
                .get("Item")
            )
        return _head(item) if item else None

    def close(self, key: RunKey, closing: Closing) -> bool:
        """Write the end into the head.

        time →   advance: close ✓          cancel: close ✗ (ended_at is there): the first one stays
        """
        values = closing.model_dump(mode="json", exclude_none=True)
        once = "attribute_exists(pk) AND attribute_not_exists(ended_at)"
        return self._set(key, values, once, " REMOVE gsi3pk, gsi3sk")

    def book_late(self, key: RunKey, seq: int, turn: Turn, totals: Totals) -> None:
        """Append a late reply and count it in the head, together: the two never disagree.

        time →   one late reply: seq 9 ✓ head ✓        another's: seq 9 ✗ head ✗ → it looks again and takes seq 10
        """
        count = {
            "TableName": self.table,
            "Key": _head_key(key),
            "UpdateExpression": "SET totals = :totals",
            "ConditionExpression": "attribute_exists(ended_at)",
            "ExpressionAttributeValues": to_item({":totals": totals.model_dump()}),
        }
        append = _put(self.journal.table, self.journal.record_item(key, seq, turn))
        with translated(f"booking a late reply of {key.run}"):
            try:
                client("dynamodb").transact_write_items(TransactItems=[append, {"Update": count}])
            except ClientError as error:
                if "ConditionalCheckFailed" not in cancel_reasons(error):
                    raise
                raise StoreConflict(f"record {seq} of {key.run} is taken.") from error

    def list_runs(
        self, tenant: str, *, day: str | None, agent: str | None, limit: int, cursor: str | None
    ) -> RunPage:
        """List newest first: of an agent or a day in one query, else month by month back from this one."""
        if agent:
            return self._page(_List.of_agent(tenant, agent, day), _after(cursor), limit)
        if day:
            return self._page(_List.of_month(tenant, day[:7], day), _after(cursor), limit)
        return self._newest_months(tenant, self.clock.now().date(), _after(cursor), limit)

    def count_by_status(self, tenant: str, day: str) -> dict[str, int]:
        """Count a day's runs by status, from the list of its month."""
        heads = self._query(_List.of_month(tenant, day[:7], day), None, None)
        return dict(Counter(head.status.value for head in heads))

    def open_runs(self, created_before: str, limit: int) -> list[RunHead]:
        """List runs that have not ended, from the sparse index that the end takes them out of."""
        found: list[RunHead] = []
        for shard in range(OPEN_SHARDS):
            with translated("listing open runs"):
                page = client("dynamodb").query(
                    TableName=self.table,
                    IndexName="GSI3",
                    KeyConditionExpression="gsi3pk = :pk AND gsi3sk < :before",
                    ExpressionAttributeValues=to_item({":pk": f"OPEN#{shard}", ":before": created_before}),
                    Limit=limit,
                )
            found += [_head(item) for item in page["Items"]]
        return sorted(found, key=lambda head: head.created_at)[:limit]

    def _newest_months(self, tenant: str, today: date, after: str | None, limit: int) -> RunPage:
        found: list[RunHead] = []
        for month in _months_back(after or today.isoformat()):
            begin = after if after and after.startswith(month) else None
            found += self._query(_List.of_month(tenant, month), begin, limit + 1 - len(found))
            if len(found) > limit:
                break
        return _cut(found, limit)

    def _page(self, listed: _List, after: str | None, limit: int) -> RunPage:
        return _cut(self._query(listed, after, limit + 1), limit)

    def _query(self, listed: _List, after: str | None, limit: int | None) -> list[RunHead]:
        if after and not after.startswith(listed.begins or ""):
            raise bad_cursor()
        request = listed.query(self.table, after)
        heads: list[RunHead] = []
        with translated("listing runs"):
            while True:
                more = {"Limit": limit - len(heads)} if limit else {}
                page = client("dynamodb").query(**request, **more)
                heads += [_head(item) for item in page["Items"]]
                if "LastEvaluatedKey" not in page or (limit and len(heads) >= limit):
                    return heads
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _set(self, key: RunKey, values: dict[str, Any], condition: str, also: str = "") -> bool:
        with translated(f"writing the head of {key.run}"):
            try:
                client("dynamodb").update_item(
                    TableName=self.table,
                    Key=_head_key(key),
                    UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values) + also,
                    ConditionExpression=condition,
                    ExpressionAttributeNames={f"#{name}": name for name in values},
                    ExpressionAttributeValues=to_item({f":{name}": value for name, value in values.items()}),
                )
            except ClientError as error:
                if error_code(error) != CONDITION_FAILED:
                    raise
                return False
        return True


@dataclass(frozen=True)
class _List:
    """One partition of one list index; `begins` narrows it to a day."""

    tenant: str
    index: str
    value: str
    begins: str | None = None

    @classmethod
    def of_month(cls, tenant: str, month: str, day: str | None = None) -> _List:
        return cls(tenant, "GSI1", f"T#{tenant}#RUNS#{month}", day)

    @classmethod
    def of_agent(cls, tenant: str, agent: str, day: str | None = None) -> _List:
        return cls(tenant, "GSI2", f"T#{tenant}#AGENT#{agent}", day)

    def query(self, table: str, after: str | None) -> dict[str, Any]:
        """Ask for the newest first, after the one that was shown last."""
        pk, sk = f"{self.index.lower()}pk", f"{self.index.lower()}sk"
        request = {
            "TableName": table,
            "IndexName": self.index,
            "KeyConditionExpression": f"{pk} = :pk"
            + (f" AND begins_with({sk}, :begins)" if self.begins else ""),
            "ExpressionAttributeValues": to_item({":pk": self.value, ":begins": self.begins}),
            "ScanIndexForward": False,
        }
        if after:
            key = RunKey(tenant=self.tenant, run=after.partition("#")[2])
            request["ExclusiveStartKey"] = _head_key(key) | to_item({pk: self.value, sk: after})
        return request


def _after(cursor: str | None) -> str | None:
    """Read a cursor: the list key of the run that was shown last."""
    if cursor is None:
        return None
    place = from_cursor(cursor)
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])-\d\dT[\d:.]{12}Z#run_\w{26}", place, re.ASCII):
        raise bad_cursor()
    return place


def _months_back(place: str) -> Iterator[str]:
    """Name the months from a date's own back over the year that a run may last."""
    year, month = int(place[:4]), int(place[5:7])
    for _ in range(MONTHS_LISTED):
        yield f"{year:04d}-{month:02d}"
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def _cut(found: list[RunHead], limit: int) -> RunPage:
    more = len(found) > limit
    return RunPage(runs=found[:limit], cursor=to_cursor(_listed_as(found[limit - 1])) if more else None)


def _head_key(key: RunKey) -> dict[str, Any]:
    return to_item({"pk": run_pk(key), "sk": "HEAD"})


def _head_item(head: RunHead) -> dict[str, Any]:
    return to_item(
        {
            "pk": run_pk(head.key),
            "sk": "HEAD",
            "gsi1pk": f"T#{head.tenant}#RUNS#{head.created_at[:7]}",
            "gsi1sk": _listed_as(head),
            "gsi2pk": f"T#{head.tenant}#AGENT#{head.agent}",
            "gsi2sk": _listed_as(head),
            "gsi3pk": f"OPEN#{zlib.crc32(head.run.encode()) % OPEN_SHARDS}",
            "gsi3sk": _listed_as(head),
            **head.model_dump(mode="json", exclude_none=True),
        }
    )


def _listed_as(head: RunHead) -> str:
    return f"{head.created_at}#{head.run}"


def _head(item: dict[str, Any]) -> RunHead:
    return RunHead.model_validate(from_item(item))


def _key_item(head: RunHead, idempotency: IdempotencyKey) -> dict[str, Any]:
    return to_item(
        {
            "pk": f"T#{head.tenant}#IDEM",
            "sk": f"{idempotency.principal}#{idempotency.key}",
            "run": head.run,
            "body_sha256": idempotency.body_sha256,
            "expires_at": idempotency.expires_at,
        }
    )


def _put(table: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"Put": {"TableName": table, "Item": item, "ConditionExpression": ABSENT}}
