"""A run's answer is read as the program's own type, or it is said why not."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from stepward.sdk import NoOutput, output_of


class Refund(BaseModel):
    total: float
    currency: str


def a_run(output: Any, status: str = "COMPLETED") -> dict[str, Any]:
    return {"id": "run_1", "status": status, "output": output}


def test_an_answer_becomes_a_model() -> None:
    assert output_of(a_run('{"total": 12.5, "currency": "EUR"}'), Refund) == Refund(
        total=12.5, currency="EUR"
    )
    assert output_of(a_run({"total": 1, "currency": "EUR"}), Refund).total == 1
    assert output_of(a_run("[1, 2]"), list[int]) == [1, 2]
    assert output_of(a_run("42"), str) == "42"


@pytest.mark.parametrize(
    ("run", "told"),
    [
        (a_run("no JSON"), "is no Refund"),
        (a_run('{"total": 1}'), "currency"),
        (a_run(None, "FAILED"), "is FAILED"),
        (a_run(None, "RUNNING"), "is RUNNING"),
    ],
)
def test_what_is_no_answer_of_this_kind_is_told(run: dict[str, Any], told: str) -> None:
    with pytest.raises(NoOutput, match=told):
        output_of(run, Refund)
