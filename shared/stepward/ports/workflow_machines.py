"""The state machines of workflows' versions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

from stepward.domain.chunks import Chunk
from stepward.domain.run_origins import Compensation
from stepward.domain.task_records import WorkflowHead


class WorkflowMachines(Protocol):
    """The state machines of workflows' versions."""

    def start(
        self, head: WorkflowHead, chunk: Chunk | None = None, *, undoing: Compensation | None = None
    ) -> None:
        """Start an execution of a run, a chunk or a compensation; the same name is one start.

        Args:
            head: The run.
            chunk: The chunk to execute; None for the run itself.
            undoing: The compensation to execute; None for the run itself.

        Raises:
            MachineMissing: The version's machine is gone; it has been requested again.
        """

    def is_made(self, machine: str) -> bool:
        """Return whether a machine exists and can be started.

        Args:
            machine: The machine's name.

        Returns:
            True if it can be started.
        """

    def request_publish(self, tenant: str, workflow: str, version: str) -> None:
        """Request that a version's machine is created; an existing one is left as it is.

        Args:
            tenant: Whose workflow.
            workflow: The workflow's id.
            version: The version's number.
        """

    def stop(self, head: WorkflowHead, error: str, cause: str, chunk: str | None = None) -> None:
        """Stop an execution if it exists and is still running.

        Args:
            head: The run.
            error: The error code of the stop.
            cause: The reason, for people.
            chunk: The name of the chunk whose execution it is; None for the run's own.
        """

    def execution_status(
        self, head: WorkflowHead, chunk: Chunk | None = None
    ) -> Literal["running", "over", "never began"]:
        """Return the status of an execution.

        Args:
            head: The run.
            chunk: The chunk whose execution it is; None for the run's own.

        Returns:
            Whether it is running, is over, or never began.
        """

    def answer(self, token: str) -> bool:
        """End a wait with success.

        Args:
            token: The wait's token.

        Returns:
            False if no machine waits with this token any more.
        """

    def refuse(self, token: str, error: str, cause: str) -> bool:
        """End a wait with a failure.

        Args:
            token: The wait's token.
            error: The error code.
            cause: The reason, for people.

        Returns:
            False if no machine waits with this token any more.
        """


class StateMachineAdmin(Protocol):
    """Creates and deletes state machines, all with one execution role."""

    def make(self, name: str, text: str, tags: Mapping[str, str]) -> None:
        """Create a machine, or find that it exists.

        Args:
            name: The machine's name.
            text: Its definition, as JSON.
            tags: Its tags.

        Raises:
            StoreThrottled: Too many are created at once.
            InvalidRequest: The definition is invalid.
        """

    def remove(self, name: str) -> None:
        """Delete a machine; its running executions end first.

        Args:
            name: The machine's name.
        """
