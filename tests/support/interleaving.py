"""Processes that run at once: each stops before and after every call to a port, and a seed says who goes on.

At any such stop a process may die, and a call that came through may look as if it had not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Semaphore, Thread, local
from typing import Any

from stepward.domain.errors import StepwardError, StoreThrottled
from stepward.workflows.runs.task_requests import TaskRequest
from tests.support.virtual_time import Ticket
from tests.support.workflow_world import Died, WorkflowWorld

Trouble = Callable[[int, str], str | None]
"""What happens at a call, by its number and name: `before`, `after` (the process dies), `lost` (its answer does)."""
_HERE = local()


class Process:
    """A thread that moves only when it is told to."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self.found: Any = None
        self.error: BaseException | None = None
        self.is_over = self.is_well = self.is_dead = False
        self._go, self._stopped = Semaphore(0), Semaphore(0)
        self._thread = Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    def move(self) -> None:
        """Let it go on to its next stop."""
        self._go.release()
        self._stopped.acquire()

    def stop(self) -> None:
        """Let others go first."""
        self._stopped.release()
        self._go.acquire()

    def _run(self, work: Callable[[], Any]) -> None:
        _HERE.process = self
        self._go.acquire()
        try:
            self.found = work()
            self.is_well = True
        except (Died, StepwardError) as error:
            self.error = error
        finally:
            self.is_over = True
            self._stopped.release()


class Stopping:
    """A port at which processes stop."""

    def __init__(self, port: Any, called: Callable[[str, Callable[[], Any]], Any]) -> None:
        self._port, self._called = port, called

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._port, name)
        return lambda *said, **more: self._called(name, lambda: call(*said, **more))


class InterleavedWorld(WorkflowWorld):
    """A world whose processes run at once; `twice` says which entries of states happen twice."""

    def __init__(
        self, seed: int, trouble: Trouble, twice: Callable[[TaskRequest], bool] = lambda request: False
    ) -> None:
        super().__init__(seed)
        self.calls: list[str] = []
        self._trouble, self._twice = trouble, twice
        ports = self.ports
        self.ports = replace(
            ports,
            store=Stopping(ports.store, self._called),
            runs=Stopping(ports.runs, self._called),
            tokens=Stopping(ports.tokens, self._called),
            machines=Stopping(ports.machines, self._called),
            slots=Stopping(ports.slots, self._called),
        )

    def carried(self, request: TaskRequest, ticket: Ticket) -> None:
        super().carried(request, ticket)
        if self._twice(request):
            self.run_apart(lambda: self.room(request), _unheard)

    def run_apart(self, work: Callable[[], Any], ended: Callable[[Any, BaseException | None], None]) -> None:
        process = Process(work)
        self.loop.later(0, lambda: self._move(process, ended))

    def _move(self, process: Process, ended: Callable[[Any, BaseException | None], None]) -> None:
        process.move()
        if not process.is_over:
            self.loop.later(0, lambda: self._move(process, ended))
        else:
            assert process.is_well or process.error, "a process broke; its thread says why"
            ended(process.found, process.error)

    def _called(self, name: str, call: Callable[[], Any]) -> Any:
        process: Process | None = getattr(_HERE, "process", None)
        if process is None:
            return call()
        if process.is_dead:
            raise Died  # what stands in a `finally` does not happen either
        process.stop()
        self.calls.append(name)
        trouble = self._trouble(len(self.calls), name)
        if trouble == "before":
            self._die(process)
        found = call()
        process.stop()
        if trouble == "after":
            self._die(process)
        if trouble == "lost":
            raise StoreThrottled(f"the answer to {name} was lost")
        return found

    @staticmethod
    def _die(process: Process) -> None:
        process.is_dead = True
        raise Died


def _unheard(found: Any, error: BaseException | None) -> None:
    """Nobody listens to the second of two."""
