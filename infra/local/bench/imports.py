"""`bench imports`: what each function loads before it does anything, and how large its package is.

Every function is imported by a fresh interpreter that has its bundle and the packages that it names, and nothing else.
A time by itself says nothing about another machine: `ratio` is the function's time over that of boto3 with one client,
pydantic and the logger together, loaded by one interpreter in the same run. All times are of the processor. Functions
and what they are compared with take turns, and the least of several turns is shown, so that load on the machine weighs on
all of them alike.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path, PurePosixPath
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from infra.aws_data import is_read
from infra.bundling import Checkout, source_bundler
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, load_functions
from infra.local.faults import LaptopError
from infra.local.synthesis import ROOT
from infra.lockfile import closure, read_lock
from infra.machines import machine_files
from infra.packing import ALWAYS_PACKED, Packer

_PARTS: Final = {
    "boto3_with_one_client": "import boto3; boto3.client('dynamodb')",
    "pydantic": "import pydantic; pydantic.TypeAdapter(int)",
    "logger": "from aws_lambda_powertools import Logger; Logger(service='bench')",
}
BESIDE: Final = {**_PARTS, "together": "; ".join(_PARTS.values())}
"""What the times of functions are shown beside; each part alone loads again what the parts share."""
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


@dataclass(frozen=True)
class Program:
    """Code that is timed, with the folders that it may import from."""

    code: str
    paths: tuple[Path, ...]


def imports(*, as_json: bool, times: int, at_most: float | None = None, only: Sequence[str] = ()) -> int:
    """Measure functions and print the figures.

    Args:
        as_json: Print JSON and no table.
        times: How often each import is measured, at least once.
        at_most: The ratio that no function may exceed; none means that ratios are only shown.
        only: The functions to measure; none means all.

    Returns:
        0 where no function loads a model's SDK before a run needs it and none exceeds the ratio, else 1.

    Raises:
        LaptopError: A function is not known, or its handler cannot be imported.
    """
    figures = measure(times=times, only=only)
    over = _over(figures, at_most)
    if as_json:
        print(json.dumps({**figures, "at_most": at_most, "over": over}, indent=2))
    else:
        Console().print(_table(figures))
    for name in over:
        ratio = figures["functions"][name]["ratio"]
        sys.stderr.write(f"{name} takes {ratio:.2f} times what it is compared with; at most {at_most:g}\n")
    return 1 if over or any(one["model_sdks"] for one in figures["functions"].values()) else 0


def _over(figures: dict[str, Any], at_most: float | None) -> list[str]:
    ratios = {name: one["ratio"] for name, one in figures["functions"].items()}
    return [name for name, ratio in ratios.items() if at_most is not None and ratio > at_most]


def measure(*, times: int = 3, only: Iterable[str] = ()) -> dict[str, Any]:
    """Measure functions, and what is shown beside them.

    Args:
        times: How often each import is measured; the least is kept.
        only: The functions to measure; none means all.

    Returns:
        `beside` with processor milliseconds by name, and `functions` with what each takes.
    """
    checkout = Checkout.at(ROOT)
    functions = _chosen(checkout, list(only))
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        bundle = source_bundler(replace(checkout, build=place / "build"))
        packed = _linked(_distributions(checkout, _PACKAGES_OF_BESIDE, checkout.root), place / "beside")
        programs = {name: Program(code, (packed,)) for name, code in BESIDE.items()}
        needed = {one.name: list(_needed(checkout, one)) for one in functions}
        for name, dists in needed.items():
            paths = (bundle(_named(functions, name)), _linked(dists, place / name))
            programs[f"functions.{name}"] = Program(f"import functions.{name}.handler", paths)
        least = _least(programs, times)
        packer = Packer(checkout)
        sizes = {one.name: _package_bytes(packer, one, needed[one.name], place) for one in functions}
    return _figures(least, sizes)


def _figures(least: dict[str, dict[str, Any]], sizes: dict[str, int]) -> dict[str, Any]:
    together_ms = least["together"]["cpu_ms"]
    functions = {}
    for name, package_bytes in sizes.items():
        one = least[f"functions.{name}"]
        ratio = round(one["cpu_ms"] / together_ms, 2)
        functions[name] = {**one, "ratio": ratio, "package_bytes": package_bytes}
    return {"beside": {name: least[name]["cpu_ms"] for name in BESIDE}, "functions": functions}


def _chosen(checkout: Checkout, only: list[str]) -> list[FunctionConfig]:
    machines = list(machine_files(checkout.statemachines))
    found = load_functions(checkout.functions, grant_words(machines), machines)
    runnable = [one for one in found if (checkout.functions / one.name / "handler.py").is_file()]
    names = [one.name for one in runnable]
    for name in only:
        if name not in names:
            raise LaptopError(f"--function {name}: there is no such function; known: {', '.join(names)}")
    return [one for one in runnable if not only or one.name in only]


def _named(functions: Iterable[FunctionConfig], name: str) -> FunctionConfig:
    return next(one for one in functions if one.name == name)


def _needed(checkout: Checkout, function: FunctionConfig) -> Iterator[Distribution]:
    asked_in = checkout.functions / function.name / "function.toml"
    return _distributions(checkout, [*ALWAYS_PACKED, *function.packages], asked_in)


def _distributions(checkout: Checkout, packages: Iterable[str], asked_in: Path) -> Iterator[Distribution]:
    """Find the installed packages that these need by the lock, for this platform."""
    for pin in closure(read_lock(checkout.lock), packages, asked_in):
        try:
            yield distribution(pin.name)
        except PackageNotFoundError:
            continue


def _linked(needed: Iterable[Distribution], folder: Path) -> Path:
    """Make a folder that holds these distributions alone, by links."""
    folder.mkdir()
    for dist in needed:
        for top in {file.parts[0] for file in dist.files or [] if ".." not in file.parts}:
            link, source = folder / top, Path(str(dist.locate_file(top)))
            if source.exists() and not link.exists() and top != "__pycache__":
                link.symlink_to(source)
    return folder


def _package_bytes(
    packer: Packer, function: FunctionConfig, needed: Iterable[Distribution], place: Path
) -> int:
    """Weigh what is packed for a function, without compiled modules."""
    services = packer.services(function, place / function.name)
    files = [
        Path(str(dist.locate_file(file)))
        for dist in needed
        for file in dist.files or []
        if ".." not in file.parts and (services is None or is_read(PurePosixPath(file), services))
    ]
    files += packer.files(function).values()
    return sum(file.stat().st_size for file in files if file.is_file() and file.suffix != ".pyc")


def _least(programs: dict[str, Program], times: int) -> dict[str, dict[str, Any]]:
    """Run all programs in turn, and keep each one's cheapest run.

    The first turn compiles what has not been compiled before, and is not counted.
    """
    turns = [
        {name: _run(program.code, program.paths) for name, program in programs.items()}
        for _ in range(times + 1)
    ][1:]
    return {name: min((turn[name] for turn in turns), key=_cpu_ms) for name in programs}


def _cpu_ms(run: dict[str, Any]) -> float:
    return float(run["cpu_ms"])


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
    """Find the interpreter under the virtual environment, which has none of the packages."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = (Path(sys.base_prefix) / "bin" / version, Path(sys.base_prefix) / "python.exe")
    return str(next((python for python in candidates if python.is_file()), Path(sys.executable)))


def _table(figures: dict[str, Any]) -> Table:
    beside = ", ".join(
        f"{name.replace('_', ' ')} {cpu_ms:g} ms" for name, cpu_ms in figures["beside"].items()
    )
    table = Table(title=f"processor time beside: {beside}")
    for column in ("function", "modules", "CPU ms", "ratio", "package MB", "model SDKs"):
        table.add_column(column)
    for name, one in figures["functions"].items():
        cells = (
            name,
            str(one["modules"]),
            f"{one['cpu_ms']:g}",
            f"{one['ratio']:.2f}",
            f"{one['package_bytes'] / 1e6:.1f}",
            ", ".join(one["model_sdks"]) or "none",
        )
        table.add_row(*cells)
    return table
