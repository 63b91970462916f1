"""`bench run-queue`: start many more runs than there are slots; the journals tell whether the queue holds what it promises."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import httpx2

from infra.local.faults import LaptopError
from infra.local.laptop import Laptop
from infra.local.library import BENCH, http_client, register

CLIENTS = 16
_ALL_ENDED_LIMIT_S = 600.0
_PRIORITIES = ("normal", "high", "low", "normal")
_RANKS = {"resume": 0, "high": 1, "normal": 2, "low": 3}


@dataclass(frozen=True)
class Life:
    """When a run was active and when it was queued, by its events."""

    run: str
    status: str
    priority: str
    created: str
    is_queued: bool
    active: tuple[tuple[str, str], ...]

    @property
    def place(self) -> tuple[int, str, str]:
        """Its place in the queue."""
        return _RANKS[self.priority], self.created, self.run


def run_queue(*, runs: int, slots: int) -> int:
    """Start all runs at once with few slots, wait for their ends, and judge by the journals."""
    with Laptop() as laptop, http_client(laptop) as client:
        agent = register(client, BENCH / "one_turn.yaml")["id"]
        laptop.operate("account_limits", "--tenant", "acme", "--active", str(slots))
        time.sleep(16)  # functions remember limits for 15 seconds
        with ThreadPoolExecutor(CLIENTS) as pool:
            started = list(pool.map(lambda number: _start(client, agent, number), range(runs)))
        _wait_for_all(client, started)
        lives = [_life(client, run) for run in started]
        status = _good(client.get("/system/status"))
    report = judge(lives, slots, status)
    print(json.dumps(report, indent=2))
    return 1 if report["violations"] else 0


def judge(lives: list[Life], slots: int, status: dict[str, Any]) -> dict[str, Any]:
    """Count, and name what does not hold."""
    most = most_active(lives)
    queued = [life for life in lives if life.is_queued]
    swapped = out_of_order(queued)
    ends = [life.status for life in lives]
    violations = [f"{most} runs were active at once, {slots} are allowed"] if most > slots else []
    violations += [f"{n} runs ended as {end}" for end in set(ends) - {"COMPLETED"} if (n := ends.count(end))]
    if status["active"] or any(status["in_line"].values()):
        violations.append(f"something is left: {status}")
    return {
        "runs": len(lives),
        "slots": slots,
        "most_active": most,
        "waited_in_line": len(queued),
        "served_before_their_turn": swapped,
        "violations": violations,
    }


def most_active(lives: list[Life]) -> int:
    """Count the most runs that were active at one instant.

    A run that leaves at an instant is not counted with one that comes then.
    """
    changes = [
        (at, change)
        for life in lives
        for span in life.active
        for at, change in zip(span, (1, -1), strict=True)
    ]
    now = most = 0
    for _, change in sorted(changes):
        now += change
        most = max(most, now)
    return most


def out_of_order(queued: list[Life]) -> int:
    """Count the runs that were admitted before one that stood further ahead in the queue."""
    admitted = sorted(queued, key=lambda life: life.active[0][0])
    return sum(
        earlier.place > later.place and later.created < earlier.active[0][0]
        for earlier, later in pairwise(admitted)
    )


def _start(client: httpx2.Client, agent: str, number: int) -> str:
    body = {"input": "wait in the queue", "priority": _PRIORITIES[number % len(_PRIORITIES)]}
    return str(_good(client.post(f"/agents/{agent}/runs", json=body))["id"])


def _wait_for_all(client: httpx2.Client, runs: list[str]) -> None:
    until = time.monotonic() + _ALL_ENDED_LIMIT_S
    for run in runs:
        while not _good(client.get(f"/runs/{run}"))["ended_at"]:
            if time.monotonic() > until:
                raise LaptopError(f"{run} has not ended after {_ALL_ENDED_LIMIT_S:g} s")
            time.sleep(0.5)


def _life(client: httpx2.Client, run: str) -> Life:
    events = _good(client.get(f"/runs/{run}/events"))["events"]
    made = events[0]
    spans: list[tuple[str, str]] = []
    since = None if made["data"]["in_line"] else made["time"]
    for event in events:
        if event["type"] == "agent.run.admitted":
            since = event["time"]
        elif event["type"] in ("agent.run.parked", "agent.run.ended") and since:
            spans.append((since, event["time"]))
            since = None
    return Life(
        run=run,
        status=events[-1]["data"]["status"],
        priority=made["data"]["priority"],
        created=made["time"],
        is_queued=made["data"]["in_line"],
        active=tuple(spans),
    )


def _good(answer: httpx2.Response) -> dict[str, Any]:
    if answer.status_code >= 300:
        raise LaptopError(f"{answer.request.method} {answer.request.url}: {answer.status_code} {answer.text}")
    found: dict[str, Any] = answer.json()
    return found
