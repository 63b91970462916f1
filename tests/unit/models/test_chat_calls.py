"""Pieces of calls: whose each is, however a server numbers and names them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stepward.models.chat_calls import CallPieces


def _said(index: int | None, name: str | None, tool: str | None, arguments: Any) -> Any:
    return SimpleNamespace(index=index, id=name, function=SimpleNamespace(name=tool, arguments=arguments))


def _gathered(*pieces: tuple[int | None, str | None, str | None, Any]) -> list[tuple[str, str]]:
    calls: dict[int, tuple[str, str]] = {}
    begun: list[int] = []
    tracker = CallPieces()
    for piece in pieces:
        placed = tracker.place(_said(*piece))
        if placed is None:
            continue
        if placed.begins:
            begun.append(placed.number)
        _, before = calls.get(placed.number, ("", ""))
        calls[placed.number] = (placed.tool, before + placed.arguments)
    assert begun == list(calls) == list(range(len(calls)))
    return list(calls.values())


A, B = '{"a": 1}', '{"b": 2}'
TWO = [("f", A), ("g", B)]
TWICE = [("f", A), ("f", B)]


@pytest.mark.parametrize(
    ("pieces", "calls"),
    [
        pytest.param([(0, "x", "f", ""), (0, None, None, '{"a"'), (0, None, None, ": 1}"), (1, "y", "g", ""), (1, None, None, B)], TWO, id="as OpenAI does"),
        pytest.param([(0, "x", "f", ""), (1, "y", "g", ""), (0, None, None, A), (1, None, None, B)], TWO, id="interleaved"),
        pytest.param([(0, "x", "f", A), (0, "y", "f", B)], TWICE, id="one number for all"),
        pytest.param([(0, "x", "f", A), (1, "x", "f", B)], TWICE, id="one id for all"),
        pytest.param([(0, None, "f", A), (0, None, "f", B)], TWICE, id="one number and no id"),
        pytest.param([(None, "x", "f", '{"a"'), (None, "x", None, ": 1}"), (None, "y", "g", B)], TWO, id="no number"),
        pytest.param([(None, None, "f", A), (None, None, "g", B)], TWO, id="neither"),
        pytest.param([(None, None, "f", A), (None, None, "f", B)], TWICE, id="neither, one tool"),
        pytest.param([(None, None, "f", ""), (None, None, None, A), (None, None, "g", ""), (None, None, None, B)], TWO, id="neither, in pieces"),
        pytest.param([(0, "x", "f", '{"a"'), (0, "x", "f", ": 1}"), (1, "y", "g", B)], TWO, id="named in each piece"),
        pytest.param([(0, "x", "f", A), (0, "x", "f", "")], [("f", A)], id="named again at the end"),
        pytest.param([(0, "x", "f", '{"a"'), (0, "y", None, ": 1}")], [("f", A)], id="another id in each piece"),
        pytest.param([(0, None, "f", '{"a"'), (0, "x", None, ": 1}")], [("f", A)], id="named late"),
        pytest.param([(0, "x", "f", None), (1, "y", "g", None)], [("f", ""), ("g", "")], id="no arguments"),
        pytest.param([(0, "", "f", {"a": 1})], [("f", A)], id="an object for a text"),
        pytest.param([(0, "x", None, A)], [], id="of no tool"),
    ],
)  # fmt: skip
def test_each_piece_goes_to_its_call(pieces: list[Any], calls: list[tuple[str, str]]) -> None:
    assert _gathered(*pieces) == calls


def test_an_entry_without_a_function_is_of_nobody() -> None:
    assert CallPieces().place(SimpleNamespace(index=0, id="x", function=None)) is None
