"""The client's methods about runs of workflows: start, list, watch, cancel and rerun them."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Unpack, cast

from stepward.sdk.polling import Poll
from stepward.sdk.shapes import StartOptions
from stepward.sdk.transport import Transport, path_to, start_options, without_none
from stepward.sdk.workflow_shapes import WorkflowRun, WorkflowRunPage


class WorkflowRunMethods:
    """Start, list, watch, cancel and rerun runs of workflows."""

    def __init__(
        self, wire: Transport, sleep: Callable[[float], None], monotonic: Callable[[], float]
    ) -> None:
        self._wire = wire
        self._sleep = sleep
        self._monotonic = monotonic

    def start(
        self,
        workflow_id: str,
        input: Any = None,  # noqa: A002  the API's own word for it
        *,
        wait: int = 0,
        idempotency_key: str | None = None,
        **options: Unpack[StartOptions],
    ) -> WorkflowRun:
        """Start a run.

        Every start carries an idempotency key, so a repeat after a lost answer never starts a second run.

        Args:
            workflow_id: The workflow's id.
            input: Any JSON value. Default: `{}`.
            wait: Seconds that the call may wait for the end, at most 25. Default: 0.
            idempotency_key: The same key starts one run only. Default: a new one.
            options: What a start of either kind may say: the fields of `stepward.sdk.shapes.StartOptions`.

        Returns:
            The run, with its output if it ended in time.

        Raises:
            ApiError: `NotFound`, `InvalidRequest` for the input, `Conflict` while the version is PUBLISHING.
        """
        choice = start_options({**options, "version": options.get("version") or None})
        body = {"input": {} if input is None else input} | choice
        path = path_to("workflows", workflow_id, "runs")
        return cast("WorkflowRun", self._wire.post_once(path, body, idempotency_key, wait=wait))

    def runs(
        self, workflow_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> WorkflowRunPage:
        """List a workflow's runs, newest first, one page at a time.

        Args:
            workflow_id: The workflow's id.
            limit: Entries a page, 1 to 100. Default: 20.
            cursor: The `next_cursor` of the page before.

        Returns:
            The page.

        Raises:
            ApiError: `NotFound`.
        """
        query = {"limit": limit, "cursor": cursor}
        return cast("WorkflowRunPage", self._wire.get(path_to("workflows", workflow_id, "runs"), query))

    def run(self, run_id: str) -> WorkflowRun:
        """Return one run with every task as far as it has come.

        Args:
            run_id: The run's id.

        Returns:
            The run.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("WorkflowRun", self._wire.get(path_to("runs", run_id)))

    def watch(self, run_id: str, timeout_s: float = math.inf) -> Iterator[WorkflowRun]:
        """Yield a run each time that it is read, until it has ended.

        Polls every 0.25 s, and down to every 2 s while no task changes.

        Args:
            run_id: The run's id.
            timeout_s: Seconds to watch. Default: without end.

        Yields:
            The run as it is.

        Raises:
            StillRunning: The time is over.
            ApiError: `NotFound`.
        """
        poll = Poll(self._sleep, self._monotonic, timeout_s)
        while True:
            seen = self.run(run_id)
            yield seen
            if seen["ended_at"] is not None:
                return
            poll.pause_for(seen, [(task["status"], task.get("attempt")) for task in seen.get("tasks", [])])

    def wait(self, run_id: str, timeout_s: float = 300.0) -> WorkflowRun:
        """Return a run once it has ended, however it ended.

        Args:
            run_id: The run's id.
            timeout_s: Seconds to wait. Default: 300.

        Returns:
            The run with its output or error.

        Raises:
            StillRunning: The time is over; waiting again is safe.
            ApiError: `NotFound`.
        """
        return deque(self.watch(run_id, timeout_s), maxlen=1).pop()

    def cancel(self, run_id: str) -> WorkflowRun:
        """Cancel a run; nothing is undone.

        Args:
            run_id: The run's id.

        Returns:
            The run.

        Raises:
            ApiError: `Conflict` if it has ended.
        """
        return cast("WorkflowRun", self._wire.post(path_to("runs", run_id, "cancel")))

    def rerun(
        self,
        run_id: str,
        *,
        idempotency_key: str | None = None,
        rehearse: bool | None = None,
        charge: bool | None = None,
    ) -> WorkflowRun:
        """Run a failed run again from where it failed; what it completed is taken over.

        Args:
            run_id: The failed run.
            idempotency_key: The same key starts one run only. Default: a new one.
            rehearse: Whether rehearsals answer, or models. Default: as before.
            charge: Whether rehearsed agents are charged. Default: as before.

        Returns:
            The new run.

        Raises:
            ApiError: `Conflict` if the run has not failed.
        """
        body = without_none({"rehearse": rehearse, "charge": charge}) or None
        return cast(
            "WorkflowRun", self._wire.post_once(path_to("runs", run_id, "rerun"), body, idempotency_key)
        )
