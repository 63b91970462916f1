"""What the benches promise holds: they run as commands, each with a laptop of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.laptop
ROOT = Path(__file__).resolve().parents[2]
SAMPLED = ("one_turn", "model", "person", "child", "webhook", "chunks")
"""A run that waits for nobody, one that asks a model, and of each kind of somebody else one that waits for him; a soak takes all shapes."""
SWEEP = f"import json; from infra.local.bench.kills.sweep import sweep; print(json.dumps(sweep({SAMPLED}, sample=1)))"


def test_runs_survive_a_kill_at_a_write_whoever_they_wait_for() -> None:
    """One place of each; `make soak` kills at all of them, of every shape."""
    command = [sys.executable, "-c", SWEEP]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["violations"] == []
    assert sum(report["by_fault"].values()) + len(report["missed"]) == report["tried"] == len(SAMPLED)
    assert len(report["missed"]) <= 1


def test_the_counts_of_the_reference_runs_are_as_promised() -> None:
    command = [sys.executable, "-m", "infra.local", "bench", "counts", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    runs = told["runs"]
    assert {name: run["states_entered"] for name, run in runs.items()} == {
        "one_turn": 3,
        "remote_2_2": 13,
        "remote_2_2_2": 18,
        "inline_2_2_2": 3,
    }
    assert max(run["max_state_bytes"] for run in runs.values()) < 2_000
    # Two appends an inline turn: a claim, three turns of two, and the last turn.
    assert runs["inline_2_2_2"]["dynamodb_calls"]["PutItem"] == 1 + 3 * 2 + 1
    assert {run["limits_writes"] for run in runs.values()} == {0}
    assert told["real_model"]["one_turn"]["limits_writes"] == 1


def test_the_line_holds_what_it_promises() -> None:
    command = [sys.executable, "-m", "infra.local", "bench", "line", "--runs", "12", "--slots", "3"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert report["violations"] == []
    assert (report["runs"], report["most_active"]) == (12, 3)
    assert report["served_before_their_turn"] == 0
