"""The bench that compares the laptop with plain moto asks both the same."""

from __future__ import annotations

from infra.local.bench.laptop import Subject, report
from infra.local.bench.twins import twin
from infra.local.laptop import Laptop


def test_both_run_the_same_machine_to_the_same_end(laptop: Laptop) -> None:
    with twin("plain_moto") as plain:
        for endpoint in (laptop.endpoint, plain):
            subject = Subject(endpoint)
            assert len(subject.one_by_one(2)) == 2
            assert subject.at_once(3) > 0


def test_what_is_told_is_the_median_and_how_many_times_better() -> None:
    spans_ms = {"plain_moto": [90.0, 30.0, 60.0], "laptop": [6.0, 9.0, 3.0]}
    told = report(spans_ms, {"plain_moto": 20.0, "laptop": 90.0})
    assert told == {
        "plain_moto": {"ms_per_task_median": 20.0, "executions_per_s": 20.0},
        "laptop": {"ms_per_task_median": 2.0, "executions_per_s": 90.0},
        "ratio": {"ms_per_task_median": 10.0, "executions_per_s": 4.5},
    }
