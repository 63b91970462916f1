"""What is written as YAML is read as the same values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.domain.documents import read_document
from stepward.domain.documents.yaml_text import write_yaml
from tests.support.draws import drawn

TEXTS = [
    "NO", "no", "on", "yes", "y", "true", "null", "~", "", "0123", "12:30:00", "1_000", "2026-11-30", "1e3", "1E-3", "0o17",
    "0x1F", "1.5", ".5", "5.", "-1", "+1", ".nan", ".inf", "1e400", "9" * 40, "=", "<<", "a: b", "- a", "# a", " a ", "a\nb",
    "{% $x %}", "'", '"', "*a", "&a", "!t", "%", "@", "`", "\t", "é", "\U0001f600", "NaN", "0", "00",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_stays_that_text(text: str) -> None:
    value = {"a": text, "l": [text, {"m": text}]}
    assert read_document(write_yaml(value), "yaml").tree == value


def test_a_value_that_stands_twice_is_written_twice() -> None:
    shared = {"x": [1]}
    assert read_document(write_yaml({"a": shared, "b": shared}), "yaml").tree == {"a": shared, "b": shared}


printable = st.text(st.characters(blacklist_categories=("Cs", "Cc", "Cn", "Zl", "Zp")), max_size=30)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | numbers | printable,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(printable.filter(bool), inner, max_size=4),
    max_leaves=12,
)


@drawn(60)
@given(st.dictionaries(printable.filter(bool), values, max_size=4))
def test_any_value_comes_back(value: dict[str, Any]) -> None:
    document = read_document(write_yaml(value), "yaml")
    assert document.problems == ()
    assert document.tree == value
