"""Say what a set of edited files asks for: new code in some rooms, a new template, or a new start of the laptop."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from infra.local.executor import Executor, FunctionSpec
from infra.local.executor.faults import describe
from infra.local.reload.staging import SourceError


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


_PROBE = FunctionSpec(
    name="reload",
    handler="room_imports.handle",
    code_dir=Path(__file__).parent / "probe",
    timeout_s=20.0,
    memory_mb=2048,
)


def check_imports(executor: Executor, code: Mapping[str, Path], specs: Mapping[str, FunctionSpec]) -> None:
    """Import the handler of every room; those that fail are told with the file and the line where."""
    rooms = {
        room: {"code": str(folder), "environment": dict(specs[room].environment)}
        for room, folder in code.items()
    }
    result = executor.run_apart(_PROBE, json.dumps(rooms).encode())
    if result.function_error is not None:
        kind, message = describe(result.payload)
        raise SourceError(f"importing {', '.join(rooms)} ended with {kind}: {message}")
    if failures := json.loads(result.payload):
        raise SourceError("\n  ".join(_lines(failures)))


def _lines(failures: Mapping[str, str]) -> Iterable[str]:
    """One line a fault, for a fault of the package is the fault of every room."""
    for fault in dict.fromkeys(failures.values()):
        yield f"{fault} (in {', '.join(room for room, found in failures.items() if found == fault)})"
