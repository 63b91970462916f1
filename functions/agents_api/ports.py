"""Puts the room's use cases together."""

from __future__ import annotations

from stepward.agents.lifecycle import Labels, Lifecycle
from stepward.agents.register import Register
from stepward.runtime import money, tool_wiring, wiring
from stepward.runtime.config import settings


def register() -> Register:
    """Registers versions, with what this stage allows them."""
    return Register(
        wiring.registry(),
        wiring.clock(),
        settings().http_allow,
        tool_wiring.published_tools_store().room,
        agreed=money.price_store().of,
        providers=frozenset(entry.name for entry in settings().providers),
    )


def lifecycle() -> Lifecycle:
    """Shows agents and moves them."""
    return Lifecycle(wiring.registry(), wiring.run_lists(), wiring.clock(), register())


def labels() -> Labels:
    """Names versions."""
    return Labels(wiring.registry(), wiring.clock())
