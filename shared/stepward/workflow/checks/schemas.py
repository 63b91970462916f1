"""The schema of a run's input must be one that runs can be held to."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.documents.problems import Problem
from stepward.domain.json_schemas import fault_of_schema
from stepward.workflow.checks.order import Orders
from stepward.workflow.checks.scene import Scene


def find(scene: Scene, orders: Orders) -> Iterator[Problem]:
    """Find what in the schema cannot be checked."""
    del orders
    schema = scene.definition.input
    fault = fault_of_schema(schema) if schema is not None else None
    if fault:
        fix = "write a JSON Schema, as in {type: object, properties: {topic: {type: string}}}"
        yield scene.problem(None, "input", "wrong-schema", f"input: {fault}", fix)
