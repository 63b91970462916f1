"""The sweep of kills reaches every way to wait, names its kills, and tells what a killed run shows otherwise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from infra.local.bench import faults
from infra.local.bench.kills import sweep as sweeping
from infra.local.bench.kills.killer import Kill
from infra.local.bench.kills.relay import Relay
from infra.local.bench.kills.shapes import shapes
from infra.local.bench.kills.sweep import Report, _Bench, differences
from infra.local.faults import LaptopError, UnusableOption
from stepward.domain.agents import AgentDefinition
from stepward.domain.tools import Placement
from stepward.tasks import catalog as tasks
from stepward.tasks.facts import Step
from stepward.tools import catalog as tools
from stepward.workflows.checks import examine

SHAPES = shapes("http://127.0.0.1:1")
CALM: dict[str, Any] = {
    "id": "run_1",
    "status": "COMPLETED",
    "output": "Done.",
    "ended_at": "2026-01-01T00:00:00.000Z",
    "totals": {"turns": 2, "tool_calls": 1, "cost_usd_micros": 100},
}


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_what_could_be_registered(name: str) -> None:
    shape = SHAPES[name]
    for kind, document in (*shape.before, (shape.kind, shape.document)):
        if kind == "agents":
            AgentDefinition.model_validate(document)
        else:
            assert examine(document)[1] == []


def test_every_way_to_wait_for_somebody_is_among_the_shapes() -> None:
    used = [
        use for shape in SHAPES.values() if shape.kind == "agents" for use in shape.document.get("tools", ())
    ]
    named = {"agent" if "agent" in use else use["tool"] for use in used}
    awaited = {name for name in tools.CATALOG if tools.find_tool(name).placement is Placement.AWAITED}
    assert awaited <= named
    assert any("approval" in use for use in used)
    definitions = [examine(shape.document)[0] for shape in SHAPES.values() if shape.kind == "workflows"]
    found = [task for definition in definitions if definition for task in definition.tasks]
    types = {name for name in tasks.CATALOG if tasks.find_type(name).steps == (Step.AWAIT,)}
    assert types <= {task.type for task in found}
    assert {bool(task.settings.get("url")) for task in found if task.type == "webhook"} == {True, False}
    assert any(task.settings.get("chunk_size") for task in found if task.type == "foreach")


def test_a_kill_is_read_as_it_is_written() -> None:
    assert Kill.read("asks_one:before:4") == Kill("asks_one", "before", 4)
    assert str(Kill.read("remote_2_2:after:12")) == "remote_2_2:after:12"
    assert Kill.read("model:within:2") == Kill("model", "within", 2)


@pytest.mark.parametrize(
    "text", ["", "asks_one", "asks_one:4:before", "asks_one:before:0", "a:during:1", "a:after:x"]
)
def test_what_names_no_kill_is_refused(text: str) -> None:
    with pytest.raises(UnusableOption, match="SHAPE:before:WRITE"):
        Kill.read(text)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({}, []),
        ({"totals": {**CALM["totals"], "cost_usd_micros": 150}}, []),
        ({"status": "FAILED"}, ["status is 'FAILED', not 'COMPLETED'"]),
        ({"model_calls": 1}, []),
        ({"model_calls": 2}, ["models were asked 2 times, 0 without a kill: one may be lost"]),
        ({"output": "?"}, ["output is '?', not 'Done.'"]),
        ({"totals": {**CALM["totals"], "turns": 3}}, ["turns are 3, not 2"]),
        (
            {"totals": {**CALM["totals"], "cost_usd_micros": 99}},
            ["it costs 99, less than the 100 without a kill"],
        ),
        ({"tasks": [{"task": "a", "status": "FAILED"}]}, ["tasks are {'a': 'FAILED'}, not {}"]),
    ],
)
def test_what_a_kill_has_changed_is_named(changed: dict[str, Any], says: list[str]) -> None:
    assert differences(CALM, {**CALM, **changed}) == says


class Callers:
    """Callers whose run ends, or never does, or who cannot even start it."""

    def __init__(self, end: dict[str, Any] | None, held: dict[str, int] | None = None) -> None:
        self.end, self.held = end, held or {}
        self.cancelled: list[str] = []

    def register(self, shape: Any) -> None:
        """Take it."""

    def start(self, shape: Any) -> str:
        if self.end is None:
            raise LaptopError("one_turn could not be started: 500 no")
        return str(self.end["id"])

    def to_its_end(self, run: str, limit_s: float) -> dict[str, Any]:
        assert self.end is not None
        return self.end

    def left_over(self) -> dict[str, int]:
        return self.held

    def cancel(self, run: str) -> None:
        self.cancelled.append(run)


class Laptop:
    """A laptop on which nobody writes."""

    class meter:  # noqa: N801
        """Measures nothing."""

        observe = None


def tried(callers: Callers, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sweeping, "_FREED_WITHIN_S", 0.0)
    bench = _Bench(Laptop(), callers, SHAPES, Relay(""))  # type: ignore[arg-type]
    bench.try_one(SHAPES["one_turn"], Kill("one_turn", "before", 2), CALM)
    return bench.report.as_json()


def test_a_run_that_does_not_end_is_a_violation_with_what_replays_it(monkeypatch: pytest.MonkeyPatch) -> None:
    callers = Callers({**CALM, "status": "WAITING", "ended_at": None})
    (violation,) = tried(callers, monkeypatch)["violations"]
    assert violation["violations"][0] == "it is still WAITING after 150 s (an agent)"
    assert violation["replay"] == "stepward bench faults --kill one_turn:before:2"
    assert callers.cancelled == ["run_1"]


@pytest.mark.parametrize(
    ("callers", "says"),
    [
        (Callers(None), "LaptopError: one_turn could not be started: 500 no"),
        (Callers(CALM, {"active": 1}), "when it had ended, there were still {'active': 1}"),
        (Callers({**CALM, "output": "?"}), "output is '?', not 'Done.'"),
    ],
    ids=["never began", "held", "other"],
)
def test_whatever_does_not_hold_is_a_violation(
    callers: Callers, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (violation,) = tried(callers, monkeypatch)["violations"]
    assert violation["kill"] == "one_turn:before:2"
    assert says in violation["violations"]


def test_what_holds_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    report = tried(Callers(CALM), monkeypatch)
    assert (report["tried"], report["violations"], report["missed"]) == (1, [], ["one_turn:before:2"])


@pytest.mark.parametrize("kills", [None, 2])
def test_the_bench_kills_as_many_of_each_shape_as_it_is_told(
    kills: int | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    played = {"tried": 3, "violations": [], "by_fault": {"pause": 1}}
    monkeypatch.setattr(faults, "_schedules", lambda words: played if words == ["--count", "3"] else None)
    monkeypatch.setattr(faults, "sweep", lambda sample: Report(tried=sample or 0).as_json())
    assert faults.faults(count=3, kills=kills, seed=None, kill=None) == 0
    assert json.loads(capsys.readouterr().out)["tried"] == 3 + (kills or 0)


@pytest.mark.parametrize("kills", [0, -1])
def test_no_kills_are_refused_before_anything_is_played(kills: int) -> None:
    with pytest.raises(UnusableOption, match=f"--kills is {kills}; give a whole number from 1"):
        faults.faults(count=3, kills=kills, seed=None, kill=None)
