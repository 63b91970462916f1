"""A folder of tools is made in one go, deploys, and may be called by the rooms that call tools, and by no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from infra.assembly import Plan, synthesise
from infra.bundling import Checkout, source_bundler
from infra.config import load_config
from infra.config_errors import DefinitionError
from infra.function_configs import load_function
from infra.new_tools import make_tools
from tests.infra.assembly_reading import Assembly, permissions
from tests.infra.small_checkout import a_checkout

ROOT = Path(__file__).resolve().parents[2]
CALLER = 'purpose = "Carries out calls."\nmemory_mb = 128\ntimeout_s = 9\ngrants = ["tools:invoke", "lambda-tools:invoke"]\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    small = a_checkout(tmp_path)
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    make_tools("order_tools", tmp_path)
    caller = tmp_path / "functions" / "caller"
    caller.mkdir()
    (caller / "function.toml").write_text(CALLER)
    return small


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """The product's package and rules, with one folder of tools."""
    root = tmp_path / "product"
    root.mkdir()
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (root / "shared").symlink_to(ROOT / "shared")
    make_tools("order_tools", root)
    return root


def test_its_function_is_tagged_and_called_by_those_who_may(checkout: Checkout) -> None:
    config = load_config("dev", settings=['lambda_tools=["pricing"]'])
    plan = Plan(checkout, config, source_bundler(checkout), out=checkout.root / "cdk.out")
    dev = Assembly(synthesise(plan), "dev")
    assert {"Key": "stepward:tool", "Value": "true"} in dev.function("order_tools")["Tags"]
    assert {"Key": "stepward:tool", "Value": "true"} not in dev.function("caller").get("Tags", [])
    may = permissions(dev.role_of("caller"))
    place = "arn:<partition>:lambda:<region>:<accountid>:function"
    assert may[f"{place}:stepward-dev-order-tools"] == {"lambda:InvokeFunction"}
    assert may[f"{place}:pricing"] == {"lambda:InvokeFunction", "lambda:GetFunction"}
    variables = dev.function("caller")["Environment"]["Variables"]
    assert variables["TOOL_FUNCTIONS"] == "order_tools=stepward-dev-order-tools"
    assert variables["LAMBDA_TOOLS"] == "pricing"
    others = [permissions(dev.role_of(room)) for room in ("order_tools", "greeter")]
    assert not any("lambda:" in action for one in others for actions in one.values() for action in actions)


def test_its_own_test_passes(product: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-o", "addopts=--import-mode=importlib", "tests"]
    done = subprocess.run(command, check=False, cwd=product, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_writes_reads_well(product: Path) -> None:
    for words in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        command = [sys.executable, "-m", "ruff", *words, "functions", "tests"]
        done = subprocess.run(command, check=False, cwd=product, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_what_exists_is_never_touched(checkout: Checkout) -> None:
    with pytest.raises(ValueError, match="exists already"):
        make_tools("order_tools", checkout.root)
    with pytest.raises(ValueError, match="NAME="):
        make_tools("Order", checkout.root)


def test_a_folder_of_tools_does_nothing_besides(checkout: Checkout) -> None:
    file = checkout.root / "functions" / "order_tools" / "function.toml"
    file.write_text(file.read_text() + 'schedule = "rate(1 minute)"\n')
    with pytest.raises(DefinitionError, match="a room of tools"):
        load_function(file.parent, ())


def test_the_platforms_own_functions_are_no_tools() -> None:
    with pytest.raises(DefinitionError, match="one of the platform's own"):
        load_config("dev", settings=['lambda_tools=["stepward-dev-runs-api"]'])
