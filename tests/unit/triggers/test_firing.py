"""From an event to a run: once an event, whatever goes wrong on the way."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.triggers import MemorySchedules, MemoryTriggers
from stepward.agents.start import Start
from stepward.domain.errors import NotAuthenticated, StoreThrottled
from stepward.domain.signatures import sign
from stepward.triggers.define import DefineTriggers
from stepward.triggers.fire import Fire, Receive
from stepward.triggers.http_events import ReceiveWebhook
from stepward.triggers.starts import Startables, Starters
from stepward.workflows.runs.start_run import StartWorkflow
from tests.support.builders import an_agent_body
from tests.support.driver import ACME, World
from tests.support.workflow_world import WorkflowWorld

SOURCES = {"shop": "acme", "bank": "other"}


def a_key() -> bytes:
    return b"k" * 32


class Doors:
    """A world with triggers: everything that arrives goes through its doors."""

    def __init__(self) -> None:
        self.world = World()
        self.world.register(an_agent_body())
        self.triggers, self.schedules = MemoryTriggers(), MemorySchedules()
        self.flows = WorkflowWorld()
        self.define = DefineTriggers(
            self.triggers,
            self.schedules,
            Startables(self.world.registry, self.flows.registry),
            self.world.clock,
            SOURCES,
            a_key,
        )
        self.start: Any = Start(self.world.ports, self.world.registry)
        self.world.datasets.put("acme", "inbox/t-1.json", b"{}")
        self.receive = Receive(self.triggers, self.fire(), self.world.clock, SOURCES)

    def fire(self) -> Fire:
        def start(*given: Any) -> Any:
            return self.start(*given)

        flows = StartWorkflow(self.flows.ports, self.flows.registry)
        return Fire(self.triggers, Starters(start, flows), self.world.clock, self.world.datasets)

    def add(self, name: str, **said: Any) -> str | None:
        body = {
            "id": name,
            "kind": next(iter(said)),
            "agent": None if "workflow" in said else "helper",
            **said,
        }
        return self.define.add(ACME, {key: value for key, value in body.items() if value is not None}).secret

    def hook(self, name: str, secret: str, body: bytes, webhook_id: str = "msg_1") -> Any:
        at_s = int(self.world.clock.now().timestamp())
        headers = {"webhook-id": webhook_id, "webhook-timestamp": str(at_s)}
        headers["webhook-signature"] = sign(secret, webhook_id, at_s, body)
        return ReceiveWebhook(self.triggers, self.fire(), self.world.clock, a_key)(
            "acme", name, headers, body
        )

    def state(self, name: str) -> Any:
        return self.triggers.state("acme", name)

    def inputs(self) -> list[Any]:
        keys = self.world.machine.started.values()
        return [self.world.journal.load(key).records[0].record.input for key in keys]  # type: ignore[union-attr]


@pytest.fixture
def doors() -> Doors:
    return Doors()


def an_object(
    key: str = "tenants/acme/inbox/t-1.json", sequencer: str = "01", size: int = 10
) -> dict[str, Any]:
    thing = {"key": key, "sequencer": sequencer, "size": size, "etag": "e", "version-id": "v1"}
    detail = {"bucket": {"name": "data"}, "object": thing}
    return {"source": "aws.s3", "detail-type": "Object Created", "id": "x", "time": "now", "detail": detail}


def an_event(source: str = "shop", name: str = "ev-1", **detail: Any) -> dict[str, Any]:
    return {"source": source, "detail-type": "OrderPaid", "id": name, "detail": detail, "account": "1"}


def test_a_new_object_starts_the_agent_with_what_the_template_says(doors: Doors) -> None:
    doors.add("inbox", s3={"prefix": "inbox/", "suffix": ".json"}, input={"file": "{% $event.name %}"})
    assert doors.receive(an_object()).started == 1
    assert doors.inputs() == [{"file": "t-1.json"}]
    (key,) = doors.world.machine.started.values()
    assert doors.world.show(key)["principal"] == "trigger.inbox"
    assert (doors.state("inbox").started, doors.state("inbox").last_run) == (1, key.run)


def test_an_event_is_taken_once_however_often_it_is_delivered(doors: Doors) -> None:
    doors.add("inbox", s3={"prefix": "inbox/"})
    results = [doors.receive(an_object()) for _ in range(3)]
    assert [(one.started, one.duplicate) for one in results] == [(1, 0), (0, 1), (0, 1)]
    assert doors.receive(an_object(sequencer="02")).started == 1
    assert len(doors.world.machine.started) == 2


def test_a_delivery_after_a_change_of_the_trigger_is_still_the_same_event(doors: Doors) -> None:
    doors.add("inbox", s3={"prefix": "inbox/"})
    doors.receive(an_object())
    body = {"kind": "s3", "agent": "helper", "s3": {"prefix": "inbox/"}, "input": "something else"}
    doors.define.replace(ACME, "inbox", body)
    again = doors.receive(an_object())
    assert (again.started, again.duplicate, again.failed) == (0, 1, 0)
    assert len(doors.world.machine.started) == 1


def test_the_objects_content_may_be_the_input(doors: Doors) -> None:
    doors.add("inbox", s3={"prefix": "inbox/", "content": "json"}, input="{% $event.content %}")
    doors.world.datasets.put("acme", "inbox/t-1.json", b'{"ticket": "T-1"}')
    doors.receive(an_object())
    assert doors.inputs() == [{"ticket": "T-1"}]
    doors.world.datasets.put("acme", "inbox/t-1.json", b"no json")
    assert doors.receive(an_object(sequencer="02")).failed == 1
    assert "not JSON" in doors.state("inbox").last_error.detail
    assert doors.receive(an_object(sequencer="03", size=10_000_000)).failed == 1
    assert "too many" in doors.state("inbox").last_error.detail


@pytest.mark.parametrize(
    ("event", "tenant"),
    [
        (an_object("tenants/acme/outbox/x"), "acme"),
        (an_object("tenants/acme/inbox2/x"), "acme"),
        (an_object("blobs/acme/x"), None),
        (an_object("tenants/UPPER/x"), None),
        (an_event("shop", status="OPEN"), "acme"),
        (an_event("unknown"), None),
        (an_event("bank", tenant="acme", status="PAID"), "other"),
    ],
)
def test_what_fits_nothing_starts_nothing_and_leaves_a_trace(
    doors: Doors, event: dict[str, Any], tenant: str | None
) -> None:
    doors.add("inbox", s3={"prefix": "inbox/"})
    doors.add("paid", event={"source": "shop", "detail": {"status": ["PAID"]}})
    received = doors.receive(event)
    assert received.unmatched
    assert (received.tenant, doors.world.machine.started) == (tenant, {})
    if tenant:
        counted = doors.triggers.unmatched(tenant, "2026-01-01")
        assert counted.objects + counted.events == 1


def test_an_event_of_a_source_starts_what_waits_for_it(doors: Doors) -> None:
    doors.add("paid", event={"source": "shop", "detail_type": ["OrderPaid"], "detail": {"status": ["PAID"]}},
              input={"order": "{% $event.detail.order %}", "kind": "{% $event.`detail-type` %}"})  # fmt: skip
    doors.add("any", event={"source": "shop"})
    received = doors.receive(an_event(status="PAID", order="SO-1"))
    assert received.started == 2
    assert {"order": "SO-1", "kind": "OrderPaid"} in doors.inputs()


def test_a_disabled_trigger_does_not_fire(doors: Doors) -> None:
    doors.add("inbox", s3={"prefix": "inbox/"}, enabled=False)
    assert doors.receive(an_object()).unmatched


def test_a_template_that_fails_is_told_and_not_tried_again(doors: Doors) -> None:
    doors.add("inbox", s3={}, input={"n": "{% $number($event.name) %}"})
    doors.add("null", s3={}, input="{% $event.nothing %}")
    received = doors.receive(an_object())
    assert (received.failed, received.started) == (2, 0)
    assert doors.state("inbox").last_error.code == "OutputMalformed"
    assert "text or a JSON object" in doors.state("null").last_error.detail


def test_an_agent_that_is_gone_is_told(doors: Doors) -> None:
    doors.add("inbox", s3={})
    doors.world.registry.__init__()  # type: ignore[misc]
    assert doors.receive(an_object()).failed == 1
    assert doors.state("inbox").last_error.code == "NotFound"


def test_a_fault_of_the_platform_is_raised_after_the_others_had_their_turn(doors: Doors) -> None:
    for name in ("one", "two"):
        doors.add(name, s3={})
    start, calls = doors.start, []

    def throttled_first(*given: Any) -> Any:
        calls.append(given)
        if len(calls) == 1:
            raise StoreThrottled("slower")
        return start(*given)

    doors.start = throttled_first
    with pytest.raises(StoreThrottled):
        doors.receive(an_object())
    assert len(doors.world.machine.started) == 1
    assert doors.state("one").failed == doors.state("two").failed == 0
    again = doors.receive(an_object())
    assert (again.started, again.duplicate) == (1, 1)
    assert len(doors.world.machine.started) == 2


def test_a_schedule_fires_once_a_time(doors: Doors) -> None:
    doors.add("nightly", schedule={"expression": "rate(1 day)"}, input={"at": "{% $event.time %}"})
    call = {"v": 1, "tenant": "acme", "trigger": "nightly", "scheduled_at": "2026-01-02T00:00:00Z"}
    assert [doors.receive(call).started for _ in range(2)] == [1, 0]
    assert doors.inputs() == [{"at": "2026-01-02T00:00:00Z"}]
    doors.define.remove(ACME, "nightly")
    assert doors.receive(call).unmatched == "its trigger is gone"
    assert doors.schedules.made == {}


def test_a_signed_call_starts_the_agent_once(doors: Doors) -> None:
    secret = doors.add("hook", webhook=None, kind="webhook", input="{% $event.body %}")
    assert secret
    fired = [doors.hook("hook", secret, b'{"order": 1}') for _ in range(2)]
    assert [one.firing.result for one in fired] == ["started", "duplicate"]
    assert fired[0].run.run == fired[1].run.run
    assert doors.inputs() == [{"order": 1}]
    doors.hook("hook", secret, b"plain words", "msg_2")
    assert doors.inputs()[1] == "plain words"


def test_nobody_without_the_secret_starts_anything_or_learns_what_exists(doors: Doors) -> None:
    doors.add("hook", webhook=None, kind="webhook")
    doors.add("inbox", s3={})
    said = set()
    for name, secret in (
        ("hook", "whsec_" + "A" * 44),
        ("none", "whsec_" + "A" * 44),
        ("inbox", "whsec_AAAA"),
    ):
        with pytest.raises(NotAuthenticated) as caught:
            doors.hook(name, secret, b"{}")
        said.add((caught.value.detail, caught.value.fix))
    assert len(said) == 1
    assert doors.world.machine.started == {}


def test_an_old_secret_stays_valid_for_the_overlap_only(doors: Doors) -> None:
    old = doors.add("hook", webhook=None, kind="webhook", input="{% $event.id %}")
    assert old
    new = doors.define.rotate(ACME, "hook", {"overlap_s": 600})
    for number, secret in enumerate((old, new)):
        assert doors.hook("hook", secret, b"{}", f"msg_{number}").run
    doors.world.clock.forward(601)
    assert doors.hook("hook", new, b"{}", "msg_3").run
    with pytest.raises(NotAuthenticated):
        doors.hook("hook", old, b"{}", "msg_4")
    doors.define.rotate(ACME, "hook", {"overlap_s": 0})
    with pytest.raises(NotAuthenticated):
        doors.hook("hook", new, b"{}", "msg_5")
