"""A document that is nothing but faults is refused after so many of them, whatever its size."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from stepward.domain.documents.problems import MOST_PROBLEMS, in_order
from stepward.domain.nearest import nearest
from stepward.workflows.checks import expressions
from stepward.workflows.checks.validate import validate
from stepward.workflows.documents import definition

ONE = {"id": "a", "type": "transform", "output": 1}


def document(*tasks: dict[str, Any], **fields: Any) -> str:
    return json.dumps(
        {"id": "flow", "name": "Flow", "version": "1.0.0", "tasks": list(tasks or [ONE]), **fields}
    )


HOSTILE: dict[str, Callable[[], str]] = {
    "fields": lambda: document(**{f"field_{n}": 1 for n in range(5_000)}),
    "fields of a task": lambda: document({**ONE, **{f"field_{n}": 1 for n in range(5_000)}}),
    "no tasks": lambda: document(tasks=list(range(5_000))),
    "ids": lambda: document(*[ONE] * 3_000),
    "types": lambda: document(*({"id": f"t{n}", "type": f"tipe{n}"} for n in range(3_000))),
    "needs": lambda: document({**ONE, "needs": [f"n{n}" for n in range(10_000)]}),
    "expressions": lambda: document(
        *({**ONE, "id": f"t{n}", "output": f"{{% ${n} + ( %}}"} for n in range(2_000))
    ),
    "variables": lambda: document({**ONE, "output": [f"{{% $x{n} %}}" for n in range(5_000)]}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_the_search_stops_and_says_so(name: str) -> None:
    problems = validate(HOSTILE[name](), "json").problems
    assert len(problems) == MOST_PROBLEMS
    last = problems[-1]
    assert (last.code, last.detail) == (
        "too-many-problems",
        "there are more than 99 problems, and the search has stopped",
    )
    assert [one.code for one in problems].count("too-many-problems") == 1


def test_faults_are_spelt_out_no_further_than_they_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    spelt = counted(monkeypatch, definition, "fault_of")
    validate(HOSTILE["fields"](), "json")
    assert len(spelt) == MOST_PROBLEMS + 1


def test_no_expression_is_read_once_the_search_has_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    read = [counted(monkeypatch, expressions, "parse_expression")]
    validate(HOSTILE["variables"](), "json")
    assert sum(map(len, read)) <= 2 * MOST_PROBLEMS


def counted(monkeypatch: pytest.MonkeyPatch, module: Any, name: str) -> list[Any]:
    calls: list[Any] = []
    real = getattr(module, name)

    def counting(*given: Any) -> Any:
        calls.append(given)
        return real(*given)

    monkeypatch.setattr(module, name, counting)
    return calls


def test_what_is_said_twice_stops_once() -> None:
    problems = validate(HOSTILE["ids"](), "json").problems
    assert in_order([*problems, *problems]) == problems


@pytest.mark.parametrize("text", [document(**{"x" * 300_000: 1}), document({**ONE, "id": "x" * 300_000})])
def test_an_answer_is_short_though_a_name_is_long(text: str) -> None:
    problems = validate(text, "json").problems
    assert problems
    assert sum(len(one.model_dump_json()) for one in problems) < 20_000


def test_the_name_that_was_meant_is_found_among_thousands() -> None:
    known = [f"task_number_{n}" for n in range(5_000)]
    assert nearest("task_nomber_4321", known) == "task_number_4321"
    assert nearest("tusk_number_77", known) == "task_number_77"
