"""Functions of somebody's own in workflows: as they were published when the version was registered."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.registry import MemoryRegistry
from stepward.adapters.memory.small_ports import StillClock
from stepward.adapters.memory.workflow_registry import MemoryWorkflowRegistry
from stepward.domain.documents.problems import Refused
from stepward.domain.tools import Effect, PublishedTool, ToolFolder
from stepward.workflows.services.register import RegisterWorkflow
from tests.support.workflow_world import ACME

REFUND = {"id": "refund", "type": "tool", "tool": "orders.refund", "with": {"order": "SO-1"}}


class Desk:
    """Where workflows are registered; what the folder `orders` offers may change."""

    def __init__(self) -> None:
        self.registry = MemoryWorkflowRegistry()
        self.publish(effect="once")
        self.register_case = RegisterWorkflow(
            self.registry, MemoryRegistry(), StillClock(), lambda *_: None, (), self.room
        )

    def publish(self, **said: Any) -> None:
        schema = {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}
        body = {
            "function": "refund",
            "description": "Pays back.",
            "parameters": schema,
            "timeout_s": 5,
            **said,
        }
        tool = PublishedTool.model_validate(body)
        self.offered = ToolFolder(room="orders", published_at="2026-01-01T00:00:00.000Z", tools=(tool,))

    def room(self, name: str) -> ToolFolder | None:
        return self.offered if name == "orders" else None

    def register(self, *tasks: dict[str, Any], **said: Any) -> tuple[Any, bool]:
        body = {"id": "flow", "name": "Flow", "version": "1.0.0", "tasks": list(tasks), **said}
        return self.register_case(ACME, body, "auto")

    def refused(self, *tasks: dict[str, Any], **said: Any) -> list[tuple[str, str | None]]:
        with pytest.raises(Refused) as caught:
            self.register(*tasks, **said)
        assert all(one.fix for one in caught.value.problems)
        assert self.registry.version("acme", "flow") is None
        return [(one.code, one.task) for one in caught.value.problems]


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_version_keeps_a_function_as_it_was_published(desk: Desk) -> None:
    undone = {"id": "pack", "type": "transform", "output": 1, "compensate": {**REFUND, "id": "back"}}
    group = {"id": "both", "type": "parallel", "tasks": [REFUND, undone]}
    kept, is_new = desk.register(group)
    (both,) = kept.definition.tasks
    settings = [both.tasks[0].settings, both.tasks[1].compensate.settings]
    assert [one["config"]["effect"] for one in settings] == [Effect.ONCE, Effect.ONCE]
    assert settings[0]["config"]["room"] == "orders"
    desk.publish(effect="none")
    again, is_new = desk.register(group)
    assert (again, is_new) == (kept, False)
    shown = kept.definition.model_dump(mode="json", by_alias=True)
    assert desk.register_case(ACME, shown, "auto") == (kept, False)


def test_a_function_that_nobody_publishes_is_a_problem(desk: Desk) -> None:
    near = {**REFUND, "id": "near", "tool": "orders.refunds"}
    forged = {**REFUND, "id": "forged", "tool": "shop.refund"}
    forged["config"] = {"room": "shop", **desk.offered.tools[0].model_dump(mode="json")}
    assert desk.refused(near, forged) == [("unknown-tool", "near"), ("unknown-tool", "forged")]
    with pytest.raises(Refused) as caught:
        desk.register(near)
    assert "orders.refund'" in caught.value.problems[0].fix


def test_arguments_and_effects_are_checked(desk: Desk) -> None:
    assert ("missing-argument", "refund") in desk.refused({**REFUND, "with": {}})
    assert ("unknown-argument", "refund") in desk.refused({**REFUND, "with": {"order": "x", "colour": 7}})
    retried = {**REFUND, "retry": {"strategy": "immediate", "max_attempts": 3}}
    assert desk.refused(retried) == [("once-retried", "refund")]
    desk.publish(effect="idempotent")
    assert desk.register(retried)[1] is True


def test_settings_of_ones_own_are_refused(desk: Desk) -> None:
    assert {task for _, task in desk.refused({**REFUND, "config": {"speed": 1}})} == {"refund"}
