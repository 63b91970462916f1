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
from infra.new_function import make_function
from infra.new_tools import make_tools
from tests.infra import test_permissions
from tests.infra.assembly_reading import Assembly, permissions
from tests.infra.small_checkout import a_checkout

ROOT = Path(__file__).resolve().parents[2]
EXPORT = "order_export"
CALLER = 'purpose = "Carries out calls."\nmemory_mb = 128\ntimeout_s = 9\ngrants = ["tools:invoke", "lambda-tools:invoke"]\n'


def _with_tools(root: Path) -> Checkout:
    small = a_checkout(root)
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    make_tools("order_tools", root)
    caller = root / "functions" / "caller"
    caller.mkdir()
    (caller / "function.toml").write_text(CALLER)
    return small


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return _with_tools(tmp_path)


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Assembly:
    """One synthesis of a small checkout with a function and a folder of tools that are just made."""
    checkout = _with_tools(tmp_path_factory.mktemp("deployed"))
    make_function(EXPORT, checkout.root)
    config = load_config("prod", settings=['lambda_tools=["pricing"]'])
    plan = Plan(checkout, config, source_bundler(checkout), out=checkout.root / "cdk.out")
    return Assembly(synthesise(plan), "prod")


@pytest.fixture
def product(tmp_path: Path) -> Path:
    """The product's package and rules, with one folder of tools."""
    root = tmp_path / "product"
    root.mkdir()
    (root / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    (root / "shared").symlink_to(ROOT / "shared")
    make_tools("order_tools", root)
    return root


def test_its_function_is_tagged_and_called_by_those_who_may(deployed: Assembly) -> None:
    assert {"Key": "stepward:tool", "Value": "true"} in deployed.function("order_tools")["Tags"]
    assert {"Key": "stepward:tool", "Value": "true"} not in deployed.function("caller").get("Tags", [])
    may = permissions(deployed.role_of("caller"))
    place = "arn:<partition>:lambda:<region>:<accountid>:function"
    assert may[f"{place}:stepward-prod-order-tools"] == {"lambda:InvokeFunction"}
    assert may[f"{place}:pricing"] == {"lambda:InvokeFunction", "lambda:GetFunction"}
    variables = deployed.function("caller")["Environment"]["Variables"]
    assert variables["TOOL_FUNCTIONS"] == "order_tools=stepward-prod-order-tools"
    assert variables["LAMBDA_TOOLS"] == "pricing"
    others = [permissions(deployed.role_of(room)) for room in ("order_tools", "greeter")]
    assert not any("lambda:" in action for one in others for actions in one.values() for action in actions)


@pytest.mark.parametrize("name", ["order_tools", EXPORT])
def test_what_is_made_passes_the_rules_of_permissions(
    deployed: Assembly, checkout: Checkout, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_function(EXPORT, checkout.root)
    made = load_function(checkout.root / "functions" / name, test_permissions.WORDS)
    monkeypatch.setitem(test_permissions.ROOMS, name, made)
    test_permissions.test_every_word_has_a_meaning_here()
    test_permissions.test_every_word_is_explained_to_people()
    test_permissions.test_a_room_may_do_what_its_words_say_and_log(deployed, name)
    test_permissions.test_no_room_reaches_everything(deployed, name)
    test_permissions.test_a_room_knows_the_names_of_what_it_may_use_and_no_others(deployed, name)
    test_permissions.test_a_function_is_what_its_file_says(deployed, name)


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
    with pytest.raises(DefinitionError, match="a folder of tools"):
        load_function(file.parent, ())


def test_the_platforms_own_functions_are_no_tools() -> None:
    with pytest.raises(DefinitionError, match="one of the platform's own"):
        load_config("dev", settings=['lambda_tools=["stepward-dev-runs-api"]'])
