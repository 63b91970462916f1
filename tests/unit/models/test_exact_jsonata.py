"""Expressions keep every digit of whole numbers, and say so where they cannot."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import OutputMalformed
from stepward.domain.numbers import NotANumber, number_of, written
from stepward.expressions.evaluate import evaluate

ID = 2512292042121000001
VALUES: dict[str, Any] = {
    "short": 1234567890123456,
    "id": ID,
    "ids": [ID, ID + 1],
    "amount": 1234567890.123456,
    "long": 10**37 + 1,
}


def value_of(expression: str) -> Any:
    return evaluate(f"{{% {expression} %}}", {"input": VALUES})


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("'order/' & $input.short", "order/1234567890123456"),
        ("$input.short & ''", "1234567890123456"),
        ("$string(9007199254740991)", "9007199254740991"),
        ("$string($input.id)", str(ID)),
        ("$string(-$input.id)", str(-ID)),
        ("'' & $input.long", str(10**37 + 1)),
        ("$join($map($input.ids, $string), ' ')", f"{ID} {ID + 1}"),
        ("$string({'id': $input.id, 'at': [1e3, 0.5]})", f'{{"id":{ID},"at":[1000,0.5]}}'),
        ("$string([{'a': 1}, []], true)", '[\n  {\n    "a": 1\n  },\n  []\n]'),
        ("$string(1e20)", "100000000000000000000"),
        ("$string(1e21)", "1e+21"),
        ("$string(1e-7)", "1e-7"),
        ("$string(0.000001)", "0.000001"),
        ("$string(0.1 + 0.2)", "0.3"),
        ("'' & $input.amount", "1234567890.123456"),
        ("$string('é')", "é"),
        ("$string({'é': 'é'})", '{"é":"é"}'),
        ("$formatNumber($input.id, '#,##0')", "2,512,292,042,121,000,001"),
        ("$formatBase($input.id, 16)", "22dd744d36a9b441"),
        ("$formatBase(2.5)", "2"),
    ],
)
def test_a_number_in_a_text_has_all_its_digits(expression: str, text: str) -> None:
    assert value_of(expression) == text


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("$input.id + 1", ID + 1),
        ("$input.id - 1", ID - 1),
        ("$input.id * $input.id", ID * ID),
        ("-$input.id", -ID),
        ("$input.id / 1", ID),
        ("$input.id % 10", 1),
        ("-7 % 3", -1),
        ("5.5 % 2", 1.5),
        ("1 / 4", 0.25),
        ("$max($input.ids)", ID + 1),
        ("$sum($input.ids)", 2 * ID + 1),
        ("$sum([0.5, 1])", 1.5),
        ("$average([1, 2])", 1.5),
        ("$reduce($input.ids, function($a, $b) {$a + $b})", 2 * ID + 1),
        ("$round($input.id)", ID),
        ("$round($input.id, -3)", ID - 1),
        ("$round(2.5)", 2),
        ("$round(1.25, 1)", 1.2),
        ("$floor($input.id)", ID),
        ("$ceil(1.5)", 2),
        ("$abs(-$input.id)", ID),
        ("$power(3, 60)", 3**60),
        ("$power(4, 0.5)", 2),
        ("$number('2512292042121000001')", ID),
        ("$number('0x1F')", 31),
        ("$number('1.5e3')", 1500),
        ("$number('007')", 7),
        ("$lookup($input, 'id')", ID),
        ("$clone($input).id", ID),
        ("2512292042121000001", ID),
        ("[-2512292042121000001]", [-ID]),
        ("($x := 9007199254740993; $x)", 9007199254740993),
        ("$input.id = 2512292042121000002", False),
        ("$input.id != 2512292042121000002", True),
        ("$input.id < 2512292042121000002", True),
        ("1 < 1.5", True),
        ("$count($distinct($input.ids))", 2),
        ("$sort([2, 1])", [1, 2]),
    ],
)
def test_whole_numbers_are_exact(expression: str, value: object) -> None:
    assert value_of(expression) == value


@pytest.mark.parametrize(
    "expression",
    [
        "$input.id + 0.5",
        "$input.id / 2",
        "$sqrt($input.id)",
        "0.1234567890123456789",
        "$number('0.1234567890123456789')",
        "$number('1e400')",
        "$number('1e-400')",
        "$number('1_000')",
        "$number('NaN')",
        "$number('Infinity')",
        "$number(' 1')",
        "$number('')",
        "$number('\u0661\u0662\u0663')",
        "$number('\uff11\uff12\uff13')",
        "$parseInteger('1_000', '0')",
        "$parseInteger('\u0661\u0662\u0663', '0')",
        "$power(10, 400)",
        "$power(2, 1e9)",
        "$input.long * $power(10, 300)",
        "1 / 0",
    ],
)
def test_what_would_lose_digits_fails(expression: str) -> None:
    with pytest.raises(OutputMalformed):
        value_of(expression)


@pytest.mark.parametrize(
    "text",
    [
        "1_000",
        "NaN",
        "Infinity",
        "1e400",
        "1e-400",
        "01",
        "+1",
        " 1",
        "",
        "\u0661",
        "\uff11",
        "0x10",
        "1.",
        ".5",
    ],
)
def test_only_what_json_writes_is_a_number(text: str) -> None:
    with pytest.raises(NotANumber):
        number_of(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-12", -12),
        ("1" * 40, int("1" * 40)),
        ("1.50", 1.5),
        ("1e3", 1000.0),
        ("0.1234567890123456", None),
    ],
)
def test_reads_the_numbers_of_json(text: str, value: object) -> None:
    assert number_of(text) == (float(text) if value is None else value)


def test_a_decimal_is_written_by_all_of_its_digits() -> None:
    assert written(0.12345678901234566) == "0.12345678901234566"
    assert written(4.35 * 100) == "435"
    assert written(-0.0) == "0"
