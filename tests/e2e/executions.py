"""Name the state machines and executions of the platform, and read its lists to their end.

Everything in one account is listed in pages of 100, and all end-to-end tests share one: what a test has made may not
be on the first page. So machines are named, and only the executions of one machine are listed, to the last page.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2

from infra.local import account
from infra.local.laptop import Laptop

MACHINES = f"arn:aws:states:{account.REGION}:{account.ACCOUNT_ID}:stateMachine:"


def machine_arn(api: httpx2.Client, workflow: str) -> str:
    """Spell the state machine of a workflow's newest version."""
    return f"{MACHINES}sw-laptop-{api.get(f'/workflows/{workflow}').json()['machine']}"


def execution_arn(api: httpx2.Client, run: str) -> str:
    """Spell the first execution of a workflow's run."""
    return execution_of(machine_arn(api, api.get(f"/runs/{run}").json()["workflow"]), f"{run}.1")


def execution_of(machine: str, name: str) -> str:
    """Spell an execution of a state machine."""
    return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"


def executions_of(laptop: Laptop, machine: str, run: str, **narrowed: str) -> Iterator[dict[str, Any]]:
    """List the executions of one state machine that carry a run or a part of it, the newest first."""
    pages = laptop.client("stepfunctions").get_paginator("list_executions")
    for page in pages.paginate(stateMachineArn=machine, **narrowed):
        yield from (one for one in page["executions"] if one["name"].startswith(run))


def runs_with(api: httpx2.Client, status: str) -> list[dict[str, Any]]:
    """Read a page of runs; a busy laptop may answer 503 now and then, as AWS may."""
    for _ in range(3):
        answer = api.get("/runs", params={"status": status, "limit": 100})
        if answer.status_code < 500:
            break
    assert answer.status_code == 200, answer.text
    runs: list[dict[str, Any]] = answer.json()["runs"]
    return runs
