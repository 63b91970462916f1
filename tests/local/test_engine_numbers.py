"""Numbers of the machine's own expressions are doubles, as on AWS."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.engine.states.jsonata import evaluate

GIVEN = {"id": 2512292042121000001, "short": 1234567890123456, "deep": [{"id": 2**63}]}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$string(1e20)", "100000000000000000000"),
        ("$string(1e21)", "1e+21"),
        ("$string(9223372036854775807)", "9223372036854776000"),
        ("$string(1e-7)", "1e-7"),
        ("$string(0.000001)", "0.000001"),
        ("$string(0.1 + 0.2)", "0.3"),
        ("$string(1/3)", "0.333333333333333"),
        ("$string($states.short)", "1234567890123456"),
        ("'id/' & $states.id", "id/2512292042121000000"),
        ("$string($states.deep)", '[{"id":9223372036854776000}]'),
        ("$string({'é': [null, true, 2.50]})", '{"é":[null,true,2.5]}'),
        ("$string([], true)", "[]"),
        ("$string([1, {'a': 2}], true)", '[\n  1,\n  {\n    "a": 2\n  }\n]'),
        ("[1, 2].$string()", ["1", "2"]),
        ("$map([1, 2], $string)", ["1", "2"]),
        ("'a' & $missing", "a"),
        ("$states.id", 2512292042121000000),
        ("$states.deep[0].id", 9223372036854776000),
        ("$states.short", 1234567890123456),
        ("5.5 % 2", 1.5),
        ("7 % 2", 1),
    ],
)
def test_numbers_are_those_of_aws(expression: str, value: Any) -> None:
    assert evaluate(expression, {"states": GIVEN}) == value
