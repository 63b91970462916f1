"""The READMEs of the folders name what is in the folders, and nothing else."""

from __future__ import annotations

import re

import pytest

from docs.generator import maps
from docs.generator.interfaces import describes_itself
from tests.house.source_tree import ROOT, tracked


def test_maps_are_what_the_parts_say_of_themselves() -> None:
    assert maps.drifted() == [], "run `make docs` and commit what it writes"


@pytest.mark.parametrize("folder", maps.MAPS)
def test_a_map_names_every_folder_and_no_other(folder: str) -> None:
    named = re.findall(
        r"^\| \[`([\w.-]+)/`\]\(\1\) \| \S", (ROOT / folder / "README.md").read_text(), re.MULTILINE
    )
    depth = len(folder.split("/"))
    there = {
        path.relative_to(ROOT).parts[depth]
        for path in tracked(f"{folder}/*")
        if len(path.relative_to(ROOT).parts) > depth + 1
    }
    if folder == "functions":
        there = {one for one in there if not describes_itself(ROOT / folder / one)}
    assert sorted(named) == sorted(there)


def test_drift_of_a_map_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(maps.SAID_HERE, "tests/unit", "Something else.")
    assert maps.drifted() == ["tests/README.md"]
