"""Expressions come from users: they end, and their faults are the script's."""

from __future__ import annotations

import pytest

from stepward.domain.errors import InvalidRequest, OutputMalformed
from stepward.expressions.evaluate import check, evaluate


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("{% $a & '!' %}", "x!"),
        ("{% $nothing %}", None),
        ("{% $match('ab12', /[a-z]+(\\d+)/).groups[0] %}", "12"),
        ("{% $replace('A-a', /A/i, 'z') %}", "z-z"),
        ("{% $split('a, b', /,\\s*/) %}", ["a", "b"]),
        ("{% $contains('x\\ny', /^y$/m) %}", True),
    ],
)
def test_evaluates(expression: str, value: object) -> None:
    assert evaluate(expression, {"a": "x"}) == value


@pytest.mark.parametrize(
    "expression",
    [
        "{% ($f := function($x){$f($x)}; $f(1)) %}",
        "{% ($f := function($x){1 + $f($x)}; $f(1)) %}",
        "{% $error('no') %}",
        "{% 1/0 %}",
        "{% [1..1000000000] %}",
    ],
)
def test_a_failing_or_endless_expression_is_the_scripts_fault(expression: str) -> None:
    with pytest.raises(OutputMalformed):
        evaluate(expression, {})


def test_no_pattern_runs_for_ever() -> None:
    assert evaluate("{% $match('" + "a" * 5_000 + "b', /^(a+)+$/) %}", {}) is None


@pytest.mark.parametrize(
    "expression",
    ["{% ( %}", '{% "\\ %}', "{% /* %}", "{% ! %}", "{% / %}", "{% /(/ %}", "{% " + "(" * 100_000 + " %}"],
)
def test_an_unreadable_expression_is_refused_at_registration(expression: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check(expression, "rehearsal.turns.0.say")
    assert refused.value.field == "rehearsal.turns.0.say"
