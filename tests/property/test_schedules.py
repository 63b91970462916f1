"""Schedules hold, can be repeated, and end with a violation where they could not go on."""

from __future__ import annotations

import json
import threading
from collections import Counter
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward import ports
from stepward.adapters.provider_limits import LimitStore
from stepward.domain.journal import Condensed, Turn, Waiting
from stepward.testing.schedules import machine, scenario
from stepward.testing.schedules.__main__ import explore
from stepward.testing.schedules.focus import Focus
from stepward.testing.schedules.ports import WRITES
from stepward.testing.schedules.scenario import Scenario
from tests.property.test_deaths import WRITES as MORTAL
from tests.support.draws import drawn

ASL = Path(__file__).resolve().parents[2] / "statemachines" / "agent-run.asl.json"

SCHEDULES = 150
AROUND_A_CALL = ("dies_before", "dies_after", "answer_lost")


def test_nothing_breaks_in_the_first_schedules() -> None:
    report = explore(1, SCHEDULES)
    assert (report["tried"], report["violations"]) == (SCHEDULES, [])
    assert set(report["by_fault"]) >= {
        "dies_before",
        "dies_after",
        "answer_lost",
        "brown_out",
        "duplicate_delivery",
        *(f"model_{moment}_{fault}" for moment in ("ask", "stream") for fault in AROUND_A_CALL),
    }


@pytest.mark.parametrize("seed", [720, 1848])
def test_what_once_broke_holds(seed: int) -> None:
    """An orphan paused beside its answers was woken by nobody; an older look took a run's new place."""
    assert Scenario(seed).play().violations == []


@drawn(40)
@given(st.integers(10**6, 10**9))
def test_nothing_breaks_in_schedules_from_afar(seed: int) -> None:
    assert Scenario(seed).play().violations == []


def test_a_write_is_the_name_of_a_port_s_method() -> None:
    """A method that was renamed would never again be what a process dies at."""
    names = {one.name for one in iter_modules(ports.__path__, f"{ports.__name__}.")}
    kinds = [kind for name in names for kind in vars(import_module(name)).values() if isinstance(kind, type)]
    assert [
        name for name in (*WRITES, *MORTAL) if not any(hasattr(kind, name) for kind in (*kinds, LimitStore))
    ] == []


def test_gateways_take_all_their_ways_in_schedules() -> None:
    """A provider that declines leaves the call to the next one, streams break off, and long talks are summed up."""
    found = Counter[str]()
    for seed in [seed for seed in range(1, SCHEDULES) if Focus.of(seed).asks_models][:30]:
        scenario = Scenario(seed)
        assert scenario.play().violations == []
        for key in scenario.platform.runtime.heads:
            records = [item.record for item in scenario.platform.journal.load(key).records]
            turns = [one for one in records if isinstance(one, Turn)]
            found["tried another"] += sum(bool(one.reply.tried) for one in turns)
            found["broke off"] += sum(one.reply.stop == "cut" for one in turns)
            found["summed up"] += sum(isinstance(one, Condensed) and bool(one.model) for one in records)
            found["waited"] += sum(isinstance(one, Waiting) for one in records)
    assert all(found[way] > 2 for way in ("tried another", "broke off", "summed up", "waited")), found


@pytest.mark.parametrize("seed", [7, 261, 8130])
def test_a_seed_is_a_schedule(seed: int) -> None:
    assert Scenario(seed).play() == Scenario(seed).play()


def test_a_schedule_that_breaks_off_is_a_violation_and_leaves_nobody_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scenario, "MOST_STEPS", 30)
    before = threading.active_count()
    outcome = Scenario(7).play()
    assert outcome.violations == ["at step 31: InvariantBroken: the schedule does not come to an end"]
    assert threading.active_count() <= before


def test_the_played_machine_retries_as_the_real_one() -> None:
    states = json.loads(ASL.read_text())["States"]
    advance, call = states["AdvanceRun"], states["CallTools"]["ItemProcessor"]["States"]["CallTool"]
    wait = states["AwaitAnswers"]["ItemProcessor"]["States"]["AwaitAnswer"]
    for state, died, attempts in (
        (advance, machine.ADVANCE_DIED, machine.ADVANCE_DIED_ATTEMPTS),
        (call, machine.CALL_DIED, machine.CALL_DIED_ATTEMPTS),
        (wait, machine.WAIT_DIED, machine.WAIT_DIED_ATTEMPTS),
    ):
        busy, dead = state["Retry"]
        assert set(busy["ErrorEquals"]) >= machine.BUSY
        assert busy["MaxAttempts"] == machine.BUSY_ATTEMPTS
        assert set(dead["ErrorEquals"]) >= died
        assert dead["MaxAttempts"] == attempts
