"""Agents in DynamoDB: `V#…` items never change, the agent's own item changes by revision, labels carry copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from stepward.adapters.aws.items import ABSENT, Action, Item, PlainItem, Request, from_item, to_item
from stepward.adapters.aws.registry_items import (
    OFFERED,
    RECORD,
    agent_pk,
    facet_items,
    facet_pk,
    label_item,
    list_page,
    offered_item,
    read_record,
    read_version,
    record_item,
    uid_item,
    uid_pk,
    version_item,
    version_sk,
)
from stepward.domain.agent_records import (
    LATEST,
    AgentFilter,
    AgentPage,
    AgentRecord,
    Label,
    RegisteredAgent,
    changed_version,
    facets,
    is_newer,
    summary,
)
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import Bug, StoreConflict, StoreThrottled
from stepward.domain.lifecycle import AgentState
from stepward.ports.registry import AgentRef, FoundAgent

LOOKED_AT_ONCE: Final = 50
_ROUNDS: Final = 4
_FAILED: Final = "ConditionalCheckFailed"
Key = tuple[str, str]


@dataclass(frozen=True)
class DynamoRegistry:
    """Keeps agents and their versions in the registry table."""

    table: str

    def agent(self, tenant: str, agent: str, version: str | None = None) -> RegisteredAgent | None:
        """Read one version by its number or a label, the latest by default, in one read."""
        item = self._read(agent_pk(tenant, agent), version_sk(version), f"reading agent {agent}")
        return read_version(item) if item else None

    def read_agents(self, tenant: str, wanted: Sequence[AgentRef]) -> list[FoundAgent]:
        """Read agents with one version each, in one call for up to 50."""
        keys = [
            (agent_pk(tenant, one.agent), sk) for one in wanted for sk in (RECORD, version_sk(one.version))
        ]
        unique = list(dict.fromkeys(keys))
        found: dict[Key, PlainItem] = {}
        for start in range(0, len(unique), 2 * LOOKED_AT_ONCE):
            found |= self._read_many(unique[start : start + 2 * LOOKED_AT_ONCE])
        return [_seen(found, tenant, one) for one in wanted]

    def id_of(self, tenant: str, uid: str) -> str | None:
        """Find an agent's id by its uid."""
        item = self._read(uid_pk(tenant, uid), RECORD, f"finding agent {uid}")
        return str(item["id"]) if item else None

    def next_number(self, tenant: str, day: str) -> int:
        """Count the agents that were created on a day."""
        with translated("counting agents"):
            counted = client("dynamodb").update_item(
                TableName=self.table,
                Key=to_item({"pk": f"T#{tenant}", "sk": f"COUNT#agents#{day}"}),
                UpdateExpression="ADD #count :one",
                ExpressionAttributeNames={"#count": "count"},
                ExpressionAttributeValues=to_item({":one": 1}),
                ReturnValues="UPDATED_NEW",
            )
        return int(from_item(counted["Attributes"])["count"])

    def create(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Create a new agent once.

        time →   A: put AGENT ✓ put its uid ✓
                 B:                            put AGENT ✗ (it is there) → B goes on with A's
        """
        puts = [_put(self.table, record_item(tenant, record), ABSENT)]
        puts.append(_put(self.table, uid_item(tenant, record), ABSENT))
        if self._transact(puts, f"creating {record.summary.id}") is None:
            return record
        there = self._record(tenant, record.summary.id)
        if there is None:
            raise StoreConflict(f"agent {record.summary.id} or its uid was being created by another")
        return there

    def change(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Write an agent over the revision that was read."""
        return self._write(tenant, record, [])

    def refuse(self, tenant: str, record: AgentRecord, offered: AgentDefinition) -> AgentRecord:
        """Write an agent with its refusal, and keep the refused definition."""
        return self._write(tenant, record, [_put(self.table, offered_item(tenant, offered))])

    def offered(self, tenant: str, agent: str) -> AgentDefinition | None:
        """Read the definition that was last refused."""
        item = self._read(agent_pk(tenant, agent), OFFERED, f"reading what {agent} was offered")
        return AgentDefinition.model_validate_json(item["body"]) if item else None

    def terminate(self, tenant: str, record: AgentRecord) -> AgentRecord:
        """Take an agent out of every list but that of terminated agents."""
        gone = [
            self._facet_deletion(tenant, record.summary.id, one) for one in sorted(facets(record.summary))
        ]
        return self._write(tenant, record, gone)

    def keep(self, tenant: str, record: AgentRecord, agent: RegisteredAgent) -> RegisteredAgent:
        """Write a version once, and make it the agent's newest if it is.

        time →   1.1.0: reads rev 3, put V#1.1.0 ✓ AGENT rev 4 ✓ latest ✓
                 1.2.0: reads rev 3                               AGENT ✗ (rev 4 is there) → reads again
                 1.0.1: reads rev 4: it is older than 1.1.0, so put V#1.0.1 alone
                 1.1.0 once more: put V#1.1.0 ✗ (it is there) → the same registration, or `Conflict`
        """
        puts = [_put(self.table, version_item(tenant, agent), ABSENT)]
        if is_newer(agent.definition.version, record.summary.version):
            puts += self._newest(tenant, record, agent)
        reasons = self._transact(puts, f"registering {agent.definition.id}")
        if reasons is None:
            return agent
        if reasons[0] == _FAILED:
            return self._same_or_conflict(tenant, agent)
        raise StoreConflict(f"agent {agent.definition.id} has changed since it was read")

    def list_agents(
        self, tenant: str, *, limit: int, cursor: str | None, wanted: AgentFilter | None = None
    ) -> AgentPage:
        """List agents by id."""
        return list_page(self.table, tenant, wanted or AgentFilter(), limit, cursor)

    def labels(self, tenant: str, agent: str) -> list[Label]:
        """List an agent's labels by name."""
        with translated(f"listing the labels of {agent}"):
            found = client("dynamodb").query(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND begins_with(sk, :labels)",
                ExpressionAttributeValues=to_item({":pk": agent_pk(tenant, agent), ":labels": "LABEL#"}),
                ProjectionExpression="label, version, set_at",
                ConsistentRead=True,
            )
        return [Label.model_validate(from_item(item)) for item in found["Items"]]

    def set_label(self, tenant: str, label: Label, agent: RegisteredAgent) -> None:
        """Point a label to a version."""
        with translated(f"setting label {label.label}"):
            client("dynamodb").put_item(TableName=self.table, Item=label_item(tenant, label, agent))

    def remove_label(self, tenant: str, agent: str, label: str) -> bool:
        """Remove a label."""
        key = to_item({"pk": agent_pk(tenant, agent), "sk": version_sk(label)})
        with translated(f"removing label {label}"):
            gone = client("dynamodb").delete_item(TableName=self.table, Key=key, ReturnValues="ALL_OLD")
        return "Attributes" in gone

    def _newest(self, tenant: str, record: AgentRecord, agent: RegisteredAgent) -> list[Action]:
        """Lay out the writes that make a version the newest.

        They are the agent's own item, the label `latest`, and its words in lists, old ones removed.
        """
        shown = summary(agent, record).model_copy(update={"state": AgentState.READY})
        newest = record.model_copy(update={"summary": shown, "refusal": None, "rev": record.rev + 1})
        latest = Label(label=LATEST, version=agent.definition.version, set_at=agent.created_at)
        offered = {"pk": agent_pk(tenant, shown.id), "sk": OFFERED}
        return [
            self._over(tenant, newest, record.rev),
            _put(self.table, label_item(tenant, latest, agent)),
            {"Delete": {"TableName": self.table, "Key": to_item(offered)}},
            *(self._facet_deletion(tenant, shown.id, one) for one in facets(record.summary) - facets(shown)),
            *(_put(self.table, item) for item in facet_items(tenant, shown)),
        ]

    def _write(self, tenant: str, record: AgentRecord, also: list[Action]) -> AgentRecord:
        """Write an agent over the revision that it was read with.

        time →   A reads rev 3    A writes rev 4 ✓
                 B reads rev 3                      B writes rev 4 ✗ (4 is there) → B reads again
        """
        written = record.model_copy(update={"rev": record.rev + 1})
        over = self._over(tenant, written, record.rev)
        if self._transact([over, *also], f"changing {record.summary.id}") is not None:
            raise StoreConflict(f"agent {record.summary.id} has changed since it was read")
        return written

    def _over(self, tenant: str, record: AgentRecord, read_rev: int) -> Action:
        return _put(self.table, record_item(tenant, record), "rev = :read", {":read": read_rev})

    def _facet_deletion(self, tenant: str, agent: str, facet: tuple[str, str]) -> Action:
        return {
            "Delete": {"TableName": self.table, "Key": to_item({"pk": facet_pk(tenant, *facet), "sk": agent})}
        }

    def _transact(self, parts: list[Action], doing: str) -> list[str] | None:
        """Write all or nothing; None when it was written, else one reason for each part."""
        with translated(doing):
            try:
                if len(parts) == 1:
                    client("dynamodb").put_item(**parts[0]["Put"])
                else:
                    client("dynamodb").transact_write_items(TransactItems=parts)
            except ClientError as error:
                reasons = cancel_reasons(error) if error_code(error) == TRANSACTION_CANCELED else []
                if error_code(error) == CONDITION_FAILED:
                    reasons = [_FAILED]
                if _FAILED not in reasons:
                    raise
                return reasons
        return None

    def _same_or_conflict(self, tenant: str, agent: RegisteredAgent) -> RegisteredAgent:
        definition = agent.definition
        kept = self.agent(tenant, definition.id, definition.version)
        if kept is None:
            raise Bug(f"version {definition.version} of {definition.id} was there and is not")
        if kept.definition != definition:
            raise changed_version(definition)
        return kept

    def _record(self, tenant: str, agent: str) -> AgentRecord | None:
        item = self._read(agent_pk(tenant, agent), RECORD, f"reading agent {agent}")
        return read_record(item) if item else None

    def _read(self, pk: str, sk: str, doing: str) -> PlainItem:
        with translated(doing):
            found = client("dynamodb").get_item(
                TableName=self.table, Key=to_item({"pk": pk, "sk": sk}), ConsistentRead=True
            )
        return from_item(found.get("Item", {}))

    def _read_many(self, keys: list[Key]) -> dict[Key, PlainItem]:
        """Read items in one call; keys that AWS leaves unprocessed are asked for again."""
        wanted = {
            self.table: {"Keys": [to_item({"pk": pk, "sk": sk}) for pk, sk in keys], "ConsistentRead": True}
        }
        found: dict[Key, PlainItem] = {}
        for _ in range(_ROUNDS):
            with translated("reading agents"):
                answer = client("dynamodb").batch_get_item(RequestItems=wanted)
            items = [from_item(item) for item in answer["Responses"].get(self.table, [])]
            found |= {(item["pk"], item["sk"]): item for item in items}
            wanted = answer.get("UnprocessedKeys") or {}
            if not wanted:
                return found
        raise StoreThrottled(f"the table left out {len(keys) - len(found)} of {len(keys)} agents' items")


def _seen(found: dict[Key, PlainItem], tenant: str, wanted: AgentRef) -> FoundAgent:
    record = found.get((agent_pk(tenant, wanted.agent), RECORD))
    version = found.get((agent_pk(tenant, wanted.agent), version_sk(wanted.version)))
    return FoundAgent(read_record(record) if record else None, read_version(version) if version else None)


def _put(
    table: str, item: Item, condition: str | None = None, values: Mapping[str, object] | None = None
) -> Action:
    put: Request = {"TableName": table, "Item": item}
    if condition:
        put["ConditionExpression"] = condition
    if values:
        put["ExpressionAttributeValues"] = to_item(values)
    return {"Put": put}
