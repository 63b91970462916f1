"""A model reads what was too large to show it, of its own run and no other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from stepward.adapters.memory.functions import MemoryResults
from stepward.adapters.memory.small_ports import MemoryDatasets
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.tools import ToolUse
from stepward.tools.base import ToolContext
from stepward.tools.execution import execute
from tests.support.builders import a_key

RUN, OTHER = a_key(1).run, a_key(2).run
ORDERS = {"orders": [{"id": n, "note": "x" * 100} for n in range(1_000)], "text": "abcdef" * 20_000}


def read(reference: str = f"{RUN}/call_1_1", *, family: tuple[str, ...] = (), **arguments: Any) -> ToolResult:
    results = MemoryResults()
    for run in (RUN, OTHER):
        results.keep("acme", run, "call_1_1", json.dumps(ORDERS).encode())
    context = ToolContext("acme", f"{RUN}:call_2_1", MemoryDatasets(), results=results, family=family)
    asked = ToolCall(id="call_2_1", tool="read_result", arguments={"reference": reference, **arguments})
    return execute(asked, ToolUse(tool="read_result"), context)


def test_a_value_is_found_by_its_path() -> None:
    assert read(path="orders.7.id").content == {"value": 7}


def test_a_text_is_read_by_characters() -> None:
    assert read(path="text", **{"from": 4, "length": 4}).content == {
        "value": "efab",
        "from": 4,
        "of": 120_000,
    }


def test_a_list_is_read_by_items() -> None:
    found = read(path="orders", **{"from": 998, "length": 10}).content
    assert ([one["id"] for one in found["value"]], found["of"]) == ([998, 999], 1_000)


def test_what_is_still_too_large_is_summed_up() -> None:
    found = read().content
    assert found["summary"]["values"]["orders"] == "list of 1000 items"
    assert read(path="orders", length=1_000).error == "ToolFailed"


def test_a_path_that_leads_nowhere_says_what_is_there() -> None:
    result = read(path="ordres.1")
    assert result.error == "ToolArgumentInvalid"
    assert "orders" in result.content["detail"]


@pytest.mark.parametrize("reference", [f"{OTHER}/call_1_1", f"{RUN}/call_9_9"])
def test_other_runs_and_calls_are_not_there(reference: str) -> None:
    assert read(reference).error == "ToolFailed"


def test_a_run_that_shares_the_journal_shares_the_results() -> None:
    assert read(f"{OTHER}/call_1_1", family=(OTHER,), path="orders.1.id").content == {"value": 1}


def test_a_path_in_the_reference_is_refused() -> None:
    assert read(f"{RUN}/../{OTHER}").error == "ToolArgumentInvalid"
