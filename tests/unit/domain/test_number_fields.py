"""Where a text becomes a number, it is written as JSON writes one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from stepward.agents.budgets import BudgetRequest
from stepward.domain.agents import AgentDefinition, Limits
from stepward.domain.errors import ToolArgumentInvalid
from stepward.domain.money import Price
from stepward.domain.numbers import Exact, Fraction, Whole, misread
from stepward.domain.retries import Retry
from stepward.domain.tools import ToolUse
from stepward.toolkit.call import Call
from stepward.toolkit.function import tool

ODD = [
    "1_000",
    "1__0",
    "NaN",
    "nan",
    "inf",
    "Infinity",
    "1e400",
    "\u0661\u0662",
    "\uff11",
    " 5",
    "+5",
    "05",
    ".5",
    "5.",
    "",
    True,
]
PRICE = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "1", "source": "s", "as_of": "2026-11-30"}


@pytest.mark.parametrize("text", ODD)
@pytest.mark.parametrize("kind", [Whole, Fraction, Exact])
def test_other_texts_are_no_numbers(kind: Any, text: Any) -> None:
    with pytest.raises(ValidationError, match="is not a number as JSON writes it"):
        TypeAdapter(kind).validate_python(text)


def test_numbers_and_texts_of_numbers_are() -> None:
    assert TypeAdapter(Whole).validate_python("12") == 12
    assert TypeAdapter(Fraction).validate_python("-1.5e3") == -1500
    assert TypeAdapter(Exact).validate_python("0.1234567890123456789") == Decimal("0.1234567890123456789")
    assert TypeAdapter(Exact).validate_python(0.1) == Decimal("0.1")


@pytest.mark.parametrize("text", ["1_0", "\u0661", "NaN", "1e400", " 1 "])
@pytest.mark.parametrize(
    ("model", "given", "field"),
    [
        (BudgetRequest, {}, "limit_usd"),
        (Limits, {}, "cost_limit_usd"),
        (Limits, {}, "max_iterations"),
        (Price, PRICE, "input_usd_per_mtok"),
        (Price, PRICE, "cache_write_1h_usd_per_mtok"),
        (Price, PRICE, "context_tokens"),
        (Retry, {}, "base_s"),
        (ToolUse, {"tool": "calculate"}, "cost_usd"),
        (ToolUse, {"tool": "calculate"}, "timeout_s"),
        (AgentDefinition, {"id": "ab", "version": "1.0.0", "model": "fast", "prompt": "p"}, "temperature"),
    ],
)
def test_budgets_prices_limits_and_pauses_are_held_to_it(
    model: type[BaseModel], given: dict[str, Any], field: str, text: str
) -> None:
    with pytest.raises(ValidationError, match=field):
        model.model_validate({**given, field: text})


class Line(BaseModel):
    """A model that a function of a user's may take."""

    count: int
    price: float | None = None
    tags: list[str] = []
    note: str = Field(default="", alias="n")


@tool(effect="none")
def total(lines: list[Line], factor: Decimal = Decimal(1), name: str = "") -> float:
    """Sum up."""
    del name
    return sum(line.count * (line.price or 0) for line in lines) * float(factor)


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"lines": [{"count": 1}, {"count": "1_0"}]}, "lines.1.count"),
        ({"lines": [{"count": 1, "price": "1e400"}]}, "lines.0.price"),
        ({"lines": [], "factor": "\u0661"}, "factor"),
        ({"lines": [], "factor": "1_0"}, "factor"),
    ],
)
def test_functions_of_users_are_too(given: dict[str, Any], path: str) -> None:
    with pytest.raises(ToolArgumentInvalid, match=path):
        total.serve(given, Call(tenant="acme", run="run_1", id="run_1:c1"))


def test_texts_that_stay_texts_may_be_anything() -> None:
    given = {"lines": [{"count": "2", "price": 1.5, "tags": ["1_0"], "n": "1_0"}], "name": "NaN"}
    assert total.serve(given, Call(tenant="acme", run="run_1", id="run_1:c1")) == 3
    assert [*misread({"a": [True, "1_0"]}, {"a": (True, "1_0")})] == []
