"""Notice edits by asking the file system now and then: it works on every system and costs a millisecond or two."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

WATCHED = ("functions", "shared/stepward", "statemachines", "infra", "cdk.json")
_NEVER = {"__pycache__", "node_modules"}

Stamp = tuple[int, int, int]
"""Time of the last change, size, and the file's own number: an editor may put a new file in the old one's place."""


class Watch:
    """Remember how every source file looked, and tell which of them look otherwise now."""

    def __init__(self, root: Path) -> None:
        """Look once."""
        self._root = root
        self._seen = dict(self._stamps())

    def changes(self) -> set[Path]:
        """Give what was changed, added or removed since the last call, relative to the root."""
        now = dict(self._stamps())
        changed = {path for path in {*now, *self._seen} if now.get(path) != self._seen.get(path)}
        self._seen = now
        return changed

    def _stamps(self) -> Iterator[tuple[Path, Stamp]]:
        for name in WATCHED:
            start = self._root / name
            if start.is_file():
                yield from self._stamp(start)
            for folder, folders, files in os.walk(start):
                folders[:] = [one for one in folders if one not in _NEVER and not one.startswith(".")]
                for file in files:
                    if _is_source(file):
                        yield from self._stamp(Path(folder, file))

    def _stamp(self, path: Path) -> Iterator[tuple[Path, Stamp]]:
        try:
            found = path.stat()
        except OSError:
            return  # removed between the listing and the look
        yield path.relative_to(self._root), (found.st_mtime_ns, found.st_size, found.st_ino)


def _is_source(file: str) -> bool:
    # Editors write drafts beside the file that they edit.
    return not file.endswith((".pyc", "~", ".swp", ".tmp")) and not file.startswith((".", "#", "4913"))
