"""A room must start from its own bundle alone; a package that it forgot to name shows here and not in production."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.bundling import Bundler, Checkout, source_bundler
from infra.constructs.grants import grant_words
from infra.function_configs import FunctionConfig, load_functions
from infra.machines import machine_files
from infra.packing import ALWAYS_PACKED
from tests.infra.installed import copy_installed
from tests.infra.reach import modules_reached

PRODUCT = Checkout.at(Path(__file__).parents[2])
MACHINES = list(machine_files(PRODUCT.statemachines))
ROOMS = [
    room
    for room in load_functions(PRODUCT.functions, grant_words(MACHINES), MACHINES)
    if (PRODUCT.functions / room.name / "handler.py").is_file()
]

LATE = [
    *("anthropic", "openai", "boto3", "botocore.client", "jsonata", "re2", "yaml", "ulid"),
    *(
        "stepward.adapters",
        "stepward.identity",
        "stepward.models",
        "stepward.runtime.builders",
        "stepward.tasks",
    ),
    *("stepward.agents", "stepward.tools", "stepward.triggers", "stepward.workflows"),
]
"""What the import of a handler loads nothing of: the container loads it when a route needs it."""
EARLY = [
    "stepward.agents.requests",
    "stepward.agents.machine_messages",
    "stepward.workflows.runs.task_requests",
]
"""How requests are read, for which nothing else is loaded."""

# Runs without site packages and without the working folder: the standard library and the bundle are all there is.
PROBE = """
import importlib, importlib.util, json, sys
sys.path[:0] = sys.argv[1:3]
late, early, (handler, *later) = map(json.loads, sys.argv[3:])
module = importlib.import_module(handler)
sdks = ("anthropic", "openai")
parents = {name.rpartition(".")[0] for name in early} | {name.rpartition(".")[0].rpartition(".")[0] for name in early}
loaded = [name for name in sys.modules if name not in {*early, *parents}
          and any(f"{name}.".startswith(f"{one}.") for one in late)]
for name in later:
    importlib.import_module(name)
packed = [name for name in sdks if importlib.util.find_spec(name)]
outside = [name for name, loaded in list(sys.modules.items())
           if "site-packages" in (getattr(loaded, "__file__", None) or "")]
print(json.dumps({"handle": callable(module.handle), "packed": packed, "loaded": loaded, "outside": outside}))
"""


def base_python() -> str:
    """Find the interpreter under the virtual environment, which knows nothing of what the project installed."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    candidates = [
        Path(sys.base_prefix) / "bin" / version,
        Path(sys.base_prefix) / "python.exe",
        Path(sys.executable),
    ]
    return str(next(python for python in candidates if python.is_file()))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundler:
    """Stage rooms beside each other, all from the sources as they are now."""
    return source_bundler(replace(PRODUCT, build=tmp_path_factory.mktemp("build")))


@pytest.fixture(scope="module")
def dependencies(tmp_path_factory: pytest.TempPathFactory) -> Callable[[FunctionConfig], Path]:
    """Install what a room names, once for all rooms that name the same."""

    @functools.cache
    def install(packages: frozenset[str]) -> Path:
        folder = tmp_path_factory.mktemp("dependencies")
        copy_installed([*ALWAYS_PACKED, *packages], folder)
        return folder

    return lambda room: install(frozenset(room.packages))


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_starts_from_its_bundle_alone(
    room: FunctionConfig, bundle: Bundler, dependencies: Callable[[FunctionConfig], Path], tmp_path: Path
) -> None:
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    modules = [f"functions.{room.name}.handler", *modules_reached(PRODUCT, room.name)]
    said = [json.dumps(names) for names in (LATE, EARLY, modules)]
    command = [base_python(), "-I", "-S", "-c", PROBE, str(bundle(room)), str(dependencies(room)), *said]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    sdks = ["anthropic", "openai"] if room.name == "agent_advance" else []
    assert json.loads(done.stdout) == {"handle": True, "packed": sdks, "loaded": [], "outside": []}


def test_imports_on_first_use_are_tried_too() -> None:
    reached = modules_reached(PRODUCT, "runs_api")
    assert "stepward.adapters.aws.journal" in reached
    assert "stepward.adapters.aws.identity" not in reached
