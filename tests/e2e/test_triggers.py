"""Agents start by themselves: a file, an event, a time and a signed call, through the real rooms, rules and schedules."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from infra.local.laptop import Laptop
from stepward.domain.signatures import sign
from tests.local.patience import wait_for
from tests.support.builders import an_agent_body

pytestmark = pytest.mark.laptop
ECHO = {"turns": [{"say": "{% $string($input) %}"}]}
Add = Callable[..., dict[str, Any]]


def put_object(laptop: Laptop, key: str, body: bytes = b"{}", tenant: str = "acme") -> None:
    bucket = laptop.physical_id("AWS::S3::Bucket")
    laptop.client("s3").put_object(Bucket=bucket, Key=f"tenants/{tenant}/{key}", Body=body)


def put_event(laptop: Laptop, source: str, **detail: Any) -> None:
    entry = {"Source": source, "DetailType": "OrderPaid", "Detail": json.dumps(detail)}
    laptop.client("events").put_events(Entries=[{**entry, "EventBusName": "stepward-laptop-events"}])


def fired(api: httpx2.Client, name: str, started: int = 1) -> dict[str, Any]:
    """Wait until a trigger has started so many runs; give its state."""
    return wait_for(
        lambda: (
            ((state := api.get(f"/triggers/{name}").json()["state"])["started"] >= started and state) or None
        )
    )


def output(api: httpx2.Client, run_id: str) -> Any:
    ended = wait_for(lambda: ((run := api.get(f"/runs/{run_id}").json())["ended_at"] and run) or None)
    assert ended["status"] == "COMPLETED", ended
    return json.loads(ended["output"])


def test_a_new_file_starts_an_agent_with_what_is_in_it(api: httpx2.Client, laptop: Laptop, add: Add) -> None:
    said = {"ticket": "{% $event.content.ticket %}", "file": "{% $event.name %}"}
    add("files", "s3", s3={"prefix": "inbox/", "suffix": ".json", "content": "json"}, input=said)
    put_object(laptop, "inbox/notes.txt")
    put_object(laptop, "inbox/a b.json", b'{"ticket": "T-1"}')
    state = fired(api, "files")
    assert output(api, state["last_run"]) == {"ticket": "T-1", "file": "a b.json"}
    run = api.get(f"/runs/{state['last_run']}").json()
    assert run["principal"] == "trigger.files"
    today = wait_for(lambda: api.get("/triggers").json()["unmatched_today"]["objects"] or None)
    assert today >= 1


def test_an_event_of_the_tenants_source_starts_an_agent(api: httpx2.Client, laptop: Laptop, add: Add) -> None:
    add("paid", "event", event={"source": "shop", "detail_type": ["OrderPaid"], "detail": {"status": ["PAID"]}},
        input={"order": "{% $event.detail.order %}"})  # fmt: skip
    put_event(laptop, "shop", status="OPEN", order="SO-1")
    put_event(laptop, "stranger", status="PAID", order="SO-2", tenant="acme")
    put_event(laptop, "shop", status="PAID", order="SO-3")
    assert output(api, fired(api, "paid")["last_run"]) == {"order": "SO-3"}
    wait_for(lambda: api.get("/triggers").json()["unmatched_today"]["events"] or None)
    log = laptop.log_dir / "trigger_events.log"
    wait_for(lambda: "given to no tenant" in log.read_text(encoding="utf-8") or None)
    assert api.get("/triggers/paid").json()["state"]["started"] == 1


def redeliver(laptop: Laptop, event: dict[str, Any]) -> None:
    """Give the same event three times, as EventBridge may."""
    for _ in range(3):
        laptop.client("lambda").invoke(
            FunctionName="stepward-laptop-trigger-events", Payload=json.dumps(event).encode()
        )


def test_a_redelivered_event_starts_nothing_new(api: httpx2.Client, laptop: Laptop, add: Add) -> None:
    add("again", "event", event={"source": "shop"})
    event = {"id": "one", "source": "shop", "detail-type": "X", "detail": {}, "resources": []}
    redeliver(laptop, event)
    state = api.get("/triggers/again").json()["state"]
    assert (state["started"], state["duplicate"]) == (1, 2)


def test_a_schedule_starts_an_agent_at_its_time(api: httpx2.Client, laptop: Laptop, add: Add) -> None:
    due = laptop.clock.now() + timedelta(minutes=3)
    expression = f"at({due:%Y-%m-%dT%H:%M:%S})"
    made = add("later", "schedule", schedule={"expression": expression}, input={"at": "{% $event.time %}"})
    assert api.get("/triggers/later").json()["next"] == [f"{due:%Y-%m-%dT%H:%M:%S}.000Z"]
    assert made["schedule"]["timezone"] == "UTC"
    laptop.clock.advance(240)
    assert output(api, fired(api, "later")["last_run"]) == {"at": f"{due:%Y-%m-%dT%H:%M:%S}Z"}
    api.delete("/triggers/later")
    assert laptop.client("scheduler").list_schedules(GroupName="stepward-laptop-triggers")["Schedules"] == []


def test_a_changed_schedule_is_the_one_that_fires(api: httpx2.Client, laptop: Laptop, add: Add) -> None:
    first, second = (laptop.clock.now() + timedelta(minutes=minutes) for minutes in (3, 5))
    said = {"kind": "schedule", "agent": "echo", "input": {"at": "{% $event.time %}"}}
    add("moved", "schedule", schedule={"expression": f"at({first:%Y-%m-%dT%H:%M:%S})"}, input=said["input"])
    api.put("/triggers/moved", json={**said, "schedule": {"expression": f"at({second:%Y-%m-%dT%H:%M:%S})"}})
    laptop.clock.advance(360)
    assert output(api, fired(api, "moved")["last_run"]) == {"at": f"{second:%Y-%m-%dT%H:%M:%S}Z"}


def call(laptop: Laptop, path: str, secret: str, body: bytes, webhook_id: str = "msg_1") -> httpx2.Response:
    at_s = int(time.time())
    headers = {"webhook-id": webhook_id, "webhook-timestamp": str(at_s)}
    headers["webhook-signature"] = sign(secret, webhook_id, at_s, body)
    return httpx2.post(f"{laptop.url}{path}", content=body, headers=headers, timeout=30, trust_env=False)


def test_a_signed_call_starts_an_agent_without_a_key(api: httpx2.Client, laptop: Laptop, add: Add) -> None:
    made = add("hook", "webhook", input="{% $event.body %}")
    body = '{"order": "Überraschung"}'.encode()
    first = call(laptop, made["path"], made["secret"], body)
    assert first.status_code == 202, first.text
    again = call(laptop, made["path"], made["secret"], body)
    assert (again.status_code, again.json()["run"]) == (200, first.json()["run"])
    assert output(api, first.json()["run"]) == {"order": "Überraschung"}
    rotated = api.post("/triggers/hook/secret", json={"overlap_s": 0}).json()["secret"]
    assert call(laptop, made["path"], made["secret"], body, "msg_2").status_code == 401
    assert call(laptop, made["path"], rotated, body, "msg_3").status_code == 202
    assert api.get("/triggers/hook").json()["state"]["started"] == 2


def test_many_deliveries_at_once_start_one_run(api: httpx2.Client, laptop: Laptop, add: Add) -> None:
    made = add("storm", "webhook", input="{% $event.body %}")
    with ThreadPoolExecutor(12) as threads:
        calls = [threads.submit(call, laptop, made["path"], made["secret"], b'{"n": 1}') for _ in range(12)]
        answers = [one.result() for one in calls]
    # Of two starts at the same instant one may be told to come again, as senders of webhooks do.
    assert {answer.status_code for answer in answers} <= {200, 202, 503}
    assert len({answer.json()["run"] for answer in answers if answer.status_code != 503}) == 1
    assert api.get("/triggers/storm").json()["state"]["started"] == 1


def test_what_the_room_cannot_take_is_tried_again_and_kept(laptop: Laptop) -> None:
    """A schedule's input that nobody of ours wrote: no repetition mends it, so it ends where people look."""
    broken = json.dumps({"scheduled_at": "never", "marker": "kept"})
    name = "stepward-laptop-trigger-events"
    laptop.client("lambda").invoke(FunctionName=name, InvocationType="Event", Payload=broken.encode())
    sqs = laptop.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{name}-failed")["QueueUrl"]

    def kept() -> Any:
        laptop.clock.advance(60)
        return sqs.receive_message(QueueUrl=url).get("Messages")

    (message,) = wait_for(kept)
    told = json.loads(message["Body"])
    assert told["requestPayload"]["marker"] == "kept"
    assert told["requestContext"]["approximateInvokeCount"] == 3
    assert told["responsePayload"]["errorType"] == "Bug"


def test_a_wrong_signature_and_an_unknown_hook_look_alike(
    laptop: Laptop, add: Add, api: httpx2.Client
) -> None:
    made = add("guarded", "webhook")
    wrong = "whsec_" + "B" * 44
    answers = [
        call(laptop, path, wrong, b"{}") for path in (made["path"], "/hooks/acme/nobody", "/hooks/x/y1")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert api.get("/triggers/guarded").json()["state"]["started"] == 0


def test_what_goes_wrong_is_shown_and_mended_by_a_change(
    api: httpx2.Client, laptop: Laptop, add: Add
) -> None:
    said = {"s3": {"prefix": "broken/"}, "input": {"n": "{% $number($event.name) %}"}}
    add("broken", "s3", **said)
    put_object(laptop, "broken/x")
    state = wait_for(lambda: ((s := api.get("/triggers/broken").json()["state"])["failed"] and s) or None)
    assert (state["last_error"]["code"], state["started"]) == ("OutputMalformed", 0)
    tried = api.post("/triggers/broken/test", json={"event": {"key": "broken/7", "name": "7"}}).json()
    assert tried["would_start"]["input"] == {"n": 7}
    changed = {"kind": "s3", "agent": "echo", "s3": said["s3"]}
    assert api.put("/triggers/broken", json=changed).json()["revision"] == 2
    put_object(laptop, "broken/x")
    assert output(api, fired(api, "broken")["last_run"])["key"] == "broken/x"


def test_another_tenants_files_and_triggers_are_out_of_reach(
    api: httpx2.Client, laptop: Laptop, add: Add
) -> None:
    add("mine", "s3", s3={"prefix": "private/"})
    put_object(laptop, "private/x", tenant="rival")
    key = laptop.issue_key("rival", "spy")
    headers = {"Authorization": f"Bearer {key}"}
    with httpx2.Client(base_url=laptop.url, headers=headers, timeout=30, trust_env=False) as rival:
        for answer in (rival.get("/triggers/mine"), rival.delete("/triggers/mine")):
            assert answer.status_code == 404
        assert rival.get("/triggers").json()["triggers"] == []
        event = {"id": "theft", "kind": "event", "agent": "echo", "event": {"source": "shop"}}
        rival.post("/agents", json=an_agent_body(id="echo", rehearsal=ECHO))
        refused = rival.post("/triggers", json=event)
        assert (refused.status_code, refused.json()["field"]) == (400, "event.source")
        wait_for(lambda: rival.get("/triggers").json()["unmatched_today"]["objects"] or None)
    assert api.get("/triggers/mine").json()["state"]["started"] == 0
