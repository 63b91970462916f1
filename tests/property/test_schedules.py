"""Schedules hold, can be repeated, and notice when something is broken."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stepward.agents import settle, standing
from stepward.agents.advance import _Advancing
from stepward.agents.call_tool import CallTool
from stepward.agents.epochs import Epochs
from stepward.agents.run_ports import RunPorts
from stepward.agents.serve_line import ServeLine
from stepward.agents.settle import Settle
from stepward.agents.writer import RunWriter
from stepward.domain.ledger import Ledger
from stepward.testing.schedules import machine
from stepward.testing.schedules.__main__ import explore
from stepward.testing.schedules.scenario import Scenario

ASL = Path(__file__).resolve().parents[2] / "statemachines" / "agent-run.asl.json"


def test_nothing_breaks_in_the_first_schedules() -> None:
    report = explore(1, 250)
    assert (report["tried"], report["violations"]) == (250, [])
    assert set(report["by_fault"]) >= {
        "dies_before",
        "dies_after",
        "answer_lost",
        "brown_out",
        "duplicate_delivery",
    }


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.integers(10**6, 10**9))
def test_nothing_breaks_in_schedules_from_afar(seed: int) -> None:
    assert Scenario(seed).play().violations == []


@pytest.mark.parametrize("seed", [7, 261, 8130])
def test_a_seed_is_a_schedule(seed: int) -> None:
    assert Scenario(seed).play() == Scenario(seed).play()


def _no_claim(advancing: Any) -> None:
    permit = advancing._permit(advancing.state) if advancing.state.pending is None else None
    advancing.state.ledger.intent = permit


@pytest.mark.parametrize(
    ("owner", "method", "broken", "says"),
    [
        (RunWriter, "book_late", lambda *_: None, "booked 0"),
        (Ledger, "lose_open_call", lambda *_: None, "were paid"),
        (Ledger, "returns", lambda _: (), "were taken from"),
        (ServeLine, "_wake", lambda *_: None, ""),
        (RunPorts, "tell", lambda *_: None, ""),
        (Settle, "_tell_others", lambda *_: None, "never told"),
        (settle, "close_those_of", lambda *_: None, "stays open"),
        (standing, "close_those_of", lambda *_: None, "stays open"),
        (CallTool, "_held_back", lambda *_: None, "paid 2 times"),
        (_Advancing, "_claim", _no_claim, ""),
        (Epochs, "start", lambda *_: None, ""),
    ],
)
def test_a_broken_promise_is_noticed(
    monkeypatch: pytest.MonkeyPatch, owner: Any, method: str, broken: Any, says: str
) -> None:
    monkeypatch.setattr(owner, method, broken)
    faults = (fault for seed in range(1, 151) for fault in Scenario(seed).play().violations)
    assert any(says in fault for fault in faults)


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
