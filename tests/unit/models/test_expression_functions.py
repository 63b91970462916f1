"""Expressions have the functions that Step Functions has, and not the one that it lacks."""

from __future__ import annotations

import hashlib
import re
from typing import Any

import pytest

from stepward.domain.errors import OutputMalformed
from stepward.expressions.evaluate import evaluate
from stepward.expressions.step_functions import names

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$parse('{\"next\": [1, null]}').next[0]", 1),
        ("'7' ~> $parse", 7),
        ("$parse($none)", None),
        ("$map(['1', '[2]'], $parse)", [1, [2]]),
        ("$partition([1..5], 2)", [[1, 2], [3, 4], [5]]),
        ("$partition([], 2)", []),
        ("$partition([1..2], 9)", [[1, 2]]),
        ("$range(1, 9, 2)", [1, 3, 5, 7, 9]),
        ("$range(5, 1, -2)", [5, 3, 1]),
        ("$range(1, 1, 1)", 1),
        ("$hash('stepward', 'SHA-256')", hashlib.sha256(b"stepward").hexdigest()),
        ("$hash({'a': [1]}, 'MD5')", hashlib.md5(b'{"a":[1]}').hexdigest()),
        ("$random(7) = $random(7)", True),
        ("$random() < 1 and $random() >= 0", True),
        ("$uuid() = $uuid()", False),
    ],
)
def test_functions_of_step_functions(expression: str, value: Any) -> None:
    assert evaluate(f"{{% {expression} %}}", {}) == value


def test_a_uuid_is_of_version_4() -> None:
    assert UUID.fullmatch(evaluate("{% $uuid() %}", {}))


@pytest.mark.parametrize(
    "expression",
    [
        "$eval('1')",
        "$map(['1'], $eval)",
        "$parse('{')",
        "$parse('NaN')",
        "$parse(1)",
        "$hash('x', 'SHA-3')",
        "$partition([1], 0)",
        "$partition([1], 0.5)",
        "$range(1, 2, 0)",
        "$range(1, 2000, 1)",
        "$range(1, 2)",
    ],
)
def test_what_cannot_be_done_is_the_error_of_a_wrong_expression(expression: str) -> None:
    with pytest.raises(OutputMalformed):
        evaluate(f"{{% {expression} %}}", {})


def test_names_are_those_that_can_be_called() -> None:
    assert {"parse", "uuid", "hash", "partition", "range", "random", "sum"} <= names()
    assert "eval" not in names()
