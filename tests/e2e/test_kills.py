"""Real processes are killed around every write of a run."""

from __future__ import annotations

import pytest

from infra.local.bench.kills import sweep

pytestmark = pytest.mark.laptop


def test_a_run_survives_a_kill_around_each_of_its_writes() -> None:
    report = sweep(("one_turn",))
    assert report["violations"] == []
    assert report["by_fault"] == {"sigkill_before_a_write": 3, "sigkill_after_a_write": 3}
