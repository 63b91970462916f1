"""Arithmetic that people may rely on, and nothing but arithmetic."""

from __future__ import annotations

import pytest

from stepward.adapters.memory.world import MemoryDatasets
from stepward.domain.errors import ToolFailed
from stepward.tools.base import Settings, ToolContext
from stepward.tools.calculate import Calculate, Expression


def value_of(expression: str) -> str:
    context = ToolContext("acme", "c1", MemoryDatasets())
    found: str = Calculate().run(Expression(expression=expression), Settings(), context)["value"]
    return found


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("1 + 2 * 3", "7"),
        ("0.1 + 0.2", "0.3"),
        ("(120.00 - 7.5) * 0.85", "95.6250"),
        ("round(95.625, 2)", "95.63"),
        ("round(2.5)", "3"),
        ("-3 ** 2", "-9"),
        ("7 // 2 + 7 % 2", "4"),
        ("min(3, 1, 2) + max(1, 5) + abs(-2)", "8"),
        ("1e3 / 8", "125"),
        ("10 ** 20", "100000000000000000000"),
    ],
)
def test_computes(expression: str, value: str) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "", "1 +", "1 / 0", "x", "True + 1", "'a' * 3", "[1]", "().__class__", "__import__('os')", "open('x')", "1 if 1 else 2",
        "lambda: 1", "2 ** 1000", "9 ** 9 ** 9", "round(1, 2, 3)", "round(x=1)", "abs(1, 2)", "1; 2", "1j", "(" * 400,
        "0 ** -1", "1e999999 * 1e999999", "round(1, 1e9)", "round(1, 1e999999999)", "round(1, 0.5)",
    ],
)  # fmt: skip
def test_refuses(expression: str) -> None:
    with pytest.raises(ToolFailed):
        value_of(expression)
