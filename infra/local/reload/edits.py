"""Say what a set of edited files asks for: new code in some rooms, a new template, or a new start of the laptop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Edits:
    """What is to be done about edited files."""

    rooms: frozenset[str]
    """Rooms whose own code was edited."""

    is_package: bool
    """Whether the package that all rooms import was edited."""

    template: tuple[Path, ...]
    """Files that the template is made of."""

    laptop: tuple[Path, ...]
    """Files of the running program itself."""

    code: tuple[Path, ...]
    """Files that rooms execute."""


def sort_out(paths: Iterable[Path]) -> Edits:
    """Look at where each file lies."""
    found = sorted(paths)
    code = [path for path in found if _is_code(path)]
    template = [path for path in found if not _is_code(path) and not _is_laptop(path)]
    return Edits(
        rooms=frozenset(
            path.parts[1] for path in code if path.parts[0] == "functions" and len(path.parts) > 2
        ),
        is_package=any(path.parts[0] == "shared" or len(path.parts) == 2 for path in code),
        template=tuple(template),
        laptop=tuple(path for path in found if _is_laptop(path)),
        code=tuple(code),
    )


def _is_code(path: Path) -> bool:
    return path.parts[0] in ("functions", "shared") and path.name != "function.toml"


def _is_laptop(path: Path) -> bool:
    return path.parts[:2] == ("infra", "local")
