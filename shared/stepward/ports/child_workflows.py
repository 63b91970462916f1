"""The runs of workflows that agents' calls wait for: whoever ends the agent's run ends them through this."""

from __future__ import annotations

from typing import Protocol


class ChildWorkflows(Protocol):
    """Runs of workflows by their names; a name that is none of them is left alone."""

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """End the run, and all that it has set going, if it has not ended."""

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Let no further task of the run begin; the janitor ends what it waits for."""


class NoWorkflows:
    """Where no workflow runs: no call waits for one."""

    def cancel(self, tenant: str, run: str, by: str) -> None:
        """Leave the name alone."""

    def abandon(self, tenant: str, run: str, by: str) -> None:
        """Leave the name alone."""
