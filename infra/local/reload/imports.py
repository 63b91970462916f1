"""Import edited rooms in a sandbox of their own before they replace anything, so that a fault is told when it is made."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from infra.local.executor import Executor, FunctionSpec
from infra.local.executor.faults import describe
from infra.local.reload.staging import SourceError

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
