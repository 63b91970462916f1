"""The registry's items: what they hold, under which keys, and in which lists they are.

T#t#AGENT#a           AGENT          the agent: state, id for life, its newest version's summary; index GSI1 lists it
                      V#1.0.0        a version, never changed
                      LABEL#prod     a label with a copy of its version, so that a start reads it at once
                      OFFERED        what was last refused, until a version passes
T#t#AGENT_UID#u       AGENT          the id that belongs to an id for life
T#t#FACET#kind#word   a              the agent's summary once more, for each word by which it is found
T#t                   COUNT#agents#d how many agents were created on a day
"""

from __future__ import annotations

from typing import Any, Final

from stepward.adapters.aws.clients import client
from stepward.adapters.aws.errors import translated
from stepward.adapters.aws.items import Item, PlainItem, from_cursor, from_item, to_cursor, to_item
from stepward.domain.agent_records import (
    LATEST,
    AgentFilter,
    AgentPage,
    AgentRecord,
    AgentSummary,
    Label,
    RegisteredAgent,
    facets,
)
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.ids import AGENT_ID_PATTERN, check_id
from stepward.domain.lifecycle import AgentState

MOST_BYTES: Final = 300_000
RECORD: Final = "AGENT"
OFFERED: Final = "OFFERED"


def agent_pk(tenant: str, agent: str) -> str:
    """Return the partition key of an agent."""
    return f"T#{tenant}#AGENT#{agent}"


def version_sk(version: str | None) -> str:
    """Return the sort key of a version or of a label.

    A version begins with a digit, a label never does.
    """
    named = version or LATEST
    return f"V#{named}" if named[0].isdigit() else f"LABEL#{named}"


def list_pk(tenant: str, state: AgentState) -> str:
    """Return the index's partition key of agents in a state.

    READY has the plain one, for that is the list people ask for.
    """
    return f"T#{tenant}#AGENTS" + ("" if state is AgentState.READY else f"#{state}")


def facet_pk(tenant: str, kind: str, word: str) -> str:
    """Return the partition key of all agents with one word."""
    return f"T#{tenant}#FACET#{kind}#{word}"


def record_item(tenant: str, record: AgentRecord) -> Item:
    """Lay out the agent's own item."""
    listed = {"gsi1pk": list_pk(tenant, record.state), "gsi1sk": record.summary.id}
    key = {"pk": agent_pk(tenant, record.summary.id), "sk": RECORD, "v": 1}
    more = record.model_dump(mode="json", exclude={"summary"})
    return to_item({**key, **listed, **more, **record.summary.model_dump(mode="json")})


def read_record(item: PlainItem) -> AgentRecord:
    """Read what `record_item` wrote."""
    return AgentRecord.model_validate({**item, "summary": AgentSummary.model_validate(item)})


def uid_item(tenant: str, record: AgentRecord) -> Item:
    """Lay out the pointer from a uid to the agent's id."""
    key = {"pk": uid_pk(tenant, record.summary.uid or ""), "sk": RECORD, "v": 1}
    return to_item({**key, "id": record.summary.id})


def uid_pk(tenant: str, uid: str) -> str:
    """Return the partition key of a uid."""
    return f"T#{tenant}#AGENT_UID#{uid}"


def version_item(tenant: str, agent: RegisteredAgent) -> Item:
    """Lay out a version's item; raises `InvalidRequest` for one that the table could not hold."""
    sk = version_sk(agent.definition.version)
    return {**_body_item(tenant, sk, agent.definition), **to_item({"created_at": agent.created_at})}


def label_item(tenant: str, label: Label, agent: RegisteredAgent) -> Item:
    """Lay out a label's item: the pointer, and a copy of the version it points to."""
    said = {"sk": version_sk(label.label), "label": label.label, "set_at": label.set_at}
    return {**version_item(tenant, agent), **to_item(said)}


def offered_item(tenant: str, agent: AgentDefinition) -> Item:
    """Lay out the item of a refused definition."""
    return _body_item(tenant, OFFERED, agent)


def facet_items(tenant: str, agent: AgentSummary) -> list[Item]:
    """Lay out the agent's summary under each word by which it is found."""
    shown = agent.model_dump(mode="json")
    return [
        to_item({"pk": facet_pk(tenant, kind, word), "sk": agent.id, "v": 1, **shown})
        for kind, word in sorted(facets(agent))
    ]


def read_version(item: PlainItem) -> RegisteredAgent:
    """Read a version from its own item or from a label's."""
    definition = AgentDefinition.model_validate_json(item["body"])
    return RegisteredAgent(definition=definition, created_at=item["created_at"])


def _body_item(tenant: str, sk: str, agent: AgentDefinition) -> Item:
    body = agent.model_dump_json(exclude_defaults=True)
    if len(body.encode()) > MOST_BYTES:
        raise InvalidRequest(
            f"the definition has {len(body.encode())} bytes.",
            field="body",
            fix=f"keep it under {MOST_BYTES} bytes",
        )
    return to_item(
        {"pk": agent_pk(tenant, agent.id), "sk": sk, "v": 1, "version": agent.version, "body": body}
    )


MOST_LOOKED_AT: Final = 1_000
"""How many agents one page may read where the index alone cannot tell which to show."""
_NARROWEST_FIRST: Final = ("tag", "module", "category", "capability")
_PLURALS: Final = {"tag": "tags", "capability": "capabilities"}
_TESTS: Final = {"tag": "contains(#tag, :tag)", "capability": "contains(#capability, :capability)"}


def list_page(table: str, tenant: str, wanted: AgentFilter, limit: int, cursor: str | None) -> AgentPage:
    """Read one page with one query: of a word's agents or of a state's.

    The other words are filtered by the table.
    """
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
    """Choose the partition that holds the fewest agents, and return what is left to filter."""
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


def _next(agents: list[AgentSummary], limit: int, stopped: Item | None) -> str | None:
    if len(agents) > limit:
        return to_cursor(agents[limit - 1].id)
    if stopped is None:
        return None
    key = from_item(stopped)
    return to_cursor(key.get("gsi1sk") or key["sk"])
