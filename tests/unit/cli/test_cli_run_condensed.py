"""`stepward runs show` of a run whose model was shown less than was said."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.sdk.fake_api import FakeApi, a_run, an_event, ok, page

Stage = Callable[..., FakeApi]
BY_MODEL = {
    "turn": 9,
    "left_out_through": 6,
    "kept": [2, 8],
    "model": "claude-haiku-5-5",
    "cost_usd_micros": 420,
}
FAILED = {"turn": 20, "left_out_through": 0, "shortened_through": 15, "error": {"code": "ProviderRefused"}}


def test_decisions_are_shown_with_when_how_much_by_whom_and_cost(run: Run, stage: Stage) -> None:
    api = stage(
        ok(a_run(rehearsed=False, charged=True)),
        page(an_event(1, "run.created"), an_event(7, "context.condensed", **BY_MODEL)),
        page(an_event(9, "context.condensed", **FAILED)),
        page(),
    )
    rows = [line.split() for line in run("runs", "show", "run_01").out.splitlines()]
    at = "2026-11-05T10:00:00.000Z"
    assert [at, "9", "5", "claude-haiku-5-5", "$0.000420"] in rows
    assert [at, "20", "0", "none:", "ProviderRefused", "$0.000000"] in rows
    assert [target.partition("?")[2] for target in api.targets[1:]] == ["", "after=7", "after=9"]


@pytest.mark.parametrize(
    "more", [{"rehearsed": True}, {"rehearsed": False, "totals": {**a_run()["totals"], "turns": 0}}]
)
def test_a_run_that_has_nothing_to_leave_out_is_asked_no_more(
    run: Run, stage: Stage, more: dict[str, object]
) -> None:
    api = stage(ok(a_run(**more)))
    assert "shortened" not in run("runs", "show", "run_01").out
    assert api.targets == ["GET /runs/run_01"]
