"""The state machine that carries a run, and the tokens of its waits."""

from __future__ import annotations

from typing import Protocol

from stepward.domain.runs import RunKey


class RunMachine(Protocol):
    """The `agent-run` state machine."""

    def start(self, execution_name: str, key: RunKey) -> None:
        """Start a run's execution; the same name twice is one start.

        Args:
            execution_name: The execution's name.
            key: The run.
        """

    def is_running(self, execution_name: str) -> bool:
        """Return whether an execution is running.

        Args:
            execution_name: The execution's name.

        Returns:
            False for one that has ended or never began.
        """

    def answer(self, token: str) -> bool:
        """End a wait with success.

        Args:
            token: The wait's token.

        Returns:
            False if no machine waits with this token any more.
        """

    def stop(self, execution_name: str, error: str, cause: str) -> None:
        """Stop an execution if it exists and is still running.

        Args:
            execution_name: The execution's name.
            error: The error code of the stop.
            cause: The reason, for people.
        """


SLOT_CALL = "slot"


RESUME_CALL = "resume"
"""What a machine may wait for besides a call's result: a slot, and the word to go on."""


class Tokens(Protocol):
    """The newest token of each wait."""

    def keep(self, key: RunKey, call: str, token: str, made: str = "") -> bool:
        """Store a wait's token in place of an older one.

        Args:
            key: The run.
            call: The call's id, or the name of the wait.
            token: The token.
            made: Orders tokens by when the machine made them; by default the token that comes last is the
                newest.

        Returns:
            False if a newer one is stored.
        """

    def of(self, key: RunKey, call: str) -> str | None:
        """Read a wait's token, strongly consistent.

        Args:
            key: The run.
            call: The call's id, or the name of the wait.

        Returns:
            The token; None while the machine does not wait yet.
        """
