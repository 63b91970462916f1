"""A new room is one folder that loads at once."""

from __future__ import annotations

import shutil
import tomllib
from pathlib import Path

import pytest

from infra.new_function import make_room
from infra.rooms import load_room

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "functions").mkdir()
    return tmp_path


def test_a_new_room_is_read_by_the_stacks(checkout: Path) -> None:
    room = load_room(make_room("order_export", checkout), ())
    assert [str(route) for route in room.routes] == ["GET /order-export"]


def test_a_new_room_is_held_to_independence(checkout: Path) -> None:
    make_room("order_export", checkout)
    linter = tomllib.loads((checkout / "pyproject.toml").read_text())["tool"]["importlinter"]
    modules = next(c["modules"] for c in linter["contracts"] if c["type"] == "independence")
    assert "functions.order_export" in modules


def test_a_new_rooms_handler_is_python(checkout: Path) -> None:
    compile((make_room("order_export", checkout) / "handler.py").read_text(), "handler.py", "exec")


@pytest.mark.parametrize("name", ["", "Order", "a/b", "../x", "9x", "x" * 60])
def test_a_wrong_name_is_refused(checkout: Path, name: str) -> None:
    with pytest.raises(ValueError, match="NAME="):
        make_room(name, checkout)


def test_an_existing_room_is_left_alone(checkout: Path) -> None:
    make_room("order_export", checkout)
    with pytest.raises(ValueError, match="exists already"):
        make_room("order_export", checkout)
