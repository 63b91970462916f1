"""A task is of one type: fields that tell different ones are refused by the checks and by the published schema alike."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from stepward.workflows.checks import examine
from tests.support.workflow_texts import only, schema

BODY = {"b": {"seconds": 1}}
TELLING: dict[str, tuple[str, Any]] = {
    "agent": ("agent", "xx"),
    "agent_id": ("agent", "xx"),
    "tool": ("tool", "calculate"),
    "tool_id": ("tool", "calculate"),
    "workflow": ("subworkflow", "other"),
    "workflow_id": ("subworkflow", "other"),
    "test": ("condition", "$input.x"),
    "expression": ("condition", "$input.x"),
    "then": ("condition", []),
    "otherwise": ("condition", []),
    "else": ("condition", []),
    "foreach": ("foreach", []),
    "items": ("foreach", [1]),
    "max_items": ("foreach", 3),
    "chunk_size": ("foreach", 2),
    "parallel": ("parallel", BODY),
    "max_iterations": ("loop", 2),
    "question": ("human", "Sure?"),
    "url": ("webhook", "https://example.com/x"),
    "wait_for_call": ("webhook", True),
    "event": ("event", "order.done"),
    "seconds": ("wait", 1),
}
"""Each field that tells a type, with that type and a value that is well."""
OTHERS: dict[str, Any] = {"do": {"seconds": 1}, "tasks": BODY, "until": "{% true %}", "output": 1}
"""What several types have, or what tells a type only where nothing else does."""
PAIRS = [(one, other) for one, other in combinations(TELLING, 2) if TELLING[one][0] != TELLING[other][0]]


def document(**task: Any) -> dict[str, Any]:
    return {"id": "demo", "name": "Demo", "version": "1.0.0", "tasks": [{"id": "a", "timeout_s": 60, **task}]}


def faults(value: dict[str, Any]) -> list[str]:
    return [one.message for one in schema().iter_errors(value)]


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_two_fields_that_tell_different_types_fit_neither(one: str, other: str) -> None:
    for names in ((one, other), (other, one)):
        value = document(**{name: TELLING[name][1] for name in names})
        assert examine(value)[1] != []
    assert faults(value) != []


@pytest.mark.parametrize("name", [name for name, (kind, _) in TELLING.items() if kind != "parallel"])
@pytest.mark.parametrize("nothing", [[], {}])
def test_an_empty_short_form_is_refused_too(name: str, nothing: Any) -> None:
    kind, said = TELLING[name]
    for task in ({name: said}, {"type": kind, name: said}):
        value = document(**task, parallel=nothing)
        assert examine(value)[1] != []
        assert faults(value) != []


@pytest.mark.parametrize("name", [*TELLING, *OTHERS])
def test_what_is_taken_with_two_fields_fits_the_schema(name: str) -> None:
    said = TELLING[name][1] if name in TELLING else OTHERS[name]
    for other, value in (*OTHERS.items(), *((one, None) for one in (*TELLING, *OTHERS))):
        if other != name:
            whole = document(**{name: said, other: value})
            assert examine(whole)[1] or not faults(whole), whole


def test_the_refusal_names_both_fields_and_where_the_task_stands() -> None:
    problem = only("""
        tasks:
        - id: group
          parallel: {b: {seconds: 1}}
          foreach: []
    """)
    assert (problem.code, problem.task, problem.line) == ("missing-field", "group", 6)
    assert "'parallel' makes it a task of type parallel, and 'foreach' one of type foreach" in problem.detail
    assert problem.fix.startswith("add `type`: one of")


@pytest.mark.parametrize(
    ("task", "fix"),
    [
        ("{id: a, type: foreach, foreach: [1], parallel: {b: {seconds: 1}}}", "write its tasks below `do`"),
        ("{id: a, type: agent, agent: xx, parallel: []}", "remove 'parallel'"),
        ("{id: a, agent: xx, do: []}", "remove 'do'"),
    ],
)
def test_a_short_form_of_another_type_is_an_unknown_field(task: str, fix: str) -> None:
    problem = only(f"tasks:\n- {task}\n")
    assert (problem.code, problem.fix) == ("unknown-field", fix)


@pytest.mark.parametrize("kind", [[], {}, 3, "agnt"])
def test_a_type_that_is_none_is_told_whatever_stands_beside_it(kind: Any) -> None:
    assert examine(document(type=kind, parallel=BODY))[1] != []


@pytest.mark.parametrize("name", ["otherwise", "else"])
def test_a_branch_that_is_null_makes_no_question(name: str) -> None:
    value = document(agent="xx", condition="$input.x", **{name: None})
    assert examine(value)[1] == []
    assert faults(value) == []
