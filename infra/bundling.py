"""A Lambda's asset holds its function and the one package, and nothing else; this makes it, with or without dependencies."""

from __future__ import annotations

import filecmp
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from infra.function_configs import FunctionConfig

Bundler = Callable[[FunctionConfig], Path]

PACKAGE = "stepward"
"""The name under which every asset holds the one package."""

_KEPT = 5
"""Layouts of the package that stay: a laptop that began with an older one imports from it to its end."""

_NEVER_SHIPPED = {"__pycache__", "function.toml", ".DS_Store"}


@dataclass(frozen=True)
class Checkout:
    """Where the sources are and where assets are made."""

    root: Path
    build: Path

    @classmethod
    def at(cls, root: Path) -> Checkout:
        """Return a checkout that builds inside itself."""
        return cls(root, root / ".build")

    @property
    def functions(self) -> Path:
        """The functions."""
        return self.root / "functions"

    @property
    def package(self) -> Path:
        """The one Python package that every function imports."""
        return self.root / "shared" / "stepward"

    @property
    def statemachines(self) -> Path:
        """The hand-written machines."""
        return self.root / "statemachines"

    @property
    def lock(self) -> Path:
        """The versions and hashes that everything is installed from."""
        return self.root / "requirements.lock"


def function_files(checkout: Checkout, function: str) -> dict[PurePosixPath, Path]:
    """List what a function's asset holds that no other function's does."""
    files = _inside(PurePosixPath("functions") / function, checkout.functions / function)
    marker = checkout.functions / "__init__.py"
    if marker.is_file():
        files[PurePosixPath("functions/__init__.py")] = marker
    return files


def package_files(checkout: Checkout) -> dict[PurePosixPath, Path]:
    """List what every function's asset holds."""
    return _inside(PurePosixPath(PACKAGE), checkout.package)


def _inside(name: PurePosixPath, folder: Path) -> dict[PurePosixPath, Path]:
    return {name / path.relative_to(folder): path for path in _shipped(folder)}


def _shipped(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.is_file() and path.suffix != ".pyc" and not _NEVER_SHIPPED.intersection(path.parts):
            yield path


def copy_into(files: Mapping[PurePosixPath, Path], target: Path) -> None:
    """Copy what differs and leave the rest alone, so that two syntheses may run at once."""
    for inside, source in files.items():
        copy = target / inside
        if not copy.is_file() or not filecmp.cmp(source, copy, shallow=False):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, copy)


def mirror(files: Mapping[PurePosixPath, Path], target: Path) -> None:
    """Make a folder equal to a list of files, so that deleted files are not shipped."""
    target.mkdir(parents=True, exist_ok=True)
    copy_into(files, target)
    for path in sorted(target.rglob("*"), reverse=True):
        inside = PurePosixPath(path.relative_to(target).as_posix())
        if path.is_file() and inside not in files:
            path.unlink(missing_ok=True)
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def source_bundler(checkout: Checkout) -> Bundler:
    """Return a bundler that stages functions without their dependencies.

    The laptop and the tests take those from the project's environment.

    The package is laid out once and linked to, for two dozen copies of it take longer to write and to remove than
    all else that a laptop does when it starts and ends.
    """
    package = _package_layout(package_files(checkout), checkout.build / "source" / "packages")

    def stage(function: FunctionConfig) -> Path:
        target = checkout.build / "source" / "functions" / function.name
        mirror(function_files(checkout, function.name), target)
        _link(target / PACKAGE, package / PACKAGE)
        return target

    return stage


def _package_layout(files: Mapping[PurePosixPath, Path], folder: Path) -> Path:
    """Lay the package out under its digest, where nothing changes it any more."""
    digest = hashlib.sha256()
    for inside, path in sorted(files.items()):
        content = path.read_bytes()
        digest.update(f"{inside}\0{len(content)}\0".encode() + content)
    target = folder / digest.hexdigest()
    if not target.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="new-", dir=folder))
        copy_into(files, fresh)
        _move(fresh, target)
    os.utime(target)
    for old in sorted(folder.iterdir(), key=_age)[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def _move(fresh: Path, target: Path) -> None:
    try:
        fresh.rename(target)
    except OSError:
        # Another synthesis was faster, and what it made is the same.
        if not target.is_dir():
            raise
        shutil.rmtree(fresh)


def _age(path: Path) -> float:
    """Sort by last use; what another process removes meanwhile is the oldest."""
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _link(link: Path, to: Path) -> None:
    """Point a link elsewhere in one step: another synthesis may read it now."""
    if link.is_symlink() and link.readlink() == to:
        return
    fresh = link.with_name(f".{PACKAGE}-{os.getpid()}")
    fresh.symlink_to(to, target_is_directory=True)
    fresh.replace(link)
