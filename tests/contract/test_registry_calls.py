"""What agents cost at the wire: a list is one query a page however many there are, a start reads once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from stepward.adapters.aws import clients
from stepward.adapters.aws.registry_items import facet_items, record_item
from stepward.agents.lookup import ListAgents, startable_agent
from stepward.agents.register import Register
from stepward.domain.agent_records import AgentRecord, AgentSummary
from stepward.domain.lifecycle import AgentState
from tests.support.builders import AT, an_agent_body

pytestmark = pytest.mark.parametrize("ports", ["aws"], indirect=True)
MANY = 300
CAPABILITIES = ("TEXT_PROCESSING", "DOCUMENT_ANALYSIS", "API_INTEGRATION")
Calls = Counter[str]


@pytest.fixture
def calls(ports: Any) -> Iterator[Calls]:
    """Every call of DynamoDB from here on, by operation."""
    counted: Calls = Counter()

    def count(model: Any, **_: Any) -> None:
        counted[model.name] += 1

    events = clients.client("dynamodb").meta.events
    events.register("before-call.dynamodb", count)
    yield counted
    events.unregister("before-call.dynamodb", count)


@pytest.fixture
def register(ports: Any) -> Callable[..., Any]:
    case = Register(ports.registry, ports.clock, ())
    return lambda **changed: case("acme", an_agent_body(**changed))


def test_a_first_version_takes_seven_calls_and_the_next_two(
    register: Callable[..., Any], calls: Calls
) -> None:
    register(tags=["eu"])
    assert calls == {"BatchGetItem": 1, "UpdateItem": 1, "TransactWriteItems": 2, "PutItem": 3}
    calls.clear()
    register(version="1.1.0", tags=["eu", "us"])
    assert calls == {"BatchGetItem": 1, "TransactWriteItems": 1}
    calls.clear()
    register(version="1.1.0", tags=["eu", "us"])
    assert calls == {"BatchGetItem": 1}


def test_agents_that_are_named_are_looked_at_together(register: Callable[..., Any], calls: Calls) -> None:
    for name in ("aa", "bb", "cc"):
        register(id=name)
    calls.clear()
    register(id="boss", dependencies=["aa"], tools=[{"agent": "bb"}, {"handoff": "cc"}])
    assert calls["BatchGetItem"] == 2


@pytest.mark.parametrize("version", [None, "1.0.0", "latest"])
def test_a_start_reads_agent_and_version_in_one_call(
    ports: Any, register: Callable[..., Any], calls: Calls, version: str | None
) -> None:
    register()
    calls.clear()
    assert startable_agent(ports.registry, "acme", "helper", version).definition.id == "helper"
    assert calls == {"BatchGetItem": 1}


def test_more_agents_than_one_call_may_read_are_read_in_several(ports: Any, calls: Calls) -> None:
    from stepward.ports.registry import AgentRef

    _write([_an_agent(number) for number in range(60)])
    calls.clear()
    seen = ports.registry.read_agents("acme", [AgentRef(f"agent-{number:04d}") for number in range(60)])
    assert all(one.record for one in seen)
    assert calls == {"BatchGetItem": 2}


LISTS: list[tuple[dict[str, str], int]] = [
    ({}, MANY),
    ({"capability": "API_INTEGRATION"}, MANY // 3),
    ({"tag": "tag-7"}, MANY // 30),
    ({"module": "finance", "capability": "TEXT_PROCESSING"}, MANY // 6),
    ({"tag": "tag-3", "capability": "TEXT_PROCESSING", "module": "finance"}, MANY // 30),
    ({"tag": "tag-3", "capability": "DOCUMENT_ANALYSIS"}, 0),
    ({"state": "TERMINATED"}, 0),
]


def test_each_page_of_three_is_one_query(ports: Any, calls: Calls) -> None:
    _write([_an_agent(number) for number in range(MANY)])
    for query, found in LISTS:
        calls.clear()
        ids = list(_paged(ListAgents(ports.registry), query, calls))
        assert len(ids) == len(set(ids)) == found, query
        assert ids == sorted(ids)
        assert calls["Query"] <= max(1, found // 100 + 1), query


def _paged(listing: ListAgents, query: dict[str, str], calls: Calls) -> Iterator[str]:
    asked, page = {**query, "limit": "100"}, 0
    while page == 0 or "cursor" in asked:
        answer = listing("acme", asked)
        page += 1
        assert calls == {"Query": page}
        yield from (agent["id"] for agent in answer["agents"])
        asked = {**query, "limit": "100"} | (
            {"cursor": answer["next_cursor"]} if answer["next_cursor"] else {}
        )


def _an_agent(number: int) -> AgentSummary:
    return AgentSummary(
        id=f"agent-{number:04d}",
        uid=f"AGENT-20260101-000000-{number:04d}-A1B2",
        state=AgentState.READY,
        name=f"Agent {number}",
        version="1.0.0",
        model="balanced",
        description="One of many.",
        capabilities=[CAPABILITIES[number % 3]],
        module="finance" if number % 2 else "sales",
        tags=[f"tag-{number % 30}"],
        created_at=AT,
    )


def _write(agents: list[AgentSummary]) -> None:
    records = [record_item("acme", AgentRecord(summary=agent)) for agent in agents]
    items = [*records, *(item for agent in agents for item in facet_items("acme", agent))]
    for start in range(0, len(items), 25):
        puts = [{"PutRequest": {"Item": item}} for item in items[start : start + 25]]
        clients.client("dynamodb").batch_write_item(RequestItems={"registry": puts})
