"""Two runs side by side, and the system at a glance."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents import diff_runs as diffing
from stepward.agents.diff_runs import DiffRuns
from stepward.agents.run_control import PauseRun
from stepward.agents.run_limits import SystemStatus
from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.errors import InvalidRequest, NotFound
from stepward.domain.runs import RunKey
from tests.support.builders import an_agent_body
from tests.support.driver import World

SAYS = {"turns": [{"say": "{% $input.text %}"}]}


@pytest.fixture
def world() -> World:
    world = World()
    world.register(an_agent_body(rehearsal=SAYS))
    return world


def ran(world: World, text: str) -> RunKey:
    key = world.start("helper", {"text": text})
    world.finish(key)
    return key


def diff(world: World, left: str, query: dict[str, str]) -> dict[str, Any]:
    return DiffRuns(world.journal, world.runtime)("acme", left, query)


def status(world: World, tenant: str = "acme") -> dict[str, Any]:
    return SystemStatus(world.run_queue, world.limits, world.clock)(tenant)


def test_runs_of_another_input_differ_in_it_and_in_what_follows(world: World) -> None:
    left, right = ran(world, "a"), ran(world, "b")
    seen = diff(world, left.run, {"with": right.run})
    assert seen["start"] == {"input": {"left": {"text": "a"}, "right": {"text": "b"}}}
    assert seen["turns"] == [{"turn": 1, "text": {"left": "a", "right": "b"}}]
    assert (seen["fork"], seen["next"]) == (None, None)
    assert diff(world, left.run, {"with": left.run})["first_difference"] is None


def test_a_run_that_has_only_begun_lacks_the_turns_of_the_other(world: World) -> None:
    left, right = ran(world, "a"), world.start("helper", {"text": "a"})
    seen = diff(world, left.run, {"with": right.run})
    assert seen["turns"][0]["text"] == {"left": "a", "right": None}
    assert seen["right"]["status"] == "RUNNING"


def test_a_long_comparison_comes_in_parts(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diffing, "ANSWER_LIMIT_BYTES", 100)
    call = {"call": [{"tool": "calculate", "arguments": {"expression": "{% $input.text & '+ 1' %}"}}]}
    turns = {"turns": [call, call, {"say": "{% $input.text %}"}]}
    world.register(an_agent_body(id="long", tools=[{"tool": "calculate"}], rehearsal=turns))
    keys = [world.start("long", {"text": text}) for text in ("1", "2")]
    for key in keys:
        world.finish(key)
    found, after = [], "0"
    while True:
        seen = diff(world, keys[0].run, {"with": keys[1].run, "after": after})
        assert seen["first_difference"] == 1
        found += [turn["turn"] for turn in seen["turns"]]
        if seen["next"] is None:
            break
        after = str(seen["next"])
    assert found == [1, 2, 3]


@pytest.mark.parametrize(
    ("query", "field"),
    [({}, "with"), ({"with": "nonsense"}, "run_id"), ({"with": "run_" + "0" * 26, "after": "x"}, "after")],
)
def test_a_comparison_with_nothing_is_refused(world: World, query: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        diff(world, ran(world, "a").run, query)
    assert refused.value.field == field


def test_a_run_of_another_tenant_cannot_be_compared_with(world: World) -> None:
    left = ran(world, "a")
    with pytest.raises(NotFound):
        DiffRuns(world.journal, world.runtime)("globex", left.run, {"with": left.run})


def test_the_status_counts_who_is_active_waits_and_stands_in_line(world: World) -> None:
    world.limits.change("acme", TenantLimits(active=2), 0)
    world.limits.change_account(AccountLimits(active=5))
    assert status(world) == {
        "at": "2026-01-01T00:00:00.000Z",
        "active": 0,
        "waiting": 0,
        "in_line": {"total": 0, "resume": 0, "high": 0, "normal": 0, "low": 0},
        "oldest_in_line_s": None,
        "slots": {"limit": 2, "free": 2},
        "account": {"active": 0, "limit": 5},
    }
    paused, *_ = [world.start() for _ in range(2)]
    PauseRun(world.ports)("acme", paused.run, "ann")
    world.advance(paused)
    world.start()
    world.start()
    world.clock.forward(12)
    seen = status(world)
    assert (seen["active"], seen["waiting"], seen["in_line"]["normal"]) == (2, 1, 1)
    assert (seen["oldest_in_line_s"], seen["slots"]) == (12.0, {"limit": 2, "free": 0})
    assert seen["account"] == {"active": 2, "limit": 5}


def test_another_tenant_sees_only_that_slots_are_taken(world: World) -> None:
    world.limits.change_account(AccountLimits(active=3))
    for _ in range(2):
        world.start()
    seen = status(world, "globex")
    assert (seen["active"], seen["waiting"], seen["in_line"]["total"]) == (0, 0, 0)
    assert (seen["slots"], seen["account"]) == ({"limit": 10, "free": 1}, {"active": 2, "limit": 3})
