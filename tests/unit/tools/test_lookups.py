"""Look-ups in a tenant's own data."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.small_ports import MemoryDatasets
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.tools import ToolUse
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
        (b"\xff\xfe", "has no column 'id'"),
        (b"", "has no column 'id'; its columns are none"),
        (b"id,name\nA1,Ren\xe9\n", "orders.csv cannot be read as CSV: it is not UTF-8 (byte 14, line 2)"),
        (
            b'id,item\nA0,x\nA1,"Lamp\nA2,y\n',
            "cannot be read as CSV: line 3: a quote is opened and never closed",
        ),
        (b'id,item\nA1,"Lamp" red\n', "line 2: something follows a closing quote"),
        (b"id,item,id\nA1,Lamp,A2\n", "line 1: the heading names 'id' twice"),
        (b"id,,item\nA1,,Lamp\n", "line 1: column 2 has no name"),
        (b"id,item\nA1," + b"x" * 140_000, "line 2: a field has more than 131072 characters"),
    ],
)
def test_a_file_that_is_no_table_is_a_tool_error(datasets: MemoryDatasets, body: bytes, says: str) -> None:
    datasets.put("acme", "datasets/orders.csv", body)
    result = look(datasets, "record_lookup", ORDERS, key="A1")
    assert says in result.content["detail"]


@pytest.mark.parametrize(
    ("body", "record"),
    [
        (b"id;item\nA1;Lamp, red\n", {"id": "A1", "item": "Lamp, red"}),
        (b"id\titem\nA1\tLamp\n", {"id": "A1", "item": "Lamp"}),
        (b"id|item\nA1|Lamp\n", {"id": "A1", "item": "Lamp"}),
        (b"sep=;\r\nid;item\r\nA1;Lamp\r\n", {"id": "A1", "item": "Lamp"}),
        (b'id,"item; note"\nA1,Lamp\n', {"id": "A1", "item; note": "Lamp"}),
        (b"id,item\r\n\r\nA1,Lamp\r\n,\r\n", {"id": "A1", "item": "Lamp"}),
        (b"id,item\rA1,Lamp\r", {"id": "A1", "item": "Lamp"}),
        (b'id,item\nA1,"Lamp\nred"\n', {"id": "A1", "item": "Lamp\nred"}),
        (b"id,item,,\nA1,Lamp,,\n", {"id": "A1", "item": "Lamp"}),
        (b"id,item\nA1,Lamp\nA1,Lamp\n", {"id": "A1", "item": "Lamp"}),
        (b"id,item\nA1,\n", {"id": "A1", "item": ""}),
        (b"item,id\nLamp,A1\n(1 row)\n", {"item": "Lamp", "id": "A1"}),
        ("id,item\nA1,Büste\n".encode("utf-16"), {"id": "A1", "item": "Büste"}),
        (b"id\nA1\n", {"id": "A1"}),
    ],
)
def test_tables_are_read_as_spreadsheets_write_them(
    datasets: MemoryDatasets, body: bytes, record: dict[str, str]
) -> None:
    datasets.put("acme", "datasets/orders.csv", body)
    assert look(datasets, "record_lookup", ORDERS, key="A1").content == {"found": True, "record": record}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"id,item\nA1,Lamp, red\nA2,x\n", "line 2 has 3 fields, the heading 2"),
        (b"item,id\nLamp, red,A1\nx,A2\n", "line 2 has 3 fields, the heading 2"),
        (b"id,item\nA1\nA2,x\n", "line 2 has 1 field, the heading 2"),
        (b"id,item\nA2,x\nA1,A2,y\n", "line 3 has 3 fields, the heading 2"),
        (b"id,item\nA2,x\nA1,z\nA1\nA1,z\n", "line 4 has 1 field, the heading 2"),
        (b'id,item\n\nA0,"x\ny"\nA1\nA2,x\n', "line 5 has 1 field, the heading 2"),
        (b"id,item\nA1,Lamp\nA2,x\nA1,Tea\n", "line 4 has another record of the same id"),
    ],
)
def test_a_row_that_does_not_fit_is_named_and_harms_no_other(
    datasets: MemoryDatasets, body: bytes, says: str
) -> None:
    datasets.put("acme", "datasets/orders.csv", body)
    result = look(datasets, "record_lookup", ORDERS, key="A1")
    assert result.error == "ToolFailed"
    assert f"datasets/orders.csv has no sure answer for 'A1': {says}" in result.content["detail"]
    assert look(datasets, "record_lookup", ORDERS, key="A2").content["found"] is True
    assert look(datasets, "record_lookup", ORDERS, key="null").content["found"] is False


def test_a_policy_may_begin_with_a_byte_order_mark(datasets: MemoryDatasets) -> None:
    datasets.put("acme", "datasets/policy.json", b'\xef\xbb\xbf{"topics": {"Books": {"days": 30}}}')
    assert look(datasets, "policy_lookup", POLICY, topic="books").content["policy"] == {"days": 30}


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
