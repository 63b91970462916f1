"""The pages of the reference, all of them written from the code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from docs.generator import documents, happenings, interfaces, limits

FOLDER: Final = Path(__file__).resolve().parents[1] / "reference"
PAGES: Final[dict[str, Callable[[], str]]] = {
    "routes.md": interfaces.routes,
    "commands.md": interfaces.commands,
    "functions.md": interfaces.functions,
    "agents.md": documents.agents,
    "tasks.md": documents.tasks,
    "tools.md": documents.tools,
    "configuration.md": documents.configuration,
    "limits.md": limits.limits,
    "errors.md": happenings.error_codes,
    "events.md": happenings.event_types,
}


def write(folder: Path = FOLDER) -> None:
    """Write every page; one that nothing makes any more is removed."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.name not in PAGES:
            old.unlink()
    for name, made in PAGES.items():
        (folder / name).write_text(made(), encoding="utf-8")


def drifted(folder: Path = FOLDER) -> list[str]:
    """Name the pages that are not as the code would have them."""
    there = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.md")}
    wanted = {name: made() for name, made in PAGES.items()}
    return sorted(name for name in there.keys() | wanted.keys() if there.get(name) != wanted.get(name))
