"""Count what a run of each reference agent takes of everything that is billed, on a laptop of its own."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

import httpx2
from rich.console import Console
from rich.table import Table

from infra.local.bench.fake_provider import fake_provider
from infra.local.executor import Trouble
from infra.local.faults import LaptopError
from infra.local.histories import count, wait_for_end
from infra.local.laptop import Laptop, LaptopOptions
from infra.local.library import BENCH, SUPPORT, http_client, register, upload_datasets
from infra.local.meter import Reading

RUNS = ("one_turn", "remote_2_2", "remote_2_2_2", "inline_2_2_2")
_WRITES = ("PutItem", "UpdateItem", "TransactWriteItems")
_RUN_LIMIT_S = 60.0
QUEUED = 29
CLIENTS = 8
LIMITS_KEPT_S = 16.0
"""Functions remember limits for 15 seconds."""


def counts(*, as_json: bool) -> int:
    """Run the reference agents one after the other and print what they took.

    It is a failure if not all of them complete.
    """
    with fake_provider(BENCH / "one_turn.yaml") as url, _laptop(url) as laptop, http_client(laptop) as client:
        upload_datasets(laptop, SUPPORT / "datasets")
        figures = {name: _measure(laptop, client, name) for name in RUNS}
        asked = {"one_turn": _measure(laptop, client, "one_turn", rehearse=False)}
        queued = _measure_line(laptop, client)
    if as_json:
        print(json.dumps({"runs": figures, "real_model": asked, "in_line": queued}, indent=2))
    else:
        Console().print(_table({**figures, "one_turn, real model": asked["one_turn"]}))
        Console().print(
            f"a run in line adds {queued['added_dynamodb_calls']:g} DynamoDB calls", queued["added"]
        )
    return 0 if all(run["status"] == "COMPLETED" for run in (*figures.values(), *asked.values())) else 1


def _laptop(provider_url: str) -> Laptop:
    """Return a laptop with provider limits and a loopback provider, so that calls are counted."""
    entry = f"{{url={json.dumps(provider_url)}, requests_per_minute=1000, tokens_per_minute=1000000}}"
    options = LaptopOptions(
        settings=(f"providers.anthropic={entry}",), provider_keys={"anthropic": "loopback"}
    )
    return Laptop(options, _tell)


def _measure(laptop: Laptop, client: httpx2.Client, name: str, *, rehearse: bool = True) -> dict[str, Any]:
    agent = register(client, BENCH / f"{name}.yaml")["id"]
    before = laptop.meter.reading()
    run_id = _start(client, agent, rehearse=rehearse)
    execution = wait_for_end(laptop, run_id, _RUN_LIMIT_S)
    used = laptop.meter.reading().since(before)
    return {
        "status": client.get(f"/runs/{run_id}").json()["status"],
        **asdict(count(laptop.history(execution))),
        "lambda_invocations": sum(used.lambda_invocations.values()),
        "lambda_invocations_by_room": dict(sorted(used.lambda_invocations.items())),
        "dynamodb_calls": used.calls_by_operation(),
        "limits_writes": _limits_writes(used),
        "dynamodb_write_units": sum(used.write_units.values()),
        "dynamodb_read_units": sum(used.read_units.values()),
    }


def _limits_writes(used: Reading) -> int:
    """Count writes of provider limits: one a call of a real model, none for a scripted one."""
    return sum(
        number
        for (_, operation, table), number in used.dynamodb_calls.items()
        if table.endswith("-limits") and operation in _WRITES
    )


def _start(client: httpx2.Client, agent: str, *, rehearse: bool = True) -> str:
    """Start a run that is charged, as one that a model answers is."""
    start = {"input": "count what this takes", "rehearse": rehearse, "charge": True}
    started = client.post(f"/agents/{agent}/runs", json=start)
    if started.status_code not in (200, 202):
        raise LaptopError(f"{agent} could not be started: {started.status_code} {started.text}")
    return str(started.json()["id"])


def _measure_line(laptop: Laptop, client: httpx2.Client) -> dict[str, Any]:
    """Start runs at once that share one slot, and count what queueing adds to a run."""
    laptop.operate("account_limits", "--tenant", "acme", "--active", "1")
    time.sleep(LIMITS_KEPT_S)
    alone = _measure(laptop, client, "one_turn")  # by functions that are warm, as those of the others will be
    before = laptop.meter.reading()
    with ThreadPoolExecutor(CLIENTS) as pool:
        runs = list(pool.map(lambda _: _start(client, "bench-one-turn"), range(QUEUED + 1)))
    for run_id in runs:
        wait_for_end(laptop, run_id, _RUN_LIMIT_S)
    used = Counter(laptop.meter.reading().since(before).calls_by_operation())
    used.subtract({name: number * len(runs) for name, number in alone["dynamodb_calls"].items()})
    added = {name: round(number / QUEUED, 2) for name, number in sorted(used.items()) if number}
    return {"runs": QUEUED, "added": added, "added_dynamodb_calls": round(sum(added.values()), 2)}


def _table(figures: dict[str, dict[str, Any]]) -> Table:
    table = Table(title="What one run takes, from the HTTP request to its end")
    table.add_column("")
    for name in figures:
        table.add_column(name, justify="right")
    for row in next(iter(figures.values())):
        table.add_row(row.replace("_", " "), *(_cell(figure[row]) for figure in figures.values()))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return "\n".join(f"{name} {number}" for name, number in value.items())
    return f"{value:g}" if isinstance(value, float) else str(value)


def _tell(trouble: Trouble) -> None:
    sys.stderr.write(f"{trouble}\n")
