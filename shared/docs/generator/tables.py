"""Writes tables and pages of Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from inspect import getdoc
from typing import Any, Final

NOTICE: Final = "<!-- Written by `make docs` from the code; change the code. -->"


def page(title: str, *parts: str) -> str:
    """Join the parts of a generated page under its title."""
    return "\n\n".join([NOTICE, f"# {title}", *parts]) + "\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; a bar or a line's end within a cell does not break it."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def code(text: Any) -> str:
    """Set a word as code, or nothing where there is none."""
    return f"`{text}`" if text not in ("", None) else ""


def meaning(of: Any) -> str:
    """Read what the docstring of a class or a function says."""
    said = getdoc(of)
    if not said:
        raise ValueError(f"{of!r} has no docstring, so the reference would have nothing to say of it")
    return plain(said.partition("\n\nArgs:")[0].partition("\n\nRaises:")[0].partition("\n\nReturns:")[0])


def section(of: Any, title: str) -> str:
    """Read one section of a docstring, such as `Returns`; nothing where there is none."""
    found = re.search(rf"^{title}:\n((?:    .*\n?|\n)+)", getdoc(of) or "", re.MULTILINE)
    return plain(found[1]) if found else ""


def plain(text: str) -> str:
    """Put a text on one line."""
    return " ".join(text.split())


def _cell(text: str) -> str:
    return (
        plain(text).replace("|", "\\|").replace("<", "&lt;")
        if "`" not in text
        else plain(text).replace("|", "\\|")
    )
