"""Modules that have moved are still imported by the names of earlier releases."""

from __future__ import annotations

from importlib import import_module

import pytest


@pytest.mark.parametrize(
    ("old", "name", "new"),
    [
        ("stepward.sdk.models", "Model", "stepward.sdk.catalog"),
        ("stepward.sdk.models", "ModelClient", "stepward.sdk.catalog"),
        ("stepward.sdk.tools", "Tool", "stepward.sdk.catalog"),
        ("stepward.sdk.outputs", "output_of", "stepward.sdk.runs"),
        ("stepward.testing.fake_llm.script_files", "Unreadable", "stepward.testing.fake_llm.scripts"),
        ("stepward.testing.fake_llm.sources", "Script", "stepward.testing.fake_llm.scripts"),
    ],
)
def test_an_old_name_gives_the_same_as_the_new_one(old: str, name: str, new: str) -> None:
    package, _, module = old.rpartition(".")
    assert getattr(import_module(old), name) is getattr(import_module(new), name)
    assert getattr(import_module(package), module) is import_module(new)
