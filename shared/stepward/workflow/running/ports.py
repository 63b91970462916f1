"""What workflows' runs stand on: the ports that starting, carrying and settling all need, together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from stepward.agents.run_ports import SlotPorts
from stepward.domain.programs import Program
from stepward.ports.clock import Clock, Ids
from stepward.ports.task_store import TaskStore
from stepward.ports.tokens import Tokens
from stepward.ports.workflow_runs import WorkflowMachines, WorkflowRuns
from stepward.ports.workflow_slots import WorkflowSlots


@dataclass(frozen=True)
class WorkflowPorts:
    """The ports of workflows' runs; `program` is by tenant, workflow and version, and remembered."""

    store: TaskStore
    runs: WorkflowRuns
    machines: WorkflowMachines
    tokens: Tokens
    slots: WorkflowSlots
    queue: SlotPorts
    program: Callable[[str, str, str], Program]
    clock: Clock
    ids: Ids
