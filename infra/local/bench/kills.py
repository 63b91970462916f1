"""Kill real Lambda processes around every write of the reference runs, and see whether the runs come to their end."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from infra.local.bench.counts import RUNS
from infra.local.engine import dynamodb_lock
from infra.local.engine.dynamodb_lock import Action, Answer
from infra.local.histories import wait_for_end
from infra.local.laptop import Laptop, LaptopOptions
from infra.local.library import BENCH, SUPPORT, http_client, register, upload_datasets

_WRITES = frozenset({"PutItem", "UpdateItem", "TransactWriteItems"})
_KILLED_ROOMS = frozenset({"agent_advance", "tool_invoke", "dispatch"})
SWEPT = (*RUNS, "asks_one")
_NEVER_SEEN: Answer = (500, {}, "{}")
_RUN_LIMIT_S = 90.0


@dataclass
class Killer:
    """Stand around DynamoDB and kill the process that makes the n-th write; before it is made, or after."""

    laptop: Laptop
    place: int = 0
    when: str = ""
    writes: int = 0
    killed: int = 0

    def observe(self, handler: Any, action: Action) -> Answer:
        """Count a run's writes and strike at the chosen one."""
        executor = self.laptop.executor
        operation = str(handler._get_action())  # noqa: SLF001 - the action's own name
        if operation not in _WRITES or executor.room_of(handler.access_key) not in _KILLED_ROOMS:
            return self.laptop.meter.observe(handler, action)
        self.writes += 1
        if self.writes != self.place:
            return self.laptop.meter.observe(handler, action)
        if self.when == "before":
            self._kill(handler.access_key)
            return _NEVER_SEEN
        answer = self.laptop.meter.observe(handler, action)
        self._kill(handler.access_key)
        return answer

    def _kill(self, access_key: str) -> None:
        pid = self.laptop.executor.pid_of(access_key)
        if pid is not None:
            self.killed += 1
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextmanager
def killing(laptop: Laptop, place: int, when: str) -> Iterator[Killer]:
    """Let one kill happen within the block."""
    killer = Killer(laptop, place, when)
    dynamodb_lock.observe(killer.observe)
    try:
        yield killer
    finally:
        dynamodb_lock.observe(laptop.meter.observe)


def sweep(names: tuple[str, ...] = SWEPT) -> dict[str, Any]:
    """Kill at every write of every reference run, one kill a run; tell what did not hold."""
    with Laptop(LaptopOptions()) as laptop, http_client(laptop) as client:
        upload_datasets(laptop, SUPPORT / "datasets")
        register(client, BENCH / "one_turn.yaml")  # whom `asks_one` asks
        results = [result for name in names for result in _sweep_one(laptop, client, BENCH / f"{name}.yaml")]
    violations = [fault for result in results for fault in result.faults]
    kills = {when: sum(r.killed for r in results if r.when == when) for when in ("before", "after")}
    by_fault = {f"sigkill_{when}_a_write": number for when, number in kills.items()}
    return {"tried": len(results), "violations": violations, "by_fault": by_fault}


@dataclass(frozen=True)
class Swept:
    """One run with one kill."""

    when: str
    killed: int
    faults: list[str]


def _sweep_one(laptop: Laptop, client: httpx2.Client, file: Path) -> Iterator[Swept]:
    agent = register(client, file)["id"]
    with killing(laptop, 0, "") as counter:
        calm = _run(laptop, client, agent)
    for place in range(1, counter.writes + 1):
        for when in ("before", "after"):
            with killing(laptop, place, when) as killer:
                run = _run(laptop, client, agent)
            where = f"{file.stem}, killed {when} write {place}"
            yield Swept(when, killer.killed, [f"{where}: {fault}" for fault in _faults(calm, run, killer)])


def _run(laptop: Laptop, client: httpx2.Client, agent: str) -> dict[str, Any]:
    run_id = client.post(f"/agents/{agent}/runs", json={"input": "survive this"}).json()["id"]
    wait_for_end(laptop, run_id, _RUN_LIMIT_S)
    # The head is closed a moment after the machine has ended when the closing room has to do it.
    for _ in range(100):
        found: dict[str, Any] = client.get(f"/runs/{run_id}").json()
        if found["ended_at"]:
            break
        threading.Event().wait(0.1)
    return found


def _faults(calm: dict[str, Any], run: dict[str, Any], killer: Killer) -> Iterator[str]:
    if killer.killed != 1:
        yield f"{killer.killed} processes were killed, not one"
    for name in ("status", "output"):
        if run[name] != calm[name]:
            yield f"{name} is {run[name]!r}, not {calm[name]!r}"
    for name in ("turns", "tool_calls"):
        if run["totals"][name] != calm["totals"][name]:
            yield f"{name} are {run['totals'][name]}, not {calm['totals'][name]}"
    if run["totals"]["cost_usd_micros"] < calm["totals"]["cost_usd_micros"]:
        yield "it costs less than without a kill"
