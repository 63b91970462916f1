"""The journal in DynamoDB: one item a record, bodies over 100 KB in S3."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import CONDITION_FAILED, error_code, translated
from stepward.adapters.aws.items import ABSENT, Item, PlainItem, Request, from_item, run_pk, to_item
from stepward.domain.conversation import ToolResult
from stepward.domain.errors import StoreConflict
from stepward.domain.journal import (
    AnyRecord,
    CallItem,
    Condensed,
    JournalSlice,
    Results,
    Sequenced,
    Turn,
    parse_record,
)
from stepward.domain.runs import RunKey

INLINE_BODY_BYTES: Final = 100_000
_FIRST_CALL: Final = "CALL#"
_LAST_RECORD: Final = "9999999999"


@dataclass(frozen=True)
class DynamoJournal:
    """Keeps the journal's records, and their large bodies in the bucket."""

    table: str
    bucket: str

    def append(self, key: RunKey, seq: int, record: AnyRecord) -> None:
        """Write record `seq` if there is none yet.

        time →   append ─ written ─ ✗ answer lost ─ the SDK tries again ─ condition fails ─ the old item is ours: fine
                 append ─ condition fails ─ the old item is another's: StoreConflict
        """
        item = self.record_item(key, seq, record)
        try:
            with translated(f"appending record {seq} of {key.run}"):
                self._put_new(item)
        except _Taken as taken:
            if any(taken.item.get(name) != item.get(name) for name in ("body", "sha256")):
                raise StoreConflict(f"record {seq} of {key.run} is taken.") from taken

    def record_item(self, key: RunKey, seq: int, record: AnyRecord) -> Item:
        """Lay out a record as its item; a large body is written to S3 first."""
        cost = record.cost_usd_micros if isinstance(record, Turn | Condensed) else None
        return to_item(
            {
                "pk": run_pk(key),
                "sk": f"{seq:010d}",
                "kind": record.kind,
                "v": record.v,
                "at": record.at,
                "cost_usd_micros": cost,
                **self.body(key, f"{seq:010d}", record.model_dump_json()),
            }
        )

    def load(self, key: RunKey, from_seq: int = 1) -> JournalSlice:
        """Read records from a number on, with all call items, in one query (more above 1 MB)."""
        return self._slice(self._query(key, "sk >= :from", {":from": f"{from_seq:010d}"}))

    def read(self, key: RunKey, from_seq: int, limit: int) -> JournalSlice:
        """Read a page of records; call items only if the page refers to them."""
        between = {":from": f"{from_seq:010d}", ":to": f"{from_seq + limit - 1:010d}"}
        page = self._slice(self._query(key, "sk BETWEEN :from AND :to", between))
        wanted = [call for item in page.records for call in _referred(item)]
        calls = (self.call(key, call) for call in wanted)
        return page.model_copy(update={"calls": {found.call: found for found in calls if found}})

    def newest(self, key: RunKey) -> Sequenced | None:
        """Read the last record alone."""
        with translated(f"reading the newest record of {key.run}"):
            found = client("dynamodb").query(
                **self._condition(key, "sk <= :last", {":last": _LAST_RECORD}),
                ScanIndexForward=False,
                Limit=1,
            )
        records = self._slice(found["Items"]).records
        return records[0] if records else None

    def call(self, key: RunKey, call: str) -> CallItem | None:
        """Read one call's mark and result."""
        name = to_item({"pk": run_pk(key), "sk": f"{_FIRST_CALL}{call}"})
        with translated(f"reading {call} of {key.run}"):
            item = (
                client("dynamodb").get_item(TableName=self.table, Key=name, ConsistentRead=True).get("Item")
            )
        return self._call(from_item(item)) if item else None

    def mark_started(self, key: RunKey, call: str, writer: str) -> CallItem | None:
        """Mark a call before its effect.

        time →   mark ─ written ─ ✗ answer lost ─ again ─ condition fails ─ the mark is ours: go on
                 mark ─ condition fails ─ the mark is another's: its outcome is not ours to know
        """
        item = to_item(
            {"pk": run_pk(key), "sk": f"{_FIRST_CALL}{call}", "kind": "call", "v": 1, "started_by": writer}
        )
        try:
            with translated(f"marking {call} of {key.run}"):
                self._put_new(item)
        except _Taken as taken:
            before = self._call(from_item(taken.item))
            return None if before.started_by == writer and before.result is None else before
        return None

    def put_result(self, key: RunKey, result: ToolResult) -> bool:
        """Write a call's result if it has none: the first one stays."""
        try:
            with translated(f"recording {result.call} of {key.run}"):
                self._update(self.first_result(key, result))
        except _Taken as taken:
            return self._call(from_item(taken.item)).result == result
        return True

    def first_result(self, key: RunKey, result: ToolResult) -> Request:
        """Lay out the update that writes a result where there is none.

        It is for a transaction that writes more with it.
        """
        body = self.body(key, f"{_FIRST_CALL}{result.call}", result.model_dump_json())
        values = {f":{name}": value for name, value in to_item({**body, "kind": "call", "v": 1}).items()}
        return {
            "TableName": self.table,
            "Key": to_item({"pk": run_pk(key), "sk": f"{_FIRST_CALL}{result.call}"}),
            "UpdateExpression": "SET " + ", ".join(f"#{name[1:]} = {name}" for name in values),
            "ConditionExpression": "attribute_not_exists(body) AND attribute_not_exists(body_at)",
            "ExpressionAttributeNames": {f"#{name[1:]}": name[1:] for name in values},
            "ExpressionAttributeValues": values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _update(self, update: Request) -> None:
        try:
            client("dynamodb").update_item(**update)
        except ClientError as error:
            raise _taken_or(error) from error

    def _put_new(self, item: Item) -> None:
        try:
            client("dynamodb").put_item(
                TableName=self.table,
                Item=item,
                ConditionExpression=ABSENT,
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ClientError as error:
            raise _taken_or(error) from error

    def _query(self, key: RunKey, condition: str, values: dict[str, str]) -> list[Item]:
        with translated(f"reading the journal of {key.run}"):
            pages = (
                client("dynamodb").get_paginator("query").paginate(**self._condition(key, condition, values))
            )
            return [item for page in pages for item in page["Items"]]

    def _condition(self, key: RunKey, condition: str, values: dict[str, str]) -> Request:
        return {
            "TableName": self.table,
            "KeyConditionExpression": f"pk = :pk AND {condition}",
            "ExpressionAttributeValues": to_item({":pk": run_pk(key), **values}),
            "ConsistentRead": True,
        }

    def _slice(self, items: list[Item]) -> JournalSlice:
        plain = [from_item(item) for item in items]
        records = [
            Sequenced(seq=int(item["sk"]), record=parse_record(self.body_of(item)))
            for item in plain
            if item["sk"].isdigit()
        ]
        calls = [self._call(item) for item in plain if item["sk"].startswith(_FIRST_CALL)]
        return JournalSlice(records=tuple(records), calls={call.call: call for call in calls})

    def _call(self, item: PlainItem) -> CallItem:
        done = "body" in item or "body_at" in item
        result = ToolResult.model_validate_json(self.body_of(item)) if done else None
        call = item["sk"].removeprefix(_FIRST_CALL)
        return CallItem(call=call, started_by=item.get("started_by"), result=result)

    def body(self, key: RunKey, name: str, body: str) -> dict[str, str]:
        """Lay out a body as attributes; one over 100 KB is written to S3 first."""
        data = body.encode()
        if len(data) <= INLINE_BODY_BYTES:
            return {"body": body}
        sha256 = hashlib.sha256(data).hexdigest()
        blob = f"blobs/{key.tenant}/{key.run}/{name.replace('#', '-')}-{sha256[:16]}.json"
        with translated(f"writing {blob}"):
            client("s3").put_object(Bucket=self.bucket, Key=blob, Body=data, ContentType="application/json")
        return {"body_at": blob, "sha256": sha256}

    def body_of(self, item: PlainItem) -> str | bytes:
        """Read a body from the item or from S3."""
        if "body" in item:
            return str(item["body"])
        with translated(f"reading {item['body_at']}"):
            found: bytes = client("s3").get_object(Bucket=self.bucket, Key=item["body_at"])["Body"].read()
            return found


class _Taken(Exception):
    """The item exists already; `item` is what it holds."""

    def __init__(self, item: Item) -> None:
        super().__init__("taken")
        self.item = item


def _taken_or(error: ClientError) -> Exception:
    """Return `_Taken` for a failed condition, and every other error as it is."""
    return _Taken(error.response["Item"]) if error_code(error) == CONDITION_FAILED else error


def _referred(item: Sequenced) -> list[str]:
    record = item.record
    return [o.call for o in record.outcomes if o.result is None] if isinstance(record, Results) else []
