"""The function that calls models has the memory that its bench says is enough."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from stepward.domain.aws_prices import ROOM_MEMORY_MB
from stepward.testing.memory_bench import A_PROCESSOR_MB, SIZES_MB, measure, recommended_mb

pytestmark = pytest.mark.enable_socket
ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("peaks", "turns", "found"),
    [
        ((0.8, 0.5, 0.3), (0.2, 0.05, 0.04), 512),
        ((0.8, 0.51, 0.3), (0.2, 0.05, 0.04), 1_024),
        ((0.4, 0.2, 0.1), (0.2, 0.051, 0.05), 1_024),
        ((0.4, 0.2, 0.1), (0.04, 0.03, 0.02), 256),
        ((1.2, 0.8, 0.6), (0.04, 0.03, 0.02), None),
    ],
)
def test_the_smallest_size_is_chosen_that_slows_nothing_and_holds_twice_the_peak(
    peaks: tuple[float, ...], turns: tuple[float, ...], found: int | None
) -> None:
    sizes = {
        size: {"peak_part": peak, "turn_part_of_wait": turn}
        for size, peak, turn in zip(("256", "512", "1024"), peaks, turns, strict=True)
    }
    assert recommended_mb(sizes) == found


def test_half_of_the_functions_memory_is_enough_for_its_largest_prompts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "shared"), str(ROOT)]))
    found = measure(["anthropic", "anthropic:files"])
    plain, files = found["cases"]["anthropic"], found["cases"]["anthropic:files"]
    assert 0 < plain["peak_mb"] < files["peak_mb"] <= ROOM_MEMORY_MB["agent_advance"] / 2
    assert list(found["sizes"]) == [str(size) for size in SIZES_MB]
    parts = [one["turn_part_of_wait"] for one in found["sizes"].values()]
    assert parts == sorted(parts, reverse=True)
    assert found["sizes"][str(A_PROCESSOR_MB)]["peak_part"] == round(files["peak_mb"] / A_PROCESSOR_MB, 2)
    assert found["recommended_mb"] == recommended_mb(found["sizes"])
