"""What stands in two places must be the same in both."""

from __future__ import annotations

import importlib
import inspect
import json
import re
import tomllib
from typing import Any

import pytest

from stepward.domain import errors
from stepward.tools.base import Tool
from stepward.tools.catalog import CATALOG, find_tool
from tests.house.source_tree import ROOT, tracked

ROOMS = sorted(path.parent.name for path in tracked("functions/*/function.toml"))
ASL = sorted(tracked("statemachines/*.asl.json"))
OF_AWS = re.compile(r"^(States|Lambda|Sandbox|Runtime|DynamoDB|DynamoDb)\.")


def _manifest(room: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / "functions" / room / "function.toml").read_text())


@pytest.mark.parametrize("room", [room for room in ROOMS if "routes" in _manifest(room)])
def test_routes_are_those_of_the_resolver(room: str) -> None:
    app = importlib.import_module(f"functions.{room}.handler").app
    resolved = {
        f"{method} {route.path}"
        for route in app._static_routes + app._dynamic_routes
        for method in _methods(route)
    }
    declared = {
        re.sub(r"\{(\w+)\}", r"<\1>", re.sub(r"\{\w+\+\}", ".+", route))
        for route in _manifest(room)["routes"]
        if route != "$default"
    }
    assert resolved == declared


def _methods(route: Any) -> list[str]:
    return [route.method] if isinstance(route.method, str) else list(route.method)


def test_the_catalog_of_tools_is_the_folder() -> None:
    shelf = {
        "arguments",
        "base",
        "catalog",
        "egress",
        "execution",
        "large_results",
        "templates",
        "own_function",
        "__init__",
    }
    files = {path.stem for path in tracked("shared/stepward/tools/*.py")} - shelf
    assert files == set(CATALOG)
    for name in CATALOG:
        tool = find_tool(name)
        assert isinstance(tool, Tool)
        assert tool.name == name
        assert tool.schema()["type"] == "object"


def _classes() -> dict[str, type[errors.StepwardError]]:
    found = inspect.getmembers(errors, inspect.isclass)
    return {name: cls for name, cls in found if issubclass(cls, errors.StepwardError)}


def test_the_error_tree_in_the_docstring_is_the_tree() -> None:
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    assert drawn == set(_classes()) - {"StepwardError"}
    marked = set(re.findall(r"[├└]── (\w+) +r ", errors.__doc__ or ""))
    assert marked == {name for name, cls in _classes().items() if cls.retryable}


def test_every_error_says_how_it_differs() -> None:
    assert [name for name, cls in _classes().items() if not (cls.__doc__ or "").strip()] == []


def _names(node: Any, key: str) -> list[str]:
    if isinstance(node, dict):
        own = node.get(key, [])
        return [
            *(own if isinstance(own, list) else []),
            *(n for item in node.values() for n in _names(item, key)),
        ]
    return [n for item in node for n in _names(item, key)] if isinstance(node, list) else []


@pytest.mark.parametrize("path", ASL, ids=lambda path: path.name)
def test_machines_name_errors_that_exist(path: Any) -> None:
    retried = [name for name in _names(json.loads(path.read_text()), "ErrorEquals") if not OF_AWS.match(name)]
    assert retried
    assert [name for name in retried if name not in _classes()] == []
    assert [name for name in retried if not _classes()[name].retryable] == []


def _states(machine: dict[str, Any]) -> dict[str, Any]:
    found = dict(machine["States"])
    for state in machine["States"].values():
        if "ItemProcessor" in state:
            found |= _states(state["ItemProcessor"])
    return found


@pytest.mark.parametrize("path", ASL, ids=lambda path: path.name)
def test_every_state_is_commented_and_every_task_is_bounded(path: Any) -> None:
    machine = json.loads(path.read_text())
    assert machine["QueryLanguage"] == "JSONata"
    for name, state in _states(machine).items():
        assert state.get("Comment"), name
        if state["Type"] == "Task":
            assert {"TimeoutSeconds", "Retry", "Catch"} <= state.keys(), name
