"""Where state machines are made: one room alone may do it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol


class MachineShop(Protocol):
    """Makes machines in the one role that they all have."""

    def make(self, name: str, text: str, tags: Mapping[str, str]) -> None:
        """Make a machine, or find that it was made; raises `InvalidRequest` for a text that is none.

        Raises `StoreThrottled` when too many are made at once.
        """

    def remove(self, name: str) -> None:
        """Take a machine away; executions that go on end first."""
