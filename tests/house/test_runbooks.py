"""The operator's commands on the pages are commands that exist, with options that they take and names that a stage has."""

from __future__ import annotations

import importlib
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import pytest
from botocore import xform_name
from botocore.session import Session

from infra.names import Names
from infra.tables import TABLES
from tests.house.source_tree import tracked
from tests.support.docs_pages import written

BLOCK: Final = re.compile(r"^```(?:sh)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OF_THE_TOOL: Final = {"cli-binary-format", "region", "profile", "query", "output"}
LINES: Final = sorted(
    {
        (page, line)
        for page, text in written().items()
        for block in BLOCK.findall(text)
        for line in block.splitlines()
    }
)


def _beginning(*words: str) -> list[Any]:
    """Find the lines that call a program, after variables that are set for it alone."""
    begins = re.compile(rf"^(?:[A-Z_]+=\S+ )*(?:{'|'.join(map(re.escape, words))})")
    return [pytest.param(line, id=f"{page}: {line[:60]}") for page, line in LINES if begins.match(line)]


def _options(line: str) -> Iterator[tuple[str, str]]:
    for word, value in pairwise([*shlex.split(line, comments=True), ""]):
        if word.startswith("--"):
            yield word.removeprefix("--"), value


@pytest.mark.parametrize("line", _beginning("aws "))
def test_commands_of_aws_exist_with_their_options(line: str) -> None:
    service, operation = shlex.split(line)[1:3]
    if service == "s3":
        assert operation in ("cp", "ls", "sync", "rm")
        return
    model = Session().get_service_model(service)
    known = {xform_name(name, "-"): name for name in model.operation_names}
    if operation == "wait":
        assert xform_name(shlex.split(line)[3], "-") in {"table-exists", "table-not-exists"}
        return
    assert operation in known
    shape = model.operation_model(known[operation]).input_shape
    members = {} if shape is None else {xform_name(name, "-"): one for name, one in shape.members.items()}
    flags = {f"no-{name}" for name, one in members.items() if one.type_name == "boolean"}
    unknown = {name for name, _ in _options(line)} - members.keys() - flags - OF_THE_TOOL
    assert unknown == set()
    required = set() if shape is None else {xform_name(one, "-") for one in shape.required_members}
    assert required <= {name for name, _ in _options(line)}


@pytest.mark.parametrize("line", _beginning("python -m stepward.runtime."))
def test_commands_of_the_operator_exist_with_their_options(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = shlex.split(line.partition(" < ")[0], comments=True)
    module = words[words.index("-m") + 1]
    with pytest.raises(SystemExit) as ended:
        importlib.import_module(module).main(["--help"])
    assert ended.value.code == 0
    offered = set(re.findall(r"--([a-z][a-z0-9-]*)", capsys.readouterr().out))
    assert {name for name, _ in _options(line)} <= offered


def test_names_of_resources_are_those_of_a_stage() -> None:
    names = Names("prod")
    functions = [path.parent.name for path in tracked("functions/*/function.toml")]
    there = {
        *(names.function(one) for one in functions),
        *(names.failures(one) for one in functions),
        *(f"{names.queue(one)}-dead" for one in functions),
        *(names.rule(one, "clock") for one in functions),
        *(names.of(table) for table in TABLES),
        *(f"{names.of(table)}-restored" for table in TABLES),
        names.of("agent-run"),
        names.of("api"),
        names.of("data"),
    }
    named = {name for _, line in LINES for name in re.findall(r"\bstepward-prod-[a-z-]+", line)}
    named |= {name for text in written().values() for name in re.findall(r"`(stepward-prod-[a-z-]+)`", text)}
    assert len(named) > 8
    assert named - there == set()
