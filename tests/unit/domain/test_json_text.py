"""JSON keeps its digits, is there with or without a byte-order mark, and says where it would not be kept."""

from __future__ import annotations

import pytest

from stepward.agents.finalize import output_of_text
from stepward.agents.requests import read_json as body_of
from stepward.domain.errors import InvalidRequest
from stepward.domain.json_text import NotJson, NotText, read_json, text_of
from stepward.triggers.fire import parsed_content

WHOLE = "9" * 38
TEXT = '{"order": 1, "é": "✓"}'
VALUE = {"order": 1, "é": "✓"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_is_no_part_of_the_text(encoding: str) -> None:
    raw = TEXT.encode(encoding)
    assert read_json(raw) == VALUE
    assert parsed_content(raw, "json") == VALUE
    assert parsed_content(raw, "text") == TEXT


def test_a_mark_that_a_decoder_left_is_none_either() -> None:
    assert read_json("\ufeff" + TEXT) == VALUE
    assert body_of("\ufeff" + TEXT) == VALUE
    assert output_of_text("\ufeff" + TEXT) == VALUE


def test_bytes_that_are_no_text_are_named_by_their_place() -> None:
    with pytest.raises(NotText, match=r"not UTF-8 \(byte 6, line 2\)"):
        text_of(b"a\nb, c\xe9")
    with pytest.raises(NotText, match="not UTF-16-LE"):
        text_of(b"\xff\xfea")


def test_whole_numbers_keep_every_digit() -> None:
    assert read_json(f'{{"id": [{WHOLE}, -{WHOLE}]}}') == {"id": [int(WHOLE), -int(WHOLE)]}
    assert output_of_text(f"[{WHOLE}]") == [int(WHOLE)]


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("0.123456789012345678", "18 significant digits"),
        ("123456789012.123456789012345678", "30 significant digits"),
        ("12345678901234567e-400", "nearer to zero"),
        ("1e400", "larger than a number can be"),
        ("-1e400", "larger than a number can be"),
        ("NaN", "not a number"),
        ("Infinity", "not a number"),
        ("-Infinity", "not a number"),
        ("1" * 1_001, "1,001 digits"),
        ("1" * 10_000, "10,000 digits"),
        ('{"a": 1, "b": 2, "a": 1}', "'a' is given twice"),
    ],
)
def test_what_would_not_be_kept_is_refused_with_its_path(value: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as refused:
        body_of(f'{{"input": {{"items": [1, {{"price": {value}}}]}}}}')
    assert (refused.value.field or "").startswith("input.items.1.price")


@pytest.mark.parametrize(
    "value", ["0.12345678901234567", "1.500000000000000000000", "1e22", "0.0", "-0", "1E-300"]
)
def test_decimals_that_are_kept_are_taken(value: str) -> None:
    assert read_json(value) == float(value)


@pytest.mark.parametrize(
    "text", ["", "{", "[1,]", "01", "+1", "1_000", "\u0661", ".5", "[" * 100_000, "{'a': 1}"]
)
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(NotJson):
        read_json(text)


@pytest.mark.parametrize("text", ["42", "true", "null", '"42"', " 4.50 ", "4e2", "[not JSON", "{'a': 1}", ""])
def test_an_agents_answer_that_is_no_object_or_list_stays_the_text_that_it_is(text: str) -> None:
    assert output_of_text(text) == text


def test_an_answer_that_would_lose_digits_stays_the_text_that_it_is() -> None:
    text = '{"rate": 0.12345678901234567890}'
    assert output_of_text(text) == text


@pytest.mark.parametrize(
    ("text", "path"),
    [('{"b": 1, "a": 1, "a": 2, "c": 3}', "a"), ('{"x": [{"a": 1, "b": 2, "a": {}}]}', "x.0.a")],
)
def test_a_name_that_is_given_twice_is_found_where_it_stands(text: str, path: str) -> None:
    with pytest.raises(NotJson, match="'a' is given twice") as refused:
        read_json(text)
    assert refused.value.path == path


def test_a_fault_that_went_with_a_name_given_again_is_told_as_that() -> None:
    with pytest.raises(NotJson, match="'a' is given twice") as refused:
        read_json('{"b": {"a": NaN, "a": 1}}')
    assert refused.value.path == "b.a"


def test_many_names_are_looked_through_once() -> None:
    names = ",".join(f'"{number}": 1' for number in range(200_000))
    with pytest.raises(NotJson, match="'199999' is given twice"):
        read_json(f'{{{names}, "199999": 2}}')


def test_a_name_that_is_given_twice_is_to_be_given_once() -> None:
    many = ", ".join(f'"n{number}": 1' for number in range(50_000))
    with pytest.raises(InvalidRequest, match="'x' is given twice") as refused:
        body_of(f'{{"a": {{{many}, "x": 1, "x": 2}}}}')
    assert (refused.value.field, refused.value.fix) == ("a.x", "give each name once")
