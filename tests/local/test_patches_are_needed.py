"""A contract test that passes without its patch shows that the patch can go."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from infra.local import engine
from tests.local import (
    test_engine_definitions,
    test_engine_errors,
    test_engine_executions,
    test_engine_language,
    test_engine_patches,
    test_engine_refusals,
    test_engine_services,
    test_engine_speed,
    test_engine_tokens,
    test_engine_truth,
    test_iam_patches,
    test_trigger_patches,
)
from tests.local.conftest import UNPATCHED

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = (
    test_engine_definitions,
    test_engine_errors,
    test_engine_executions,
    test_engine_language,
    test_engine_refusals,
    test_engine_services,
    test_engine_speed,
    test_engine_tokens,
    test_engine_truth,
    test_engine_patches,  # spoils the parser of unpatched moto with its last test
    test_iam_patches,
    test_trigger_patches,
)
SAMPLED = (test_iam_patches, test_trigger_patches)


def test_every_patch_has_a_test() -> None:
    tests = [name for module in CONTRACTS for name in vars(module) if name.startswith("test_")]
    untested = [
        patch for patch in engine.PATCHES if not any(name.startswith(f"test_{patch}_") for name in tests)
    ]
    assert untested == []


@pytest.mark.parametrize(
    "modules", [SAMPLED, pytest.param(CONTRACTS, marks=pytest.mark.soak)], ids=["sample", "all"]
)
def test_no_contract_test_passes_on_unpatched_moto(modules: tuple[ModuleType, ...]) -> None:
    """Run contract tests without patches, in a process of its own, for unpatched moto spoils it for others.

    What they find changes with moto's version alone, which is pinned: a sample runs few, a soak all.
    """
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:xdist",
        "-W",
        "ignore",
        "-rp",
        *(str(module.__file__) for module in modules),
    ]
    environment = os.environ | {UNPATCHED: "all"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert re.findall(r"^PASSED (.+)$", done.stdout, re.MULTILINE) == [], done.stdout
    assert re.search(r"\d+ failed", done.stdout), done.stdout + done.stderr
    assert " error" not in done.stdout.splitlines()[-1], done.stdout
