"""What every registry of workflows promises."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.aws.workflow_registry import DynamoWorkflowRegistry
from stepward.adapters.memory.workflow_registry import MemoryWorkflowRegistry
from stepward.domain.errors import Conflict, InvalidRequest, NotFound, StoreConflict
from stepward.domain.workflows import WorkflowDefinition
from stepward.ports.workflow_registry import RegisteredWorkflow, VersionStatus, WorkflowRegistry
from stepward.workflows.compiler.compile import Compiled, compile_workflow
from tests.contract.conftest import BUCKET
from tests.support.builders import AT, LATER


def a_workflow(version: str = "1.0.0", **changed: Any) -> WorkflowDefinition:
    tasks = [
        {"id": "first", "type": "transform", "output": "{% $input %}", "with": {"a": None}},
        {"id": "each", "type": "foreach", "needs": ["first"], "items": [1, None], "tasks": [
            {"id": "ask", "type": "human", "question": "Is it?", "timeout_s": 60},
        ]},
    ]  # fmt: skip
    return WorkflowDefinition.model_validate(
        {"id": "review", "name": "Review", "version": version, "tasks": tasks, **changed}
    )


def kept(definition: WorkflowDefinition, at: str = AT) -> tuple[RegisteredWorkflow, Compiled]:
    compiled = compile_workflow(definition, "acme")
    found = RegisteredWorkflow(
        definition=definition, created_at=at, created_by="ann", machine=compiled.program.machine, states=3
    )
    return found, compiled


def keep(registry: WorkflowRegistry, definition: WorkflowDefinition, at: str = AT) -> RegisteredWorkflow:
    found, compiled = kept(definition, at)
    return registry.keep("acme", found, compiled.program, compiled.text())


@pytest.fixture
def registry(ports: Any) -> WorkflowRegistry:
    if type(ports.journal).__name__.startswith("Memory"):
        return MemoryWorkflowRegistry()
    return DynamoWorkflowRegistry("registry", BUCKET)


def test_a_version_comes_back_as_it_was_kept(registry: WorkflowRegistry) -> None:
    definition = a_workflow()
    found, compiled = kept(definition)
    assert keep(registry, definition) == found
    assert registry.version("acme", "review", "1.0.0") == found
    assert registry.program("acme", "review", "1.0.0") == compiled.program
    assert registry.machine_text("acme", "review", "1.0.0") == compiled.text()


def test_a_version_that_is_not_there_is_not_found(registry: WorkflowRegistry) -> None:
    keep(registry, a_workflow())
    assert registry.version("acme", "review", "2.0.0") is None
    assert registry.version("acme", "other") is None
    assert registry.version("other", "review") is None
    assert registry.versions("other", "review") == []
    for read in (registry.program, registry.machine_text):
        with pytest.raises(NotFound):
            read("other", "review", "1.0.0")


def test_the_same_again_is_the_first(registry: WorkflowRegistry) -> None:
    first = keep(registry, a_workflow())
    assert keep(registry, a_workflow(), LATER) == first


def test_a_version_never_changes(registry: WorkflowRegistry) -> None:
    keep(registry, a_workflow())
    with pytest.raises(Conflict, match="exists with other content"):
        keep(registry, a_workflow(description="changed"))
    found = registry.version("acme", "review", "1.0.0")
    assert found is not None
    assert found.definition.description == ""


def test_versions_are_in_the_order_of_their_numbers(registry: WorkflowRegistry) -> None:
    for version in ("1.2.0", "1.10.0", "1.9.9"):
        keep(registry, a_workflow(version))
    assert [one.definition.version for one in registry.versions("acme", "review")] == [
        "1.10.0",
        "1.9.9",
        "1.2.0",
    ]
    newest = registry.version("acme", "review")
    assert newest is not None
    assert newest.definition.version == "1.10.0"


def test_a_version_is_marked(registry: WorkflowRegistry) -> None:
    keep(registry, a_workflow())
    registry.mark("acme", "review", "1.0.0", VersionStatus.REFUSED, "why")
    found = registry.version("acme", "review", "1.0.0")
    assert found is not None
    assert (found.status, found.detail) == (VersionStatus.REFUSED, "why")
    assert registry.list_workflows("acme", limit=5, cursor=None).workflows[0].status is VersionStatus.REFUSED
    registry.mark("acme", "review", "1.0.0", VersionStatus.READY, None)
    again = registry.version("acme", "review", "1.0.0")
    assert again is not None
    assert (again.status, again.detail or None) == (VersionStatus.READY, None)
    assert keep(registry, a_workflow()).status is VersionStatus.READY, "kept again it stands as it stood"


def test_what_is_not_there_is_not_marked(registry: WorkflowRegistry) -> None:
    with pytest.raises(StoreConflict):
        registry.mark("acme", "review", "1.0.0", VersionStatus.READY, None)
    assert registry.version("acme", "review") is None


def test_a_version_is_taken_away_and_the_workflow_with_its_last(registry: WorkflowRegistry) -> None:
    for version in ("1.0.0", "1.1.0"):
        keep(registry, a_workflow(version))
    registry.remove("acme", "review", "1.1.0")
    assert registry.list_workflows("acme", limit=5, cursor=None).workflows[0].version == "1.0.0"
    registry.remove("acme", "review", "1.0.0")
    registry.remove("acme", "review", "1.0.0")
    assert registry.list_workflows("acme", limit=5, cursor=None).workflows == []
    assert registry.version("acme", "review") is None


def test_the_number_of_a_removed_version_does_not_come_back(registry: WorkflowRegistry) -> None:
    keep(registry, a_workflow())
    registry.remove("acme", "review", "1.0.0")
    for again in (a_workflow(), a_workflow(description="changed")):
        with pytest.raises(Conflict, match="was removed"):
            keep(registry, again)
    with pytest.raises(StoreConflict):
        registry.mark("acme", "review", "1.0.0", VersionStatus.READY, None)
    assert registry.versions("acme", "review") == []
    assert registry.version("acme", "review", "1.0.0") is None
    assert keep(registry, a_workflow("1.0.1")).definition.version == "1.0.1"


def test_what_a_removed_version_was_compiled_to_stays_for_the_runs_that_were(
    registry: WorkflowRegistry,
) -> None:
    keep(registry, a_workflow())
    registry.remove("acme", "review", "1.0.0")
    assert "first" in registry.program("acme", "review", "1.0.0").tasks


def test_lists_show_each_workflow_by_its_newest_version_and_are_paged(registry: WorkflowRegistry) -> None:
    for name in ("delta", "alpha", "beta"):
        for version in ("1.0.0", "1.1.0"):
            keep(registry, a_workflow(version, id=name, tags=[version], description=name))
    first = registry.list_workflows("acme", limit=2, cursor=None)
    assert [(one.id, one.version, one.tasks, one.tags) for one in first.workflows] == [
        ("alpha", "1.1.0", 2, ["1.1.0"]), ("beta", "1.1.0", 2, ["1.1.0"])
    ]  # fmt: skip
    rest = registry.list_workflows("acme", limit=2, cursor=first.cursor)
    assert ([one.id for one in rest.workflows], rest.cursor) == (["delta"], None)
    assert registry.list_workflows("other", limit=2, cursor=None).workflows == []


def test_a_cursor_that_nobody_gave_is_refused_or_harmless(registry: WorkflowRegistry) -> None:
    keep(registry, a_workflow())
    if isinstance(registry, DynamoWorkflowRegistry):
        with pytest.raises(InvalidRequest):
            registry.list_workflows("acme", limit=2, cursor="ä")
