"""A room must start from its own bundle alone; a package that it forgot to name shows here and not in production."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from infra.bundling import Checkout, copy_into, source_files
from infra.constructs.callable_tools import tool_words
from infra.constructs.grants import grant_words
from infra.machines import machine_files
from infra.packing import ALWAYS_PACKED
from infra.rooms import RoomSpec, load_rooms
from tests.infra.installed import copy_installed
from tests.infra.reach import modules_reached

PRODUCT = Checkout.at(Path(__file__).parents[2])
MACHINES = list(machine_files(PRODUCT.statemachines))
ROOMS = [
    room
    for room in load_rooms(PRODUCT.functions, grant_words(MACHINES) | tool_words(), MACHINES)
    if (PRODUCT.functions / room.name / "handler.py").is_file()
]

# Runs without site packages and without the working folder: the standard library and the bundle are all there is.
PROBE = """
import importlib, importlib.util, json, sys
sys.path.insert(0, sys.argv[1])
handler, *later = sys.argv[2:]
module = importlib.import_module(handler)
for name in later:
    importlib.import_module(name)
found = [name for name in ("anthropic", "openai") if importlib.util.find_spec(name)]
outside = [name for name, loaded in list(sys.modules.items())
           if "site-packages" in (getattr(loaded, "__file__", None) or "")]
print(json.dumps({"handle": callable(module.handle), "model_sdks": found, "outside": outside}))
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


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.name)
def test_a_room_starts_from_its_bundle_alone(room: RoomSpec, tmp_path: Path) -> None:
    copy_installed([*ALWAYS_PACKED, *room.packages], tmp_path)
    copy_into(source_files(PRODUCT, room.name), tmp_path)
    environment = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    modules = [f"functions.{room.name}.handler", *modules_reached(PRODUCT, room.name)]
    command = [base_python(), "-I", "-S", "-c", PROBE, str(tmp_path), *modules]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"handle": True, "model_sdks": [], "outside": []}


def test_imports_on_first_use_are_tried_too() -> None:
    reached = modules_reached(PRODUCT, "runs_api")
    assert "stepward.adapters.aws.journal" in reached
    assert "stepward.adapters.aws.identity" not in reached
