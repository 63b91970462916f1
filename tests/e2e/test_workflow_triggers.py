"""Workflows start by themselves, and by agents that have them as a tool: the real rooms, rules and schedules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from tests.e2e.test_triggers import call, fired, put_event, put_object, redeliver
from tests.e2e.test_workflows import register
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop
ECHO = {"id": "echo", "type": "transform", "output": "{% $input %}"}
CALL = {"id": "call", "type": "webhook", "wait_for_call": True, "timeout_s": 600}
Add = Callable[..., dict[str, Any]]


@pytest.fixture
def add(api: httpx2.Client) -> Iterator[Add]:
    """Make a trigger for a workflow that brings what it was given; the trigger goes after the test."""
    made: list[str] = []

    def add(name: str, kind: str, **said: Any) -> dict[str, Any]:
        register(api, id="echo-flow", tasks=[ECHO])
        body = {"id": name, "kind": kind, "workflow": "echo-flow", **said}
        answer = api.post("/triggers", json=body)
        assert answer.status_code == 201, answer.text
        made.append(name)
        found: dict[str, Any] = answer.json()
        return found

    yield add
    for name in made:
        api.delete(f"/triggers/{name}")


def ended(api: httpx2.Client, run_id: str) -> dict[str, Any]:
    return wait_for(lambda: ((run := api.get(f"/runs/{run_id}").json())["ended_at"] and run) or None)


def output(api: httpx2.Client, run_id: str) -> Any:
    run = ended(api, run_id)
    assert (run["status"], run["workflow"]) == ("COMPLETED", "echo-flow"), run
    return run["output"]


def test_a_new_file_starts_a_workflow_once(api: httpx2.Client, laptop: Laptop, add: Add) -> None:
    said = {"ticket": "{% $event.content.ticket %}", "file": "{% $event.name %}"}
    add("flow-files", "s3", s3={"prefix": "flow-inbox/", "content": "json"}, input=said)
    put_object(laptop, "flow-inbox/a.json", b'{"ticket": "T-1"}')
    state = fired(api, "flow-files")
    assert output(api, state["last_run"]) == {"ticket": "T-1", "file": "a.json"}
    assert api.get(f"/runs/{state['last_run']}").json()["principal"] == "trigger.flow-files"
    assert len(api.get("/workflows/echo-flow/runs").json()["runs"]) == 1


def test_an_event_for_an_object_that_is_not_there_starts_nothing(
    api: httpx2.Client, laptop: Laptop, add: Add
) -> None:
    add("flow-gone", "s3", s3={"prefix": "flow-gone/"})
    thing = {"key": "tenants/acme/flow-gone/x", "sequencer": "01", "size": 2}
    detail = {"bucket": {"name": "data"}, "object": thing}
    event = {"source": "aws.s3", "detail-type": "Object Created", "id": "1", "time": "now", "detail": detail}
    laptop.client("lambda").invoke(
        FunctionName="stepward-laptop-trigger-events", Payload=json.dumps(event).encode()
    )
    state = api.get("/triggers/flow-gone").json()["state"]
    assert (state["started"], state["failed"]) == (0, 1)
    assert (state["last_error"]["code"], "flow-gone/x" in state["last_error"]["detail"]) == ("NotFound", True)


def test_an_event_starts_a_workflow_however_often_it_is_delivered(
    api: httpx2.Client, laptop: Laptop, add: Add
) -> None:
    add("flow-paid", "event", event={"source": "shop", "detail": {"status": ["FLOW"]}},
        input={"order": "{% $event.detail.order %}"})  # fmt: skip
    put_event(laptop, "shop", status="FLOW", order="SO-3")
    assert output(api, fired(api, "flow-paid")["last_run"]) == {"order": "SO-3"}
    event = {"id": "one", "source": "shop", "detail-type": "X", "detail": {"status": "FLOW", "order": "SO-4"}}
    redeliver(laptop, event)
    state = api.get("/triggers/flow-paid").json()["state"]
    assert (state["started"], state["duplicate"]) == (2, 2)


def test_a_schedule_starts_a_workflow_at_its_time(api: httpx2.Client, laptop: Laptop, add: Add) -> None:
    due = laptop.clock.now() + timedelta(minutes=3)
    expression = f"at({due:%Y-%m-%dT%H:%M:%S})"
    add("flow-later", "schedule", schedule={"expression": expression}, input={"at": "{% $event.time %}"})
    assert api.get("/triggers/flow-later").json()["next"] == [f"{due:%Y-%m-%dT%H:%M:%S}.000Z"]
    laptop.clock.advance(240)
    assert output(api, fired(api, "flow-later")["last_run"]) == {"at": f"{due:%Y-%m-%dT%H:%M:%S}Z"}


def test_a_signed_call_starts_a_workflow_and_a_wrong_one_nothing(
    api: httpx2.Client, laptop: Laptop, add: Add
) -> None:
    made = add("flow-hook", "webhook", input="{% $event.body %}", version="latest")
    assert call(laptop, made["path"], "whsec_" + "B" * 44, b"{}").status_code == 401
    first = call(laptop, made["path"], made["secret"], b'{"order": 1}')
    assert first.status_code == 202, first.text
    again = call(laptop, made["path"], made["secret"], b'{"order": 1}')
    assert (again.status_code, again.json()["run"]) == (200, first.json()["run"])
    assert output(api, first.json()["run"]) == {"order": 1}
    assert api.get("/triggers/flow-hook").json()["state"]["started"] == 1


def test_a_trigger_of_a_workflow_that_is_not_there_is_refused(api: httpx2.Client) -> None:
    body = {"id": "flow-none", "kind": "webhook", "workflow": "no-such-flow"}
    refused = api.post("/triggers", json=body)
    assert (refused.status_code, refused.json()["field"]) == (400, "workflow")
    assert api.get("/triggers/flow-none").status_code == 404


def an_asker(api: httpx2.Client, name: str, workflow: str, given: dict[str, Any]) -> str:
    """Start an agent that runs a workflow as its tool and says what came of it."""
    tool = {"workflow": workflow, "name": "run_it"}
    turns = [
        {"call": [{"tool": "run_it", "arguments": {"input": given}}]},
        {"say": "{% $string($last.run_it) %}"},
    ]
    body = an_agent_body(id=name, tools=[tool], rehearsal={"turns": turns})
    assert api.post("/agents", json=body).status_code in (200, 201)
    started = api.post(f"/agents/{name}/runs", json={"input": "go"})
    assert started.status_code == 202, started.text
    return str(started.json()["id"])


def test_an_agent_runs_a_workflow_as_its_tool(api: httpx2.Client) -> None:
    register(
        api, id="tool-flow", tasks=[{"id": "total", "type": "transform", "output": "{% $input.n * 2 %}"}]
    )
    run = ended(api, an_asker(api, "flow-asker", "tool-flow", {"n": 21}))
    assert run["status"] == "COMPLETED", run
    said = json.loads(run["output"])
    assert (said["status"], said["output"]) == ("COMPLETED", 42)
    child = api.get(f"/runs/{said['run']}").json()
    assert (child["workflow"], child["principal"]) == ("tool-flow", run["principal"])


def test_a_cancelled_agent_cancels_the_workflow_that_it_runs(api: httpx2.Client) -> None:
    register(api, id="held-flow", tasks=[CALL])
    run_id = an_asker(api, "flow-waiter", "held-flow", {})

    def child() -> str | None:
        runs = api.get("/workflows/held-flow/runs").json()["runs"]
        return runs[0]["id"] if runs else None

    waiting = wait_for(child)
    wait_for(lambda: api.get(f"/runs/{waiting}").json()["tasks"] or None)
    assert api.post(f"/runs/{run_id}/cancel").status_code == 202
    assert ended(api, waiting)["status"] == "CANCELLED"
    assert ended(api, run_id)["status"] == "CANCELLED"


def test_editors_are_told_what_a_document_may_say(api: httpx2.Client) -> None:
    told = api.get("/workflows/schema")
    assert (told.status_code, told.json()["title"]) == (200, "Stepward workflow")
    assert "task_transform" in told.json()["$defs"]
