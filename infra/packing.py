"""Lambda needs a room's dependencies for its own processor and Python; this builds them from the lock, without Docker."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

from infra.bundling import Bundler, Checkout, copy_into, source_files
from infra.config_errors import DefinitionError
from infra.function_configs import FunctionConfig
from infra.lockfile import restricted

PYTHON_VERSION = "3.13"
# Lambda's python3.13 runs on Amazon Linux 2023, whose C library is 2.34.
PLATFORM = "aarch64-manylinux_2_28"
# The package's own dependency, which every room has whether it says so or not.
ALWAYS_PACKED = ("pydantic",)

Installer = Callable[[Path, Path], None]

_INSTALLATION_RECORDS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}


def install(requirements: Path, target: Path) -> None:
    """Fill a folder with exactly the wheels of the lock, for Lambda's platform and whatever platform we are on."""
    command = [
        str(Path(sysconfig.get_path("scripts")) / "uv"),
        *("pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--python-platform", PLATFORM, "--python-version", PYTHON_VERSION),
        *("--link-mode", "copy", "--target", str(target), "--requirements", str(requirements)),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        raise DefinitionError(f"{requirements}: the packages could not be installed:\n{done.stderr.strip()}")


def pack(checkout: Checkout, room: FunctionConfig, installer: Installer = install) -> Path:
    """Build a room's deployable folder anew, so that nothing of an earlier build is shipped."""
    build = checkout.build / "package"
    target, fresh = build / room.name, build / f"{room.name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    asked_in = checkout.functions / room.name / "function.toml"
    requirements = build / f"{room.name}.requirements.txt"
    requirements.write_text(
        restricted(checkout.lock, [*ALWAYS_PACKED, *room.packages], asked_in), encoding="utf-8"
    )
    installer(requirements, fresh)
    _drop_traces_of_this_machine(fresh)
    copy_into(source_files(checkout, room.name), fresh)
    _compile(fresh)
    shutil.rmtree(target, ignore_errors=True)
    return fresh.rename(target)


def package_bundler(checkout: Checkout, installer: Installer = install) -> Bundler:
    """Bind the packing to a checkout, and to a way of installing that tests may replace."""
    return lambda room: pack(checkout, room, installer)


def _drop_traces_of_this_machine(folder: Path) -> None:
    """Remove what an installation writes about itself, because the same lock has to give the same asset anywhere."""
    for path in sorted(folder.rglob("*"), reverse=True):
        is_record = path.parent.suffix == ".dist-info" and path.name in _INSTALLATION_RECORDS
        if path.is_file() and (is_record or path.suffix == ".pyc" or path.parent == folder / "bin"):
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    (folder / ".lock").unlink(missing_ok=True)


def _compile(folder: Path) -> None:
    """Spare Lambda the compiling, but only by the interpreter that it runs: another one's files would be ignored."""
    python = matching_python()
    if python is None:
        return
    options = ("-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/var/task")
    subprocess.run([python, "-m", "compileall", *options, str(folder)], check=False, capture_output=True)  # noqa: S603


def matching_python() -> str | None:
    """Find an interpreter of Lambda's version that really runs; version managers leave shims of ones that do not."""
    python = shutil.which(f"python{PYTHON_VERSION}")
    if python is None:
        return None
    said = subprocess.run([python, "--version"], check=False, capture_output=True, text=True)  # noqa: S603
    return python if said.returncode == 0 and said.stdout.startswith(f"Python {PYTHON_VERSION}.") else None
