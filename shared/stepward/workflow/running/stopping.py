"""Stops the executions of a run's chunks, when nothing that they would still do is wanted."""

from __future__ import annotations

from stepward.domain.errors import RunCancelled
from stepward.domain.task_records import WorkflowHead
from stepward.ports.task_store import Looked
from stepward.workflow.running.ports import WorkflowPorts


def stop_chunks(ports: WorkflowPorts, head: WorkflowHead, looked: Looked, cause: str) -> None:
    """Stop what marks name and no outcome ended; a mark comes before its execution, so that none is missed.

    time →   state: mark ✓ ─ start ✓ ─ head? ended → stop         end: head ✓ ─ reads marks ─ stops
    """
    for task, marks in looked.begun.items():
        if task.is_chunk and task not in looked.records:
            for mark in marks:
                ports.machines.stop(head, RunCancelled.__name__, cause, mark.child)
