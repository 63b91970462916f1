"""Short workflows for tests of what is found in them."""

from __future__ import annotations

from textwrap import dedent

from stepward.workflow.checks import examine
from stepward.workflow.problems import Problem

HEAD = "id: demo\nname: Demo\nversion: 1.0.0\n"


def found(text: str) -> list[Problem]:
    """Give what is wrong with a document that is given without its head."""
    return examine(HEAD + dedent(text))[1]


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
