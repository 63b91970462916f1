"""Lists of agents: one query a page, whatever is asked for."""

from __future__ import annotations

from typing import Any, Final

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import from_cursor, from_item, to_cursor, to_item
from stepward.adapters.aws.registry_items import facet_pk, list_pk
from stepward.domain.ids import AGENT_ID_PATTERN, check_id
from stepward.domain.lifecycle import AgentState
from stepward.ports.registry import AgentFilter, AgentPage, AgentSummary

MOST_LOOKED_AT: Final = 1_000
"""How many agents one page may look at where the index alone cannot tell which to show."""

_NARROWEST_FIRST: Final = ("tag", "module", "category", "capability")
_PLURALS: Final = {"tag": "tags", "capability": "capabilities"}
_TESTS: Final = {"tag": "contains(#tag, :tag)", "capability": "contains(#capability, :capability)"}


def list_page(table: str, tenant: str, wanted: AgentFilter, limit: int, cursor: str | None) -> AgentPage:
    """Read one page by one query: of a word's agents or of a state's, the other words filtered by the table."""
    after = check_id("cursor", from_cursor(cursor), AGENT_ID_PATTERN) if cursor is not None else None
    query, words = _query(tenant, wanted)
    _continue(query, after)
    _narrow(query, words)
    query["Limit"] = MOST_LOOKED_AT if words else limit + 1
    with translated("listing agents"):
        found = client("dynamodb").query(TableName=table, **query)
    agents = [AgentSummary.model_validate(from_item(item)) for item in found["Items"]]
    return AgentPage(agents=agents[:limit], cursor=_next(agents, limit, found.get("LastEvaluatedKey")))


def _query(tenant: str, wanted: AgentFilter) -> tuple[dict[str, Any], dict[str, str]]:
    """Choose the partition that holds the fewest, and say what is left to filter."""
    given = {name: getattr(wanted, name) for name in _NARROWEST_FIRST}
    words = {name: str(word) for name, word in given.items() if word is not None}
    if wanted.state is AgentState.READY and words:
        kind = next(iter(words))
        return _of("pk", facet_pk(tenant, kind, words.pop(kind))), words
    return {"IndexName": "GSI1", **_of("gsi1pk", list_pk(tenant, wanted.state))}, words


def _of(key: str, partition: str) -> dict[str, Any]:
    values = to_item({":pk": partition})
    return {"KeyConditionExpression": f"{key} = :pk", "ExpressionAttributeValues": values}


def _continue(query: dict[str, Any], after: str | None) -> None:
    if after is not None:
        key = "gsi1sk" if "IndexName" in query else "sk"
        query["KeyConditionExpression"] += f" AND {key} > :after"
        query["ExpressionAttributeValues"] |= to_item({":after": after})


def _narrow(query: dict[str, Any], words: dict[str, str]) -> None:
    if words:
        query["FilterExpression"] = " AND ".join(_TESTS.get(kind, f"#{kind} = :{kind}") for kind in words)
        query["ExpressionAttributeNames"] = {f"#{kind}": _PLURALS.get(kind, kind) for kind in words}
        query["ExpressionAttributeValues"] |= to_item({f":{kind}": word for kind, word in words.items()})


def _next(agents: list[AgentSummary], limit: int, stopped: dict[str, Any] | None) -> str | None:
    if len(agents) > limit:
        return to_cursor(agents[limit - 1].id)
    if stopped is None:
        return None
    key = from_item(stopped)
    return to_cursor(key.get("gsi1sk") or key["sk"])
