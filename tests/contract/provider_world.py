"""Providers' limits in both worlds, as several processes see them, with a clock that is moved by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from pydantic import SecretStr

from infra.tables import TABLES
from stepward.adapters.aws import clients
from stepward.adapters.aws.provider_limits import DynamoLimitStore
from stepward.adapters.memory.providers import MemoryLimitStore
from stepward.adapters.memory.small_ports import StillClock
from stepward.adapters.provider_limits import LimitStore, SharedLimits
from stepward.domain.errors import ProviderThrottled
from stepward.ports.providers import PlannedCall, ProviderEntry, ProviderKey
from tests.contract.conftest import _create
from tests.support.mocked_aws import mocked_aws

NAMES = count()


def a_key(name: str = "a") -> ProviderKey:
    return ProviderKey(name, SecretStr(f"sk-{name}"))


A, B = a_key("a"), a_key("b")


@dataclass
class World:
    store: LimitStore
    writes: Callable[[], int]
    clock: StillClock = field(default_factory=StillClock)

    def process(self) -> SharedLimits:
        return SharedLimits(self.store, self.clock, spread_s=lambda: 0.0)


class Writes:
    """Counts what is written to the table."""

    def __init__(self) -> None:
        self.number = 0
        clients.client("dynamodb").meta.events.register("before-call.dynamodb.UpdateItem", self._count)

    def _count(self, **_: Any) -> None:
        self.number += 1


def a_call(
    tokens: int = 10, requests_a_minute: int | None = None, tokens_a_minute: int | None = None, **fields: Any
) -> PlannedCall:
    entry = ProviderEntry(
        name="house",
        kind="openai-chat",
        base_url="http://house",
        requests_per_minute=requests_a_minute,
        tokens_per_minute=tokens_a_minute,
    )
    named = {"model": "house/llama", "name": f"run_{next(NAMES)}:1", **fields}
    return PlannedCall(entry=entry, tokens=tokens, **named)


def admitted(process: SharedLimits, call: PlannedCall, *keys: ProviderKey) -> str | int:
    """Give the id of the key, or after how many seconds to come again."""
    try:
        return process.admit(call, keys or (A,)).id
    except ProviderThrottled as error:
        assert error.retry_after_s is not None
        return round(error.retry_after_s)


def worlds(kind: str) -> Iterator[World]:
    """Make a world of a kind, `memory` or `aws`."""
    if kind == "memory":
        store = MemoryLimitStore()
        yield World(store, lambda: store.writes)
        return
    with mocked_aws():
        _create(TABLES["limits"])
        writes = Writes()
        yield World(DynamoLimitStore("limits"), lambda: writes.number)
