"""Rules of the house that no linter knows."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

from tests.house.figures import private_names
from tests.house.source_tree import ROOT, name, product_files, tracked, tree_of

MAY_CATCH_ANYTHING = {
    "shared/stepward/expressions/evaluate.py",
    "shared/stepward/runtime/entry.py",
    "shared/stepward/tools/execution.py",
    "shared/stepward/testing/schedules/actors.py",
}
VAGUE = {"utils", "helpers", "manager", "common", "misc", "util", "helper"}
SPEAKS_OF_ITSELF = [
    "/wo" + "rk/", r"\.\." + "/shared", "bash" + "_jobs", "py" + "pi.org", "python" + "hosted", "registry.npm" + "js", "127.0.0.1:8118",
]  # fmt: skip
STUBS = re.compile(r"\b(TODO|FIXME|XXX|placeholder|for now|simplified|in a real)\b|NotImplementedError")


def test_the_top_level_has_five_folders() -> None:
    folders = {path.relative_to(ROOT).parts[0] for path in tracked() if len(path.relative_to(ROOT).parts) > 1}
    assert {f for f in folders if not f.startswith(".")} == {
        "functions",
        "infra",
        "shared",
        "statemachines",
        "tests",
    }


def test_nothing_is_named_vaguely() -> None:
    parts = {part for path in product_files() for part in (*path.relative_to(ROOT).parts[:-1], path.stem)}
    assert parts & VAGUE == set()


def test_no_dropped_word_names_anything() -> None:
    """A file, class or function takes the field's word: `PRIVATE_WORDS` in `tests/house/figures.py` has the dropped ones."""
    assert private_names() == []


def _broad(node: ast.AST) -> bool:
    if not isinstance(node, ast.ExceptHandler):
        return False
    caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
    return any(
        c is None or (isinstance(c, ast.Name) and c.id in ("Exception", "BaseException")) for c in caught
    )


def test_only_the_borders_catch_anything() -> None:
    """The laptop's process borders are held to a stated reason by the linter's BLE001 instead."""
    broad = {name(path) for path in product_files() for node in ast.walk(tree_of(path)) if _broad(node)}
    assert {path for path in broad if not path.startswith("infra/local/")} == MAY_CATCH_ANYTHING


@pytest.mark.parametrize("word", SPEAKS_OF_ITSELF)
def test_the_project_speaks_of_itself_only(word: str) -> None:
    texts = [path for path in tracked() if path.suffix not in {".png", ".csv"} and path != Path(__file__)]
    assert [name(path) for path in texts if re.search(word, path.read_text(errors="ignore"))] == []


def test_there_are_no_stubs() -> None:
    found = [name(path) for path in product_files() if STUBS.search(path.read_text())]
    assert found == []


def test_boto3_has_two_homes() -> None:
    homes = {
        name(path)
        for path in product_files()
        if re.search(r"^\s*(import|from) (boto3|botocore|moto)\b", path.read_text(), re.MULTILINE)
    }
    strangers = {
        path for path in homes if not path.startswith(("shared/stepward/adapters/aws/", "infra/local/"))
    }
    assert strangers == set()


def test_every_room_is_under_the_independence_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    listed = next(c["modules"] for c in contracts if c["type"] == "independence")
    assert listed == ["functions.*"]


def test_the_environment_is_read_in_one_place() -> None:
    readers = {
        name(path) for path in product_files() if re.search(r"os\.environ|os\.getenv", path.read_text())
    }
    allowed = ("infra/", "shared/stepward/cli/", "shared/stepward/runtime/config.py")
    assert {path for path in readers if not path.startswith(allowed)} == set()
