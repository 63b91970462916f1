"""What a Python function becomes when it is made a tool."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field

from stepward.toolkit import Call, ToolFailed, ToolFunction, ToolUnavailable, serve_tools, tool


class Order(BaseModel):
    number: str
    total: float


@tool(effect="none", timeout_s=3)
def find_order(
    number: Annotated[str, Field(min_length=2)], detail: Literal["short", "long"] = "short", *, call: Call
) -> Order | None:
    """Looks an order up.

    It knows the orders of this year.

    Args:
        number: As it is printed
            on the invoice.
        detail: How much to tell.
    """
    return None if number == "none" else Order(number=f"{number} {detail} {call.tenant} {call.id}", total=2.5)


@tool
def cancel(orders: list[Order]) -> int:
    """Cancels orders."""
    if not orders:
        raise ToolFailed("there is nothing to cancel.")
    if orders[0].number == "busy":
        raise ToolUnavailable("come back later", has_begun=False)
    return len(orders) // int(orders[0].total)


SERVED = serve_tools(find_order, cancel)


def call(function: str, **arguments: Any) -> dict[str, Any]:
    event = {
        "v": 1,
        "function": function,
        "arguments": arguments,
        "tenant": "acme",
        "run": "r",
        "call_id": "r:c",
    }
    return SERVED(event)


def test_the_schema_is_that_of_signature_and_docstring() -> None:
    shown = find_order.published
    assert shown.description == "Looks an order up.\n\nIt knows the orders of this year."
    assert (shown.effect, shown.timeout_s) == ("none", 3)
    assert shown.parameters["required"] == ["number"]
    assert shown.parameters["additionalProperties"] is False
    number, detail = shown.parameters["properties"]["number"], shown.parameters["properties"]["detail"]
    assert (number["description"], number["minLength"]) == ("As it is printed on the invoice.", 2)
    assert (detail["enum"], detail["default"]) == (["short", "long"], "short")


def test_what_says_nothing_must_not_happen_twice() -> None:
    assert cancel.published.effect == "once"


def test_a_folder_describes_all_its_tools() -> None:
    assert [one["function"] for one in SERVED({"v": 1, "describe": True})["tools"]] == [
        "find_order",
        "cancel",
    ]


def test_a_call_is_validated_and_answered_as_json() -> None:
    assert call("find_order", number="A1") == {"v": 1, "value": {"number": "A1 short acme r:c", "total": 2.5}}
    assert call("find_order", number="none") == {"v": 1, "value": None}
    assert call("cancel", orders=[{"number": "A1", "total": 1}]) == {"v": 1, "value": 1}


@pytest.mark.parametrize(
    ("function", "arguments", "error", "says"),
    [
        ("find_order", {"number": "A"}, "ToolArgumentInvalid", "number: "),
        ("find_order", {"number": "A1", "colour": 1}, "ToolArgumentInvalid", "colour: "),
        ("find_order", {"number": "A1", "call": {}}, "ToolArgumentInvalid", "call: "),
        ("cancel", {"orders": []}, "ToolFailed", "nothing to cancel"),
        ("cancel", {"orders": [{"number": "busy", "total": 1}]}, "ToolUnavailable", "later"),
        ("refund", {}, "ToolFailed", "there are cancel, find_order"),
    ],
)
def test_a_fault_is_told_in_words(function: str, arguments: dict[str, Any], error: str, says: str) -> None:
    answer = call(function, **arguments)
    assert answer["error"] == error
    assert says in answer["detail"]


def test_a_bug_leaves_under_its_own_name() -> None:
    with pytest.raises(ZeroDivisionError):
        call("cancel", orders=[{"number": "A1", "total": 0}])


def test_called_directly_it_is_the_function_that_it_was() -> None:
    assert isinstance(cancel, ToolFunction)
    assert cancel([Order(number="A1", total=1)]) == 1


def test_what_models_could_not_be_told_is_refused() -> None:
    def untyped(number) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
        """Does something."""

    def unsaid(number: int) -> None: ...

    def open_ended(**rest: int) -> None:
        """Does something."""

    for function, says in ((untyped, "needs a type"), (unsaid, "docstring"), (open_ended, "needs a type")):
        with pytest.raises(TypeError, match=says):
            tool(function)
    with pytest.raises(TypeError, match="one name"):
        serve_tools(cancel, cancel)
