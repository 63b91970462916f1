"""One laptop with a small stack for all tests of this folder: moto's state is the process's."""

from __future__ import annotations

import os
from collections.abc import Iterator

import httpx2
import pytest

from infra.local import engine
from infra.local.executor import Trouble
from infra.local.laptop import Laptop, LaptopOptions
from tests.local.small_stack import write_assembly

UNPATCHED = "STEPWARD_LAPTOP_UNPATCHED"
"""Names of patches to leave out, or `all`: a test of the patches asks for that in a process of its own."""


@pytest.fixture(scope="package")
def troubles() -> list[Trouble]:
    """What the laptop told its user."""
    return []


@pytest.fixture(scope="package")
def laptop(tmp_path_factory: pytest.TempPathFactory, troubles: list[Trouble]) -> Iterator[Laptop]:
    """A running laptop with the small stack on it."""
    for name in list(engine.PATCHES):
        if os.environ.get(UNPATCHED, "") in ("all", name):
            del engine.PATCHES[name]
    assembly = write_assembly(tmp_path_factory.mktemp("assembly"))
    options = LaptopOptions(assembly=assembly, issues_key=False, throttle_wait_s=5.0)
    with Laptop(options, troubles.append) as running:
        yield running


@pytest.fixture
def http(laptop: Laptop) -> Iterator[httpx2.Client]:
    """A client of the small stack's HTTP API."""
    with httpx2.Client(base_url=laptop.url, timeout=20, trust_env=False) as client:
        yield client
