"""Look-ups in a tenant's own data."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.world import MemoryDatasets
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.tool_use import ToolUse
from stepward.tools.base import ToolContext
from stepward.tools.execution import execute

ORDERS = {"source": "datasets/orders.csv", "key": "id"}
POLICY = {"source": "datasets/policy.json"}


@pytest.fixture
def datasets() -> MemoryDatasets:
    datasets = MemoryDatasets()
    datasets.put("acme", "datasets/orders.csv", '\ufeffid,item\nA1,Büste\nA2,"Tea, green"\n'.encode())
    datasets.put("acme", "datasets/policy.json", b'{"topics": {"Books": {"days": 30}}}')
    return datasets


def look(
    datasets: MemoryDatasets, tool: str, config: dict[str, Any], tenant: str = "acme", **arguments: str
) -> ToolResult:
    call = ToolCall(id="c1", tool=tool, arguments=arguments)
    return execute(call, ToolUse(tool=tool, config=config), ToolContext(tenant, "c1", datasets))


def test_a_record_is_found(datasets: MemoryDatasets) -> None:
    assert look(datasets, "record_lookup", ORDERS, key=" A2 ").content == {
        "found": True,
        "record": {"id": "A2", "item": "Tea, green"},
    }
    assert look(datasets, "record_lookup", ORDERS, key="A9").content == {"found": False, "key": "A9"}


def test_a_changed_file_changes_the_answer(datasets: MemoryDatasets) -> None:
    look(datasets, "record_lookup", ORDERS, key="A1")
    datasets.put("acme", "datasets/orders.csv", b"id,item\nA1,Lamp\n")
    assert look(datasets, "record_lookup", ORDERS, key="A1").content["record"]["item"] == "Lamp"


def test_another_tenant_has_no_such_data(datasets: MemoryDatasets) -> None:
    look(datasets, "record_lookup", ORDERS, key="A1")
    assert look(datasets, "record_lookup", ORDERS, tenant="other", key="A1").error == "ToolFailed"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"no,such\n1,2\n", "has no column 'id'"),
        (b"\xff\xfe", "cannot be read as CSV"),
        (b"", "has no column 'id'"),
    ],
)
def test_a_file_that_is_no_table_is_a_tool_error(datasets: MemoryDatasets, body: bytes, says: str) -> None:
    datasets.put("acme", "datasets/orders.csv", body)
    result = look(datasets, "record_lookup", ORDERS, key="A1")
    assert says in result.content["detail"]


def test_a_topic_is_found_whatever_its_case(datasets: MemoryDatasets) -> None:
    assert look(datasets, "policy_lookup", POLICY, topic="books").content["policy"] == {"days": 30}
    assert look(datasets, "policy_lookup", POLICY, topic="Bokos").content == {
        "found": False,
        "topic": "Bokos",
        "nearest": ["Books"],
    }


@pytest.mark.parametrize("body", [b"[1]", b"{", b'{"topics": []}', b"\xff"])
def test_a_file_that_is_no_policy_is_a_tool_error(datasets: MemoryDatasets, body: bytes) -> None:
    datasets.put("acme", "datasets/policy.json", body)
    assert look(datasets, "policy_lookup", POLICY, topic="books").error == "ToolFailed"
