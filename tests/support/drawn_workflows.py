"""Workflows drawn by a seed: every shape, rule and failure that a document can say, with ids that stand once."""

from __future__ import annotations

import random
from itertools import count
from typing import Any

from stepward.domain.workflows import WorkflowDefinition

Task = dict[str, Any]
ILL = "{% $error('no') %}"


class Drawing:
    """Draws one document; `within` are the bodies around a task, which say what its expressions may name."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self._numbers = count()
        self._left = self.chance.randint(2, 16)

    def document(self) -> WorkflowDefinition:
        tasks = self._tasks((), [], most=8)
        said: dict[str, Any] = {"id": "flow", "name": "Flow", "version": "1.0.0", "tasks": tasks}
        said |= self.chance.choice(
            [{}, {"on_error": "continue"}, {"on_error": "continue"}, {"allow_partial": True}]
        )
        return WorkflowDefinition.model_validate(said)

    def _tasks(self, within: tuple[str, ...], known: list[str], most: int) -> list[Task]:
        """Draw a few tasks; each needs some before it, and may name those and what is known around it."""
        found: list[Task] = []
        before: dict[str, set[str]] = {}
        gated: dict[str, str] = {}
        for _ in range(self.chance.randint(1, most)):
            name, some = f"t{next(self._numbers)}", list(before)
            needs = self.chance.sample(some, min(len(some), self.chance.choice([0, 1, 1, 2, 3])))
            if some and self.chance.random() < 0.3 and (asker := self._asker(found)):
                gated[name] = asker["id"]
                asker.setdefault(self.chance.choice(["then", "otherwise"]), []).append(name)
            past = set(needs) | ({gated[name]} if name in gated else set())
            before[name] = past | {one for need in past for one in before[need]}
            found.append(self._task(name, needs, within, [*known, *sorted(before[name])]))
            self._left -= 1
        return found

    def _asker(self, found: list[Task]) -> Task | None:
        return next((task for task in reversed(found) if task["type"] == "condition"), None)

    def _task(self, name: str, needs: list[str], within: tuple[str, ...], known: list[str]) -> Task:
        kind = self._kind(within)
        task = {"id": name, "type": kind, "needs": needs, **self._own(kind, within, known)}
        chance = self.chance.random
        if chance() < 0.2:
            task["when"] = self._question(within, known)
        if chance() < 0.3:
            task["run_when"] = self.chance.choice(["any_done", "always"])
        if kind != "parallel":
            if chance() < 0.2:
                task["on_error"] = self.chance.choice(["fail", "continue", "continue"])
            if chance() < 0.15:
                task["fallback"] = {"output": {"instead": self._value(within, known)}}
            if chance() < 0.3:
                task["priority"] = self.chance.choice([1, 7, 8, 10])
        return task

    def _kind(self, within: tuple[str, ...]) -> str:
        deep = len(within) >= 2 or self._left < 3
        kinds = ["transform"] * 6 + ["condition"] * 2 + ["agent"] * 2 + ["wait"]
        return self.chance.choice(
            kinds if deep else [*kinds, "foreach", "foreach", "loop", "loop", "parallel", "parallel"]
        )

    def _own(self, kind: str, within: tuple[str, ...], known: list[str]) -> Task:
        match kind:
            case "transform":
                return {"output": self._value(within, known) if self.chance.random() < 0.8 else ILL}
            case "condition":
                return {"test": self._question(within, known)}
            case "agent":
                return {"agent": "helper", "with": {"input": self._value(within, known)}}
            case "wait":
                return {"seconds": self.chance.randint(1, 5)}
            case "parallel":
                return {"tasks": self._tasks(within, known, most=3)}
        tasks = self._tasks((*within, kind), known, most=4)
        inner = [*known, *(task["id"] for task in tasks)]
        own = self._body(kind, (*within, kind), inner, known)
        if self.chance.random() < 0.5:
            own["collect"] = self._value((*within, kind), inner)
        return {"tasks": tasks, **own}

    def _body(self, kind: str, within: tuple[str, ...], inner: list[str], known: list[str]) -> Task:
        if kind == "loop":
            until = self.chance.choice(
                ["{% $iteration >= 1 %}", "{% true %}", "{% $iteration = 2 %}", self._question(within, inner)]
            )
            return {"until": until, "max_iterations": self.chance.randint(1, 3)}
        items = self.chance.choice(
            [
                [1, 2],
                [],
                ["a"],
                [None, 3, 5],
                "{% [1..3] %}",
                "{% [1..4] %}",
                "{% [] %}",
                "{% 7 %}",
                "{% $none %}",
                "{% {'a': 1} %}",
            ]
        )
        return {
            "items": items,
            "max_items": 3 if self.chance.random() < 0.2 else 9,
            "max_parallel": self.chance.choice([1, 2, 10]),
            **self.chance.choice([{}, {}, {"chunk_size": 1}, {"chunk_size": 2}]),
        }

    def _value(self, within: tuple[str, ...], known: list[str]) -> Any:
        words = (
            [f"$tasks.{name}" for name in known] + [f"$status.{name}" for name in known] + ["$input.n", "1"]
        )
        if within:
            words += {"foreach": ["$item", "$index"], "loop": ["$iteration", "$count($keys($previous))"]}[
                within[-1]
            ]
        said = ", ".join(self.chance.sample(words, min(len(words), self.chance.randint(1, 3))))
        return self.chance.choice(
            [f"{{% [{said}] %}}", f"{{% {{'of': [{said}]}} %}}", self.chance.randint(0, 9)]
        )

    def _question(self, within: tuple[str, ...], known: list[str]) -> str:
        asked = ["{% true %}", "{% false %}", "{% $input.yes %}", "{% $input.n %}"][
            : self.chance.choice([3, 3, 3, 4])
        ]
        asked += [f"{{% $status.{name} = 'COMPLETED' %}}" for name in known[-3:]]
        if within:
            asked.append({"foreach": "{% $index != 1 %}", "loop": "{% $iteration > 0 %}"}[within[-1]])
        return self.chance.choice(asked)
