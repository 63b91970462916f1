"""A task type has one home: what is special about it stands in its own file, and everybody else asks."""

from __future__ import annotations

import ast

import pytest

from stepward.tasks.catalog import CATALOG
from tests.house.task_type_names import sites_in, spelt_out_types

METHODS_OF_A_FLOW = len(CATALOG)
"""One for each type: it adds tasks of that type."""
OTHER_MEANINGS = 2
"""A kind of run, and a kind of node in an expression."""


def test_no_more_code_than_today_spells_out_a_task_type() -> None:
    found = spelt_out_types()
    assert len(found) <= METHODS_OF_A_FLOW + OTHER_MEANINGS, "\n".join(found)


@pytest.mark.parametrize(
    "text",
    [
        "if task.type == 'loop': pass",
        "if planned.task.type in ('loop', 'foreach'): pass",
        "cost = {'loop': 1, 'wait': 2}.get(kind, 0)",
        "match task.type:\n    case 'loop': pass",
        "make(type='loop')",
        "document = {'id': name, 'type': 'loop'}",
        "self._add(Loop, task_id, 'loop', {})",
        "ASKED = frozenset({'loop', 'human'})",
    ],
)
def test_a_task_type_that_is_spelt_out_is_found(text: str) -> None:
    assert "loop" in {word for _, word in sites_in(ast.parse(text))}


@pytest.mark.parametrize("text", ["status == 'loop'", "names = ('loop', 'other')", "say('loop')"])
def test_a_word_that_means_something_else_is_not(text: str) -> None:
    assert not sites_in(ast.parse(text))
