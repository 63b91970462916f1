"""Texts are read with the place of everything in them, and hostile ones are refused before they cost anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.domain.documents.problems import Problem, Refused
from stepward.workflows.documents import Position, read
from tests.support.draws import drawn


def refused(text: str | bytes, kind: Any = "auto") -> list[Problem]:
    with pytest.raises(Refused) as caught:
        read(text, kind)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: &x [1]\nb: 2", "anchor", (1, 4)),
        ("a: 1\nb: *x", "anchor", (2, 4)),
        ("&a a: &b [*a,*a]", "anchor", (1, 1)),
        ("a: !!python/object:os.system x", "tag", (1, 4)),
        ("a: !mine x", "tag", (1, 4)),
        ("a: !!set {x}", "tag", (1, 4)),
        ("a: " + "[" * 60, "nested-too-deep", (1, 43)),
        ("a: 1\n---\nb: 2", "several-documents", (2, 1)),
        ("? [a, b]\n: c", "key-is-no-text", (1, 3)),
        ("? {a: b}\n: c", "key-is-no-text", (1, 3)),
        ("a: b: c", "not-yaml", (1, 5)),
        ("a: 'x", "not-yaml", (1, 6)),
        ("a: 1\nb: \x07", "not-yaml", (2, 4)),
        ("\t- a", "not-yaml", (1, 1)),
        ("- a\n- b", "no-mapping", (1, 1)),
        ("just words", "no-mapping", (1, 1)),
        ("", "no-mapping", None),
        ("# nothing", "no-mapping", None),
        ('{"a": ', "not-json", (1, 7)),
        ('{"a": 01}', "not-json", (1, 8)),
        ('{"a": 1,}', "not-json", None),
        ('{"a": "\\ud800"}', "half-a-character", (1, 7)),
    ],
)
def test_what_cannot_be_read_is_refused_where_it_stands(
    text: str, code: str, place: tuple[int, int] | None
) -> None:
    problem = refused(text)[-1]
    assert problem.code == code
    assert problem.fix
    if place:
        assert (problem.line, problem.column) == place


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("a: 1\na: 2", "duplicate-key", 2),
        ("x:\n  a: 1\n  a: 2", "duplicate-key", 3),
        ('{"a": 1,\n "a": 2}', "duplicate-key", 2),
        ("1: x", "key-is-no-text", 1),
        ("x: {true: 1}", "key-is-no-text", 1),
        ("x: {~: 1}", "key-is-no-text", 1),
        ("x: .nan", "not-a-number", 1),
        ("x: -.inf", "not-a-number", 1),
        ("x: 1e999", "not-a-number", 1),
        ("x: 123456789012345678901", "not-a-number", 1),
        ("x: 9007199254740993", "not-a-number", 1),
        ("x: 0x" + "f" * 5_000, "not-a-number", 1),
        ("x: 0o" + "7" * 5_000, "not-a-number", 1),
        ("x: " + "9" * 5_000, "not-a-number", 1),
        ("x: 0.123456789012345678", "not-a-number", 1),
        ("x: 1e-999", "not-a-number", 1),
        ('{"x": 0.123456789012345678}', "not-a-number", 1),
        ('{"x": NaN}', "not-a-number", 1),
        ('{"x": -Infinity}', "not-a-number", 1),
        ('{"x": 1e999}', "not-a-number", 1),
        ('{"x": 1' + "0" * 5_000 + "}", "not-a-number", 1),
    ],
)
def test_what_can_be_read_around_is_told_with_the_rest(text: str, code: str, line: int) -> None:
    found = read(text).problems
    assert [(one.code, one.line) for one in found] == [(code, line)]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("y", "y"),
        ("true", True), ("False", False), ("~", None), ("null", None), ("", None),
        ("2026-11-21", "2026-11-21"), ("2026-11-21T10:00:00Z", "2026-11-21T10:00:00Z"), ("12:30", "12:30"),
        ("007", "007"), ("+12", 12), ("0", 0), ("0x1F", 31), ("0o17", 15), ("1_000", "1_000"), ("1.0.0", "1.0.0"),
        ("1.5", 1.5), ("-2.5e3", -2500.0), (".5", 0.5), ("'12'", "12"), ('"true"', "true"), ("=", "="), ("<<", "<<"),
        ("...x", "...x"),
    ],
)  # fmt: skip
def test_a_word_without_quotes_means_what_yaml_1_2_says(written: str, meant: Any) -> None:
    found = read(f"x: {written}").tree.get("x")
    assert found == meant
    assert type(found) is type(meant)


def test_a_document_over_the_limit_is_refused_by_its_size_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yaml.parse", lambda *_, **__: pytest.fail("it was read"))
    [problem] = refused("a: [" + "x, " * 3_400_000 + "]")
    assert problem.code == "too-large"
    assert "10,200,005 bytes" in problem.detail


def test_a_bomb_of_aliases_never_goes_off() -> None:
    bomb = 'a: &a ["x","x","x"]\n' + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(12)
    )
    assert [one.code for one in refused(bomb)] == ["anchor"]


@pytest.mark.parametrize(
    "text", ["[" * 400_000, '{"a":' * 150_000, "{a: " * 200_000, "- " * 300_000, "? " * 300_000]
)
def test_depth_is_refused_however_deep(text: str) -> None:
    assert refused("x: " + text if text[0] == "[" else text)[-1].code in {
        "nested-too-deep",
        "not-json",
        "key-is-no-text",
    }


def test_deep_json_is_refused() -> None:
    assert refused('{"a":' * 50_000 + "1" + "}" * 50_000)[-1].code == "nested-too-deep"
    assert refused('{"a":' * 45 + "1" + "}" * 45)[-1].code == "nested-too-deep"


def test_bytes_are_utf_8_with_or_without_a_mark() -> None:
    assert read("\ufeffx: é".encode()).tree == {"x": "é"}
    assert read("\ufeffx: é").tree == {"x": "é"}
    assert [one.code for one in refused("x: é".encode("latin-1"))] == ["not-utf-8"]
    assert [one.code for one in refused("x: \ud800")] == ["not-utf-8"]


def test_a_text_in_braces_is_json_only_if_it_looks_so() -> None:
    assert read("{x: 1}").tree == {"x": 1}
    assert read('{"x": 1}').tree == {"x": 1}
    assert read("{x: 1}", "yaml").tree == {"x": 1}
    assert refused("{x: 1}", "json")[0].code == "not-json"


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@drawn(150)
@given(_values)
def test_json_is_read_as_json_reads_it(value: Any) -> None:
    text = json.dumps({"output": value, "tasks": []}, indent=1)
    assert read(text, "json").tree == {"output": value, "tasks": []}


def test_every_value_knows_its_place() -> None:
    document = read('{\n "tasks": [\n  {"id": "a", "needs": ["b",\n    "c"]}]}')
    assert document.position(("tasks", 0, "needs", 1)) == Position(4, 5)
    assert document.position(("tasks", 0, "id")) == Position(3, 4)
    assert document.position(("tasks", 0, "nothing", "here")) == Position(3, 3)
    same = read("tasks:\n- id: a\n  needs:\n  - b\n  - c\n")
    assert same.position(("tasks", 0, "needs", 1)) == Position(5, 5)
    assert same.position(("tasks", 0, "nothing")) == Position(2, 3)


@pytest.mark.parametrize(
    ("text", "detail", "fix"),
    [
        ("42", "the document holds a number", "begin with id:"),
        ("hello", "the document holds a text", "begin with id:"),
        ("true", "the document holds true or false", "begin with id:"),
        ("tasks:\n\t- a", "it cannot be read as YAML", "use spaces"),
    ],
)
def test_what_is_no_workflow_is_told_in_words_that_people_have(text: str, detail: str, fix: str) -> None:
    with pytest.raises(Refused) as caught:
        read(text)
    (problem,) = caught.value.problems
    assert problem.detail.startswith(detail)
    assert problem.fix.startswith(fix)
