"""Flows for tests, and what they are held to: the same workflow in YAML."""

from __future__ import annotations

from textwrap import dedent
from typing import Any

from stepward.sdk import Flow
from stepward.workflows.checks.validate import definition_from
from stepward.workflows.documents.normalize import document_of, read


def same(made: Flow, text: str) -> None:
    """Both read to the same tree, and both pass every check to the same definition."""
    assert document_of(made.document()).tree == read(dedent(text)).tree
    assert definition_from(made.document()) == definition_from(dedent(text))


def a_flow(**options: Any) -> Flow:
    return Flow("demo", version="1.0.0", **options)
