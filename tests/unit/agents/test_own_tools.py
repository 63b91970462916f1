"""Functions of one's own: published at a deployment, taken into versions, called as they were taken."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.functions import MemoryFunctions, MemoryPublishedTools
from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.small_ports import MemoryDatasets, StillClock
from stepward.agents.agent_tools import PublishTools, list_tools, show_tool
from stepward.agents.register import Register
from stepward.domain.conversation import ToolCall, ToolResult
from stepward.domain.errors import InvalidRequest, NotFound, ToolFailed
from stepward.domain.tools import Effect, ToolUse
from stepward.toolkit import serve_tools, tool
from stepward.tools.base import ToolContext
from stepward.tools.catalog import bind
from stepward.tools.execution import execute
from tests.support.builders import an_agent_body


@tool(effect="none")
def find_order(number: str) -> dict[str, str]:
    """Looks an order up."""
    return {"number": number}


@tool
def find_order_anew(number: int) -> int:
    """Looks an order up by a number that counts."""
    return number


find_order_anew.published = find_order_anew.published.model_copy(update={"function": "find_order"})


class Shop:
    """A stage with one folder of tools."""

    def __init__(self) -> None:
        self.shelf, self.registry, self.clock = MemoryPublishedTools(), MemoryRegistry(), StillClock()
        self.folders: dict[str, Any] = {"orders": serve_tools(find_order)}
        self.publish()

    def publish(self) -> dict[str, int]:
        return PublishTools(MemoryFunctions(self.folders), self.shelf, self.clock, tuple(self.folders))()

    def register(self, *tools: dict[str, Any], version: str = "1.0.0") -> bool:
        body = an_agent_body(tools=list(tools), version=version)
        return Register(self.registry, self.clock, (), self.shelf.folder)("acme", body)[1]

    def use(self, version: str = "1.0.0") -> ToolUse:
        found = self.registry.agent("acme", "helper", version)
        assert found is not None
        return found.definition.tools[0]

    def call(self, **arguments: Any) -> ToolResult:
        context = ToolContext("acme", "run_1:c", MemoryDatasets(), functions=MemoryFunctions(self.folders))
        asked = ToolCall(id="c", tool="find_order", arguments=arguments)
        return execute(asked, self.use(), context)


@pytest.fixture
def shop() -> Shop:
    return Shop()


FIND = {"tool": "orders.find_order"}


def test_an_agent_uses_what_is_published(shop: Shop) -> None:
    assert shop.register(FIND)
    bound = bind(shop.use())
    assert (shop.use().called, bound.effect, bound.description) == (
        "find_order",
        Effect.NONE,
        "Looks an order up.",
    )
    assert bound.schema()["required"] == ["number"]
    assert shop.call(number="A1").content == {"number": "A1"}


def test_a_version_keeps_what_it_was_registered_with(shop: Shop) -> None:
    shop.register(FIND)
    shop.folders["orders"] = serve_tools(find_order_anew)
    shop.publish()
    assert shop.register(FIND) is False
    assert bind(shop.use()).effect is Effect.NONE
    assert shop.register(FIND, version="1.1.0")
    assert bind(shop.use("1.1.0")).effect is Effect.ONCE


def test_the_function_has_the_last_word_on_its_arguments(shop: Shop) -> None:
    shop.register(FIND)
    result = shop.call(number=3)
    assert result.error == "ToolArgumentInvalid"
    assert "number: " in result.content["detail"]
    assert '"required"' in result.content["detail"]


def test_a_folder_that_is_gone_is_told_to_the_model_and_offers_nothing(shop: Shop) -> None:
    shop.register(FIND)
    shop.folders.clear()
    assert shop.publish() == {"orders": 0}
    assert "not deployed any more" in shop.call(number="A1").content["detail"]
    with pytest.raises(InvalidRequest):
        shop.register(FIND, version="2.0.0")


def test_a_folder_that_cannot_be_asked_does_not_hold_up_the_others(shop: Shop) -> None:
    shop.folders = {"broken": lambda _: {"hello": 1}, "orders": serve_tools(find_order_anew)}
    with pytest.raises(ToolFailed, match="broken: it does not describe its tools"):
        shop.publish()
    assert shop.shelf.folders()[0].tools[0].effect is Effect.ONCE


@pytest.mark.parametrize(
    ("use", "field", "fix"),
    [
        ({"tool": "orders.find_ordre"}, "tools.0.tool", "did you mean 'orders.find_order'?"),
        ({"tool": "shipping.find_order"}, "tools.0.tool", "GET /tools"),
        ({**FIND, "config": {"colour": 1}}, "tools.0.config", "leave `config` out"),
        ({**FIND, "name": "calculate"}, "tools.0.name", "another `name`"),
        ({"tool": "calculate", "timeout_s": 41}, "tools.0.timeout_s", "shorter"),
        (
            {"tool": "policy_lookup", "config": {"source": "a"},
             "retry": {"strategy": "constant", "max_attempts": 10, "base_s": 20}},
            "tools.0.retry", "fewer attempts",
        ),
        (
            {"tool": "lambda_function", "config": {"function": "stepward-dev-runs-api", "description": "x"}},
            "tools.0.config.function", "folder",
        ),
        (
            {"tool": "lambda_function", "config": {"function": "pricing", "description": "x"}},
            "tools.0.config.function", "lambda_tools",
        ),
    ],
)  # fmt: skip
def test_what_could_not_be_kept_is_refused_and_nothing_is_stored(
    shop: Shop, use: dict[str, Any], field: str, fix: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        shop.register(use)
    assert refused.value.field == field
    assert fix in (refused.value.fix or "")
    assert shop.registry.agent("acme", "helper", "1.0.0") is None


def test_a_retry_of_what_must_happen_once_is_refused(shop: Shop) -> None:
    shop.folders["orders"] = serve_tools(find_order_anew)
    shop.publish()
    with pytest.raises(InvalidRequest, match="never tried again"):
        shop.register({**FIND, "retry": {"strategy": "immediate"}})


def test_the_list_has_the_gallery_and_the_folders(shop: Shop) -> None:
    shown = {one["name"]: one for one in list_tools(shop.shelf)}
    assert shown["calculate"]["source"] == "gallery"
    assert shown["orders.find_order"]["source"] == "functions/orders"
    assert show_tool(shop.shelf, "orders.find_order")["parameters"]["required"] == ["number"]
    assert show_tool(shop.shelf, "record_lookup")["config"]["required"] == ["source", "key"]
    with pytest.raises(NotFound) as missing:
        show_tool(shop.shelf, "orders.find_ordre")
    assert "orders.find_order" in (missing.value.fix or "")
