"""A Lambda's asset holds its room and the one package, and nothing else; this makes it, with or without dependencies."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from infra.rooms import RoomSpec

Bundler = Callable[[RoomSpec], Path]

_NEVER_SHIPPED = {"__pycache__", "function.toml", ".DS_Store"}


@dataclass(frozen=True)
class Checkout:
    """Where the sources are and where assets are made, so that tests can build from a folder of their own."""

    root: Path
    build: Path

    @classmethod
    def at(cls, root: Path) -> Checkout:
        """Describe a checkout that builds inside itself, which is what everything but a test wants."""
        return cls(root, root / ".build")

    @property
    def functions(self) -> Path:
        """The rooms."""
        return self.root / "functions"

    @property
    def package(self) -> Path:
        """The one Python package that every room imports."""
        return self.root / "shared" / "stepward"

    @property
    def statemachines(self) -> Path:
        """The hand-written machines."""
        return self.root / "statemachines"

    @property
    def lock(self) -> Path:
        """The versions and hashes that everything is installed from."""
        return self.root / "requirements.lock"


def source_files(checkout: Checkout, room: str) -> dict[PurePosixPath, Path]:
    """List what a room's asset holds of this repository, by its path inside the asset."""
    folders = {
        PurePosixPath("functions") / room: checkout.functions / room,
        PurePosixPath("stepward"): checkout.package,
    }
    files = {
        inside / path.relative_to(folder): path
        for inside, folder in folders.items()
        for path in _shipped(folder)
    }
    marker = checkout.functions / "__init__.py"
    if marker.is_file():
        files[PurePosixPath("functions/__init__.py")] = marker
    return dict(sorted(files.items()))


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
    """Make a folder equal to a list of files, so that a file which was deleted here is not shipped from there."""
    target.mkdir(parents=True, exist_ok=True)
    copy_into(files, target)
    for path in sorted(target.rglob("*"), reverse=True):
        inside = PurePosixPath(path.relative_to(target).as_posix())
        if path.is_file() and inside not in files:
            path.unlink(missing_ok=True)
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def stage_source(checkout: Checkout, room: RoomSpec) -> Path:
    """Stage a room without its dependencies, which the laptop and the tests take from the project's environment."""
    target = checkout.build / "source" / room.name
    mirror(source_files(checkout, room.name), target)
    return target


def source_bundler(checkout: Checkout) -> Bundler:
    """Bind the staging of sources to a checkout."""
    return lambda room: stage_source(checkout, room)
