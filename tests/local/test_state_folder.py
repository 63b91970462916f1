"""A data folder loses nothing that was acknowledged, and is never written when it cannot be trusted."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from infra.local.state.folder import FILE, DataFolder, DataFolderError, Unit
from infra.local.state.scans import dump, load

ITEM = Unit("item", "table", "1")


def opened(folder: Path, told: list[str] | None = None) -> DataFolder:
    return DataFolder(folder, ([] if told is None else told).append)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.suffix != ".lock"}


def test_what_was_written_is_there_without_a_close(tmp_path: Path) -> None:
    first = opened(tmp_path / "data")
    first.write({ITEM: b"one", Unit("item", "table", "2"): b"two"})
    first.write({ITEM: b"changed", Unit("item", "table", "2"): None})
    found = sqlite3.connect(tmp_path / "data" / FILE)
    assert found.execute("SELECT key, value FROM unit").fetchall() == [("1", b"changed")]
    found.close()
    first.close()
    second = opened(tmp_path / "data")
    assert dict(second.units("item")) == {ITEM: b"changed"}
    second.close()


def foreign(folder: Path) -> None:
    (folder / "thesis.docx").write_text("important")


def other_database(folder: Path) -> None:
    with sqlite3.connect(folder / FILE) as database:
        database.execute("CREATE TABLE mine (x)")
    database.close()


def newer(folder: Path) -> None:
    opened(folder).close()
    with sqlite3.connect(folder / FILE) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def no_database(folder: Path) -> None:
    (folder / FILE).write_bytes(b"nothing of the sort" * 300)


def torn(folder: Path) -> None:
    made = opened(folder)
    made.write({Unit("item", "table", str(number)): b"x" * 2000 for number in range(200)})
    made.close()
    whole = (folder / FILE).read_bytes()
    (folder / FILE).write_bytes(whole[:8192] + b"\xff" * 65536 + whole[8192 + 65536 :])


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (foreign, "thesis.docx"),
        (other_database, "was not made by the laptop"),
        (newer, "has version 99"),
        (no_database, "is damaged and was left as it is"),
        (torn, "is damaged and was left as it is"),
    ],
)
def test_what_cannot_be_trusted_is_refused_and_left(
    tmp_path: Path, spoil: Callable[[Path], None], told: str
) -> None:
    spoil(tmp_path)
    before = contents(tmp_path)
    with pytest.raises(DataFolderError, match=told):
        opened(tmp_path)
    # SQLite lays an empty log beside a file that it looks into.
    assert {name: text for name, text in contents(tmp_path).items() if name in before} == before


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("mine")
    with pytest.raises(DataFolderError, match="is a file"):
        opened(tmp_path / "data")


def test_two_laptops_do_not_share_a_folder(tmp_path: Path) -> None:
    first = opened(tmp_path)
    with pytest.raises(DataFolderError, match="in use by another laptop"):
        opened(tmp_path)
    first.close()
    opened(tmp_path).close()


def test_a_full_disk_is_told_once_and_nothing_is_lost_when_there_is_room_again(tmp_path: Path) -> None:
    told: list[str] = []
    folder = opened(tmp_path, told)
    folder.limit_pages(8)
    for number in range(20):
        folder.write({Unit("item", "table", str(number)): b"x" * 5000})
    folder.write({ITEM: b"the newest"})
    assert len(told) == 1
    assert "nothing more can be kept" in told[0]
    folder.retry()
    assert len(told) == 1
    folder.limit_pages(100_000)
    folder.retry()
    assert "again" in told[1]
    kept = dict(folder.units("item"))
    assert len(kept) == 20
    assert kept[ITEM] == b"the newest"
    assert folder.close()


def test_bytes_and_texts_come_back_as_they_were() -> None:
    value = {"B": b"\x00\xff", "S": "ü\ud800", "L": [{"BS": [b"a"]}], "N": "1.50"}
    assert load(dump(value)) == value
