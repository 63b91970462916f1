"""The lists over heads in DynamoDB: by month, by agent, and of those that are open."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import bad_cursor, from_cursor, from_item, run_pk, to_cursor, to_item
from stepward.domain.runs import RunHead, RunKey
from stepward.ports.clock import Clock
from stepward.ports.runtime_state import RunPage

MONTHS_LISTED: Final = 13
OPEN_SHARDS: Final = 4


@dataclass(frozen=True)
class DynamoRunLists:
    """The runtime table's indexes."""

    table: str
    clock: Clock

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
                pages = (
                    client("dynamodb")
                    .get_paginator("query")
                    .paginate(
                        TableName=self.table,
                        IndexName="GSI3",
                        KeyConditionExpression="gsi3pk = :pk AND gsi3sk < :before",
                        ExpressionAttributeValues=to_item(
                            {":pk": f"OPEN#{shard}", ":before": created_before}
                        ),
                        PaginationConfig={"MaxItems": limit},
                    )
                )
                found += [read_head(item) for page in pages for item in page["Items"]]
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
                heads += [read_head(item) for item in page["Items"]]
                if "LastEvaluatedKey" not in page or (limit and len(heads) >= limit):
                    return heads
                request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


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
            request["ExclusiveStartKey"] = head_key(key) | to_item({pk: self.value, sk: after})
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


def head_key(key: RunKey) -> dict[str, Any]:
    """The key of a run's head."""
    return to_item({"pk": run_pk(key), "sk": "HEAD"})


def head_item(head: RunHead) -> dict[str, Any]:
    """Lay a head out with its places in all lists."""
    return to_item(
        {
            "pk": run_pk(head.key),
            "sk": "HEAD",
            "gsi1pk": f"T#{head.tenant}#RUNS#{head.created_at[:7]}",
            "gsi1sk": _listed_as(head),
            "gsi2pk": f"T#{head.tenant}#AGENT#{head.agent}",
            "gsi2sk": _listed_as(head),
            "gsi3pk": f"OPEN#{open_shard(head.run)}",
            "gsi3sk": _listed_as(head),
            **head.model_dump(mode="json", exclude_none=True),
        }
    )


def _listed_as(head: RunHead) -> str:
    return f"{head.created_at}#{head.run}"


def read_head(item: dict[str, Any]) -> RunHead:
    """Read a head."""
    return RunHead.model_validate(from_item(item))


def open_shard(run: str) -> int:
    """Spread runs over partitions, so that none takes all the writes."""
    return zlib.crc32(run.encode()) % OPEN_SHARDS
