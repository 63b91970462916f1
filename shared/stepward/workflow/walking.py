"""Gives all tasks of a workflow, wherever they stand: what is looked for in one is looked for in each."""

from __future__ import annotations

from collections.abc import Iterator

from stepward.domain.workflows import TaskDefinition


def walk(tasks: tuple[TaskDefinition, ...], container: str = "") -> Iterator[tuple[str, TaskDefinition]]:
    """Give all tasks with their paths, those of groups and bodies and those that undo others too."""
    pending = [(container, task) for task in reversed(tasks)]
    while pending:
        outer, task = pending.pop()
        path = f"{outer}.{task.id}" if outer else task.id
        yield path, task
        if task.compensate:
            yield f"{path}.compensate", task.compensate
        pending += [(path, inner) for inner in reversed(task.tasks)]
