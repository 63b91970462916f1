"""Write the maps in the READMEs of the folders: what is in each folder, one line each, as it says of itself."""

from __future__ import annotations

import ast
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from docs.generator.interfaces import ROOT, describes_itself
from docs.generator.tables import code, plain, table

BEGIN: Final = "<!-- map: written by `make docs` from what each part says of itself -->"
END: Final = "<!-- end of the map -->"
MAPS: Final = (
    "functions", "infra", "shared", "statemachines", "tests", "shared/stepward", "shared/stepward/workflows",
)  # fmt: skip
SAID_HERE: Final = {
    "shared/docs": "This documentation: pages that people write, and a reference that `make docs` writes from the code.",
    "shared/stepward/library": "Agents and data that ship with the package: the demo's, and those of the benches.",
    "shared/stepward/templates": "Workflows to begin with, which `stepward init` writes.",
    "tests/contract": "One port against both adapters, and model clients over the wire.",
    "tests/e2e": "The product on one laptop that all tests share.",
    "tests/golden": "Journals and machines of earlier releases: read, finished, never rewritten.",
    "tests/graphs": "Graphs of tasks for compiler and planner.",
    "tests/house": "Rules of the project that no linter knows: sizes, names, docs, contracts between files.",
    "tests/infra": "Templates, bundles, permissions and configuration.",
    "tests/local": "The laptop's own parts, on one small stack.",
    "tests/property": "What holds for all inputs, orders and faults; every planted fault is noticed.",
    "tests/support": "What tests of several folders share: worlds in memory, virtual time, what is drawn.",
    "tests/unit": "One part at a time, without sockets.",
}
"""What is in folders that have no package, no manifest and no machine to say it."""


def drifted() -> list[str]:
    """Name the READMEs whose map is not what the folders say."""
    return [
        str(file.relative_to(ROOT)) for file in _files() if file.read_text(encoding="utf-8") != _wanted(file)
    ]


def write() -> None:
    """Write every map between its two marks; the text around it stays."""
    for file in _files():
        file.write_text(_wanted(file), encoding="utf-8")


def entries(folder: Path) -> list[Path]:
    """List what a map names: the folders in a folder, its own modules and its state machines.

    Args:
        folder: The folder; of `functions` those that have a README of their own are left out.
    """
    found = [
        one
        for one in folder.iterdir()
        if (one.is_dir() and not one.name.startswith((".", "_")) and _is_named(one))
        or (one.suffix == ".py" and one.name != "__init__.py" and folder.name == "infra")
        or one.name.endswith(".asl.json")
    ]
    return sorted(found, key=lambda one: (one.is_file(), one.name))


def _is_named(folder: Path) -> bool:
    """Leave out functions that describe themselves, and folders of compiled modules."""
    if folder.parent.name == "functions" and describes_itself(folder):
        return False
    return any(file.is_file() and "__pycache__" not in file.parts for file in folder.rglob("*"))


def _files() -> Iterator[Path]:
    yield from (ROOT / name / "README.md" for name in MAPS)


def _wanted(file: Path) -> str:
    before, _, rest = file.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(
            f"{file.relative_to(ROOT)} has no map: write `{BEGIN}` and `{END}` on lines of their own"
        )
    rows = [(_link(one), _purpose(one)) for one in entries(file.parent)]
    return f"{before}{BEGIN}\n\n{table(['what', 'what it holds'], rows)}\n\n{END}{after}"


def _link(entry: Path) -> str:
    return f"[{code(entry.name + ('/' if entry.is_dir() else ''))}]({entry.name})"


def _purpose(entry: Path) -> str:
    """Find what an entry says of itself.

    Raises:
        ValueError: It says nothing.
    """
    name = str(entry.relative_to(ROOT))
    manifest, package = entry / "function.toml", entry / "__init__.py"
    if name in SAID_HERE:
        return SAID_HERE[name]
    if manifest.is_file():
        return plain(str(tomllib.loads(manifest.read_text(encoding="utf-8"))["purpose"]))
    if entry.suffix == ".json":
        return plain(str(json.loads(entry.read_text(encoding="utf-8"))["Comment"]))
    source = package if package.is_file() else entry
    said = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) if source.is_file() else None
    if not said:
        raise ValueError(
            f"{name} says nothing of itself; give it a docstring, or a line in docs.generator.maps"
        )
    return plain(said.partition("\n\n")[0])
