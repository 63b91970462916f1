"""Walks a compiled machine with outcomes drawn by chance, and counts what is entered, as an execution's history would."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from stepward.domain.programs import PlannedTask, Program
from stepward.workflows.program.tasks import fails_the_run


class RunFailed(Exception):
    """A task failed that ends the run."""


@dataclass
class WalkedMachine:
    """One run. Outcomes follow the rules of a run: gates, what is needed, conditions, failures that others survive."""

    program: Program
    chance: random.Random
    fails: float = 0.0
    entered: int = 0
    ran: dict[str, int] = field(default_factory=dict)
    _outcomes: dict[tuple[str, str], str] = field(default_factory=dict)
    _answers: dict[tuple[str, str], bool] = field(default_factory=dict)
    _rounds: dict[tuple[str, str], int] = field(default_factory=dict)

    def run(self, machine: dict[str, Any]) -> bool:
        """Run; False if a failure ended it early."""
        try:
            self._walk(machine, "")
        except RunFailed:
            self.entered += 1
            return False
        return True

    def _walk(self, machine: dict[str, Any], at: str) -> None:
        name: str | None = machine["StartAt"]
        while name:
            state = machine["States"][name]
            self.entered += 1
            owner = name.partition(" ")[0]
            match state["Type"]:
                case "Parallel":
                    for branch in state["Branches"]:
                        self._walk(branch, at)
                case "Map":
                    for number in range(self._rounds_of(owner, at)):
                        self._walk(state["ItemProcessor"], f"{at}/{owner}{number}")
                case "Choice":
                    self._loop(machine, owner, at, state)
                case "Task" if owner in self.program.tasks:
                    self._outcome(owner, at)
            name = state.get("Next") or state.get("Default")

    def _loop(self, machine: dict[str, Any], owner: str, at: str, question: dict[str, Any]) -> None:
        """Walk the rounds; the question and its task are entered again after each."""
        for number in range(self._rounds_of(owner, at)):
            first = question["Choices"][0]["Next"]
            body = {name: state for name, state in machine["States"].items() if name.startswith(f"{owner}.")}
            body = {
                name: {key: value for key, value in state.items() if value != owner}
                for name, state in body.items()
            }
            self._walk({"StartAt": first, "States": body}, f"{at}/{owner}{number}")
            self.entered += 2

    def _rounds_of(self, body: str, at: str) -> int:
        if self._outcome(body, at) == "SKIPPED":
            return 0
        if (body, at) not in self._rounds:
            task = self.program.tasks[body].task
            listed = task.settings.get("items")
            if task.type == "loop":
                count = self.chance.randint(1, task.settings["max_iterations"])
            else:
                count = (
                    len(listed)
                    if isinstance(listed, list)
                    else self.chance.randint(0, task.settings["max_items"])
                )
            self._rounds[body, at] = count
        return self._rounds[body, at]

    def _outcome(self, path: str, at: str) -> str:
        if (path, at) not in self._outcomes:
            self._outcomes[path, at] = self._decide(self.program.tasks[path], at)
        return self._outcomes[path, at]

    def _decide(self, planned: PlannedTask, at: str) -> str:
        for gate in planned.gates:
            answer = self._answers.setdefault((gate.condition, at), self.chance.random() < 0.5)
            if self._outcome(gate.condition, at) != "COMPLETED" or answer is not gate.answer:
                return "SKIPPED"
        asked = {gate.condition for gate in planned.gates}
        others = [self._outcome(need, at) == "COMPLETED" for need in planned.needs if need not in asked]
        rule = planned.task.run_when
        if others and rule != "always" and not (any(others) if rule == "any_done" else all(others)):
            return "SKIPPED"
        if any(self.chance.random() < 0.5 for _ in planned.whens):
            return "SKIPPED"
        self.ran[planned.path] = self.ran.get(planned.path, 0) + 1
        if self.chance.random() < self.fails and planned.task.fallback is None:
            if fails_the_run(self.program, planned):
                raise RunFailed(planned.path)
            return "FAILED"
        return "COMPLETED"
