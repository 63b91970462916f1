"""The port to workflows' state machines in tests, over the engine that carries them in virtual time."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from stepward.domain.chunks import Chunk
from stepward.domain.errors import MachineMissing
from stepward.domain.run_origins import Compensation
from stepward.domain.task_records import WorkflowHead

if TYPE_CHECKING:
    from tests.support.workflow_world import WorkflowWorld


class EngineMachines:
    """The port to state machines, over the engine; `lost` says which sends never arrive."""

    def __init__(self, world: WorkflowWorld) -> None:
        self._world = world
        self.sent: list[tuple[str, str | None]] = []
        self.lost: Callable[[str], bool] = lambda token: False
        self.missing: set[str] = set()
        self.ordered: list[tuple[str, str, str]] = []

    def start(
        self, head: WorkflowHead, chunk: Chunk | None = None, *, undoing: Compensation | None = None
    ) -> None:
        if head.machine in self.missing:
            self.request_publish(head.tenant, head.workflow, head.version)
            raise MachineMissing(f"the machine of {head.workflow} {head.version} is gone")
        text = self._world.registry.machine_text(head.tenant, head.workflow, head.version)
        named = head.model_dump(include={"tenant", "run", "workflow", "version"})
        given = {"v": 1, **named, "pk": f"T#{head.tenant}#R#{head.run}"}
        if chunk:
            given["chunk"] = chunk.model_dump()
        if undoing:
            given["undo"] = undoing.model_dump()
        part = chunk or undoing
        self._world.engine.start(json.loads(text), _execution(head, part and part.name), given)

    def is_made(self, machine: str) -> bool:
        return machine not in self.missing

    def request_publish(self, tenant: str, workflow: str, version: str) -> None:
        self.ordered.append((tenant, workflow, version))

    def make(self) -> None:
        """Do what was ordered."""
        for tenant, workflow, version in self.ordered:
            self.missing.discard(self._world.registry.program(tenant, workflow, version).machine)

    def stop(self, head: WorkflowHead, error: str, cause: str, chunk: str | None = None) -> None:
        del error, cause
        found = self._world.engine.executions.get(_execution(head, chunk))
        if found:
            found.stop()

    def execution_status(
        self, head: WorkflowHead, chunk: Chunk | None = None
    ) -> Literal["running", "over", "never began"]:
        found = self._world.engine.executions.get(_execution(head, chunk and chunk.name))
        if found is None:
            return "never began"
        return "running" if found.status == "RUNNING" else "over"

    def answer(self, token: str) -> bool:
        return not self._is_lost(token, None) and self._world.engine.answer(token)

    def refuse(self, token: str, error: str, cause: str) -> bool:
        return not self._is_lost(token, error) and self._world.engine.refuse(token, error, cause)

    def _is_lost(self, token: str, error: str | None) -> bool:
        self.sent.append((token, error))
        return self.lost(token)


def _execution(head: WorkflowHead, chunk: str | None) -> str:
    return f"{head.execution_name}.{chunk}" if chunk else head.execution_name
