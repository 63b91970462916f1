"""A new room is one folder that loads at once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from infra.function_configs import load_function
from infra.new_function import make_function
from infra.new_tools import make_tools

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "functions").mkdir()
    return tmp_path


def test_a_new_room_is_read_by_the_stacks(checkout: Path) -> None:
    room = load_function(make_function("order_export", checkout), ())
    assert [str(route) for route in room.routes] == ["GET /order-export"]


def linted(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Hold a checkout's functions to the project's own contract, as `make check` does."""
    linter = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (modules,) = [c["modules"] for c in linter["contracts"] if c["type"] == "independence"]
    (checkout / "contract.toml").write_text(
        '[tool.importlinter]\nroot_packages = ["functions"]\n[[tool.importlinter.contracts]]\n'
        f'name = "independent"\ntype = "independence"\nmodules = {json.dumps(modules)}\n'
    )
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--config", "contract.toml"]
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    return subprocess.run(command, check=False, cwd=checkout, env=environment, capture_output=True, text=True)


def test_a_new_room_is_held_to_independence_by_no_word_of_its_own(checkout: Path) -> None:
    before = (checkout / "pyproject.toml").stat().st_mtime_ns
    for name in ("order_export", "order_import"):
        make_function(name, checkout)
    make_tools("order_tools", checkout)
    assert linted(checkout).returncode == 0
    for borrowed in ("order_import.handler", "order_tools.count_words"):
        handler = checkout / "functions" / "order_export" / "handler.py"
        was = handler.read_text()
        handler.write_text(f"{was}\nimport functions.{borrowed}\n")
        done = linted(checkout)
        assert (done.returncode, borrowed in done.stdout) == (1, True), done.stdout + done.stderr
        handler.write_text(was)
    # A touched pyproject.toml would have everything installed anew.
    assert (checkout / "pyproject.toml").stat().st_mtime_ns == before


def test_a_new_room_serves_its_route_and_says_so(checkout: Path) -> None:
    folder = make_function("order_export", checkout)
    loaded: dict[str, Any] = {"__name__": "handler"}
    exec((folder / "handler.py").read_text(), loaded)
    assert {route.path for route in loaded["app"]._static_routes} == {"/order-export"}
    assert "| `GET /order-export` |" in (folder / "README.md").read_text()


@pytest.mark.parametrize("name", ["", "Order", "a/b", "../x", "9x", "x" * 60])
def test_a_wrong_name_is_refused(checkout: Path, name: str) -> None:
    with pytest.raises(ValueError, match="NAME="):
        make_function(name, checkout)


def test_an_existing_room_is_left_alone(checkout: Path) -> None:
    make_function("order_export", checkout)
    with pytest.raises(ValueError, match="exists already"):
        make_function("order_export", checkout)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """The project as it stands, in a repository of its own."""
    root = tmp_path / "project"
    listed = git(ROOT, "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    for file in (file for file in listed if (ROOT / file).is_file()):
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / file, root / file)
    git(root, "init", "--quiet")
    git(root, "add", "--all")
    git(
        root, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "--message=as it is"
    )
    return root


def git(root: Path, *words: str) -> str:
    done = subprocess.run(["git", *words], check=True, cwd=root, capture_output=True, text=True)
    return done.stdout


def test_a_new_function_changes_nothing_outside_its_folder_and_the_checks_still_pass(
    repository: Path,
) -> None:
    for command, name in (("infra.new_function", "order_export"), ("infra.new_tools", "order_tools")):
        made = subprocess.run([sys.executable, "-m", command, name], check=False, cwd=repository)
        assert made.returncode == 0
    git(repository, "add", "--all")
    changed = git(repository, "diff", "--cached", "--name-only").splitlines()
    inside = ("functions/order_export/", "functions/order_tools/", "tests/unit/tools/test_order_tools.py")
    assert [file for file in changed if not file.startswith(inside)] == []
    reference = "tests/house/test_docs.py::test_the_reference_is_as_the_code_would_have_it"
    rules = ["tests/house/test_maps.py", "tests/house/test_contracts.py", reference]
    checked = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *rules, "tests/unit/tools/test_order_tools.py"],
        check=False,
        cwd=repository,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stdout[-3_000:] + checked.stderr[-1_000:]
