"""An expression may take a second and 64 MB, whatever it asks of the language's functions."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from itertools import pairwise
from typing import Any

import pytest

from stepward.domain.errors import InvalidRequest, OutputMalformed
from stepward.domain.json_text import fault_of
from stepward.expressions import bounds
from stepward.expressions.evaluate import check, evaluate
from stepward.expressions.step_functions import names
from tests.support.hostile_expressions import REFUSED


@pytest.fixture(scope="module")
def ends() -> dict[str, tuple[str, float]]:
    """Evaluate what is hostile in a process of its own, which is killed if it does not end."""
    command = [sys.executable, "-m", "tests.support.hostile_expressions"]
    ran = subprocess.run(command, capture_output=True, check=True, timeout=300)
    found: dict[str, tuple[str, float]] = json.loads(ran.stdout)
    return found


@pytest.mark.parametrize("expression", REFUSED)
def test_a_hostile_expression_is_refused_with_the_reason(
    ends: dict[str, tuple[str, float]], expression: str
) -> None:
    ended, peak_mb = ends[expression]
    assert re.search(REFUSED[expression], ended), ended
    assert peak_mb < 64


def test_steps_alone_end_an_expression(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounds.Bounds, "look", lambda self: None)
    with pytest.raises(OutputMalformed, match="more than 200,000 steps"):
        evaluate("{% ($f := function($x){ $f($x) }; $f(1)) %}", {})


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$count($distinct([1..60000]))", 60_000),
        (
            "$distinct([1, 1.0, 'a', 'a', [1], [1], {'a': 1}, {'a': 1}, {'a': 2}])",
            [1, "a", [1], {"a": 1}, {"a": 2}],
        ),
        ("$distinct([[1, 1]])", [[1, 1]]),
        ("$spread([{'a': 1, 'b': 2}, {'c': 3}])", [{"a": 1}, {"b": 2}, {"c": 3}]),
        ("$spread({'a': 1})", {"a": 1}),
        ("$spread('x')", "x"),
        ("$replace('aaaa', /a/, 'aa', 2)", "aaaaaa"),
        ("$replace('abc', /b/, function($m){ '<' & $m.match & '>' })", "a<b>c"),
        ("$replace('abc', /b/, 'x', 1000000000)", "axc"),
        ("$split('a1b22c', /[0-9]+/)", ["a", "b", "c"]),
        ("$split('a1b22c', /[0-9]+/, 2)", ["a", "b"]),
        ("$match('a1b22', /[0-9]+/).match", ["1", "22"]),
        ("$toMillis('2020-01-02', '[Y0001]-[M01]-[D01]')", 1577923200000),
        ("$toMillis('nope', '[Y0001]-[M01]-[D01]')", None),
        ("$fromMillis(0, '[Y0001]-[M01]-[D01] [H01]:[m01]')", "1970-01-01 00:00"),
        ("$formatNumber(12345.6, '#,##0.00')", "12,345.60"),
        (
            "$formatNumber(12345.6, '#.##0,00', {'decimal-separator': ',', 'grouping-separator': '.'})",
            "12.345,60",
        ),
        ("$formatInteger(1999, 'I')", "MCMXCIX"),
        ("$count($map([1..5000], function($i){ {'n': $i} }))", 5_000),
        ("$count($reduce([1..1000], function($all, $i){ $append($all, [$i]) }, []))", 1_000),
        ("[1..3]{$string($): $ * 2}", {"1": 2, "2": 4, "3": 6}),
        ("{'a': [1, 2], 'b': 3}.*", [1, 2, 3]),
        ("[null, {'a': null}]", [None, {"a": None}]),
        ("{'a': 1} ~> |$|{'b': 2}|", {"a": 1, "b": 2}),
    ],
)
def test_what_is_bounded_means_what_it_meant(expression: str, value: object) -> None:
    assert evaluate(f"{{% {expression} %}}", {}) == value


@pytest.mark.parametrize(
    "expression",
    [
        "$toMillis('2020-01-01', '[Y')",
        "$formatInteger(1, 'zz(')",
        "$formatInteger(1, ';')",
        "$now('[]')",
        "$now('[Q]')",
        "$now('[YNn]')",
        "$fromMillis(1e300)",
        "$fromMillis(1, '[z]', 'zz')",
        "$formatNumber(1, '0', {'zero-digit': ''})",
        "$formatBase(1e300, 36)",
        "$parseInteger('zz', '0')",
        "$decodeUrlComponent('%C3')",
        "$encodeUrl('\\ud800')",
        "'\\ud800'",
        "[{'a\\udfff': 1}]",
        "$split('a\\ud83d\\ude00', '')[1] & '\\ud83d'",
        "$parse('[\"\\\\ud800\"]')",
        "$error('\\ud800')",
        "$power(-8, 0.5)",
        "$power(2, 1e308)",
        "$replace('abc', /(b)/, '$1$2$10')",
        "$map([1, 2], /a/)",
        "$sort([1, 'a'])",
        "{'a': 1} ~> |**|{'x': $}|",
        "$error($pad('', 1000000, 'x'))",
        "$sum",
        "$x(1)",
    ],
)
def test_whatever_the_library_raises_is_the_expressions_fault(expression: str) -> None:
    with pytest.raises(OutputMalformed) as failed:
        evaluate(f"{{% {expression} %}}", {"x": 1})
    assert len(failed.value.detail) < 1_500
    assert "\n" not in failed.value.detail
    assert fault_of(failed.value.detail) is None


_ODD = (
    "1", "-1e300", "5e-324", "''", "'zz('", "'[Y'", "'é'", "'\\ud800'", "null", "[]", "['b', 'a']", "[[1], [2, [3]]]",
    "{}", "{'a': [1]}", "/a/", "function($x){ $x }", "function(){ 1 }", "$sum", "$nothing",
)  # fmt: skip


@pytest.mark.parametrize("name", sorted(names()))
def test_no_function_lets_an_error_of_another_kind_out(name: str) -> None:
    calls = ["", *_ODD, *map(", ".join, pairwise(_ODD * 2)), *(f"'ab', {one}, 2" for one in _ODD)]
    calls += [f"{one}, {other}, 'x', {one}" for one, other in zip(_ODD, reversed(_ODD), strict=True)]
    for given in calls:
        _ends(f"{{% ${name}({given}) %}}", {})


def _ends(expression: str, variables: dict[str, Any]) -> None:
    try:
        assert fault_of(evaluate(expression, variables)) is None
    except OutputMalformed as error:
        assert error.detail
        assert fault_of(error.detail) is None


def test_what_is_given_is_neither_changed_nor_brought_back_itself() -> None:
    given = {"a": [{"b": 1}]}
    found = evaluate("{% $v.a %}", {"v": given})
    found.append(2)
    assert evaluate("{% $v ~> |a|{'b': 2}| %}", {"v": given}) == {"a": [{"b": 2}]}
    assert given == {"a": [{"b": 1}]}


def test_much_is_read_though_little_may_be_made() -> None:
    orders = [{"id": number, "note": "x" * 100} for number in range(20_000)]
    assert evaluate("{% $orders[0].id %}", {"orders": orders}) == 0
    assert len(evaluate("{% $orders %}", {"orders": orders})) == 20_000
    assert evaluate("{% $count($orders.note) %}", {"orders": orders}) == 20_000


@pytest.mark.parametrize(
    "expression",
    ["{% '" + "x" * 5_000 + "' %}", "{% " + "[" * 50 + "]" * 50 + " %}", "{% $a" + ".a" * 400 + " %}"],
)
def test_what_takes_the_parser_long_is_refused_before(expression: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        check(expression, "input.a")
    assert refused.value.field == "input.a"
    assert len(refused.value.detail) < 1_000
