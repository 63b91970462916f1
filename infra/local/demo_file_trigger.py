"""The demo's ticket that is a file: a trigger starts the agent when it is dropped."""

from __future__ import annotations

import json
import time
from typing import Any, Final

import httpx2

from infra.local.faults import LaptopError
from infra.local.laptop import Laptop

INBOX: Final = "ticket-inbox"
_LIMIT_S: Final = 60.0
_POLL_S: Final = 0.05


def make_inbox(client: httpx2.Client, agent: str) -> None:
    """Let every ticket file that arrives start the agent with what is in it."""
    trigger = {
        "id": INBOX,
        "kind": "s3",
        "agent": agent,
        "s3": {"prefix": "inbox/", "suffix": ".json", "content": "json"},
        "input": {"ticket_id": "{% $event.content.ticket_id %}"},
    }
    answer = client.post("/triggers", json=trigger)
    if answer.status_code not in (200, 201):
        raise LaptopError(f"the trigger was not made: {answer.status_code} {answer.text}")


def drop(laptop: Laptop, client: httpx2.Client, ticket_id: str) -> str:
    """Put a ticket file into the inbox and give the id of the run that it started."""
    bucket = laptop.physical_id("AWS::S3::Bucket")
    key = f"tenants/{laptop.options.tenant}/inbox/{ticket_id}.json"
    body = json.dumps({"ticket_id": ticket_id}).encode()
    laptop.client("s3").put_object(Bucket=bucket, Key=key, Body=body)
    return _run_of(client, f"inbox/{ticket_id}.json", laptop)


def _run_of(client: httpx2.Client, key: str, laptop: Laptop) -> str:
    end_s = time.monotonic() + _LIMIT_S
    while time.monotonic() < end_s:
        state: dict[str, Any] = client.get(f"/triggers/{INBOX}").json()["state"]
        if state["last_error"]:
            raise LaptopError(f"{key} started nothing: {state['last_error']}")
        if state["last_run"] and str(state["last_event"]).startswith(key):
            return str(state["last_run"])
        time.sleep(_POLL_S)
    raise LaptopError(f"{key} started nothing within {_LIMIT_S:.0f} s; see {laptop.log_dir}")
