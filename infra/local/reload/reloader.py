"""Watch the sources of a running laptop and bring each edit to life, with one line about it."""

from __future__ import annotations

import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Self

from infra.local.deployer.faults import DeployError
from infra.local.executor import FunctionSpec
from infra.local.faults import LaptopError
from infra.local.laptop import Laptop
from infra.local.reload import requests
from infra.local.reload.edits import Edits, check_imports, sort_out
from infra.local.reload.staging import SourceError, Staging, check
from infra.local.reload.watch import Watch
from infra.local.synthesis import Synthesis

_LOOK_S = 0.3
_SETTLE_S = 0.1
"""An editor or a checkout of a branch writes many files: the edit is over when nothing more comes."""


class Reloader:
    """A thread that looks, from `with` to the end of it."""

    def __init__(self, laptop: Laptop, root: Path, tell: Callable[[str], None]) -> None:
        """Take the laptop, the checkout, and where to say what was done."""
        self._laptop = laptop
        self._root = root
        self._tell = tell
        self._watch = Watch(root)
        self._staging = Staging(root, laptop.state_dir / "code")
        self._open: set[Path] = set()
        self._synthesis: Synthesis | None = None
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True, name="reload")

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more; a synthesis under way is of no use to anyone."""
        self._ended.set()
        if self._synthesis is not None:
            self._synthesis.end()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(_LOOK_S):
            if (wish := requests.taken(self._laptop.state_dir)) is not None:
                self._deploy_as_asked(wish)
            if not (changed := self._watch.changes()):
                continue
            while more := self._after_a_moment():
                changed |= more
            self._open |= changed
            try:
                self._reload(sort_out(self._open))
            except (SourceError, LaptopError, DeployError, OSError) as error:
                if not self._ended.is_set():
                    self._tell(f"! not reloaded, what ran before runs on: {error}")
            except Exception:  # noqa: BLE001 - the border of a thread: a fault here must not end all reloading
                traceback.print_exc(file=sys.stderr)

    def _deploy_as_asked(self, wish: str) -> None:
        folder = self._laptop.state_dir
        try:
            lines = self._deploy()
        except (LaptopError, DeployError, OSError) as error:
            requests.answer(folder, wish, [str(error)], ok=False)
            return
        requests.answer(folder, wish, lines, ok=True)
        self._tell(f"deployed {', '.join(lines) or 'no difference'} (asked for by another `up`)")

    def _after_a_moment(self) -> set[Path]:
        self._ended.wait(_SETTLE_S)
        return self._watch.changes()

    def _reload(self, edits: Edits) -> None:
        started_s = time.monotonic()
        if edits.code:
            check(self._root, edits.code)
            functions = self._renew(edits)
            self._open -= set(edits.code)
            self._report("reloaded", functions, edits.code, started_s)
        if edits.laptop:
            self._open -= set(edits.laptop)
            self._tell(f"{_named(edits.laptop)} changed: the laptop itself. Start `up` again to use it.")
        if edits.template:
            self._open -= set(edits.template)
            self._redeploy(edits.template)

    def _renew(self, edits: Edits) -> list[str]:
        """Give functions new code.

        Sandboxes end after the call that they are at; the next call starts new ones.
        """
        executor = self._laptop.executor
        touched = {
            _short_name(spec): spec
            for spec in executor.functions()
            if edits.is_package or _short_name(spec) in edits.functions
        }
        code = self._staging.stage(
            function for function in touched if (self._root / "functions" / function).is_dir()
        )
        try:
            check_imports(executor, code, touched)
        except SourceError:
            self._staging.discard()
            raise
        self._staging.keep()
        for function, code_dir in code.items():
            executor.register(replace(touched[function], code_dir=code_dir))
        self._laptop.code_renewed()
        return sorted(code)

    def _redeploy(self, files: tuple[Path, ...]) -> None:
        started_s = time.monotonic()
        self._tell(f"{_named(files)} changed: synthesising …")
        lines = self._deploy()
        self._report("deployed", lines or ["no difference"], files, started_s)

    def _deploy(self) -> list[str]:
        """Write the assembly of the sources as they are, and apply what differs."""
        self._synthesis = self._laptop.synthesis()
        try:
            assembly = self._synthesis.wait()
        finally:
            self._synthesis = None
        return self._laptop.update(assembly)

    def _report(self, what: str, names: list[str], files: tuple[Path, ...], started_s: float) -> None:
        took_s = time.monotonic() - started_s
        self._tell(f"{what} {', '.join(names) or 'nothing'} in {took_s:.1f} s ({_named(files)})")


def _short_name(spec: FunctionSpec) -> str:
    return spec.handler.removeprefix("functions.").partition(".")[0]


def _named(files: tuple[Path, ...]) -> str:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    return f"{files[0]}{more}"
