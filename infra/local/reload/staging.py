"""Lay out the sources as they are now, so that new sandboxes read them while old ones keep what they began with."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from infra.bundling import PACKAGE, Checkout, copy_into, function_files, package_files

_KEPT = 3
"""Layouts that stay: sandboxes that are at a call when the code changes still import from theirs."""


class SourceError(Exception):
    """A source file that Python cannot read; the message names file and line."""


def check(root: Path, files: Iterable[Path]) -> None:
    """Compile edited files without running them; the first fault is raised."""
    for path in files:
        file = root / path
        if path.suffix != ".py" or not file.is_file():
            continue
        try:
            compile(file.read_bytes(), str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            raise SourceError(f"{path}:{error.lineno or 1}: {type(error).__name__}: {error.msg}") from None
        except ValueError as error:
            raise SourceError(f"{path}:1: {error}") from None


class Staging:
    """Folders of code, one a reload."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Begin with an empty folder: what an earlier laptop staged is of no use."""
        self._checkout = Checkout.at(root)
        self._folder = folder
        self._number = 0
        shutil.rmtree(folder, ignore_errors=True)

    def stage(self, functions: Iterable[str]) -> dict[str, Path]:
        """Lay out functions as assets hold them; the package lies beside them once."""
        self._number += 1
        base = self._folder / str(self._number)
        copy_into(package_files(self._checkout), base)
        code = {}
        for function in functions:
            code[function] = base / "functions" / function
            copy_into(function_files(self._checkout, function), code[function])
            (code[function] / PACKAGE).symlink_to(base / PACKAGE, target_is_directory=True)
        return code

    def keep(self) -> None:
        """Let the newest layout stay, and the oldest go."""
        if self._number > _KEPT:
            shutil.rmtree(self._folder / str(self._number - _KEPT), ignore_errors=True)

    def discard(self) -> None:
        """Take the newest layout back: what cannot be imported must not push out what serves."""
        shutil.rmtree(self._folder / str(self._number), ignore_errors=True)
        self._number -= 1
