"""Keeps what the CDK app wrote under a digest of all that it reads, for one that starts with the same sources again."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Final

_READ: Final = (
    "infra", "functions", "shared/stepward", "statemachines", "cdk.json", "pyproject.toml", "requirements.lock",
)  # fmt: skip
_KEPT: Final = 5
"""As many layouts of the package as stay, to which assemblies are linked."""


def digest(root: Path, words: Sequence[str]) -> str:
    """Return the key by which the CDK app's output is kept.

    Args:
        root: The checkout.
        words: Further input of the app: the stage and settings.

    Returns:
        A digest of its sources, of the words and of the versions that run it.
    """
    found = hashlib.sha256()
    said = (sys.version, version("aws-cdk-lib"), os.environ.get("CDK_CONTEXT_JSON", ""), *words)
    for text in said:
        found.update(f"{len(text)}\0{text}".encode())
    for path in _sources(root):
        content = path.read_bytes()
        found.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def take(kept: Path, out: Path) -> bool:
    """Copy a kept assembly to a path.

    False if there is none, or if what it is linked to has gone.
    """
    if not kept.is_dir():
        return False
    links = [path for path in kept.rglob("*") if path.is_symlink()]
    if not all(link.exists() for link in links):
        return False
    for layout in {link.readlink().parent for link in links}:
        os.utime(layout)  # what is used stays
    os.utime(kept)
    shutil.copytree(kept, out, symlinks=True)
    return True


def keep(out: Path, kept: Path) -> None:
    """Keep an assembly; of two that do so at once one is kept, for both are the same."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=kept.parent))
    shutil.copytree(out, fresh, symlinks=True, dirs_exist_ok=True)
    shutil.rmtree(kept, ignore_errors=True)  # one whose links lead nowhere
    try:
        fresh.rename(kept)
    except OSError:
        shutil.rmtree(fresh)
    for old in sorted(kept.parent.iterdir(), key=_age)[_KEPT:]:
        shutil.rmtree(old, ignore_errors=True)


def _sources(root: Path) -> Iterator[Path]:
    for name in _READ:
        place = root / name
        files = sorted(place.rglob("*")) if place.is_dir() else [place]
        yield from (path for path in files if path.is_file() and "__pycache__" not in path.parts)


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
