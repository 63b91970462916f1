"""The workflows' part of the client: register documents, start them, and watch their tasks."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import httpx2

from stepward.sdk.documents import Document, opened
from stepward.sdk.errors import ApiError, DocumentRefused, StillRunning, WorkflowProblem
from stepward.sdk.transport import Transport, document_in, path_to, said
from stepward.sdk.workflow_shapes import (
    Drawn,
    WorkflowDetail,
    WorkflowDiff,
    WorkflowPage,
    WorkflowPlan,
    WorkflowRun,
    WorkflowRunPage,
    WorkflowVersion,
)

FIRST_POLL_S: Final = 0.25
LONGEST_POLL_S: Final = 2.0
LONGEST_HELD_S: Final = 25
"""How long the API holds a request at most."""


class WorkflowClient:
    """Register, plan, start, follow, stop and remove workflows.

    A document is a path to a file, its text (YAML or JSON), a mapping, or a `Flow`.
    """

    def __init__(
        self, wire: Transport, sleep: Callable[[float], None], monotonic: Callable[[], float]
    ) -> None:
        self._wire = wire
        self._sleep = sleep
        self._monotonic = monotonic

    def register(self, document: Document, *, timeout_s: float = 60.0) -> WorkflowVersion:
        """Keep a version and wait until its machine is made; the same again changes nothing.

        A document with problems is `DocumentRefused` with all of them. A version that is still PUBLISHING when the
        time is over is given as it stands.
        """
        give_up_at = self._monotonic() + timeout_s
        held_s = max(0, min(LONGEST_HELD_S, int(timeout_s)))
        kept = cast("WorkflowVersion", self._send("/workflows", document, {"wait": held_s}, held_s))
        pause_s = FIRST_POLL_S
        while kept["status"] == "PUBLISHING" and (left_s := give_up_at - self._monotonic()) > 0:
            self._sleep(min(pause_s, left_s))
            pause_s = min(pause_s * 1.5, LONGEST_POLL_S)
            kept = self.show(kept["id"], version=kept["version"])
        return kept

    def list(self, *, limit: int | None = None, cursor: str | None = None) -> WorkflowPage:
        """List workflows by id, each by its newest version, a page at a time."""
        return cast("WorkflowPage", self._wire.get("/workflows", {"limit": limit, "cursor": cursor}))

    def show(self, workflow_id: str, *, version: str | None = None) -> WorkflowDetail:
        """Read one version with its document, the newest by default."""
        return cast("WorkflowDetail", self._wire.get(path_to("workflows", workflow_id), {"version": version}))

    def schema(self) -> dict[str, Any]:
        """Read the JSON Schema of documents, by which editors complete and check them."""
        return self._wire.get("/workflows/schema")

    def remove(self, workflow_id: str, version: str) -> None:
        """Remove one version; one that runs use is a `Conflict`."""
        self._wire.delete(path_to("workflows", workflow_id, "versions", version))

    def start(
        self,
        workflow_id: str,
        input: Any = None,  # noqa: A002  the API's own word for it
        *,
        version: str | None = None,
        wait: int = 0,
        idempotency_key: str | None = None,
        rehearse: bool | None = None,
        charge: bool | None = None,
    ) -> WorkflowRun:
        """Start a run; with `wait` (seconds, at most 25) it may have ended in what comes back.

        Every start carries an idempotency key, so a repeat after a lost answer never starts a second run. `rehearse` says
        whether rehearsals answer for all its agents, or models; `charge` whether rehearsed ones are charged.
        """
        choice = {"version": version or None, "rehearse": rehearse, "charge": charge}
        body = {"input": {} if input is None else input} | said(choice)
        path = path_to("workflows", workflow_id, "runs")
        return cast("WorkflowRun", self._wire.post_once(path, body, idempotency_key, wait=wait))

    def runs(
        self, workflow_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> WorkflowRunPage:
        """List a workflow's runs, newest first, a page at a time."""
        query = {"limit": limit, "cursor": cursor}
        return cast("WorkflowRunPage", self._wire.get(path_to("workflows", workflow_id, "runs"), query))

    def run(self, run_id: str) -> WorkflowRun:
        """Read one run with every task as far as it has come."""
        return cast("WorkflowRun", self._wire.get(path_to("runs", run_id)))

    def watch(self, run_id: str, timeout_s: float = math.inf) -> Iterator[WorkflowRun]:
        """Give a run each time that it is read, until it has ended; reads less often while nothing happens.

        Raises `StillRunning` when the time is over.
        """
        give_up_at = self._monotonic() + timeout_s
        pause_s, before = FIRST_POLL_S, None
        while True:
            seen = self.run(run_id)
            yield seen
            if seen["ended_at"] is not None:
                return
            if (left_s := give_up_at - self._monotonic()) <= 0:
                detail = f"{run_id} is {seen['status']} after {timeout_s:g} s."
                raise StillRunning(detail, "Wait again, or cancel it.")
            standing = [(task["status"], task.get("attempt")) for task in seen.get("tasks", [])]
            pause_s = FIRST_POLL_S if standing != before else min(pause_s * 1.5, LONGEST_POLL_S)
            before = standing
            self._sleep(min(pause_s, left_s))

    def wait(self, run_id: str, timeout_s: float = 300.0) -> WorkflowRun:
        """Return the run once it has ended, however it ended; raises `StillRunning` when the time is over."""
        return deque(self.watch(run_id, timeout_s), maxlen=1).pop()

    def cancel(self, run_id: str) -> WorkflowRun:
        """Stop a run; one that has already ended is a `Conflict`."""
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

        It carries an idempotency key as every start does. Who answers its agents, and whether that is charged, is as
        before, unless `rehearse` or `charge` say otherwise.
        """
        body = said({"rehearse": rehearse, "charge": charge}) or None
        return cast(
            "WorkflowRun", self._wire.post_once(path_to("runs", run_id, "rerun"), body, idempotency_key)
        )

    def plan(self, document: Document) -> WorkflowPlan:
        """Say what a run of a document would do, take and cost; keeps and starts nothing."""
        return cast("WorkflowPlan", self._send("/workflows/plan", document))

    def planned(self, workflow_id: str, *, version: str | None = None) -> WorkflowPlan:
        """Say the same of a version that is registered, the newest by default."""
        return cast("WorkflowPlan", self._wire.get(_plan_of(workflow_id), {"version": version}))

    def draw(self, document: Document, form: Drawn) -> str:
        """Draw a document: Mermaid text, an SVG, or the state machine that it would become."""
        return self._sent("/workflows/plan", document, {"as": form}).text

    def drawn(self, workflow_id: str, form: Drawn, *, version: str | None = None) -> str:
        """Draw a version that is registered, the newest by default."""
        return self._wire.get_text(_plan_of(workflow_id), {"version": version, "as": form})

    def problems(self, document: Document) -> tuple[WorkflowProblem, ...]:
        """Say all that is wrong with a document; keeps nothing."""
        try:
            self.plan(document)
        except DocumentRefused as error:
            return error.problems
        return ()

    def diff(self, workflow_id: str, before: str, *, after: str | None = None) -> WorkflowDiff:
        """Compare a version with another, the newest by default."""
        query = {"from": before, "to": after}
        return cast("WorkflowDiff", self._wire.get(path_to("workflows", workflow_id, "diff"), query))

    def diff_with(self, workflow_id: str, document: Document) -> WorkflowDiff:
        """Compare the newest version with a document that is not kept yet."""
        return cast("WorkflowDiff", self._send(path_to("workflows", workflow_id, "diff"), document))

    def _send(
        self, path: str, document: Document, query: Mapping[str, Any] | None = None, held_s: int = 0
    ) -> dict[str, Any]:
        return document_in(self._sent(path, document, query or {}, held_s))

    def _sent(
        self, path: str, document: Document, query: Mapping[str, Any], held_s: int = 0
    ) -> httpx2.Response:
        """Send a document; a refusal that is about the document itself comes as one."""
        given = opened(document)
        try:
            return self._wire.post_document(path, given.content, given.content_type, query, wait_s=held_s)
        except ApiError as error:
            if refused := DocumentRefused.of(error, has_places=given.has_places):
                raise refused from error
            raise


def _plan_of(workflow_id: str) -> str:
    return path_to("workflows", workflow_id, "plan")
