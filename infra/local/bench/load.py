"""`bench load`: many clients at once, mixed reads, starts and cancels; no 5xx may come and no run may be lost."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx2

from infra.local.laptop import Laptop, LaptopOptions
from infra.local.library import BENCH, http_client, register, upload_datasets
from infra.local.library import SUPPORT as SUPPORT_FOLDER

_SETTLE_S = 120.0


@dataclass
class Tally:
    """What all clients saw."""

    answers: Counter[str] = field(default_factory=Counter)
    started: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, doing: str, answer: httpx2.Response) -> None:
        """Count one answer."""
        with self.lock:
            self.answers[f"{doing} {answer.status_code}"] += 1
            if doing == "start" and answer.status_code == 202:
                self.started.append(answer.json()["id"])


def load(*, clients: int, seconds: float) -> int:
    """Let clients ask for a while, then look whether every run has come to an end."""
    with Laptop(LaptopOptions()) as laptop, http_client(laptop) as client:
        upload_datasets(laptop, SUPPORT_FOLDER / "datasets")
        agents = [
            register(client, BENCH / f"{name}.yaml")["id"]
            for name in ("one_turn", "inline_2_2_2", "remote_2_2")
        ]
        tally = _ask(laptop, agents, clients, seconds)
        ends = _ends(client, tally.started)
    report = _report(tally, ends, clients, seconds)
    print(json.dumps(report, indent=2))
    return 1 if report["violations"] else 0


def _ask(laptop: Laptop, agents: list[str], clients: int, seconds: float) -> Tally:
    tally = Tally()
    until = time.monotonic() + seconds
    threads = [
        threading.Thread(target=_client, args=(laptop, agents, tally, random.Random(seed), until))  # noqa: S311
        for seed in range(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tally


def _client(laptop: Laptop, agents: list[str], tally: Tally, chance: random.Random, until: float) -> None:
    mine: list[str] = []
    with http_client(laptop) as client:
        while time.monotonic() < until:
            _act(client, agents, tally, chance, mine)


def _act(
    client: httpx2.Client, agents: list[str], tally: Tally, chance: random.Random, mine: list[str]
) -> None:
    """Do one thing: half of all are reads, three in ten starts, the rest cancels and lists."""
    dice = chance.random()
    if dice < 0.3 or not mine:
        answer = client.post(f"/agents/{chance.choice(agents)}/runs", json={"input": "load"})
        tally.take("start", answer)
        if answer.status_code == 202:
            mine.append(answer.json()["id"])
    elif dice < 0.8:
        ending = chance.choice(["", "/events"])
        tally.take("read", client.get(f"/runs/{chance.choice(mine)}{ending}"))
    elif dice < 0.9:
        tally.take("list", client.get("/runs", params={"limit": 10}))
    else:
        tally.take("cancel", client.post(f"/runs/{mine.pop(chance.randrange(len(mine)))}/cancel"))


def _ends(client: httpx2.Client, runs: list[str]) -> Counter[str]:
    """Wait until every run has ended, and count how."""
    ends: Counter[str] = Counter()
    until = time.monotonic() + _SETTLE_S
    for run in runs:
        found = client.get(f"/runs/{run}").json()
        while not found["ended_at"] and time.monotonic() < until:
            time.sleep(0.2)
            found = client.get(f"/runs/{run}").json()
        ends[found["status"] if found["ended_at"] else "LOST"] += 1
    return ends


def _report(tally: Tally, ends: Counter[str], clients: int, seconds: float) -> dict[str, Any]:
    fives = {name: number for name, number in tally.answers.items() if int(name.split()[1]) >= 500}
    violations = [f"{number} answers: {name}" for name, number in fives.items()]
    violations += [f"{ends[bad]} runs ended as {bad}" for bad in ("LOST", "FAILED") if ends[bad]]
    total = sum(tally.answers.values())
    return {
        "clients": clients,
        "seconds": seconds,
        "answers": dict(sorted(tally.answers.items())),
        "runs": dict(sorted(ends.items())),
        "ratios": {
            "runs_a_request": round(len(tally.started) / max(total, 1), 4),
            "cancelled": round(ends["CANCELLED"] / max(len(tally.started), 1), 4),
            "errors_5xx": round(sum(fives.values()) / max(total, 1), 4),
        },
        "violations": violations,
    }
