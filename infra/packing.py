"""Build what Lambda gets, without Docker: a function's sources, and its packages for Lambda's processor and Python."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path, PurePosixPath

from infra.aws_data import services_of, trim
from infra.bundling import Bundler, Checkout, copy_into, function_files
from infra.config_errors import DefinitionError
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig
from infra.lockfile import restricted
from infra.machines import machine_files
from infra.package_size import measure, refuse_too_large
from infra.reachable import PackageFiles

PYTHON_VERSION = "3.13"
# Lambda's python3.13 runs on Amazon Linux 2023, whose C library is 2.34.
PLATFORM = "aarch64-manylinux_2_28"
# The package's own dependency, which every function has whether it says so or not.
ALWAYS_PACKED = ("pydantic",)

Installer = Callable[[Path, Path], None]

_INSTALLATION_RECORDS = {"RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}


def install(requirements: Path, target: Path) -> None:
    """Install exactly the lock's wheels into a folder, for Lambda's platform."""
    command = [
        str(Path(sysconfig.get_path("scripts")) / "uv"),
        *("pip", "install", "--quiet", "--no-deps", "--require-hashes", "--only-binary", ":all:"),
        *("--python-platform", PLATFORM, "--python-version", PYTHON_VERSION),
        *("--link-mode", "copy", "--target", str(target), "--requirements", str(requirements)),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True)  # noqa: S603 - our own arguments
    if done.returncode != 0:
        raise DefinitionError(f"{requirements}: the packages could not be installed:\n{done.stderr.strip()}")


class Packer:
    """Builds the deployable folders of one checkout's functions."""

    def __init__(self, checkout: Checkout, installer: Installer = install) -> None:
        """Bind it to a checkout, and to a way of installing that tests may replace."""
        self._checkout = checkout
        self._installer = installer
        self._package = PackageFiles(checkout)
        self._words = grant_words(machine_files(checkout.statemachines))

    def pack(self, function: FunctionConfig) -> Path:
        """Build a function's folder from nothing, so that nothing of an earlier build is shipped.

        Raises:
            DefinitionError: Its `function.toml` names a package, module or AWS service that there is not.
        """
        build = self._checkout.build / "package"
        target, fresh = build / function.name, build / f"{function.name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        self._install(function, build / f"{function.name}.requirements.txt", fresh)
        copy_into(self.files(function), fresh)
        _compile(fresh)
        shutil.rmtree(target, ignore_errors=True)
        return fresh.rename(target)

    def pack_within_limits(self, function: FunctionConfig) -> Path:
        """Build a function's folder, and refuse one that is too large."""
        folder = self.pack(function)
        refuse_too_large(function, measure(function.name, folder))
        return folder

    def files(self, function: FunctionConfig) -> dict[PurePosixPath, Path]:
        """List the files of this repository that a function's asset holds."""
        return function_files(self._checkout, function.name) | self._package.reached_by(function)

    def services(self, function: FunctionConfig, installed: Path) -> frozenset[str] | None:
        """Name the AWS services whose clients a function can make; none where all are to stay."""
        return services_of(function, self._words, installed)

    def _install(self, function: FunctionConfig, requirements: Path, folder: Path) -> None:
        asked_in = self._checkout.functions / function.name / "function.toml"
        needed = restricted(self._checkout.lock, [*ALWAYS_PACKED, *function.packages], asked_in)
        requirements.write_text(needed, encoding="utf-8")
        self._installer(requirements, folder)
        _drop_traces_of_this_machine(folder)
        services = self.services(function, folder)
        if services is not None:
            trim(folder, services)


def package_bundler(checkout: Checkout, installer: Installer = install) -> Bundler:
    """Make assets that Lambda can run: with packages, and within the limits of size."""
    return Packer(checkout, installer).pack_within_limits


def _drop_traces_of_this_machine(folder: Path) -> None:
    """Remove what an installation writes about itself, so that equal locks give equal assets."""
    for path in sorted(folder.rglob("*"), reverse=True):
        is_record = path.parent.suffix == ".dist-info" and path.name in _INSTALLATION_RECORDS
        if path.is_file() and (is_record or path.suffix == ".pyc" or path.parent == folder / "bin"):
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    (folder / ".lock").unlink(missing_ok=True)


def _compile(folder: Path) -> None:
    """Compile the modules, if Lambda's own interpreter version is here.

    Lambda would ignore another version's files.
    """
    python = matching_python()
    if python is None:
        return
    options = ("-q", "-f", "--invalidation-mode", "unchecked-hash", "-s", str(folder), "-p", "/var/task")
    subprocess.run([python, "-m", "compileall", *options, str(folder)], check=False, capture_output=True)  # noqa: S603


def matching_python() -> str | None:
    """Find a working interpreter of Lambda's version.

    Version managers leave shims of versions that are not installed.
    """
    python = shutil.which(f"python{PYTHON_VERSION}")
    if python is None:
        return None
    said = subprocess.run([python, "--version"], check=False, capture_output=True, text=True)  # noqa: S603
    return python if said.returncode == 0 and said.stdout.startswith(f"Python {PYTHON_VERSION}.") else None
