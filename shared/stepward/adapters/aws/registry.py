"""Versions of agents in DynamoDB: `V#…` items never change, `LABEL#latest` carries a copy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import (
    CONDITION_FAILED,
    TRANSACTION_CANCELED,
    cancel_reasons,
    error_code,
    translated,
)
from stepward.adapters.aws.items import ABSENT, from_cursor, from_item, to_cursor, to_item
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import Bug, InvalidRequest
from stepward.domain.ids import AGENT_ID_PATTERN, check_id
from stepward.ports.registry import AgentPage, AgentSummary, RegisteredAgent, changed_version, summary

MOST_BYTES: Final = 300_000
_FAILED: Final = "ConditionalCheckFailed"


@dataclass(frozen=True)
class DynamoRegistry:
    """The registry table."""

    table: str

    def register(self, tenant: str, agent: RegisteredAgent) -> RegisteredAgent:
        """Keep a version once, and point `latest` to it if it is newer.

        time →   1.1.0: put V#1.1.0 ✓ latest ✓
                 1.0.1:                        put V#1.0.1 ✓ latest ✗ (rank is lower) → V#1.0.1 alone
        """
        with translated(f"registering {agent.definition.id}"):
            try:
                self._put_both(_version_item(tenant, agent), _label_item(tenant, agent))
            except ClientError as error:
                reasons = cancel_reasons(error) if error_code(error) == TRANSACTION_CANCELED else []
                if _FAILED not in reasons:
                    raise
                return self._registered_before(tenant, agent, is_same_version=reasons[0] == _FAILED)
        return agent

    def _registered_before(
        self, tenant: str, agent: RegisteredAgent, *, is_same_version: bool
    ) -> RegisteredAgent:
        return self._same_or_conflict(tenant, agent) if is_same_version else self._put_version(tenant, agent)

    def agent(self, tenant: str, agent: str, version: str | None = None) -> RegisteredAgent | None:
        """Read one version, the latest by default, in one read."""
        key = {"pk": f"T#{tenant}#AGENT#{agent}", "sk": f"V#{version}" if version else "LABEL#latest"}
        with translated(f"reading agent {agent}"):
            item = (
                client("dynamodb")
                .get_item(TableName=self.table, Key=to_item(key), ConsistentRead=True)
                .get("Item")
            )
        return _registered(from_item(item)) if item else None

    def list_agents(self, tenant: str, *, limit: int, cursor: str | None) -> AgentPage:
        """List by id, from the index over `latest` labels."""
        after = (
            {} if cursor is None else {":after": check_id("cursor", from_cursor(cursor), AGENT_ID_PATTERN)}
        )
        with translated("listing agents"):
            found = client("dynamodb").query(
                TableName=self.table,
                IndexName="GSI1",
                KeyConditionExpression="gsi1pk = :pk" + (" AND gsi1sk > :after" if after else ""),
                ExpressionAttributeValues=to_item({":pk": f"T#{tenant}#AGENTS", **after}),
                Limit=limit + 1,
            )
        agents = [AgentSummary.model_validate(from_item(item)) for item in found["Items"]]
        more = len(agents) > limit
        return AgentPage(agents=agents[:limit], cursor=to_cursor(agents[limit - 1].id) if more else None)

    def _put_both(self, version: dict[str, Any], label: dict[str, Any]) -> None:
        newer = {
            "ConditionExpression": f"{ABSENT} OR #rank < :rank",
            "ExpressionAttributeNames": {"#rank": "rank"},
            "ExpressionAttributeValues": {":rank": label["rank"]},
        }
        client("dynamodb").transact_write_items(
            TransactItems=[
                {"Put": {"TableName": self.table, "Item": version, "ConditionExpression": ABSENT}},
                {"Put": {"TableName": self.table, "Item": label, **newer}},
            ]
        )

    def _put_version(self, tenant: str, agent: RegisteredAgent) -> RegisteredAgent:
        item = _version_item(tenant, agent)
        with translated(f"registering {agent.definition.id}"):
            try:
                client("dynamodb").put_item(TableName=self.table, Item=item, ConditionExpression=ABSENT)
            except ClientError as error:
                if error_code(error) != CONDITION_FAILED:
                    raise
                return self._same_or_conflict(tenant, agent)
        return agent

    def _same_or_conflict(self, tenant: str, agent: RegisteredAgent) -> RegisteredAgent:
        definition = agent.definition
        kept = self.agent(tenant, definition.id, definition.version)
        if kept is None:
            raise Bug(f"version {definition.version} of {definition.id} was there and is not")
        if kept.definition != definition:
            raise changed_version(definition)
        return kept


def _version_item(tenant: str, agent: RegisteredAgent) -> dict[str, Any]:
    body = agent.definition.model_dump_json(exclude_defaults=True)
    if len(body.encode()) > MOST_BYTES:
        raise InvalidRequest(
            f"the definition has {len(body.encode())} bytes.",
            field="body",
            fix=f"keep it under {MOST_BYTES} bytes",
        )
    definition = agent.definition
    return to_item(
        {
            "pk": f"T#{tenant}#AGENT#{definition.id}",
            "sk": f"V#{definition.version}",
            "v": 1,
            "rank": ".".join(f"{int(part):06d}" for part in definition.version.split(".")),
            "body": body,
            **summary(agent).model_dump(),
        }
    )


def _label_item(tenant: str, agent: RegisteredAgent) -> dict[str, Any]:
    listed = {"sk": "LABEL#latest", "gsi1pk": f"T#{tenant}#AGENTS", "gsi1sk": agent.definition.id}
    return {**_version_item(tenant, agent), **to_item(listed)}


def _registered(item: dict[str, Any]) -> RegisteredAgent:
    definition = AgentDefinition.model_validate_json(item["body"])
    return RegisteredAgent(definition=definition, created_at=item["created_at"])
