"""The command works on a machine that has neither node nor AWS, and says in one line what is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra import bundled_node
from infra.app import arguments
from infra.config_errors import DefinitionError
from infra.function_configs import FunctionConfig
from infra.package import chosen
from tests.infra.assembly_reading import ROOT


def run_app(*options: str) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": "/nowhere", "HOME": os.environ.get("HOME", "/"), "AWS_EC2_METADATA_DISABLED": "true"}
    command = [sys.executable, "-m", "infra.app", *options]
    return subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT, env=bare)


def test_it_writes_an_assembly_without_a_system_s_node(tmp_path: Path) -> None:
    done = run_app("--stage", "laptop", "--bundle", "source", "--fast", "--out", str(tmp_path))
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert done.stderr == f"Wrote {tmp_path}\n"
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    stacks = [
        name
        for name, artifact in manifest["artifacts"].items()
        if artifact["type"] == "aws:cloudformation:stack"
    ]
    assert sorted(stacks) == [
        f"stepward-laptop-{part}" for part in ("api", "data", "functions", "machines", "queues")
    ]


def test_a_wrong_stage_costs_one_line(tmp_path: Path) -> None:
    done = run_app("--stage", "latpop", "--out", str(tmp_path))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "did you mean 'laptop'?" in done.stderr


def test_a_cost_that_is_allowed_for_nothing_costs_one_line(tmp_path: Path) -> None:
    allowed = 'idle_cost_allowed = ["AWS::KMS::Key"]'
    done = run_app("--stage", "dev", "--bundle", "source", "--fast", "--out", str(tmp_path), "--set", allowed)
    assert done.returncode == 2
    assert done.stderr == (
        "infra/config/dev.toml: idle_cost_allowed names 'AWS::KMS::Key', which nothing needs; take it out\n"
    )


def test_the_pinned_node_is_there() -> None:
    node = bundled_node()
    assert node is not None
    assert os.environ["JSII_NODE"] == str(node)


def test_options_win_over_the_context() -> None:
    context = {"stage": "prod", "bundle": "package"}
    assert arguments([], context).stage == "prod"
    assert arguments(["--stage", "dev", "--bundle", "source"], context).bundle == "source"


def test_deploying_packs_unless_told_otherwise() -> None:
    assert arguments([], {}).bundle == "package"
    assert json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"]["bundle"] == "package"


def test_only_the_functions_that_are_asked_for_are_packed() -> None:
    functions = [
        FunctionConfig(name=name, purpose="Greets whoever asks.", memory_mb=128, timeout_s=3)
        for name in ("one", "two")
    ]
    assert chosen(functions, []) == functions
    assert chosen(functions, ["two"]) == functions[1:]
    with pytest.raises(DefinitionError, match="unknown function 'tow'; did you mean 'two'"):
        chosen(functions, ["tow"])
