"""State machines that carry runs."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.runs import RunKey


class RunMachine(Protocol):
    """The `agent-run` machine."""

    def start(self, execution_name: str, key: RunKey) -> None:
        """Start a run's execution; the same name twice is one start."""

    def is_running(self, execution_name: str) -> bool:
        """Tell whether an execution goes on; one that never began does not."""

    def answer(self, token: str) -> bool:
        """End a wait; False when nobody waits with this token any more."""

    def stop(self, execution_name: str, error: str, cause: str) -> None:
        """End an execution if it is there and runs still."""
