"""A task type has one home: what is special about it stands in its own file, and everybody else asks."""

from __future__ import annotations

import ast

import pytest

from stepward.tasks.catalog import CATALOG
from stepward.workflows.program.names import Part
from tests.house.source_tree import name, product_files, tree_of
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


def texts_between_values(tree: ast.AST) -> set[str]:
    """Collect what f-strings hold between their values."""
    written = (node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr))
    return {str(one.value) for node in written for one in node.values if isinstance(one, ast.Constant)}


def test_names_of_states_are_made_and_read_in_one_module() -> None:
    parts = {f" {part}" for part in Part}
    assert texts_between_values(ast.parse("f'{path} done'")) <= parts
    for path in product_files():
        if name(path).startswith("shared/stepward/workflows/") and path.name != "names.py":
            assert not texts_between_values(tree_of(path)) & parts, name(path)
            assert 'partition(" ")' not in path.read_text(), name(path)
