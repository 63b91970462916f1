"""A folder with one SQLite file: a write that was acknowledged survives a kill, and a foreign folder stays untouched."""

from __future__ import annotations

import fcntl
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.local.faults import LaptopError

FILE = "stepward-data.sqlite"
_LOCK = "stepward-data.lock"
_APPLICATION_ID = 0x53574431
VERSION = 1
_OURS = {FILE, f"{FILE}-wal", f"{FILE}-shm", f"{FILE}-journal", _LOCK}


@dataclass(frozen=True)
class Unit:
    """The name of one thing that is kept: an item, an object, a message, an execution."""

    kind: str
    home: str
    """The table, bucket, queue or machine that it belongs to."""

    key: str


class DataFolderError(LaptopError):
    """A folder that cannot be used; nothing in it was changed."""


class DataFolder:
    """Units by name, written in transactions; what cannot be written is held until it can."""

    def __init__(self, folder: Path, tell: Callable[[str], None]) -> None:
        """Open the folder, or refuse it before anything in it is changed."""
        self.folder = folder
        self._tell = tell
        self._waiting: dict[Unit, bytes | None] = {}
        self._is_full = False
        self._mutex = threading.RLock()
        _refuse_foreign(folder)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = _locked(folder)
        except OSError as error:
            raise DataFolderError(f"--data {folder} cannot be used: {error.strerror}") from error
        try:
            self._database = _opened(folder)
        except BaseException:
            self._lock.close()
            raise

    def write(self, changes: Mapping[Unit, bytes | None]) -> None:
        """Keep values, or let go of those that are None; all of them or none yet."""
        with self._mutex:
            self._waiting.update(changes)
            if self._waiting and not self._is_full:
                self._flush()

    def retry(self) -> None:
        """Try to write again what waits, once there may be space."""
        with self._mutex:
            if self._waiting:
                self._flush()

    def units(self, kind: str) -> Iterator[tuple[Unit, bytes]]:
        """Read everything of one kind."""
        with self._mutex:
            rows = self._database.execute(
                "SELECT home, key, value FROM unit WHERE kind = ?", (kind,)
            ).fetchall()
        for home, key, value in rows:
            yield Unit(kind, home, key), value

    def close(self) -> bool:
        """Write the last and let the folder go; say whether everything is in it."""
        with self._mutex:
            self.retry()
            self._database.close()
            self._lock.close()
            return not self._waiting

    def limit_pages(self, pages: int) -> None:
        """Let the file grow no further than this: a way to meet a full disk without filling one."""
        with self._mutex:
            self._database.execute(f"PRAGMA max_page_count = {int(pages)}")

    def _flush(self) -> None:
        try:
            with self._database:
                self._database.execute("BEGIN")
                self._database.executemany(_PUT, _rows(self._waiting.items()))
                gone = [
                    (unit.kind, unit.home, unit.key) for unit, value in self._waiting.items() if value is None
                ]
                self._database.executemany(_DELETE, gone)
        except sqlite3.Error as error:
            if not self._is_full:
                self._tell(
                    f"! nothing more can be kept in {self.folder}: {error}. The laptop goes on; what is written "
                    "from now on is kept as soon as it can be."
                )
            self._is_full = True
            return
        self._waiting.clear()
        if self._is_full:
            self._tell(f"Everything is kept in {self.folder} again.")
        self._is_full = False


_PUT = "INSERT INTO unit (kind, home, key, value) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value"
_DELETE = "DELETE FROM unit WHERE kind = ? AND home = ? AND key = ?"
_TABLE = (
    "CREATE TABLE IF NOT EXISTS unit (kind TEXT, home TEXT, key TEXT, value BLOB, PRIMARY KEY (kind, home, key)) "
    "WITHOUT ROWID"
)


def _rows(changes: Iterable[tuple[Unit, bytes | None]]) -> Iterator[tuple[str, str, str, bytes]]:
    for unit, value in changes:
        if value is not None:
            yield unit.kind, unit.home, unit.key, value


def _refuse_foreign(folder: Path) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataFolderError(f"--data {folder} is a file; name a folder.")
    found = {path.name for path in folder.iterdir()}
    if foreign := sorted(found - _OURS):
        raise DataFolderError(
            f"--data {folder} holds {foreign[0]!r}, which is no data of the laptop's. Name a folder that is empty, "
            "that does not exist, or that the laptop has made."
        )


def _locked(folder: Path) -> IO[str]:
    file = (folder / _LOCK).open("a+", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise DataFolderError(f"--data {folder} is in use by another laptop.") from None
    return file


def _opened(folder: Path) -> sqlite3.Connection:
    path = folder / FILE
    is_new = not path.exists()
    try:
        if not is_new:
            _examine(path)
        database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        path.chmod(0o600)
        if is_new:
            database.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
            database.execute(f"PRAGMA user_version = {VERSION}")
        # A kill of the process loses nothing then; a power cut may lose the newest writes, but never the file.
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(_TABLE)
    except sqlite3.Error as error:
        raise DataFolderError(
            f"{path} is damaged and was left as it is: {error}. Move the folder away, or name another with --data."
        ) from error
    return database


def _examine(path: Path) -> None:
    """Look into a file that exists, without the right to write."""
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        marks = [
            database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        ]
        if marks[0] != _APPLICATION_ID:
            raise DataFolderError(
                f"{path} was not made by the laptop; it was left as it is. Name another folder."
            )
        if marks[1] != VERSION:
            raise DataFolderError(
                f"{path} has version {marks[1]}, this laptop reads version {VERSION}; it was left as it is. "
                "Use the release that wrote it, or name another folder."
            )
        if (fault := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(fault.splitlines()[-1])
    finally:
        database.close()
