"""Small rooms stay readable."""

from __future__ import annotations

from statistics import median

from tests.house.source_tree import functions_of, length, name, product_files, tracked


def test_files_stay_under_300_lines() -> None:
    long = {
        name(path): len(path.read_text().splitlines()) for path in (*product_files(), *tracked("tests/*.py"))
    }
    assert {path: lines for path, lines in long.items() if lines > 300} == {}


def test_functions_are_short() -> None:
    lengths = [length(node) for path in product_files() for node in functions_of(path)]
    assert 3 <= median(lengths) <= 15


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{name(p)}:{f.name}": length(f) for p in product_files() for f in functions_of(p) if length(f) > 50
    }
    assert long == {}


def test_handlers_are_thin() -> None:
    handlers = [path for path in product_files() if path.match("functions/*/handler.py")]
    entries = {name(path): length(f) for path in handlers for f in functions_of(path) if f.name == "handle"}
    assert len(entries) == len(handlers)
    assert {path: lines for path, lines in entries.items() if lines >= 15} == {}
