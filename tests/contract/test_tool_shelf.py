"""What the shelf of published tools promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from infra.tables import TABLES
from stepward.adapters.aws.functions import DynamoPublishedTools
from stepward.adapters.memory.functions import MemoryPublishedTools
from stepward.domain.tools import Effect, PublishedTool, ToolFolder
from tests.contract.conftest import _create
from tests.support.mocked_aws import mocked_aws

FIND = PublishedTool(
    function="find", description="Finds.", parameters={"type": "object"}, effect=Effect.NONE, timeout_s=1.5
)


@pytest.fixture(params=["memory", "aws"])
def shelf(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "memory":
        yield MemoryPublishedTools()
        return
    with mocked_aws():
        _create(TABLES["registry"])
        yield DynamoPublishedTools("registry")


def test_the_last_publication_counts(shelf: Any) -> None:
    shelf.put(ToolFolder(room="orders", published_at="2026-01-01", tools=(FIND,)))
    shelf.put(ToolFolder(room="billing", published_at="2026-01-01", tools=(FIND,)))
    shelf.put(ToolFolder(room="orders", published_at="2026-01-02"))
    assert shelf.folder("orders") == ToolFolder(room="orders", published_at="2026-01-02")
    assert [(room.room, len(room.tools)) for room in shelf.folders()] == [("billing", 1), ("orders", 0)]
    assert shelf.folder("billing").tool("find") == FIND
    assert shelf.folder("nothing") is None
