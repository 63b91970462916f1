"""What somebody does with triggers, and with workflows as tools, so that each word of the rooms behind is needed once."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

from stepward.domain.signatures import sign
from tests.e2e.line_tour import no_slot_free, until_refused

LARGE = b"x" * 200_000


def add(tour: Any, kind: str, **said: Any) -> dict[str, Any]:
    """Make a trigger for an agent of its own, unless it says a workflow."""
    starts = {} if "workflow" in said else {"agent": tour.agent()}
    body = {"id": f"tour-{uuid.uuid4().hex[:12]}", "kind": kind, **starts, **said}
    made: dict[str, Any] = tour.api.post("/triggers", json=body).json()
    return made


def schedule(tour: Any) -> None:
    """Make a schedule that never comes while anybody looks."""
    add(tour, "schedule", schedule={"expression": "at(2199-01-01T00:00:00)"})


def flow(tour: Any) -> str:
    """Keep a workflow of its own."""
    name = f"tour-{uuid.uuid4().hex[:12]}"
    tasks = [{"id": "make", "type": "transform", "output": 1}]
    tour.api.post("/workflows", json={"id": name, "name": "Tour", "version": "1.0.0", "tasks": tasks})
    return name


def as_tool(tour: Any, workflow: str | None = None) -> None:
    """Let an agent run a workflow as its tool; whatever is refused must not keep it waiting for long."""
    tool = {"workflow": workflow or flow(tour), "name": "run_it"}
    run = tour.start(tour.agent({"call": [{"tool": "run_it", "arguments": {}}]}, tools=[tool]))
    until_refused(tour)
    tour.api.post(f"/runs/{run}/cancel")


def upload(tour: Any, body: bytes = b"{}", **said: Any) -> None:
    """Let a new object start an agent, or what is said, with what is in it."""
    folder = f"in-{uuid.uuid4().hex[:12]}/"
    text = {"prefix": folder, "content": "text"}
    add(tour, "s3", s3=text, input={"it": "{% $event.content %}"}, **said)
    bucket = tour.laptop.physical_id("AWS::S3::Bucket")
    tour.laptop.client("s3").put_object(Bucket=bucket, Key=f"tenants/acme/{folder}x", Body=body)


def put_event(tour: Any) -> None:
    """Put an event for a trigger."""
    made = add(tour, "event", event={"source": "shop", "detail_type": ["tour.event"]})
    tour.api.post(f"/triggers/{made['id']}/fire", json={"event": {"detail": {}}})


def anew(room: str, use: Callable[[Any], object]) -> Callable[[Any], object]:
    """Use a room in a new process: one that has the key of webhooks does not ask for it again."""

    def used(tour: Any) -> object:
        for spec in tour.laptop.executor.functions():
            if spec.short_name == room:
                tour.laptop.executor.register(spec)
        return use(tour)

    return used


def call_in(tour: Any, body: bytes = b"{}", **said: Any) -> None:
    """Start an agent, or what is said, by a signed call."""
    made, at_s = add(tour, "webhook", **said), int(time.time())
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at_s)}
    headers["webhook-signature"] = sign(made["secret"], "msg_1", at_s, body)
    tour.api.post(made["path"], content=body, headers=headers)


def in_line(tour: Any, use: Callable[[Any], object]) -> None:
    """Start an agent when no slot is free."""
    with no_slot_free(tour):
        use(tour)
        until_refused(tour)


TRIGGER_USES: dict[tuple[str, str], Callable[[Any], object]] = {
    ("dispatch", "workflows:start"): as_tool,
    ("task_run", "agent-run:answer"): as_tool,
    ("triggers_api", "bus:put"): put_event,
    ("triggers_api", "triggers:define"): lambda tour: tour.api.get("/triggers"),
    ("triggers_api", "schedules:define"): schedule,
    ("triggers_api", "webhook-key:make"): anew("triggers_api", lambda tour: add(tour, "webhook")),
    ("triggers_api", "registry:read"): lambda tour: add(tour, "webhook"),
    ("triggers_api", "blobs:read"): lambda tour: add(tour, "webhook", workflow=flow(tour)),
    ("trigger_events", "triggers:read"): upload,
    ("trigger_events", "triggers:record"): upload,
    ("trigger_events", "registry:read"): upload,
    ("trigger_events", "runtime:read-write"): upload,
    ("trigger_events", "journal:append"): upload,
    ("trigger_events", "blobs:read-write"): lambda tour: upload(tour, LARGE),
    ("trigger_events", "data:read"): upload,
    ("trigger_events", "agent-run:start"): upload,
    ("trigger_events", "dispatch:send"): lambda tour: in_line(tour, upload),
    ("trigger_events", "workflows:start"): lambda tour: upload(tour, workflow=flow(tour)),
    ("webhooks", "triggers:get"): call_in,
    ("webhooks", "triggers:record"): call_in,
    ("webhooks", "registry:find"): call_in,
    ("webhooks", "runtime:start"): call_in,
    ("webhooks", "journal:append"): call_in,
    ("webhooks", "blobs:read-write"): lambda tour: call_in(tour, LARGE),
    ("webhooks", "agent-run:start"): call_in,
    ("webhooks", "dispatch:send"): lambda tour: in_line(tour, call_in),
    ("webhooks", "webhook-key:read"): anew("webhooks", call_in),
    ("webhooks", "workflows:start"): lambda tour: call_in(tour, workflow=flow(tour)),
}
