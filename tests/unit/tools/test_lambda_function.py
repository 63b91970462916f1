"""Another function of the account is called only as stage and agent allow it."""

from __future__ import annotations

from typing import Any

from stepward.adapters.memory.functions import MemoryFunctions
from stepward.adapters.memory.small_ports import MemoryDatasets
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.tools import ToolUse
from stepward.tools.base import ToolContext
from stepward.tools.execution import execute

PRICING = {
    "function": "pricing",
    "description": "Prices a product.",
    "arguments": {"type": "object", "properties": {"product": {"type": "string"}}, "required": ["product"]},
}
FUNCTIONS = MemoryFunctions(foreign={"pricing": lambda event: {"price": len(event["product"])}})


def call(
    config: dict[str, Any], allow: tuple[str, ...] = ("lambda:pricing",), **arguments: Any
) -> ToolResult:
    context = ToolContext("acme", "run_1:c", MemoryDatasets(), allow, functions=FUNCTIONS)
    asked = ToolCall(id="c", tool="lambda_function", arguments=arguments)
    return execute(asked, ToolUse(tool="lambda_function", config=config), context)


def test_it_gets_the_arguments_as_its_event_and_the_call_beside_them() -> None:
    assert call(PRICING, product="lamp").content == {"price": 4}
    assert FUNCTIONS.called[-1] == {"call_id": "run_1:c", "run": "run_1", "tenant": "acme"}


def test_a_function_that_is_not_listed_is_not_called() -> None:
    assert "allow-list" in call(PRICING, (), product="lamp").content["detail"]
    own = {**PRICING, "function": "stepward-dev-runs-api"}
    assert "allow-list" in call(own, ("lambda:stepward-dev-runs-api",), product="lamp").content["detail"]


def test_a_function_without_the_tag_is_not_called() -> None:
    other = {**PRICING, "function": "billing"}
    assert "stepward:tool" in call(other, ("lambda:billing",), product="lamp").content["detail"]


def test_the_event_is_held_to_its_schema() -> None:
    assert call(PRICING, product=3).error == "ToolArgumentInvalid"
