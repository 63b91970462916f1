"""Prove that a person approves before anything that may happen only once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from stepward.domain.programs import PlannedTask
from stepward.domain.tools import Effect
from stepward.domain.workflows import TaskDefinition
from stepward.expressions.evaluate import names_in
from stepward.tasks.catalog import asks_person, settings_of, type_of
from stepward.workflows.program.tasks import body_of, effect_of
from stepward.workflows.proofs.proof import Proof, Subject, trail

ONCE_APPROVED: Final = "once-approved"


def prove_approvals(subject: Subject) -> Proof:
    """Find the first task of effect `once` that a run may reach without an approval."""
    required, guards = subject.definition.policy.approve_once, _Guards(subject)
    once = [path for path, planned in subject.program.tasks.items() if _acts_once(planned.task)]
    for path in once:
        undoes = effect_of(subject.program.tasks[path].task) is not Effect.ONCE
        if not (guards.is_guarded(path) or (undoes and guards.is_approval(path))):
            way = guards.unguarded_path_to(path)
            words = f"{path!r} happens once at most, and a run may come to it without a person's yes"
            return Proof(
                name=ONCE_APPROVED, holds=False, is_required=required, counter_example=way, words=words
            )
    words = (
        f"each of the {len(once)} tasks of effect `once` runs only after a person has said yes; "
        "what agents and other workflows do by themselves is theirs to prove"
    )
    return Proof(name=ONCE_APPROVED, holds=True, is_required=required, words=words)


def _acts_once(task: TaskDefinition) -> bool:
    compensation = task.compensate
    return effect_of(task) is Effect.ONCE or (
        compensation is not None and effect_of(compensation) is Effect.ONCE
    )


@dataclass
class _Guards:
    subject: Subject
    _known: dict[str, bool] = field(default_factory=dict)

    @property
    def _tasks(self) -> dict[str, PlannedTask]:
        return self.subject.program.tasks

    def is_guarded(self, path: str) -> bool:
        """Return whether a task runs only after an approval.

        Its predecessors are decided first, with a stack, for chains may be long.
        """
        ahead = [path]
        while ahead:
            task = ahead[-1]
            before = [one for one in self._before(task) if one not in self._known]
            if before and task not in self._known:
                ahead.extend(before)
            else:
                self._known.setdefault(task, self._decide(task))
                ahead.pop()
        return self._known[path]

    def is_approval(self, path: str) -> bool:
        """Return whether a task completes only if a person approves, without a fallback."""
        task = self._tasks[path].task
        return (
            asks_person(task) and task.fallback is None and type_of(task).requires_approval(settings_of(task))
        )

    def unguarded_path_to(self, path: str) -> tuple[str, ...]:
        """Return a path to a task without an approval."""
        if self._is_on_machine(path):
            return self._unguarded_machine_path(path) or (path,)
        way = [path]
        while True:
            needs = [
                need for need in self._tasks[way[-1]].needs if not self._guarantees_approval(way[-1], need)
            ]
            outer = body_of(self.subject.program, way[-1])
            if not needs and not outer:
                return tuple(reversed(way))
            way.append(needs[0] if needs else outer)
            if self._is_on_machine(way[-1]):
                return (*self._unguarded_machine_path(way[-1])[:-1], *reversed(way))

    def _before(self, path: str) -> list[str]:
        outer = body_of(self.subject.program, path)
        return [*self._tasks[path].needs, *([outer] if outer else [])]

    def _decide(self, path: str) -> bool:
        planned = self._tasks[path]
        outer = body_of(self.subject.program, path)
        if outer and self._known[outer]:
            return True
        if self._is_on_machine(path):
            return not self._unguarded_machine_path(path)
        conditions = {gate.condition for gate in planned.gates}
        if any(self._guarantees_approval(path, condition) for condition in conditions):
            return True
        others = [need for need in planned.needs if need not in conditions]
        guaranteed = [self._guarantees_approval(path, need) for need in others]
        if planned.task.run_when == "always":
            return False
        return (
            all(guaranteed) and bool(guaranteed) if planned.task.run_when == "any_done" else any(guaranteed)
        )

    def _guarantees_approval(self, path: str, need: str) -> bool:
        """Return whether a need guarantees an approval: its own, an earlier one, or one read."""
        if self.is_approval(need) or self._known.get(need, False):
            return True
        return asks_person(self._tasks[need].task) and self._reads_decision(path, need)

    def _reads_decision(self, path: str, person: str) -> bool:
        """Return whether the task's condition reads a decision that lets the run go on either way."""
        planned = self._tasks[path]
        named = names_in(list(planned.whens)) or set()
        return any(planned.reads.get(name) == person for name in named)

    def _is_on_machine(self, path: str) -> bool:
        return self.subject.definition.is_state_machine and "." not in path

    def _unguarded_machine_path(self, path: str) -> tuple[str, ...]:
        """Find a path from a machine's start to a task without an approval; () if there is none."""
        by_id = {task.id: task for task in self.subject.definition.tasks}
        start = self.subject.definition.start or ""
        came_from: dict[str, str] = {start: ""}
        ahead = [start] if start in by_id else []
        for task in ahead:
            if task == path:
                return trail(came_from, path)
            for way in by_id[task].next:
                if (
                    way.to in by_id
                    and way.to not in came_from
                    and not self._is_guarded_transition(task, way.when)
                ):
                    came_from[way.to] = task
                    ahead.append(way.to)
        return ()

    def _is_guarded_transition(self, task: str, when: Any) -> bool:
        """Return whether a transition is taken only after an approval.

        It leaves a person's task that completed, or its condition reads the decision.
        """
        planned = self._tasks[task].task
        if not asks_person(planned):
            return self._reads_a_condition_of_a_person(task, when)
        goes_on = planned.on_error == "continue" or self.subject.definition.on_error == "continue"
        return (self.is_approval(task) and not goes_on) or task in (names_in(when) or set())

    def _reads_a_condition_of_a_person(self, task: str, when: Any) -> bool:
        people = (name for name in names_in(when) or set() if name in self._tasks and name != task)
        return any(asks_person(self._tasks[name].task) for name in people)
