"""Each method asks the API for the right thing and gives back what it said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stepward.sdk import BadCall, Event, Stepward, StillRunning
from tests.unit.sdk.fake_api import FakeApi, a_run, an_event, ok, page


@pytest.mark.parametrize(
    ("call", "target"),
    [
        (lambda s: s.register_agent({"id": "a"}), "POST /agents"),
        (lambda s: s.agents(), "GET /agents"),
        (lambda s: s.agents(limit=5, cursor="c/1"), "GET /agents?limit=5&cursor=c%2F1"),
        (lambda s: s.agent("a"), "GET /agents/a"),
        (lambda s: s.agent("a", version="1.0.0"), "GET /agents/a?version=1.0.0"),
        (lambda s: s.start_run("a", "hi"), "POST /agents/a/runs"),
        (lambda s: s.start_run("a", "hi", wait=25), "POST /agents/a/runs?wait=25"),
        (lambda s: s.runs(agent="a", day="2026-11-05"), "GET /runs?agent=a&day=2026-11-05"),
        (lambda s: s.run("run_01"), "GET /runs/run_01"),
        (lambda s: s.events("run_01"), "GET /runs/run_01/events"),
        (
            lambda s: s.events("run_01", after="run_01:3:0", limit=9),
            "GET /runs/run_01/events?after=run_01%3A3%3A0&limit=9",
        ),
        (lambda s: s.cancel("run_01"), "POST /runs/run_01/cancel"),
        (lambda s: s.health(), "GET /api/health"),
        (lambda s: s.ready(), "GET /api/health/ready"),
    ],
)
def test_a_method_asks_for_its_route(call: Callable[[Stepward], object], target: str) -> None:
    api = FakeApi([ok({"anything": 1})])
    assert call(api.client()) == {"anything": 1}
    assert api.targets == [target]
    assert api.requests[0].headers["authorization"] == "Bearer sw_test"


def test_a_start_carries_its_input_and_a_key_of_its_own() -> None:
    api = FakeApi([ok(a_run())])
    api.client().start_run("a", {"ticket_id": "T-1"}, version="1.0.0", deadline_s=60)
    api.client().start_run("a", "text", idempotency_key="mine")
    assert api.body(0) == {"input": {"ticket_id": "T-1"}, "version": "1.0.0", "deadline_s": 60}
    assert api.body(1) == {"input": "text"}
    assert api.requests[0].headers["idempotency-key"].startswith("sdk-")
    assert api.requests[1].headers["idempotency-key"] == "mine"


def test_a_start_names_the_files_that_its_model_is_shown() -> None:
    api = FakeApi([ok(a_run())])
    api.client().start_run("a", "text", attachments=("photos/1.png", "uploads/invoice.pdf"))
    assert api.body(0) == {"input": "text", "attachments": ["photos/1.png", "uploads/invoice.pdf"]}


@pytest.mark.parametrize("agent", ["../runs", "a/b", "a?x=1", "a#b", "é", "a b"])
def test_an_id_never_becomes_another_path(agent: str) -> None:
    api = FakeApi([ok({})])
    api.client().agent(agent)
    path = api.requests[0].url.raw_path.decode()
    assert path.startswith("/agents/")
    assert path.count("/") == 2
    assert "?" not in path


@pytest.mark.parametrize("agent", ["", " ", ".", ".."])
def test_what_cannot_be_an_id_is_not_sent(agent: str) -> None:
    api = FakeApi([ok({})])
    with pytest.raises(BadCall, match="is not an id"):
        api.client().agent(agent)
    assert api.requests == []


def test_follow_gives_each_event_once_and_stops_at_the_end() -> None:
    first, second, third = an_event(1, "run.created"), an_event(2, "turn.completed"), an_event(3, "run.ended")
    api = FakeApi([page(first), page(second), page(third, ended=True)])
    assert [event["seq"] for event in api.client().follow("run_01")] == [1, 2, 3]
    assert api.targets[1:] == ["GET /runs/run_01/events?after=1", "GET /runs/run_01/events?after=2"]


def test_follow_reads_the_pages_left_of_a_run_that_has_ended_without_pausing() -> None:
    api = FakeApi([page(an_event(1, "run.created"), ended=True), page(an_event(2, "run.ended"), ended=True)])
    assert [event["seq"] for event in api.client().follow("run_01")] == [1, 2]
    assert api.pauses_s == []


def test_follow_stops_at_the_last_event_though_the_runs_state_lags_behind() -> None:
    api = FakeApi([page(an_event(1, "run.ended"), ended=False)])
    assert [event["seq"] for event in api.client().follow("run_01")] == [1]
    assert len(api.requests) == 1


def test_follow_past_the_end_stops_at_once() -> None:
    api = FakeApi([page(ended=True)])
    assert list(api.client().follow("run_01", after=9)) == []


def test_follow_asks_less_often_while_nothing_happens() -> None:
    nothing = [ok({"events": [], "next": 1, "ended": False}) for _ in range(8)]
    api = FakeApi([*nothing, page(an_event(2, "run.ended"), ended=True)])
    found: list[Event] = list(api.client().follow("run_01", after=1))
    assert len(found) == 1
    assert api.pauses_s == sorted(api.pauses_s)
    assert api.pauses_s[-1] == 2.0


def test_wait_returns_the_run_once_it_has_ended() -> None:
    going = a_run(status="RATE_LIMITED", ended_at=None)
    api = FakeApi([ok(going), ok(going), ok(a_run(status="FAILED"))])
    assert api.client().wait("run_01")["status"] == "FAILED"


def test_wait_asks_often_again_once_something_has_changed() -> None:
    going, waiting = (a_run(status=status, ended_at=None) for status in ("RUNNING", "WAITING"))
    api = FakeApi([*map(ok, (going, going, going, waiting, waiting)), ok(a_run())])
    api.client().wait("run_01")
    assert api.pauses_s == [0.25, 0.375, 0.5625, 0.25, 0.375]


def test_wait_gives_up_in_time_and_says_what_the_run_is() -> None:
    api = FakeApi([ok(a_run(status="RUNNING", ended_at=None))])
    with pytest.raises(StillRunning, match="run_01 is RUNNING after 3 s"):
        api.client().wait("run_01", timeout_s=3)
    assert sum(api.pauses_s) == pytest.approx(3)


def test_an_unready_stage_is_an_answer() -> None:
    api = FakeApi([ok({"status": "unready", "checks": {"journal": "no table"}}, 503)])
    assert api.client().ready()["checks"] == {"journal": "no table"}
    assert len(api.requests) == 1
