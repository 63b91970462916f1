"""Arithmetic that people may rely on, and nothing but arithmetic."""

from __future__ import annotations

import gc
import threading
from typing import Any

import pytest

from stepward.adapters.memory.small_ports import MemoryDatasets
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
        ("-7 // 2", "-4"),
        ("-7 % 3", "2"),
        ("7 % -3", "-2"),
        ("-7 % 7", "0"),
        ("-7.5 // 2 * 2 + -7.5 % 2", "-7.5"),
        ("-123456789012345678901234567890123456789 // 10", "-12345678901234567890123456789012345679"),
        ("min(3, 1, 2) + max(1, 5) + abs(-2)", "8"),
        ("1e3 / 8", "125"),
        ("10 ** 20", "100000000000000000000"),
        ("12345678901234567890 * 12345678901234567890", "152415787532388367501905199875019052100"),
        ("123456789012.123456789012345678 + 0", "123456789012.123456789012345678"),
        ("123456789012345678901234567890123456789 // 10", "12345678901234567890123456789012345678"),
        ("123456789012345678901234567890123456789 % 10", "9"),
        ("123456789012345678901234567890123456789 / 1", "123456789012345678901234567890123456789"),
        ("-123456789012345678901234567890123456789", "-123456789012345678901234567890123456789"),
        ("max(123456789012345678901234567890123456789, 1)", "123456789012345678901234567890123456789"),
        ("round(123456789012345678901234567890.555, 2)", "123456789012345678901234567890.56"),
        ("1 / 3", "0.3333333333333333333333333333"),
        ("10 ** 40 / 3", "3333333333333333333333333333333333333333.33333333333"),
        ("1 / 2 ** 40", "0.0000000000009094947017729282379150390625"),
        ("2 ** 0.5", "1.414213562373095048801688724"),
        ("2 ** -2", "0.25"),
        ("1.1 ** 30", "17.449402268886407318558803753801"),
        (".5 + 1.", "1.5"),
    ],
)
def test_computes(expression: str, value: str) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "", "1 +", "1 / 0", "x", "True + 1", "'a' * 3", "[1]", "().__class__", "__import__('os')", "open('x')", "1 if 1 else 2",
        "lambda: 1", "2 ** 1000", "9 ** 9 ** 9", "round(1, 2, 3)", "round(x=1)", "abs(1, 2)", "1; 2", "1j", "(" * 400,
        "0 ** -1", "1e999999 * 1e999999", "round(1, 1e9)", "round(1, 1e999999999)", "round(1, 0.5)", "1_000", "1e400", "1e-400", "0x10", "0b1", "nan", "Infinity", "\u0661", "\uff11 + 1",
        "123456789012345 ** 99 + 0.5", "0 / 0", "1 // 0", "1 % 0",
    ],
)  # fmt: skip
def test_refuses(expression: str) -> None:
    with pytest.raises(ToolFailed):
        value_of(expression)


def test_two_at_a_time_do_not_disturb_each_other() -> None:
    """Whenever memory is tidied up while one is computed, another thread computes one, too."""
    long, here, others = " + ".join(["1234.5"] * 50), threading.current_thread(), list[threading.Thread]()

    def meanwhile(*_: Any) -> None:
        if threading.current_thread() is here and len(others) < 20:
            others.append(threading.Thread(target=value_of, args=(long,)))
            others[-1].start()
            others[-1].join(0.02)

    threshold = gc.get_threshold()
    gc.callbacks.append(meanwhile)
    gc.set_threshold(20)
    try:
        assert value_of(long) == "61725.0"
    finally:
        gc.callbacks.remove(meanwhile)
        gc.set_threshold(*threshold)
        for other in others:
            other.join()
    assert others
