"""Wait for what a request may answer before it is done: how long that takes is the machine's affair, not a test's."""

from __future__ import annotations

from typing import Any

import httpx2

from tests.local.patience import wait_for

LIMIT_S = 120.0


def end_of(api: httpx2.Client, run: str) -> dict[str, Any]:
    """Wait for the end of a run; give the run."""

    def found() -> dict[str, Any] | None:
        seen: dict[str, Any] = api.get(f"/runs/{run}").json()
        return seen if seen["ended_at"] else None

    return wait_for(found, LIMIT_S)


def run_of(api: httpx2.Client, answer: httpx2.Response) -> dict[str, Any]:
    """Give the ended run of a start with `wait`: 200 if it has ended within the wait, 202 if it goes on."""
    assert answer.status_code in (200, 202), answer.text
    seen: dict[str, Any] = answer.json()
    return seen if answer.status_code == 200 else end_of(api, str(seen["id"]))


def version_of(api: httpx2.Client, answer: httpx2.Response) -> dict[str, Any]:
    """Give the version of a workflow that a request has registered, once its machine is made."""
    assert answer.status_code in (200, 201, 202), answer.text
    kept: dict[str, Any] = answer.json()

    def made() -> dict[str, Any] | None:
        seen: dict[str, Any] = api.get(f"/workflows/{kept['id']}").json()
        return seen if seen["status"] != "PUBLISHING" else None

    found = kept if answer.status_code != 202 else wait_for(made, LIMIT_S)
    assert found["status"] == "READY", found
    return found
