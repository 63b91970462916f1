"""The pages that people write, in the order of the site's menu, for tests that hold them to the code."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "shared" / "docs"
README = (ROOT / "README.md").read_text(encoding="utf-8")


def listed() -> list[str]:
    """Name the pages that stand in the menu."""
    return list(_files(tomllib.loads((DOCS / "zensical.toml").read_text(encoding="utf-8"))["project"]["nav"]))


def written() -> dict[str, str]:
    """Read what people wrote; the reference is written from the code."""
    names = [name for name in listed() if not name.startswith("reference/")]
    return {name: (DOCS / name).read_text(encoding="utf-8") for name in names}


def page(name: str) -> str:
    """Read one page."""
    return (DOCS / name).read_text(encoding="utf-8")


def _files(entry: Any) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    else:
        for one in entry.values() if isinstance(entry, dict) else entry:
            yield from _files(one)
