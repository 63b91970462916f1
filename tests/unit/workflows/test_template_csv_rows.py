"""The template for rows of a CSV counts what is broken, and makes no row of what is none."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import pytest

from stepward.domain.errors import OutputMalformed
from stepward.expressions.evaluate import evaluate
from stepward.workflows.documents import read

FOLDER = files("stepward") / "templates" / "csv-rows"
LINES, ROWS, SUMS = read((FOLDER / "workflow.yaml").read_text(encoding="utf-8")).tree["tasks"]
HEADING = "sku,count,price\n"


def worked_out(csv: str) -> dict[str, Any]:
    lines = evaluate(LINES["output"], {"input": {"csv": csv}})
    rows = [evaluate(ROWS["tasks"][0]["output"], {"item": line}) for line in lines]
    return {name: evaluate(each, {"tasks": {"rows": rows}}) for name, each in SUMS["output"].items()}


@pytest.mark.parametrize(
    ("csv", "rows", "broken", "value"),
    [
        (HEADING + "a,2,1.5\nb,1,0.25", 2, 0, 3.25),
        ("\ufeffsku,count,price\r\na,2,1.5\r\n\r\n  \r\n", 1, 0, 3),
        (HEADING + '"Lamp, red",2,1.5\n', 1, 0, 3),
        (HEADING + '"A\n1",1,0\nA-2,2,1.25\n', 2, 0, 2.5),
        (HEADING + '"say ""hi""",1,2\n', 1, 0, 2),
        (HEADING + "a, 1 , 2 \n", 1, 0, 2),
        (HEADING + "a,1\n", 1, 1, 0),
        (HEADING + "a,1,2,3\nb,1,2\n", 2, 1, 2),
        (HEADING + '"x"y,1,2\n', 1, 1, 0),
        (HEADING + "a,1_000,2\n", 1, 1, 0),
        (HEADING + "a,1e400,2\n", 1, 1, 0),
        (HEADING + "a,\u0661,2\n", 1, 1, 0),
        (HEADING + "a;1;2\n", 1, 1, 0),
        (HEADING, 0, 0, 0),
    ],
)
def test_rows_are_counted_and_summed_up(csv: str, rows: int, broken: int, value: float) -> None:
    found = worked_out(csv)
    assert (found["rows"], found["broken"], found["value"]) == (rows, broken, value)
    assert (found["first_broken"] is None) is (broken == 0)


@pytest.mark.parametrize(
    ("csv", "said"),
    [
        ("sku;count;price\nA-1;4;2.50\n", "the heading is not sku,count,price but sku;count;price"),
        ("sku,count,price,tax\na,1,2,3\n", "the heading is not"),
        ("", "the heading is not"),
        (HEADING + 'a,1,2\n"b,1,2\nc,1,2\n', "a quote is opened and never closed"),
    ],
)
def test_a_file_that_would_be_read_wrongly_fails(csv: str, said: str) -> None:
    with pytest.raises(OutputMalformed, match=said):
        worked_out(csv)


def test_the_sample_has_one_broken_row() -> None:
    found = worked_out(json.loads((FOLDER / "input.json").read_text(encoding="utf-8"))["csv"])
    assert found["first_broken"]["line"] == "SKU-0500,many,4.5"
    assert (found["rows"], found["broken"]) == (1000, 1)
