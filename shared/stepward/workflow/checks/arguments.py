"""A tool's arguments are known before it is called, so a wrong one is found here and not after an hour's work."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from stepward.domain.documents.problems import Problem, meant
from stepward.domain.errors import InvalidRequest, ToolArgumentInvalid
from stepward.tasks.tool import ToolSettings
from stepward.tools.base import BoundTool
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene, Spot
from stepward.workflow.checks.sites import texts_in
from stepward.workflow.documents.faults import fix_of, what_of


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find arguments that the tool does not know, that it needs, or whose value does not fit."""
    del orders
    for spot in scene.all():
        tool = tool_of(spot)
        if tool is not None:
            yield from _faults(scene, spot, tool)


def tool_of(spot: Spot) -> BoundTool | None:
    """Give the tool that a task calls, with its configuration; None if it calls none, or none that fits."""
    if not isinstance(spot.settings, ToolSettings) or spot.is_unresolved:
        return None
    try:
        return spot.settings.bound()
    except (InvalidRequest, ValidationError):
        return None


def _faults(scene: Scene, spot: Spot, tool: BoundTool) -> Iterator[Problem]:
    given = spot.task.inputs
    computed = {name for name, value in given.items() if any("{%" in text for _, text in texts_in((), value))}
    schema = tool.schema()
    known = schema.get("properties", {})
    told = set(computed)
    for name in schema.get("required", ()):
        if name not in given:
            told.add(name)
            detail = f"the tool {spot.task.settings['tool']!r} needs the argument {name!r}"
            yield scene.problem(spot, ("with", name), "missing-argument", detail, f"add {name!r} to `with`")
    for name in given if known and not schema.get("additionalProperties") else ():
        if name not in known:
            told.add(name)
            detail = f"the tool {spot.task.settings['tool']!r} has no argument {name!r}"
            fix = meant(name, known, f"it has {', '.join(known)}")
            yield scene.problem(spot, ("with", name), "unknown-argument", detail, fix)
    yield from _values(scene, spot, tool, told)


def _values(scene: Scene, spot: Spot, tool: BoundTool, told: set[str]) -> Iterator[Problem]:
    """Hold what is written out to the tool's own types; what is computed, or was told of, is left aside."""
    try:
        tool.read_arguments(dict(spot.task.inputs))
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            place = fault["loc"]
            if (place and place[0] not in told) or not (place or told):
                _, detail = what_of(place, fault)
                yield scene.problem(spot, ("with", *place), "wrong-argument", detail, fix_of(place, fault))
    except ToolArgumentInvalid as error:
        for one in error.detail.split("; "):
            name = one.partition(":")[0].partition(".")[0].partition("[")[0]
            if name not in told and (name in spot.task.inputs or not told):
                yield scene.problem(spot, ("with", name), "wrong-argument", one, "see the tool's own schema")


def argument_schema(tool: BoundTool, name: str) -> dict[str, Any] | None:
    """Give the schema of one argument, with what it refers to."""
    schema = tool.schema()
    found = schema.get("properties", {}).get(name)
    return {**found, "$defs": schema.get("$defs", {})} if isinstance(found, dict) else None
