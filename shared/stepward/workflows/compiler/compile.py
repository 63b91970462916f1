"""Compile a checked document into a state machine and its program."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from stepward.domain.programs import Awaited, PlannedTask, Program
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.expressions.evaluate import names_in
from stepward.tasks.catalog import type_of
from stepward.tasks.facts import Step
from stepward.workflows.compiler.chunks import chunks_of
from stepward.workflows.compiler.machine import MachineWriter
from stepward.workflows.compiler.machine_size import SizeFault, fitted, owned_states, size_fault, text_of
from stepward.workflows.program.scopes import Node, Scopes, scopes_of


@dataclass(frozen=True)
class Compiled:
    """A compiled version: its program and its state machine."""

    program: Program
    machine: dict[str, Any]

    @property
    def fault(self) -> SizeFault | None:
        """Why Step Functions would refuse the machine; None if it would not."""
        return size_fault(self.machine)

    def text(self, *, indent: int | None = None) -> str:
        """Return the machine's definition; the same document gives the same bytes."""
        return text_of(self.machine, indent=indent)


def compile_workflow(definition: WorkflowDefinition, tenant: str = "") -> Compiled:
    """Compile a definition.

    The tenant is part of the machine's name, because no two tenants share one.
    """
    scopes = scopes_of(definition.tasks, depth=1 if definition.is_state_machine else 0)
    compiled = _compiled(definition, tenant, scopes, {})
    if not any(Step.ITEMS in type_of(node.task).steps for node in scopes.nodes.values()):
        return compiled
    chunks = chunks_of(compiled.program, compiled.machine)
    return _compiled(definition, tenant, scopes, chunks) if chunks else compiled


def _compiled(
    definition: WorkflowDefinition, tenant: str, scopes: Scopes, chunks: dict[str, int]
) -> Compiled:
    writer = MachineWriter(definition, scopes, chunks=frozenset(chunks))
    machine = fitted(writer.machine(), writer.needs_of_joins())
    text = text_of(machine)
    said = f"{tenant}\n{definition.id}\n{definition.version}\n{definition.model_dump_json()}\n{text}"
    digest = hashlib.sha256(said.encode()).hexdigest()[:20]
    program = _counted(_program(definition, scopes, writer, digest), machine)
    return Compiled(program.model_copy(update={"chunks": chunks}) if chunks else program, machine)


def _program(definition: WorkflowDefinition, scopes: Scopes, writer: MachineWriter, digest: str) -> Program:
    tasks: dict[str, PlannedTask] = {}
    latches: dict[str, tuple[Awaited, ...]] = {}
    for scope in scopes.scopes.values():
        held = writer.latches[scope.path]
        latches |= {latch: tuple(waiting) for latch, waiting in held.awaits.items()}
        for index, node in enumerate(scope.nodes):
            tasks[node.path] = PlannedTask(
                path=node.path,
                depth=node.depth,
                task=node.task.model_copy(update={"tasks": ()}),
                needs=tuple(node.needs),
                gates=tuple(node.gates),
                whens=tuple(node.whens),
                reads=_reads(scopes, node.container, _before(node), partial(_ended_before, scopes, node)),
                inner_reads=_reads(
                    scopes, node.path, _after(node.task), partial(_ended_within, scopes, node)
                ),
                way_reads=_reads(
                    scopes, node.container, [way.when for way in node.task.next], _every(scopes)
                ),
                latch=held.of_task[index],
                is_shared=index in held.shared,
                marks=tuple(held.marks[index]),
            )
    return Program(
        definition=definition,
        tasks=tasks,
        groups=scopes.groups,
        bodies=_bodies(scopes),
        latches=latches,
        output_reads=_reads(scopes, "", definition.output, _every(scopes)),
        machine=digest,
        retries_timeouts=True,
    )


def _counted(program: Program, machine: dict[str, Any]) -> Program:
    """Add to each task how many states a run enters for it.

    The function that ends the run does not read the machine.
    """
    counted = owned_states(machine, program.tasks)
    tasks = {path: planned.model_copy(update=counted[path]) for path, planned in program.tasks.items()}
    return program.model_copy(update={"tasks": tasks})


def _before(node: Node) -> list[Any]:
    """Return the values that are evaluated before a task runs."""
    kind = type_of(node.task)
    own = [node.task.settings.get(name) for name in kind.expressions if name not in kind.later]
    compensate = node.task.compensate
    undo = [compensate.inputs, *compensate.settings.values()] if compensate else []
    return [node.task.inputs, node.task.fallback and node.task.fallback.output, *node.whens, *own, *undo]


def _after(task: TaskDefinition) -> list[Any]:
    """Return the values that are evaluated after an iteration of a body."""
    return [task.settings.get(name) for name in type_of(task).later]


def _reads(scopes: Scopes, container: str, values: Any, ended: Callable[[], set[str]]) -> dict[str, str]:
    """Resolve the names in some expressions to tasks and groups.

    An expression that uses `$tasks` as a whole reads all that have ended.
    """
    names = names_in(values)
    if names is not None:
        found = {name: scopes.resolve(container, name) for name in sorted(names)}
        return {name: path for name, path in found.items() if path is not None}
    over = ended()
    paths = over | {path for path in scopes.groups if over.issuperset(scopes.members(path))}
    seen = {path.rpartition(".")[2]: path for path in sorted(paths)}
    return {name: path for name, path in seen.items() if scopes.resolve(container, name) == path}


def _every(scopes: Scopes) -> Callable[[], set[str]]:
    """Return a function that returns all tasks outside of bodies."""
    return lambda: {node.path for node in scopes.scopes[""].nodes}


def _ended_before(scopes: Scopes, node: Node) -> set[str]:
    """Return the tasks that have always ended when this one begins, bodies' needs included."""
    found: set[str] = set()
    ahead = list(node.needs)
    while ahead:
        path = ahead.pop()
        if path not in found:
            found.add(path)
            ahead += scopes.nodes[path].needs
    body = scopes.body_of(node)
    return found | _ended_before(scopes, body) if body else found


def _ended_within(scopes: Scopes, node: Node) -> set[str]:
    """Return the tasks that have ended after an iteration of a body, its own included."""
    if node.path not in scopes.scopes:
        return set()
    return _ended_before(scopes, node) | {inner.path for inner in scopes.scopes[node.path].nodes}


def _bodies(scopes: Scopes) -> dict[str, tuple[str, ...]]:
    """Return the last tasks of each body."""
    found = {}
    for path, scope in scopes.scopes.items():
        needed = {need for node in scope.nodes for need in node.needs}
        last = tuple(node.path for node in scope.nodes if node.path not in needed)
        if path == "" or type_of(scopes.nodes[path].task).repeats:
            found[path] = last
    return found
