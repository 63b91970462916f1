"""What the page on the provider for tests says is so: its examples run, its table is whole."""

from __future__ import annotations

import doctest
import re
from inspect import isclass, isfunction
from pathlib import Path

import pytest

from stepward.testing import fake_llm
from stepward.testing.fake_llm import FAULTS
from stepward.testing.fake_llm.scripts import read_script
from tests.house.source_tree import ROOT
from tests.support.docstring_examples import examples_of, play

PAGE = (ROOT / "shared" / "docs" / "fake-provider.md").read_text()
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
IN_DOCSTRINGS = list(examples_of((fake_llm,)))


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_the_examples_run(example: str) -> None:
    exec(compile(example, "fake-provider.md", "exec"), {})


def test_the_script_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "replies.yaml"
    (text,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file.write_text(text)
    replies = read_script(file)
    assert [reply.fault.name if reply.fault else None for reply in replies] == [
        None,
        "529",
        "429",
        None,
        "cut",
        None,
    ]
    assert replies[-1].repeat


def test_every_fault_is_in_the_table() -> None:
    rows = [f"| `{name}` | {what} |" for name, what in FAULTS.items()]
    assert [row for row in rows if row not in PAGE] == []


@pytest.mark.parametrize("example", IN_DOCSTRINGS, ids=lambda one: one.name)
def test_the_examples_in_docstrings_run(example: doctest.DocTest) -> None:
    assert play(example) == ""


def test_what_is_exported_has_an_example() -> None:
    shown = {test.name.rpartition(".")[2] for test in IN_DOCSTRINGS}
    exported = [getattr(fake_llm, name) for name in fake_llm.__all__]
    documented = [
        one for one in exported if isfunction(one) or (isclass(one) and not issubclass(one, Exception))
    ]
    assert [one.__name__ for one in documented if one.__name__ not in shown] == []
