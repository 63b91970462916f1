"""Keeps every test on this machine, and the same in every run: loopback is open where a test asks for it, nothing else ever."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.draws import is_soak

if TYPE_CHECKING:
    from stepward.testing.fake_llm import FakeProvider

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "test")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "test")

# The same examples in every run, however busy the machine: a test that is red now and then tells nothing.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
settings.load_profile("steady")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave to a soak what takes minutes."""
    if is_soak():
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: `make soak` runs it"))


def pytest_collection_finish() -> None:
    """Leave what collecting has loaded out of garbage collection: it stays to the end, and looking it through takes a tenth of all."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    """Give a model provider on loopback: tell it what to answer by `script`, what goes wrong by `fault`."""
    from stepward.testing.fake_llm import FakeProvider

    with FakeProvider() as running:
        yield running
