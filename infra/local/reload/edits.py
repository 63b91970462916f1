"""What edited files ask for: new code, a new template or a new start of the laptop."""

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

    functions: frozenset[str]
    """Functions whose own code was edited."""

    is_package: bool
    """Whether the package that all functions import was edited."""

    template: tuple[Path, ...]
    """Files that the template is made of."""

    laptop: tuple[Path, ...]
    """Files of the running program itself."""

    code: tuple[Path, ...]
    """Files that functions execute."""


def sort_out(paths: Iterable[Path]) -> Edits:
    """Look at where each file lies."""
    found = sorted(paths)
    code = [path for path in found if _is_code(path)]
    template = [path for path in found if not _is_code(path) and not _is_laptop(path)]
    return Edits(
        functions=frozenset(
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
    handler="function_imports.handle",
    code_dir=Path(__file__).parent / "probe",
    timeout_s=20.0,
    memory_mb=2048,
)


def check_imports(executor: Executor, code: Mapping[str, Path], specs: Mapping[str, FunctionSpec]) -> None:
    """Import every function's handler; a failure is raised with its file and line."""
    functions = {
        function: {"code": str(folder), "environment": dict(specs[function].environment)}
        for function, folder in code.items()
    }
    result = executor.run_apart(_PROBE, json.dumps(functions).encode())
    if result.function_error is not None:
        kind, message = describe(result.payload)
        raise SourceError(f"importing {', '.join(functions)} ended with {kind}: {message}")
    if failures := json.loads(result.payload):
        raise SourceError("\n  ".join(_lines(failures)))


def _lines(failures: Mapping[str, str]) -> Iterable[str]:
    """Return one line a fault, since a fault of the package is a fault of every function."""
    for fault in dict.fromkeys(failures.values()):
        yield f"{fault} (in {', '.join(function for function, found in failures.items() if found == fault)})"
