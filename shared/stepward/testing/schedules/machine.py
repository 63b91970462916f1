"""Play the state machine `agent-run`: tasks, retries, time-outs, the Map.

It follows `statemachines/agent-run.asl.json`; a test holds its retry rules to that file.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from stepward.domain.errors import StepwardError
from stepward.domain.runs import RunKey, epoch_of
from stepward.testing.schedules.actors import Actor
from stepward.testing.schedules.faults import Died

Payload = dict[str, Any]
Spawn = Callable[[str, Payload], Actor]
BUSY: Final = frozenset({"StoreThrottled", "DependencyTimeout"})
BUSY_ATTEMPTS: Final = 30
ADVANCE_DIED: Final = frozenset({"Runtime.ExitError", "States.Timeout", "StoreConflict"})
ADVANCE_DIED_ATTEMPTS: Final = 5
CALL_DIED: Final = frozenset({"Runtime.ExitError", "StoreConflict"})
CALL_DIED_ATTEMPTS: Final = 3
WAIT_LOST: Final = "Lambda.Unknown"
WAIT_DIED: Final = CALL_DIED | {WAIT_LOST}
WAIT_DIED_ATTEMPTS: Final = 5


@dataclass
class Task:
    """A task state at work: its current actor, and its tries by reason."""

    function: str
    payload: Payload
    actor: Actor
    busy: int = 0
    died: int = 0
    token: str = ""
    is_answered: bool = False


@dataclass
class Execution:
    """One execution: its open tasks, its status, and the size of its history.

    `pause` lets the seconds of its Wait state pass.
    """

    name: str
    key: RunKey
    spawn: Spawn
    pause: Callable[[float], None]
    tasks: list[Task] = field(default_factory=list)
    failed: list[dict[str, str]] = field(default_factory=list)
    answer: Payload = field(default_factory=dict)
    status: str = "RUNNING"
    tokens_made: int = 0
    spent: int = 0

    @property
    def epoch(self) -> int:
        """The number of this execution among those of its run."""
        return epoch_of(self.name)

    def begin(self) -> None:
        """Enter AdvanceRun for the first time."""
        self._advance()

    def stop(self) -> None:
        """Abort the execution; running functions go on, but their answers are ignored."""
        self.status, self.tasks = "ABORTED", []

    def process_ended(self) -> None:
        """Process the tasks that have ended."""
        for task in list(self.tasks):
            if task.actor.is_over and task in self.tasks:
                self._task_ended(task)

    def time_out(self, task: Task) -> None:
        """Time a task out while its function runs on; a wait is retried with another token."""
        self._error(task, WAIT_LOST if task.token and not task.actor.is_over else "States.Timeout")

    def _task_ended(self, task: Task) -> None:
        if task.actor.error is None:
            self._answered(task)
        else:
            self._error(task, error_name(task.actor.error))

    def answered(self, token: str) -> bool:
        """End the wait that has this token; a wait that timed out has another, or none."""
        task = next((one for one in self.tasks if one.token and one.token == token), None)
        if task is None or self.status != "RUNNING" or task.is_answered:
            return False
        task.is_answered = True
        self.tasks.remove(task)
        self._join()
        return True

    def waits(self) -> list[Task]:
        """Return the waits whose functions have ended."""
        return [task for task in self.tasks if task.token and task.actor.is_over]

    def _answered(self, task: Task) -> None:
        if task.token:
            return None  # the function is done, the wait goes on until somebody answers
        self.tasks.remove(task)
        if task.function == "tool_invoke":
            return self._join()
        if task.payload.get("error"):
            self.status = "FAILED"
            return None
        self.answer = task.actor.answer
        match self.answer["next"]:
            case "done":
                self.status = "SUCCEEDED"
            case "calls":
                self._fan_out()
            case "waits":
                self._wait_for_all()
            case _:
                self.pause(self.answer.get("seconds", 0))
                self.spent += 2
                self._advance()
        return None

    def _advance(self, **said: Any) -> None:
        self.spent += 7
        asks = {"execution": self.name, "spent": self.spent}
        self._enter("agent_advance", {"v": 1, **self.key.model_dump(), **asks, **said})

    def _fan_out(self) -> None:
        self.failed, self.spent = [], self.spent + 4 + 7 * len(self.answer["calls"])
        named = {name: self.answer[name] for name in ("agent", "version", "seq", "newest")}
        for call in self.answer["calls"]:
            self._enter("tool_invoke", {"v": 1, **self.key.model_dump(), **named, "call": call})

    def _wait_for_all(self) -> None:
        self.failed, self.spent = [], self.spent + 4 + 8 * len(self.answer["waits"])
        named = {name: self.answer[name] for name in ("agent", "version")}
        for wait in self.answer["waits"]:
            self._await({"v": 1, **self.key.model_dump(), **named, "call": wait["call"]})

    def _await(self, payload: Payload) -> None:
        """Enter a wait; each try has a token of its own, and older ones are void."""
        token = self._new_token()
        entered = f"{self.epoch:03d}.{self.tokens_made:06d}"
        given = {**payload, "token": token, "entered": entered, "tried": 0}
        self.tasks.append(Task("dispatch", given, self.spawn("dispatch", given), token=given["token"]))

    def _new_token(self) -> str:
        self.tokens_made += 1
        return f"{self.name}:{self.tokens_made}"

    def _join(self) -> None:
        if not self.tasks:
            is_call = self.answer["next"] == "calls"
            reached = {"called" if is_call else "awaited": self.answer["seq"]}
            asked = {"asked": self.answer["calls"]} if is_call else {}
            self.spent += 2 * len(self.failed)
            self._advance(**reached, **asked, failed=self.failed)

    def _error(self, task: Task, name: str) -> None:
        if self._may_retry(task, name):
            self._again(task)
            return
        self.tasks.remove(task)
        if task.function in ("tool_invoke", "dispatch"):
            self.failed.append({"call": task.payload["call"], "error": name})
            self._join()
        elif task.payload.get("error"):
            self.status = "FAILED"
        else:
            self._advance(error=name)

    def _again(self, task: Task) -> None:
        self.spent += 4 if task.token else 3
        if task.function == "agent_advance":
            task.payload = {**task.payload, "spent": self.spent}
        if task.token:
            task.token = self._new_token()
            task.payload = {**task.payload, "token": task.token, "tried": task.payload["tried"] + 1}
        task.actor = self.spawn(task.function, task.payload)

    def _may_retry(self, task: Task, name: str) -> bool:
        if task.payload.get("error") or name in BUSY:
            task.busy += 1
            return task.busy <= (6 if task.payload.get("error") else BUSY_ATTEMPTS)
        names, attempts = _RETRIES[task.function]
        if name not in names:
            return False
        task.died += 1
        return task.died <= attempts

    def _enter(self, function: str, payload: Payload) -> None:
        self.tasks.append(Task(function, payload, self.spawn(function, payload)))


_RETRIES: Final = {
    "agent_advance": (ADVANCE_DIED, ADVANCE_DIED_ATTEMPTS),
    "tool_invoke": (CALL_DIED, CALL_DIED_ATTEMPTS),
    "dispatch": (WAIT_DIED, WAIT_DIED_ATTEMPTS),
}


def error_name(error: BaseException) -> str:
    """Name an error as Lambda reports it to the machine."""
    if isinstance(error, Died):
        return "Runtime.ExitError"
    return error.code if isinstance(error, StepwardError) else type(error).__name__
