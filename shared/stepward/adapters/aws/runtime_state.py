"""Heads of runs in DynamoDB, and the one transaction that starts a run."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import (
    CONDITION_FAILED,
    cancel_reasons,
    error_code,
    translate,
    translated,
)
from stepward.adapters.aws.items import ABSENT, bad_cursor, from_cursor, from_item, run_pk, to_cursor, to_item
from stepward.adapters.aws.journal import DynamoJournal
from stepward.domain.errors import Bug, Conflict
from stepward.domain.journal import Created
from stepward.domain.runs import Closing, RunHead, RunKey, Totals
from stepward.ports.clock import Clock
from stepward.ports.runtime_state import IdempotencyKey, RunPage

DAYS_A_PAGE: Final = 7


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
            puts.append(_put(self.table, _key_item(head, idempotency)))
        try:
            with translated(f"starting {head.run}"):
                client("dynamodb").transact_write_items(TransactItems=puts)
        except Bug as error:
            return self._started_before(head, idempotency, error)
        return head

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
            raise Conflict(
                "this Idempotency-Key was used with another request.",
                field="Idempotency-Key",
                fix="use a new key for a new request",
            )
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
        return self._set(key, values, "attribute_exists(pk) AND attribute_not_exists(ended_at)")

    def amend_totals(self, key: RunKey, totals: Totals) -> None:
        """Put right the totals of an ended run; the last writer has read the whole journal, so it is right."""
        self._set(key, {"totals": totals.model_dump()}, "attribute_exists(ended_at)")

    def list_runs(
        self, tenant: str, *, day: str | None, agent: str | None, limit: int, cursor: str | None
    ) -> RunPage:
        """List newest first: of an agent or a day in one query, else day by day back from today."""
        place = _Place.read(cursor, day or self.clock.now().date().isoformat())
        if agent:
            return self._page(_Index.of_agent(tenant, agent), place, limit)
        if day:
            return self._page(_Index.of_day(tenant, place.day), place, limit)
        return self._newest_days(tenant, place, limit)

    def count_by_status(self, tenant: str, day: str) -> dict[str, int]:
        """Count a day's runs by status, from the day's index."""
        heads = self._query(_Index.of_day(tenant, day), _Place(day), None)
        return dict(Counter(head.status.value for head in heads))

    def _newest_days(self, tenant: str, place: _Place, limit: int) -> RunPage:
        found: list[RunHead] = []
        for _ in range(DAYS_A_PAGE):
            page = self._page(_Index.of_day(tenant, place.day), place, limit - len(found))
            found += page.runs
            if len(found) >= limit:
                return RunPage(runs=found, cursor=page.cursor or place.day_before().write())
            place = place.day_before()
        return RunPage(runs=found, cursor=place.write() if found else None)

    def _page(self, index: _Index, place: _Place, limit: int) -> RunPage:
        heads = self._query(index, place, limit + 1)
        if len(heads) <= limit:
            return RunPage(runs=heads)
        last = heads[limit - 1]
        return RunPage(runs=heads[:limit], cursor=_Place(place.day, _listed_as(last)).write())

    def _query(self, index: _Index, place: _Place, limit: int | None) -> list[RunHead]:
        condition = f"{index.pk} = :pk" + (f" AND {index.sk} < :before" if place.before else "")
        values = {":pk": index.value} | ({":before": place.before} if place.before else {})
        config = {"MaxItems": limit, "PageSize": limit} if limit else {}
        with translated("listing runs"):
            pages = (
                client("dynamodb")
                .get_paginator("query")
                .paginate(
                    TableName=self.table,
                    IndexName=index.name,
                    KeyConditionExpression=condition,
                    ExpressionAttributeValues=to_item(values),
                    ScanIndexForward=False,
                    PaginationConfig=config,
                )
            )
            return [_head(item) for page in pages for item in page["Items"]]

    def _set(self, key: RunKey, values: dict[str, Any], condition: str) -> bool:
        try:
            client("dynamodb").update_item(
                TableName=self.table,
                Key=_head_key(key),
                UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
                ConditionExpression=condition,
                ExpressionAttributeNames={f"#{name}": name for name in values},
                ExpressionAttributeValues=to_item({f":{name}": value for name, value in values.items()}),
            )
        except ClientError as error:
            if error_code(error) == CONDITION_FAILED:
                return False
            raise translate(error, f"closing {key.run}") from error
        return True


@dataclass(frozen=True)
class _Index:
    """One of the table's list indexes, and the partition to read in it."""

    name: str
    pk: str
    sk: str
    value: str

    @classmethod
    def of_day(cls, tenant: str, day: str) -> _Index:
        return cls("GSI1", "gsi1pk", "gsi1sk", f"T#{tenant}#RUNS#{day}")

    @classmethod
    def of_agent(cls, tenant: str, agent: str) -> _Index:
        return cls("GSI2", "gsi2pk", "gsi2sk", f"T#{tenant}#AGENT#{agent}")


@dataclass(frozen=True)
class _Place:
    """Where a list goes on: within a day, before the run that was shown last."""

    day: str
    before: str | None = None

    @classmethod
    def read(cls, cursor: str | None, day: str) -> _Place:
        if cursor is None:
            return cls(day)
        found = re.fullmatch(r"(\d{4}-\d\d-\d\d)(?:/(\S+))?", from_cursor(cursor), re.ASCII)
        if not found:
            raise bad_cursor()
        return cls(found[1], found[2])

    def write(self) -> str:
        return to_cursor(f"{self.day}/{self.before}" if self.before else self.day)

    def day_before(self) -> _Place:
        try:
            return _Place((date.fromisoformat(self.day) - timedelta(days=1)).isoformat())
        except (ValueError, OverflowError) as error:
            raise bad_cursor() from error


def _head_key(key: RunKey) -> dict[str, Any]:
    return to_item({"pk": run_pk(key), "sk": "HEAD"})


def _head_item(head: RunHead) -> dict[str, Any]:
    return to_item(
        {
            "pk": run_pk(head.key),
            "sk": "HEAD",
            "gsi1pk": f"T#{head.tenant}#RUNS#{head.created_at[:10]}",
            "gsi1sk": _listed_as(head),
            "gsi2pk": f"T#{head.tenant}#AGENT#{head.agent}",
            "gsi2sk": _listed_as(head),
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
