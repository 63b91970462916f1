"""Triggers in DynamoDB: one partition a tenant to list, one a channel to find whom an event fires, one a trigger for the rest.

T#t#TRIGGERS        <id>      what the trigger says
T#t#ON#<channel>    <id>      a copy, for triggers that share a door: found with one query an event
T#t#TRIGGER#<id>    STATE     what it has done; SECRET: a webhook's
T#t#UNMATCHED       <day>     what arrived and fitted nothing
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import (
    CONDITION_FAILED,
    TRANSACTION_CANCELED,
    cancel_reasons,
    error_code,
    translated,
)
from stepward.adapters.aws.items import (
    ABSENT,
    Action,
    Item,
    PlainItem,
    Request,
    from_cursor,
    from_item,
    to_cursor,
    to_item,
)
from stepward.domain.ids import check_id
from stepward.domain.triggers import (
    TRIGGER_ID_PATTERN,
    FireResult,
    Firing,
    KeptTrigger,
    TriggerState,
)
from stepward.ports.triggers import HookSecret, TriggerPage, Unmatched, changed_meanwhile, exists_already

_FAILED: Final = "ConditionalCheckFailed"
_SHOWN_CHARS: Final = 1_000
UNMATCHED_KEPT_S: Final = 30 * 86_400
_UNCHANGED: Final = "revision = :revision AND since = :since"


@dataclass(frozen=True)
class DynamoTriggers:
    """Keeps triggers, their state and their secrets."""

    table: str

    def add(self, kept: KeptTrigger, secret: HookSecret | None) -> KeptTrigger:
        """Write a new trigger with all its items, or find it as it was written.

        time →   one caller: put TRIGGERS ✓ copy ✓ STATE ✓ SECRET ✓
                 its repeat, or another:                             put ✗ → says the same: that one; else Conflict
        """
        tenant, name = kept.tenant, kept.trigger.id
        puts = [{**self._put(_main_item(kept)), "ConditionExpression": ABSENT}, *self._copies(kept)]
        puts.append(self._put(_part(tenant, name, "STATE", TriggerState().model_dump())))
        if secret:
            puts.append(self._put(_part(tenant, name, "SECRET", secret.model_dump())))
        if self._transact([{"Put": put} for put in puts], f"adding trigger {name}"):
            return kept
        before = self.trigger(tenant, name)
        if before is None:
            raise changed_meanwhile(name)
        if before.trigger != kept.trigger:
            raise exists_already(name)
        return before

    def replace(self, before: KeptTrigger, after: KeptTrigger) -> None:
        """Replace a trigger's definition, and its copy.

        time →   A reads revision 3        A: put revision 4 ✓
                 B reads revision 3                            B: put revision 4 ✗ (it is 4 already) → Conflict
        """
        put = {**self._put(_main_item(after)), **_if_unchanged(before)}
        moved = before.trigger.channel != after.trigger.channel
        actions = [{"Put": put}, *({"Put": copy} for copy in self._copies(after))]
        actions += self._delete_copies(before) if moved else []
        if not self._transact(actions, f"changing trigger {after.trigger.id}"):
            raise changed_meanwhile(after.trigger.id)

    def remove(self, kept: KeptTrigger) -> None:
        """Remove a trigger.

        time →   A reads revision 3                            A: delete ✗ (it is 4) → Conflict, nothing is forgotten
                 B reads revision 3   B: put revision 4 ✓
        """
        tenant, name = kept.tenant, kept.trigger.id
        main = {**self._key(f"T#{tenant}#TRIGGERS", name), **_if_unchanged(kept)}
        parts = [self._key(_part_pk(tenant, name), part) for part in ("STATE", "SECRET")]
        actions = [{"Delete": key} for key in (main, *parts)] + self._delete_copies(kept)
        if not self._transact(actions, f"removing trigger {name}"):
            raise changed_meanwhile(name)

    def trigger(self, tenant: str, trigger: str) -> KeptTrigger | None:
        """Read one trigger."""
        item = self._read(f"T#{tenant}#TRIGGERS", trigger)
        return KeptTrigger.model_validate_json(item["body"]) if item else None

    def list_triggers(self, tenant: str, *, limit: int, cursor: str | None) -> TriggerPage:
        """List triggers by id, with one query a page."""
        place = "" if cursor is None else check_id("cursor", from_cursor(cursor), TRIGGER_ID_PATTERN)
        with translated("listing triggers"):
            found = client("dynamodb").query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk" + (" AND sk > :after" if place else ""),
                ExpressionAttributeValues=to_item({":pk": f"T#{tenant}#TRIGGERS", ":after": place or None}),
                Limit=limit + 1,
            )
        kept = [KeptTrigger.model_validate_json(from_item(item)["body"]) for item in found["Items"]]
        more = len(kept) > limit or "LastEvaluatedKey" in found
        shown = kept[:limit]
        return TriggerPage(triggers=shown, cursor=to_cursor(shown[-1].trigger.id) if more and shown else None)

    def listening(self, tenant: str, channel: str) -> list[KeptTrigger]:
        """List the triggers on a channel, strongly consistent.

        One that was just made hears the next event.
        """
        pages = client("dynamodb").get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=to_item({":pk": f"T#{tenant}#ON#{channel}"}),
            ConsistentRead=True,
        )  # fmt: skip
        with translated(f"looking for triggers on {channel}"):
            return [
                KeptTrigger.model_validate_json(from_item(item)["body"])
                for page in pages
                for item in page["Items"]
            ]

    def record(self, kept: KeptTrigger, firing: Firing) -> None:
        """Count one firing.

        time →   fire: start ✓        record ✗ (STATE is gone): the trigger was removed, and its count with it
                             remove ✓
        """
        counted = firing.result.value
        said = {"last_fired_at": firing.at, "last_event": firing.event[:_SHOWN_CHARS]}
        said |= {"last_run": firing.run or ""} if firing.result is FireResult.STARTED else {}
        error = {"last_error": firing.error.model_dump()} if firing.error else {}
        values = {f":{name}": value for name, value in {**said, **error}.items()}
        changes = ", ".join(f"{name[1:]} = {name}" for name in values)
        with translated(f"counting a firing of {kept.trigger.id}"):
            try:
                client("dynamodb").update_item(
                    **self._key(_part_pk(kept.tenant, kept.trigger.id), "STATE"),
                    UpdateExpression=f"SET {changes} ADD {counted} :one",
                    ConditionExpression="attribute_exists(pk)",
                    ExpressionAttributeValues=to_item({**values, ":one": 1}),
                )
            except ClientError as error:
                if error_code(error) != CONDITION_FAILED:
                    raise

    def state(self, tenant: str, trigger: str) -> TriggerState:
        """Read what a trigger has done."""
        return TriggerState.model_validate(self._read(_part_pk(tenant, trigger), "STATE") or {})

    def secret(self, tenant: str, trigger: str) -> HookSecret | None:
        """Read a webhook's secret."""
        item = self._read(_part_pk(tenant, trigger), "SECRET")
        return HookSecret.model_validate(item) if item else None

    def put_secret(self, tenant: str, trigger: str, secret: HookSecret) -> None:
        """Replace a webhook's secret.

        time →   rotate: read ✓                put ✗ (no secret is there) → Conflict: the trigger was removed
                 remove:          delete ✓
        """
        put = self._put(_part(tenant, trigger, "SECRET", secret.model_dump()))
        with translated(f"changing the secret of {trigger}"):
            try:
                client("dynamodb").put_item(**put, ConditionExpression="attribute_exists(pk)")
            except ClientError as error:
                if error_code(error) != CONDITION_FAILED:
                    raise
                raise changed_meanwhile(trigger) from error

    def count_unmatched(self, tenant: str, *, is_object: bool, at: str, what: str) -> None:
        """Count what matched no trigger, by day."""
        until = int(datetime.fromisoformat(at).timestamp()) + UNMATCHED_KEPT_S
        values = {":one": 1, ":at": at, ":what": what[:_SHOWN_CHARS], ":until": until}
        with translated("counting what fits no trigger"):
            client("dynamodb").update_item(
                **self._key(f"T#{tenant}#UNMATCHED", at[:10]),
                UpdateExpression="SET last_at = :at, #last = :what, expires_at = :until ADD #count :one",
                ExpressionAttributeNames={"#count": "objects" if is_object else "events", "#last": "last"},
                ExpressionAttributeValues=to_item(values),
            )

    def unmatched(self, tenant: str, day: str) -> Unmatched:
        """Read what matched no trigger on a day."""
        return Unmatched.model_validate(self._read(f"T#{tenant}#UNMATCHED", day) or {})

    def _read(self, pk: str, sk: str) -> PlainItem | None:
        with translated(f"reading {sk} of a trigger"):
            found = client("dynamodb").get_item(**self._key(pk, sk), ConsistentRead=True)
        return from_item(found["Item"]) if "Item" in found else None

    def _transact(self, actions: list[Action], doing: str) -> bool:
        """Write all or nothing; False when a condition failed."""
        with translated(doing):
            try:
                client("dynamodb").transact_write_items(TransactItems=actions)
            except ClientError as error:
                if error_code(error) != TRANSACTION_CANCELED or _FAILED not in cancel_reasons(error):
                    raise
                return False
        return True

    def _put(self, item: Item) -> Request:
        return {"TableName": self.table, "Item": item}

    def _key(self, pk: str, sk: str) -> Request:
        return {"TableName": self.table, "Key": to_item({"pk": pk, "sk": sk})}

    def _copies(self, kept: KeptTrigger) -> list[Request]:
        pk = _channel_pk(kept)
        return [self._put({**_main_item(kept), **to_item({"pk": pk})})] if pk else []

    def _delete_copies(self, kept: KeptTrigger) -> list[Action]:
        pk = _channel_pk(kept)
        return [{"Delete": self._key(pk, kept.trigger.id)}] if pk else []


def _main_item(kept: KeptTrigger) -> Item:
    said = {"v": 1, "revision": kept.revision, "since": kept.since, "body": kept.model_dump_json()}
    return to_item({"pk": f"T#{kept.tenant}#TRIGGERS", "sk": kept.trigger.id, **said})


def _channel_pk(kept: KeptTrigger) -> str | None:
    channel = kept.trigger.channel
    return f"T#{kept.tenant}#ON#{channel}" if channel else None


def _part_pk(tenant: str, trigger: str) -> str:
    return f"T#{tenant}#TRIGGER#{trigger}"


def _part(tenant: str, trigger: str, name: str, values: Mapping[str, object]) -> Item:
    return to_item({"pk": _part_pk(tenant, trigger), "sk": name, "v": 1, **values})


def _if_unchanged(kept: KeptTrigger) -> Request:
    values = to_item({":revision": kept.revision, ":since": kept.since})
    return {"ConditionExpression": _UNCHANGED, "ExpressionAttributeValues": values}
