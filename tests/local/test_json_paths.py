"""Paths as Step Functions evaluates them; examples of Jayway and the States Language."""

from __future__ import annotations

from typing import Any

import pytest

from infra.local.engine.states import json_paths, path_values

BOOKS = [
    {"c": "ref", "p": 8.95, "t": "A", "isbn": None},
    {"c": "fic", "p": 12.99, "t": "B"},
    {"c": "fic", "p": 8.99, "t": "C", "tags": ["x", "y"]},
]
DATA: dict[str, Any] = {
    "store": {"book": BOOKS, "bike": {"p": 19.95}},
    "jar": [{"a": 1}, {"a": 5}, {"a": 2}, {"a": True}],
    "n": [[1, 2], [3]],
    "e": [],
    "a.b": {"it's": 1},
    "k ü": 2,
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("$", DATA),
        ("$.store.book[0].t", "A"),
        ("$.store.book[-1]['t']", "C"),
        ("$.['k ü']", 2),
        ("$['a.b']['it\\'s']", 1),
        ('$["store"]["bike"].p', 19.95),
        ("$.store.book[*].t", ["A", "B", "C"]),
        ("$.store.*", [BOOKS, {"p": 19.95}]),
        ("$..t", ["A", "B", "C"]),
        ("$..book[2].t", ["C"]),
        ("$..book[-1:].t", ["C"]),
        ("$.store.book[0,2].t", ["A", "C"]),
        ("$.store.book[:2].t", ["A", "B"]),
        ("$.store.book[10:].t", []),
        ("$['store']['book','bike']", [BOOKS, {"p": 19.95}]),
        ("$.n[*][0]", [1, 3]),
        ("$.e[*].x", []),
        ("$.jar[?(@.a >= 2)]", [{"a": 5}, {"a": 2}]),
        ("$.jar[?(@.a == 1)]", [{"a": 1}]),
        ("$.store.book[?(@.isbn)].t", ["A"]),
        ("$.store.book[?(!@.isbn)].t", ["B", "C"]),
        ("$.store.book[?(@.isbn == null)].t", ["A"]),
        ("$.store.book[?(@.c == 'fic' && (@.p > 10 || @['t'] == \"C\"))].t", ["B", "C"]),
        ("$.store.book[?(@.p < $.store.bike.p)].t", ["A", "B", "C"]),
        ("$.store.book[?(@.c in ['ref','x'])].t", ["A"]),
        ("$.store.book[?(@.c nin ['ref'])].t", ["B", "C"]),
        ("$.store.book[?(@.t =~ /[ab]/i)].t", ["A", "B"]),
        ("$.store.book[?(@.tags contains 'x')].t", ["C"]),
        ("$.store.book[?(@.tags size 2)].t", ["C"]),
        ("$.store.book[?(@.tags.length() > 1)].t", ["C"]),
        ("$.n[0][?(@ > 1)]", []),
        ("$.store.bike[?(@.p > 1)]", [{"p": 19.95}]),
        ("$.store.book.length()", 3),
        ("$.e.length()", 0),
    ],
)
def test_a_path_finds(path: str, found: Any) -> None:
    assert path_values.extract(path, DATA) == found


@pytest.mark.parametrize(
    "path",
    [
        "$.no",
        "$.no[*].x",
        "$.store.book[3]",
        "$.store[0]",
        "$.store.no.t",
        "$.n.sum()",
        "$.store.bike.p.length()",
    ],
)
def test_a_path_that_leads_nowhere_is_missing(path: str) -> None:
    with pytest.raises(path_values.json_path.NoSuchJsonPathError, match="could not be found"):
        path_values.extract(path, DATA)


@pytest.mark.parametrize(
    "path",
    [
        "a",
        "$.a[",
        "$.a[]",
        "$.a b",
        "$a",
        "$.a[x]",
        "$.a[?(@.b ==)]",
        "$.a[?(@.b ~ 1)]",
        "$.a[?(@.b in [x])]",
    ],
)
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match=r"path|filter|begin"):
        json_paths.read(path)
