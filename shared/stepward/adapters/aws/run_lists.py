"""The lists over heads in DynamoDB: by month, by agent, and of open runs."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import Item, Request, from_item, run_pk, to_item
from stepward.domain.run_lists import RunFilter, RunSlice, place_of
from stepward.domain.runs import RunHead, RunKey
from stepward.ports.clock import Clock

MONTHS_LISTED: Final = 13
MOST_PAGES: Final = 10
"""How many pages of 1 MB one answer reads for a status; the next request goes on from the cursor."""
OPEN_SHARDS: Final = 4


@dataclass(frozen=True)
class ListPart:
    """One partition of an index over heads."""

    table: str
    index: str
    partition: str

    def newest(self, wanted: RunFilter, before: str | None, limit: int) -> tuple[list[Item], str | None]:
        """Return at most `limit` items, newest first, and where a search stopped early."""
        found: list[Item] = []
        for number, page in enumerate(self._pages(wanted, before, limit + 1), start=1):
            found += [item for item in page["Items"] if item[self._sort_key]["S"] != before]
            if len(found) >= limit:
                break
            if number == MOST_PAGES and "LastEvaluatedKey" in page:
                return found, page["LastEvaluatedKey"][self._sort_key]["S"]
        return found[:limit], None

    def every(self, wanted: RunFilter) -> Iterator[Item]:
        """Yield all items that match."""
        for page in self._pages(wanted, None, None):
            yield from page["Items"]

    @property
    def _sort_key(self) -> str:
        return f"{self.index.lower()}sk"

    def _pages(
        self, wanted: RunFilter, before: str | None, page_size: int | None
    ) -> Iterator[dict[str, Any]]:
        low, high = wanted.bounds(before)
        if low > high:
            return
        request: Request = {
            "TableName": self.table,
            "IndexName": self.index,
            "KeyConditionExpression": f"{self.index.lower()}pk = :pk AND {self._sort_key} BETWEEN :low AND :high",
            "ExpressionAttributeValues": to_item(
                {":pk": self.partition, ":low": low, ":high": high, ":status": wanted.status}
            ),
            "ScanIndexForward": False,
        }
        if wanted.status:
            request |= {
                "FilterExpression": "#status = :status",
                "ExpressionAttributeNames": {"#status": "status"},
            }
        elif page_size:
            request["Limit"] = page_size
        with translated("listing runs"):
            yield from client("dynamodb").get_paginator("query").paginate(**request)


@dataclass(frozen=True)
class DynamoRunLists:
    """Lists runs from the runtime table's indexes."""

    table: str
    clock: Clock

    def list_runs(
        self, tenant: str, wanted: RunFilter, *, limit: int, before: str | None = None
    ) -> RunSlice[RunHead]:
        """List runs, newest first: of an agent in one query, else month by month back from now."""
        found: list[RunHead] = []
        for part in self._parts(tenant, wanted, before):
            items, reached = part.newest(wanted, before, limit + 1 - len(found))
            found += [read_head(item) for item in items]
            if reached or len(found) > limit:
                return RunSlice.cut(found, limit, reached)
        return RunSlice(found)

    def count_by_status(self, tenant: str, day: str) -> dict[str, int]:
        """Count a day's runs by status, from the list of its month."""
        items = self._month(tenant, day[:7]).every(RunFilter(day=day))
        return dict(Counter(read_head(item).status.value for item in items))

    def open_runs(self, created_before: str, limit: int) -> list[RunHead]:
        """List runs that have not ended, from the sparse index that an end removes them from."""
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

    def _parts(self, tenant: str, wanted: RunFilter, before: str | None) -> Iterator[ListPart]:
        if wanted.name:
            yield ListPart(self.table, "GSI2", f"T#{tenant}#AGENT#{wanted.name}")
            return
        low, high = wanted.bounds(before)
        for month in _months_back(min(high, self.clock.now().date().isoformat())):
            if month < low[:7]:
                return
            yield self._month(tenant, month)

    def _month(self, tenant: str, month: str) -> ListPart:
        return ListPart(self.table, "GSI1", f"T#{tenant}#RUNS#{month}")


def _months_back(place: str) -> Iterator[str]:
    """Yield the months back from a date's own, over the year that a run may last."""
    year, month = int(place[:4]), int(place[5:7])
    for _ in range(MONTHS_LISTED):
        yield f"{year:04d}-{month:02d}"
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)


def head_key(key: RunKey) -> Item:
    """Return the key of a run's head."""
    return to_item({"pk": run_pk(key), "sk": "HEAD"})


def head_item(head: RunHead) -> Item:
    """Lay out a head with its keys in all lists."""
    return to_item(
        {
            "pk": run_pk(head.key),
            "sk": "HEAD",
            "gsi1pk": f"T#{head.tenant}#RUNS#{head.created_at[:7]}",
            "gsi1sk": place_of(head),
            "gsi2pk": f"T#{head.tenant}#AGENT#{head.agent}",
            "gsi2sk": place_of(head),
            "gsi3pk": f"OPEN#{open_shard(head.run)}",
            "gsi3sk": place_of(head),
            **head.model_dump(mode="json", exclude_none=True),
        }
    )


def read_head(item: Item) -> RunHead:
    """Read a head."""
    return RunHead.model_validate(from_item(item))


def open_shard(run: str) -> int:
    """Return an open run's shard, by which no single partition takes all writes."""
    return zlib.crc32(run.encode()) % OPEN_SHARDS
