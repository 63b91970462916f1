"""Expressions are read before they run: what they name must be there when they are evaluated."""

from __future__ import annotations

import pytest

from stepward.workflows.checks.expression_ast import parse_expression
from tests.support.workflow_texts import found, only, told


def quoted(expression: str) -> str:
    return '"{% ' + expression.replace("\\", "\\\\").replace('"', '\\"') + ' %}"'


def in_task(expression: str) -> list[tuple[str, str | None, str | None]]:
    return told(f"""
        tasks:
        - {{id: first, agent: xx}}
        - {{id: second, agent: xx, needs: first}}
        - {{id: other, agent: xx}}
        - {{id: last, agent: xx, needs: second, with: {{input: {quoted(expression)}}}}}
    """)


@pytest.mark.parametrize(
    "expression",
    [
        "$tasks.second.text",
        "$tasks.first.text & ' and ' & $tasks.second.text",
        "$tasks.'first'.text",
        "$status.first = 'FAILED' ? $errors.first.detail : 'fine'",
        "$keys($tasks)",
        "$lookup($tasks, 'first')",
        "$map($input.rows, function($row, $i) { $row.id & $i })",
        "($x := $tasks.first; $x.text)",
        "$input.rows[price > 3].name",
        "$input.rows.(name & price)",
        "$input.rows{name: price}",
        "$input.rows^(price).name",
        "$input@$i.rows#$n.($i.a & $n)",
        "{'a': $run.id, 'b': $run.workflow & $run.version & $run.started_at}",
        "$input.text ~> /[a-z]+/",
        "$input ~> |rows|{'seen': true}|",
        "$not($exists($input.a)) and 'other' = 'other'",
        "[1..5]",
        "$now()",
        "$parse($tasks.first).next & $uuid() & $hash('x', 'MD5')",
        "$partition($range(1, 9, 1), 2)[$random() > 1]",
    ],
)
def test_what_is_there_may_be_named(expression: str) -> None:
    assert in_task(expression) == []


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("$tasks.", "expression-syntax"),
        ("1 +", "expression-syntax"),
        ("", "expression-syntax"),
        ("'open", "expression-syntax"),
        ("/* open", "expression-syntax"),
        ("$tasks.first.text)", "expression-syntax"),
        ("$match('x', /(a+)+\\1/)", "expression-syntax"),
        ("$match('x', /(?=a)b/)", "expression-syntax"),
        ("$tasks.frist.text", "missing-task"),
        ("$status.nothing", "missing-task"),
        ("$errors.nothing", "missing-task"),
        ("$tasks.other.text", "not-needed"),
        ("$tasks.last", "not-needed"),
        ("$taks.first", "unknown-variable"),
        ("$frobnicate(1)", "unknown-variable"),
        ("$eval('1')", "unknown-variable"),
        ("$item.x", "unknown-variable"),
        ("$previous.x", "unknown-variable"),
        ("$states.input", "unknown-variable"),
        ("tasks.first", "bare-name"),
        ("input.text & 'x'", "bare-name"),
        ("$run.tenant", "unknown-field"),
    ],
)
def test_what_is_not_there_is_told(expression: str, code: str) -> None:
    assert in_task(expression) == [(code, "last", "with.input")]


def test_fixes_say_what_was_meant() -> None:
    fixes = {
        "$tasks.frist.text": "did you mean 'first'?",
        "$tasks.other.text": "add 'other' to the needs of 'last'",
        "$inptu.x": "did you mean '$input'?",
        "$lenght('x')": "did you mean '$length'?",
        "input.x": "did you mean '$input'?",
        "name": "did you mean '$input.name'?",
    }
    for expression, fix in fixes.items():
        text = f"tasks:\n- {{id: first, agent: xx}}\n- {{id: other, agent: xx}}\n- {{id: last, agent: xx, needs: first, when: {quoted(expression)}}}\n"
        assert only(text).fix == fix


def test_a_task_that_runs_later_is_told_as_such() -> None:
    problem = only("tasks:\n- {id: a, agent: xx, when: $tasks.b.ok}\n- {id: b, agent: xx, needs: a}\n")
    assert problem.detail == "'b' runs after 'a', so it has no outcome yet"


def test_bodies_see_what_is_around_them() -> None:
    assert (
        told(
            """
        tasks:
        - {id: rows, agent: xx}
        - {id: late, agent: xx}
        - id: each
          needs: rows
          foreach: $tasks.rows.list
          items: ~
          collect: "{% $tasks.inner.text & $item.name & $index & $tasks.rows.x %}"
          do:
          - {id: inner, agent: xx, with: {a: "{% $item %}", b: "{% $tasks.rows.b %}"}}
          - id: again
            needs: inner
            until: $tasks.try.ok or $iteration > 3 or $previous.try.ok
            max_iterations: 5
            do:
            - {id: try, agent: xx, with: {a: "{% $previous.try.x & $item & $tasks.inner.c & $tasks.rows.d %}"}}
        - {id: end, agent: xx, needs: each, with: {a: "{% $tasks.each %}"}}
    """.replace("foreach: $tasks.rows.list\n          items: ~", 'foreach: "{% $tasks.rows.list %}"')
        )
        == []
    )


@pytest.mark.parametrize(
    ("place", "expression", "code"),
    [
        ("inner", "$tasks.late.x", "not-needed"),
        ("inner", "$tasks.each", "not-needed"),
        ("inner", "$iteration", "unknown-variable"),
        ("each.collect", "$tasks.late.x", "not-needed"),
        ("each.collect", "$tasks.nothing.x", "missing-task"),
        ("each.items", "$item", "unknown-variable"),
        ("each.items", "$tasks.inner", "missing-task"),
        ("loop.until", "$previous.nothing.x", "missing-task"),
        ("end", "$tasks.inner.x", "missing-task"),
        ("end", "$tasks.member.x", "missing-task"),
        ("output", "$tasks.inner.x", "missing-task"),
        ("output", "$item", "unknown-variable"),
    ],
)
def test_what_is_elsewhere_is_not_seen(place: str, expression: str, code: str) -> None:
    places = dict.fromkeys(
        ("inner", "each.collect", "each.items", "loop.until", "end", "output"), '"{% $input.x %}"'
    )
    places[place] = quoted(expression)
    problems = told(f"""
        output: {places["output"]}
        tasks:
        - {{id: late, agent: xx}}
        - {{id: each, items: {places["each.items"]}, collect: {places["each.collect"]}, tasks: [
            {{id: inner, agent: xx, with: {{a: {places["inner"]}}}}}]}}
        - {{id: group, tasks: [{{id: member, agent: xx}}]}}
        - {{id: loop, until: {places["loop.until"]}, max_iterations: 2, tasks: [{{id: once, agent: xx}}]}}
        - {{id: end, agent: xx, needs: [each, group], with: {{a: {places["end"]}}}}}
    """)
    assert [one for one, *_ in problems] == [code]


def test_a_member_of_a_group_is_read_through_it() -> None:
    text = "tasks:\n- {id: g, tasks: [{id: m, agent: xx}, {id: n, agent: xx, needs: m, when: $tasks.m.ok}]}\n- {id: e, agent: xx, needs: g, when: $tasks.%s.ok}\n"
    assert told(text % "g.m") == []
    assert only(text % "m").fix == "read $tasks.g.m"
    assert told(text % "g.o") == [("unknown-output", "e", "when")]


def test_what_undoes_a_task_may_speak_of_it() -> None:
    text = "tasks:\n- {id: z, agent: xx}\n- {id: a, agent: xx, needs: z, compensate: {output: '{%% $tasks.%s.id %%}'}}\n- {id: b, agent: xx}\n"
    assert told(text % "a") == []
    assert told(text % "z") == []
    assert told(text % "b") == [("not-needed", "a.compensate", "output")]


def test_a_state_machine_may_speak_of_where_it_may_have_been() -> None:
    text = """
        start: a
        tasks:
        - {{id: a, agent: xx, max_visits: 2, next: b, with: {{x: "{{% $tasks.{a} %}}"}}}}
        - {{id: b, agent: xx, next: [{{to: a, when: $tasks.b.again}}, c]}}
        - {{id: c, agent: xx, with: {{x: "{{% $tasks.{c} %}}"}}}}
    """
    assert told(text.format(a="b.x", c="a.x")) == []
    assert told(text.format(a="c.x", c="c")) == [("not-needed", "a", "with.x"), ("not-needed", "c", "with.x")]


@pytest.mark.parametrize(
    ("task", "code", "field"),
    [
        ('{id: a, agent: "{% $input.agent %}"}', "no-expression-here", "agent"),
        ('{id: a, tool: calculate, config: {x: "{% $input.x %}"}}', "no-expression-here", "config.x"),
        ('{id: a, event: "{% $input.x %}"}', "no-expression-here", "event"),
        ('{id: a, agent: xx, with: {x: "Dear {% $input.x %}"}}', "mixed-expression", "with.x"),
        ('{id: a, agent: xx, when: "not {% $input.x %}"}', "mixed-expression", "when"),
    ],
)
def test_expressions_stand_alone_and_where_they_are_evaluated(task: str, code: str, field: str) -> None:
    assert (code, "a", field) in told(f"tasks:\n- {task}\n")


@pytest.mark.parametrize(
    ("expression", "word"),
    [
        ("'" + "x" * 4_000 + "'", "characters"),
        ("(" * 41 + "1" + ")" * 41, "nested deeper"),
        ("[" * 1_900 + "]" * 1_900, "nested deeper"),
        ("$input" + ".a" * 301, "steps"),
        ("1" + "+1" * 1_500, "nested deeper"),
        ("$not(" * 500 + "1" + ")" * 500, "nested deeper"),
    ],
)
def test_an_expression_has_bounds(expression: str, word: str) -> None:
    problem = only(f"tasks:\n- {{id: a, agent: xx, with: {{x: {quoted(expression)}}}}}\n")
    assert problem.code == "expression-syntax"
    assert word in problem.detail
    assert len(problem.detail) < 300


def test_brackets_within_texts_are_no_depth() -> None:
    assert parse_expression("{% '" + "(" * 100 + '\' & "[.[." %}').fault is None


def test_all_expressions_together_have_a_bound() -> None:
    text = "tasks:\n" + "".join(
        f"- {{id: t{n}, output: \"{{% '{n}{'x' * 3_900}' %}}\"}}\n" for n in range(110)
    )
    problems = found(text)
    assert [one.code for one in problems] == ["too-many-expressions"]


def test_the_mistake_that_everybody_makes_once_is_named() -> None:
    assert "in quotes" in only("tasks:\n- {id: a, agent: xx, when: {% $input.ok %}}\n").fix


@pytest.mark.parametrize(
    "expression",
    [
        "($f := function($x) { $f($x + 1) }; $f(1))",
        "($f := function($x) { 1 + $f($x) }; $f(1))",
        "($f := function($x) { ($y := $f($x); $x > 1 ? $y : 0) }; $f(1))",
        "($f := function($x) { $g($x) }; $g := function($x) { $f($x) }; $f(1))",
        "($f := function($x) { $x ~> $f }; $f(1))",
        "($f := function($x) { $f($x) > 1 ? 1 : 2 }; $f(1))",
        "($f := function($x) { $f($x).name }; 3)",
    ],
)
def test_a_function_that_calls_itself_whatever_happens_is_refused(expression: str) -> None:
    assert in_task(expression) == [("endless-expression", "last", "with.input")]


@pytest.mark.parametrize(
    "expression",
    [
        "($f := function($n) { $n > 0 ? $n * $f($n - 1) : 1 }; $f(4))",
        "($f := function($n) { $n > 9 or $f($n + 1) }; $f(4))",
        "($f := function($f) { $f(1) }; $f($sum))",
        "($f := function($rows) { $rows.($f(children)) }; $f($input))",
        "($f := function($x) { function($y) { $f($y) } }; $f(1)(2) = 3)",
        "($f := function($x) { $sum($x) }; $f([1]))",
    ],
)
def test_a_function_that_may_end_is_left_alone(expression: str) -> None:
    assert in_task(expression) == []


def test_eval_is_told_what_to_use_instead() -> None:
    problems = found(f"tasks: [{{id: a, output: {quoted('$eval($input.text).next')}}}]")
    assert ["use $parse to read JSON" in one.fix for one in problems] == [True]
