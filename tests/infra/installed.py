"""What a set of packages needs, as the environment's own metadata says, so that the lock's graph has a second witness."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

from infra.lockfile import canonical


def installed_closure(packages: Iterable[str]) -> dict[str, Distribution]:
    """Follow `Requires-Dist` without extras: nothing of a room's list asks for any."""
    found: dict[str, Distribution] = {}
    waiting = [canonical(package) for package in packages]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = distribution(name)
        needs = [Requirement(line) for line in found[name].requires or []]
        waiting += [
            canonical(need.name)
            for need in needs
            if need.marker is None or need.marker.evaluate({"extra": ""})
        ]
    return found


def copy_installed(packages: Iterable[str], target: Path) -> None:
    """Copy the distributions as they are installed here, compiled modules too: it stands in for a download of the versions."""
    for dist in installed_closure(packages).values():
        for file in dist.files or []:
            source = Path(str(dist.locate_file(file)))
            if ".." in file.parts or not source.is_file():
                continue
            copy = target / re.sub(r"^\./", "", file.as_posix())
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)  # with its time, by which a compiled module knows its source
