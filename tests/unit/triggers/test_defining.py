"""What a trigger may say: the rest is refused with the field and the fix, and nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.small_ports import MemoryEvents, StillClock
from stepward.adapters.memory.triggers import MemorySchedules, MemoryTriggers
from stepward.domain.errors import Conflict, InvalidRequest, NotFound
from stepward.domain.run_origins import Caller
from stepward.triggers.define import DefineTriggers
from stepward.triggers.http_events import PutTriggerEvent
from stepward.triggers.show import ShowTriggers, TryTrigger
from stepward.triggers.starts import Startables
from tests.support.builders import an_agent_body
from tests.support.driver import ACME, World
from tests.support.workflow_world import WorkflowWorld
from tests.unit.triggers.test_firing import a_key

HOURLY = {"expression": "rate(1 hour)"}
S3 = {"id": "inbox", "kind": "s3", "agent": "helper", "s3": {"prefix": "inbox/"}}
NIGHTLY = {"id": "nightly", "kind": "schedule", "agent": "helper", "schedule": HOURLY}


class Desk:
    """Where triggers are defined, shown and tried."""

    def __init__(self) -> None:
        world = World()
        world.register(an_agent_body())
        self.clock: StillClock = world.clock
        self.triggers, self.schedules = MemoryTriggers(), MemorySchedules()
        self.flows = WorkflowWorld()
        startables = Startables(world.registry, self.flows.registry)
        self.define = DefineTriggers(
            self.triggers, self.schedules, startables, world.clock, {"shop": "acme", "bank": "other"}, a_key
        )
        self.show = ShowTriggers(self.triggers, world.clock)
        self.attempt = TryTrigger(self.triggers, startables)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"id": "Not an id"}, "id"),
        ({"kind": "email"}, "kind"),
        ({"agent": "nobody"}, "agent"),
        ({"version": "9.9.9"}, "version"),
        ({"s3": None}, "body"),
        ({"schedule": HOURLY}, "body"),
        ({"s3": {"prefix": "/inbox"}}, "s3"),
        ({"s3": {"prefix": "tenants/other/"}}, "s3"),
        ({"s3": {"prefx": "inbox/"}}, "s3.prefx"),
        ({"input": {"a": ["{% $event. %}"]}}, "input.a.0"),
        ({"input": "x" * 20_000}, "body"),
        ({"enabled": "yes"}, "enabled"),
        ({"priority": "urgent"}, "priority"),
        ({"kind": "event", "s3": None, "event": {"source": "bank"}}, "event.source"),
        ({"kind": "event", "s3": None, "event": {"source": "shop", "detail": {"a": "b"}}}, "event.detail"),
        ({"kind": "schedule", "s3": None, "schedule": {"expression": "daily"}}, "schedule.expression"),
        ({"kind": "schedule", "s3": None, "schedule": {**HOURLY, "timezone": "Mars"}}, "schedule.timezone"),
        ({"kind": "schedule", "s3": None, "schedule": {"expression": "at(2020-01-01T00:00:00)"}}, "schedule.expression"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_refused_by_its_field(desk: Desk, changed: dict[str, Any], field: str) -> None:
    body = {name: value for name, value in {**S3, **changed}.items() if value is not None}
    with pytest.raises(InvalidRequest) as caught:
        desk.define.add(ACME, body)
    assert caught.value.field == field
    assert caught.value.fix
    assert desk.show.list("acme", {})["triggers"] == []


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        (
            {**S3, "agent": "nobody", "input": {"a": "{% $event. %}", "b": ["{% ( %}"], "c": 1}},
            ["agent", "input.a", "input.b.0"],
        ),
        (
            {
                "id": "x1",
                "kind": "event",
                "workflow": "none",
                "event": {"source": "bank"},
                "input": "{% [ %}",
            },
            ["workflow", "input", "event.source"],
        ),
        (
            {**NIGHTLY, "schedule": {"expression": "at(2020-01-01T00:00:00)"}, "version": "9.9.9"},
            ["version", "schedule.expression"],
        ),
        (
            {**S3, "id": "No id", "s3": {"prefx": "a"}, "agent": "nobody", "input": ["{% ( %}"]},
            ["id", "s3.prefx", "agent", "input.0"],
        ),
        ({**S3, "agent": "No id", "input": "{% ( %}", "kind": "s4"}, ["kind", "agent", "input"]),
    ],
)
def test_all_that_is_wrong_is_told_at_once(desk: Desk, body: dict[str, Any], fields: list[str]) -> None:
    with pytest.raises(InvalidRequest) as caught:
        desk.define.add(ACME, body)
    assert [one["field"] for one in caught.value.errors or ()] == fields
    assert all(one["detail"] and one["fix"] for one in caught.value.errors or ())


def test_the_same_words_again_are_the_same_trigger(desk: Desk) -> None:
    assert desk.define.add(ACME, S3).is_new is True
    assert desk.define.add(ACME, S3).is_new is False
    with pytest.raises(Conflict):
        desk.define.add(ACME, {**S3, "s3": {}})


def test_a_repeat_makes_the_schedule_that_the_first_try_did_not_reach(desk: Desk) -> None:
    desk.define.add(ACME, NIGHTLY)
    desk.schedules.made.clear()
    desk.define.add(ACME, NIGHTLY)
    assert ("acme", "nightly") in desk.schedules.made


def test_a_schedule_whose_trigger_was_removed_meanwhile_goes_again(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    put = desk.schedules.put

    def put_late(kept: Any) -> None:
        desk.triggers.remove(kept)
        put(kept)

    monkeypatch.setattr(desk.schedules, "put", put_late)
    with pytest.raises(Conflict):
        desk.define.add(ACME, NIGHTLY)
    assert desk.schedules.made == {}


def test_a_trigger_changes_but_for_its_id_and_kind(desk: Desk) -> None:
    desk.define.add(ACME, NIGHTLY)
    desk.clock.forward(60)
    changed = desk.define.replace(ACME, "nightly", {**NIGHTLY, "enabled": False}).kept
    assert (changed.revision, changed.since > changed.created_at) == (2, True)
    assert desk.schedules.made["acme", "nightly"].trigger.enabled is False
    assert desk.define.replace(ACME, "nightly", {**NIGHTLY, "enabled": False}).kept.revision == 2
    for wrong in ({"id": "other"}, {"kind": "webhook", "schedule": None}):
        body = {name: value for name, value in {**NIGHTLY, **wrong}.items() if value is not None}
        with pytest.raises(InvalidRequest, match="cannot become"):
            desk.define.replace(ACME, "nightly", body)


def test_other_tenants_triggers_are_not_there(desk: Desk) -> None:
    desk.define.add(ACME, S3)
    other = Caller(tenant="other", principal="spy")
    for look in (
        lambda: desk.define.remove(other, "inbox"),
        lambda: desk.define.rotate(other, "inbox", {}),
        lambda: desk.define.replace(other, "inbox", S3),
        lambda: desk.show.detail("other", "inbox"),
        lambda: desk.attempt("other", "inbox", {"event": {}}),
    ):
        with pytest.raises(NotFound):
            look()


def test_only_webhooks_have_secrets_and_no_view_shows_them(desk: Desk) -> None:
    made = desk.define.add(ACME, {"id": "hook", "kind": "webhook", "agent": "helper"})
    assert made.secret
    assert made.secret.startswith("whsec_")
    shown = desk.show.detail("acme", "hook")
    assert shown["path"] == "/hooks/acme/hook"
    assert made.secret not in str(shown) + str(desk.show.list("acme", {}))
    assert desk.define.add(ACME, {"id": "hook", "kind": "webhook", "agent": "helper"}).secret is None
    desk.define.add(ACME, S3)
    with pytest.raises(InvalidRequest, match="no secret"):
        desk.define.rotate(ACME, "inbox", {})


def test_the_next_times_are_shown(desk: Desk) -> None:
    desk.define.add(ACME, NIGHTLY)
    desk.clock.forward(1)
    shown = desk.show.detail("acme", "nightly")["next"]
    assert shown[:2] == ["2026-01-01T01:00:00.000Z", "2026-01-01T02:00:00.000Z"]
    assert len(shown) == 5
    desk.define.replace(ACME, "nightly", {**NIGHTLY, "enabled": False})
    assert desk.show.detail("acme", "nightly")["next"] == []


def test_trying_shows_what_would_start_and_starts_nothing(desk: Desk) -> None:
    desk.define.add(ACME, {**S3, "input": {"file": "{% $event.name %}"}})
    tried = desk.attempt("acme", "inbox", {"event": {"key": "inbox/a.csv", "name": "a.csv"}})
    assert tried["would_start"] == {
        "agent": "helper",
        "version": "1.0.0",
        "input": {"file": "a.csv"},
        "principal": "trigger.inbox",
    }
    assert (tried["starts"], tried["fits"], tried["error"]) == (True, True, None)
    assert desk.triggers.state("acme", "inbox").started == 0
    assert desk.attempt("acme", "inbox", {"event": {"key": "else/a.csv"}})["starts"] is False


def test_trying_tells_what_would_go_wrong(desk: Desk) -> None:
    desk.define.add(ACME, {**S3, "input": "{% $event.nothing %}"})
    tried = desk.attempt("acme", "inbox", {"event": {"key": "inbox/a"}})
    assert tried["starts"] is False
    assert tried["error"]["field"] == "input"
    with pytest.raises(InvalidRequest):
        desk.attempt("acme", "inbox", {"evnt": {}})


def test_a_single_type_of_event_is_a_list_of_one(desk: Desk) -> None:
    event = {"source": "shop", "detail_type": "order.placed"}
    made = desk.define.add(ACME, {"id": "orders-in", "kind": "event", "agent": "helper", "event": event})
    assert made.kept.trigger.event is not None
    assert made.kept.trigger.event.detail_type == ("order.placed",)


ORDERS = {"id": "orders-in", "kind": "event", "agent": "helper", "event": {"source": "shop"}}


def test_an_event_is_put_for_a_trigger(desk: Desk) -> None:
    desk.define.add(ACME, {**ORDERS, "event": {"source": "shop", "detail_type": "order.placed"}})
    put = PutTriggerEvent(desk.triggers, bus := MemoryEvents(), {"shop": "acme"})
    answer = put("acme", "orders-in", {"event": {"detail": {"order": 1}}})
    assert answer["event"] == {"source": "shop", "detail-type": "order.placed", "detail": {"order": 1}}
    assert bus.events == [("shop", "order.placed", {"order": 1})]


@pytest.mark.parametrize(
    ("trigger", "event", "sources", "field"),
    [
        (ORDERS, {"detail": {}}, {"shop": "acme"}, "event.detail-type"),
        (ORDERS, {"detail-type": "x"}, {"shop": "acme"}, "event.detail"),
        (ORDERS, {"detail-type": "x", "detail": {}, "account": "1"}, {"shop": "acme"}, "event.account"),
        (ORDERS, {"source": "bank", "detail-type": "x", "detail": {}}, {"shop": "acme"}, "event"),
        (ORDERS, {"detail-type": "x", "detail": {}}, {"shop": "other"}, "event.source"),
        ({**ORDERS, "enabled": False}, {"detail-type": "x", "detail": {}}, {"shop": "acme"}, "trigger_id"),
        ({**S3, "id": "orders-in"}, {"detail-type": "x", "detail": {}}, {"shop": "acme"}, "trigger_id"),
    ],
)
def test_an_event_that_would_not_fire_is_not_put(
    desk: Desk, trigger: dict[str, Any], event: dict[str, Any], sources: dict[str, str], field: str
) -> None:
    desk.define.add(ACME, trigger)
    put = PutTriggerEvent(desk.triggers, bus := MemoryEvents(), sources)
    with pytest.raises(InvalidRequest) as caught:
        put("acme", "orders-in", {"event": event})
    assert (caught.value.field, bus.events) == (field, [])
    with pytest.raises(NotFound):
        put("other", "orders-in", {"event": {"detail-type": "x", "detail": {}}})


def test_events_of_workflows_may_be_waited_for_and_are_put_by_workflows_only(desk: Desk) -> None:
    paid = {"id": "paid", "kind": "event", "agent": "helper", "event": {"source": "stepward.workflow"}}
    desk.define.add(ACME, paid)
    put = PutTriggerEvent(desk.triggers, MemoryEvents(), {"shop": "acme", "stepward.workflow": "acme"})
    with pytest.raises(InvalidRequest, match="put by workflows only"):
        put("acme", "paid", {"event": {"detail-type": "order.paid", "detail": {"tenant": "rival"}}})
