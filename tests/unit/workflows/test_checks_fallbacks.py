"""What stands in for a task or a group may be worked out, of what is there when it does."""

from __future__ import annotations

import pytest

from tests.support.workflow_texts import told

FALLBACK = """
    tasks:
    - {id: first, agent: xx}
    - {id: other, agent: xx}
    - {id: last, agent: xx, needs: first, fallback: "{% $tasks.FIRST %}"}
    - {id: each, foreach: [1], fallback: "{% $ITEM %}", tasks: [{id: in, agent: xx}]}
    - {id: group, fallback: {output: ["{% $GROUP %}"]}, parallel: [{id: b, agent: xx}]}
"""


def of_fallbacks(**said: str) -> list[tuple[str, str | None, str | None]]:
    text = FALLBACK
    for name, value in {"FIRST": "first", "ITEM": "input", "GROUP": "run.id", **said}.items():
        text = text.replace(name, value)
    return told(text)


def test_what_stands_in_may_be_an_expression() -> None:
    assert of_fallbacks() == []


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"FIRST": "other"}, ("not-needed", "last", "fallback.output")),
        ({"FIRST": "last"}, ("not-needed", "last", "fallback.output")),
        ({"FIRST": ""}, ("expression-syntax", "last", "fallback.output")),
        ({"ITEM": "item"}, ("unknown-variable", "each", "fallback.output")),
        ({"ITEM": "tasks.in"}, ("missing-task", "each", "fallback.output")),
        ({"GROUP": "tasks.b"}, ("unknown-variable", "group", "fallback.output.0")),
        ({"GROUP": "status.first"}, ("unknown-variable", "group", "fallback.output.0")),
    ],
)
def test_what_stands_in_speaks_of_what_is_there_then(
    said: dict[str, str], problem: tuple[str, str, str]
) -> None:
    assert problem in of_fallbacks(**said)


@pytest.mark.parametrize("more", ["", "[0]"])
def test_fields_of_what_stands_in_for_a_group_may_be_read(more: str) -> None:
    assert (
        told(f"""
        tasks:
        - {{id: group, fallback: {{output: {{stood: [1]}}}}, parallel: [{{id: b, agent: xx}}]}}
        - {{id: last, type: transform, needs: group, output: "{{% $tasks.group.stood{more} %}}"}}
    """)
        == []
    )
