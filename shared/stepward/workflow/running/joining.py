"""Makes the await of a join whose machine has no bytes to make it itself; who is awaited then frees it as any other."""

from __future__ import annotations

from typing import Any

from stepward.domain.errors import Bug
from stepward.domain.programs import Awaited, Program
from stepward.ports.task_store import LatchKey
from stepward.workflow.running.ports import WorkflowPorts
from stepward.workflow.running.requests import TaskRequest


def wait_for_all(ports: WorkflowPorts, program: Program, request: TaskRequest) -> dict[str, Any]:
    """Leave the state's token where the last of those who are awaited finds it; go on at once if all are done.

    time →   we: token ✓ ─ ✗ die                the state asks again: its new token ✓ ─ a record ✓ frees that one
             all records ✓ ─ we: no token ─ ✗ die   the state asks again: no token ─ it goes on
    """
    latch, awaited = _awaited(program, request.join)
    assert request.token is not None
    place = LatchKey(latch, request.at)
    if not ports.store.park(request.run.key, place, awaited.join, request.token, awaited.needs):
        ports.machines.answer(request.token)
    return {}


def _awaited(program: Program, join: str) -> tuple[str, Awaited]:
    for latch, waiting in program.latches.items():
        for one in waiting:
            if one.join == join:
                return latch, one
    raise Bug(f"no task of {program.machine} is awaited by {join!r}")
