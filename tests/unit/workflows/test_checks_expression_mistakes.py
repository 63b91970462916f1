"""Who writes an expression as other systems have it is told how it is written here."""

from __future__ import annotations

import pytest

from tests.support.workflow_texts import found, only, told


def with_text(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f"""
        tasks:
        - {{id: a, type: transform, output: 1}}
        - {{id: b, agent: xx, needs: a, with: {{input: "{quoted}"}}}}
    """


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("{{ input.name }}", "write {% $input.name %}"),
        ("{{name}}", "write {% $input.name %}"),
        ("${{ inputs.name }}", "write {% $input.name %}"),
        ("{{ tasks.a.output.x }}", "write {% $tasks.a.x %}"),
        ("${{ steps.a.outputs.x }}", "write {% $tasks.a.x %}"),
        ("{{ $tasks.a }}", "write {% $tasks.a %}"),
        (
            "Dear {{ input.name }}, it's {{ tasks.a }}",
            "write {% 'Dear ' & $input.name & \", it's \" & $tasks.a %}",
        ),
        ("$.customer.name", "write {% $input.customer.name %}"),
        ("$.rows[0].x", "write {% $input.rows[0].x %}"),
        ("$$.Execution.Id", "write {% $run.id %}"),
        ("$tasks.a.b", "write {% $tasks.a.b %}"),
        ("$input", "write {% $input %}"),
        (" $input.price * 2 ", "write {% $input.price * 2 %}"),
        ("$count($tasks.a)", "write {% $count($tasks.a) %}"),
        ("$uuid()", "write {% $uuid() %}"),
    ],
)
def test_the_right_form_is_said(text: str, right: str) -> None:
    problem = only(with_text(text))
    assert (problem.code, problem.task, problem.field) == ("not-an-expression", "b", "with.input")
    assert right in problem.fix
    shown = problem.fix[problem.fix.index("{%") : problem.fix.index("%}") + 2]
    assert told(with_text(shown)) == []


@pytest.mark.parametrize(
    "text",
    [
        "$5.00",
        "costs $input of work",
        "$inputs",
        "$",
        "$. 5",
        "{x}",
        "{% '{{ name }}' %}",
        "$sum of all",
        "$tasks and so on",
    ],
)
def test_texts_are_left_alone(text: str) -> None:
    assert told(with_text(text)) == []


def test_they_are_found_wherever_an_expression_may_stand() -> None:
    text = """
        output: {all: "{{ tasks.a }}"}
        tasks:
        - {id: a, type: transform, output: [{x: $input.y}]}
        - {id: b, type: wait, until: $.at}
        - {id: c, type: webhook, url: "https://x.example/{{ id }}"}
        - {id: d, type: foreach, items: $input.rows, collect: $item, tasks: [{id: x, output: $item}]}
        - {id: e, type: human, question: "{{ q }}", timeout_s: 60, compensate: {type: event, event: u, with: {x: $.z}}}
    """
    places = [(one.task, one.field) for one in found(text)]
    assert {one.code for one in found(text)} == {"not-an-expression"}
    assert places == [
        (None, "output.all"),
        ("a", "output.0.x"),
        ("b", "until"),
        ("c", "url"),
        ("d", "items"),
        ("d", "collect"),
        ("d.x", "output"),
        ("e", "question"),
        ("e.compensate", "with.x"),
    ]


@pytest.mark.parametrize(
    ("expression", "near"), [("$.name", "$input.name"), ("$$.name & 'x'", "$input.name")]
)
def test_a_path_from_nothing_is_told_in_an_expression_too(expression: str, near: str) -> None:
    problem = only(with_text(f"{{% {expression} %}}"))
    assert (problem.code, problem.fix) == ("bare-name", f"did you mean {near!r}?")
    assert (
        told(with_text("{% $input.rows.($.name) & $filter($input.rows, function($r) { $r.x })[0].y %}")) == []
    )


@pytest.mark.parametrize(
    ("when", "right"),
    [
        ("{{ name }}", "write $input.name"),
        ("${{ inputs.age }} > 18", "write $input.age > 18"),
        ("{{ tasks.a.output.n }} > 2 and {{ name }} = 'x'", "write $tasks.a.n > 2 and $input.name = 'x'"),
        ("$input.age == 18", "write = for =="),
        ("$input.age === 18 && $input.b", "write = for ==, write and for &&"),
        ("$input.a || $input.b", "write or for ||"),
        ("!$input.a", "write $not(…) for !$"),
        ("$input.a = '==' )", "fix the JSONata"),
    ],
)
def test_the_right_form_of_a_condition_is_said(when: str, right: str) -> None:
    problem = only(f"""
        tasks:
        - {{id: a, type: transform, output: 1}}
        - {{id: b, agent: xx, needs: a, when: "{when}"}}
    """)
    assert (problem.task, problem.field) == ("b", "when")
    assert problem.fix == right


def test_braces_that_are_jsonata_stay() -> None:
    assert told(with_text("{% $map([1, 2], function($i){{'a': $i}}) %}")) == []
