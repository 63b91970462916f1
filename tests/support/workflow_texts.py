"""Short workflows for tests of what is found in them; each that is well is held to the published schema too."""

from __future__ import annotations

from functools import cache
from textwrap import dedent
from typing import Any

from stepward.domain.documents.problems import Problem
from stepward.domain.documents.yaml_text import read_yaml
from stepward.workflows.checks import examine
from stepward.workflows.documents import json_schema

HEAD = "id: demo\nname: Demo\nversion: 1.0.0\n"


@cache
def schema() -> Any:
    """The published schema, ready to be asked."""
    from jsonschema import Draft202012Validator

    Draft202012Validator.check_schema(json_schema())
    return Draft202012Validator(json_schema())


def found(text: str) -> list[Problem]:
    """Give what is wrong with a document that is given without its head."""
    whole = HEAD + dedent(text)
    problems = examine(whole)[1]
    if not problems:
        assert [one.message for one in schema().iter_errors(read_yaml(whole).tree)] == []
    return problems


def told(text: str) -> list[tuple[str, str | None, str | None]]:
    """Give the same as code, task and field; every problem must have a place and a fix."""
    problems = found(text)
    assert all(one.line and one.column and one.fix and one.detail for one in problems)
    return [(one.code, one.task, one.field) for one in problems]


def only(text: str) -> Problem:
    """Give the one thing that is wrong."""
    problems = found(text)
    assert len(problems) == 1, [str(one) for one in problems]
    return problems[0]
