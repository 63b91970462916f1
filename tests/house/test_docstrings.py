"""What users import says what it takes, gives and raises."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from types import FunctionType
from typing import Any

import pytest

import stepward.sdk
import stepward.testing.fake_llm
import stepward.toolkit
from stepward.domain import errors
from stepward.sdk.flow_tasks import Foreach, Loop, Parallel
from tests.house.source_tree import tracked

LONGEST_SUMMARY_CHARS = 88
PACKAGES = (stepward.sdk, stepward.toolkit, stepward.testing.fake_llm)
PRIVATE_METHODS = {"Task": {"document", "mentioned", "need", "need_mentioned", "need_task", "reference_name"}}
"""What a `Flow` does with its tasks: no program calls these."""


def _classes() -> set[type]:
    exported = [getattr(package, name) for package in PACKAGES for name in package.__all__]
    parts = [
        inspect.get_annotations(one.fget, eval_str=True)["return"]
        for one in vars(stepward.sdk.Stepward).values()
        if isinstance(one, property)
    ]
    classes = [one for one in (*exported, *parts, Foreach, Loop, Parallel) if inspect.isclass(one)]
    return {one for one in classes if one.__module__.startswith("stepward.")}


def _functions() -> Iterator[tuple[str, Any]]:
    for package in PACKAGES:
        for name in package.__all__:
            if isinstance(one := getattr(package, name), FunctionType):
                yield name, one
    for cls in sorted(_classes(), key=lambda one: one.__name__):
        if issubclass(cls, BaseException | dict):
            continue
        hidden = PRIVATE_METHODS["Task"] if issubclass(cls, stepward.sdk.Task) else set()
        for name, method in inspect.getmembers(cls, inspect.isfunction):
            is_ours = method.__module__.startswith("stepward.")
            if is_ours and not name.startswith("_") and name not in hidden:
                yield f"{cls.__name__}.{name}", method


FUNCTIONS = dict(_functions())


RESOLVERS = {
    f"{room}.{route.func.__name__}": route.func
    for room in sorted(path.parent.name for path in tracked("functions/*/handler.py"))
    if hasattr(module := importlib.import_module(f"functions.{room}.handler"), "app")
    for route in module.app._static_routes + module.app._dynamic_routes
    if route.func.__module__.startswith("functions.")
}


@pytest.mark.parametrize("name", RESOLVERS)
def test_http_entries_say_what_they_take_answer_and_refuse_with(name: str) -> None:
    said = inspect.getdoc(RESOLVERS[name]) or ""
    _check_summary(said)
    _check_arguments(said, RESOLVERS[name])
    assert re.match(r"    (20[012]\b|Never:)", _section(said, "Returns"))
    refusals = re.findall(r"^    (\w+): \S", _section(said, "Raises"), re.MULTILINE)
    assert [one for one in refusals if not hasattr(errors, one)] == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_users_call_says_what_it_takes_and_gives(name: str) -> None:
    function = FUNCTIONS[name]
    said = inspect.getdoc(function) or ""
    _check_summary(said)
    _check_arguments(said, function)
    if inspect.signature(function).return_annotation not in (None, "None", inspect.Signature.empty):
        assert _section(said, "Returns") or _section(said, "Yields")


@pytest.mark.parametrize(
    "cls", sorted(_classes(), key=lambda one: one.__name__), ids=lambda one: one.__name__
)
def test_classes_have_a_summary_of_one_line(cls: type) -> None:
    _check_summary(inspect.getdoc(cls) or "")


def _check_summary(said: str) -> None:
    summary = said.partition("\n\n")[0]
    assert 0 < len(summary) <= LONGEST_SUMMARY_CHARS
    assert "\n" not in summary


def _check_arguments(said: str, function: Any) -> None:
    taken = [one for one in inspect.signature(function).parameters if one != "self"]
    listed = _section(said, "Args")
    assert [one for one in taken if not re.search(rf"^    {one}: \S", listed, re.MULTILINE)] == []


def _section(said: str, title: str) -> str:
    found = re.search(rf"^{title}:\n((?:    .*\n?|\n)+)", said, re.MULTILINE)
    return found[1] if found else ""
