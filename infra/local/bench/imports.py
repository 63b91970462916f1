"""`bench imports`: what each function loads before it does anything, and how large its package is.

Every function is imported by a fresh interpreter that has its bundle and the packages that it names, and nothing else.
What boto3 with one client, pydantic and the logger take is measured in the same run, because a time by itself says
nothing about another machine. All times are of the processor; the least of several is shown.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from infra.bundling import Checkout, source_bundler
from infra.constructs.callable_tools import tool_words
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, load_functions
from infra.local.faults import LaptopError
from infra.local.synthesis import ROOT
from infra.lockfile import closure, read_lock
from infra.machines import machine_files
from infra.packing import ALWAYS_PACKED

BESIDE: Final = {
    "boto3_with_one_client": "import boto3; boto3.client('dynamodb')",
    "pydantic": "import pydantic; pydantic.TypeAdapter(int)",
    "logger": "from aws_lambda_powertools import Logger; Logger(service='bench')",
}
"""What the times of functions are shown beside."""
_PACKAGES_OF_BESIDE: Final = ("boto3", "pydantic", "aws-lambda-powertools")
_PROBE: Final = """
import json, sys, time
sys.path[:0] = sys.argv[2:]
before, began = len(sys.modules), time.process_time()
exec(sys.argv[1])
cpu_ms = (time.process_time() - began) * 1_000
sdks = {"anthropic": "anthropic", "openai": "openai", "bedrock": "stepward.adapters.aws.bedrock"}
loaded = [name for name, module in sdks.items() if module in sys.modules]
print(json.dumps({"modules": len(sys.modules) - before, "cpu_ms": round(cpu_ms, 1), "model_sdks": loaded}))
"""


def imports(*, as_json: bool, times: int) -> int:
    """Measure every function and print the figures.

    Args:
        as_json: Print JSON and no table.
        times: How often each import is measured.

    Returns:
        0 where no function loads a model's SDK before a run needs it, else 1.
    """
    figures = measure(times=times)
    if as_json:
        print(json.dumps(figures, indent=2))
    else:
        Console().print(_table(figures))
    return 1 if any(one["model_sdks"] for one in figures["functions"].values()) else 0


def measure(*, times: int = 3, only: Iterable[str] = ()) -> dict[str, Any]:
    """Measure functions, and what is shown beside them.

    Args:
        times: How often each import is measured; the least is kept.
        only: The functions to measure; none means all.

    Returns:
        `beside` with processor milliseconds by name, and `functions` with what each takes.
    """
    checkout = Checkout.at(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        bundle = source_bundler(replace(checkout, build=place / "build"))
        packed = _linked(_distributions(checkout, _PACKAGES_OF_BESIDE, checkout.root), place / "beside")
        beside = {name: _least(code, [packed], times)["cpu_ms"] for name, code in BESIDE.items()}
        functions = {
            room.name: _function(checkout, room, bundle(room), place / room.name, times)
            for room in _rooms(checkout)
            if not only or room.name in only
        }
    return {"beside": beside, "functions": functions}


def _rooms(checkout: Checkout) -> list[FunctionConfig]:
    machines = list(machine_files(checkout.statemachines))
    rooms = load_functions(checkout.functions, grant_words(machines) | tool_words(), machines)
    return [room for room in rooms if (checkout.functions / room.name / "handler.py").is_file()]


def _function(
    checkout: Checkout, room: FunctionConfig, bundle: Path, packed: Path, times: int
) -> dict[str, Any]:
    asked_in = checkout.functions / room.name / "function.toml"
    needed = list(_distributions(checkout, [*ALWAYS_PACKED, *room.packages], asked_in))
    measured = _least(f"import functions.{room.name}.handler", [bundle, _linked(needed, packed)], times)
    return {**measured, "package_bytes": _tree_bytes(bundle) + sum(map(_bytes, needed))}


def _distributions(checkout: Checkout, packages: Iterable[str], asked_in: Path) -> Iterator[Distribution]:
    """Find what packages need, by the lock, as it is installed here; what is for other platforms is not."""
    for pin in closure(read_lock(checkout.lock), packages, asked_in):
        try:
            yield distribution(pin.name)
        except PackageNotFoundError:
            continue


def _linked(needed: Iterable[Distribution], folder: Path) -> Path:
    """Make a folder that holds these distributions alone, by links to where they are installed."""
    folder.mkdir()
    for dist in needed:
        for top in {file.parts[0] for file in dist.files or [] if ".." not in file.parts}:
            link, source = folder / top, Path(str(dist.locate_file(top)))
            if source.exists() and not link.exists() and top != "__pycache__":
                link.symlink_to(source)
    return folder


def _tree_bytes(folder: Path) -> int:
    # The laptop links to the one package that every function holds.
    files = (Path(top) / name for top, _, names in os.walk(folder, followlinks=True) for name in names)
    return sum(file.stat().st_size for file in files if _is_shipped(file))


def _bytes(dist: Distribution) -> int:
    files = (Path(str(dist.locate_file(file))) for file in dist.files or [] if ".." not in file.parts)
    return sum(file.stat().st_size for file in files if _is_shipped(file))


def _is_shipped(file: Path) -> bool:
    return file.is_file() and file.suffix != ".pyc"


def _least(code: str, paths: Sequence[Path], times: int) -> dict[str, Any]:
    """Run code in fresh interpreters; the first one compiles what nobody has, and is not counted."""
    runs = [_run(code, paths) for _ in range(times + 1)][1:]
    return min(runs, key=lambda run: float(run["cpu_ms"]))


def _run(code: str, paths: Sequence[Path]) -> dict[str, Any]:
    # Without site packages and without the working folder: the standard library and the paths are all there is.
    command = [_base_python(), "-I", "-S", "-c", _PROBE, code, *map(str, paths)]
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "TMPDIR") if name in os.environ}
    done = subprocess.run(  # noqa: S603  our own arguments
        command, check=False, capture_output=True, text=True, env=environment | kept, cwd=paths[0]
    )
    if done.returncode != 0:
        raise LaptopError(f"{code} fails:\n{done.stderr.strip()}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _base_python() -> str:
    """Find the interpreter under the virtual environment, which knows nothing of what the project installed."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = (Path(sys.base_prefix) / "bin" / version, Path(sys.base_prefix) / "python.exe")
    return str(next((python for python in candidates if python.is_file()), Path(sys.executable)))


def _table(figures: dict[str, Any]) -> Table:
    beside = ", ".join(
        f"{name.replace('_', ' ')} {cpu_ms:g} ms" for name, cpu_ms in figures["beside"].items()
    )
    table = Table(title=f"processor time beside: {beside}")
    for column in ("function", "modules", "CPU ms", "package MB", "model SDKs"):
        table.add_column(column)
    for name, one in figures["functions"].items():
        megabytes = f"{one['package_bytes'] / 1e6:.1f}"
        table.add_row(
            name, str(one["modules"]), f"{one['cpu_ms']:g}", megabytes, ", ".join(one["model_sdks"]) or "none"
        )
    return table
