"""Register workflows, start them, and watch their tasks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

import httpx2

from stepward.sdk.documents import Document, encode_document
from stepward.sdk.errors import ApiError, DocumentRefused, WorkflowProblem
from stepward.sdk.polling import Poll
from stepward.sdk.transport import document_in, path_to
from stepward.sdk.workflow_runs import WorkflowRunMethods
from stepward.sdk.workflow_shapes import (
    Drawn,
    WorkflowDetail,
    WorkflowDiff,
    WorkflowPage,
    WorkflowPlan,
    WorkflowVersion,
)

LONGEST_HELD_S: Final = 25
"""How long the API holds a request at most."""


class WorkflowClient(WorkflowRunMethods):
    """Register, plan, start, follow, cancel and remove workflows: `stepward.workflows`.

    A document is a path to a file, its text (YAML or JSON), a mapping, or a `Flow`.

    Example:
        >>> flow = Flow("sdk-example", version="1.0.0")
        >>> total = flow.transform("total", output=jsonata("$input.price * $input.count"))
        >>> flow.returns({"total": total.output})
        >>> stepward.workflows.register(flow)["status"]
        'READY'
        >>> run = stepward.workflows.start("sdk-example", {"price": 20, "count": 5})
        >>> stepward.workflows.wait(run["id"])["output"]
        {'total': 100}
    """

    def register(self, document: Document, *, timeout_s: float = 60.0) -> WorkflowVersion:
        """Register a version and wait until its state machine is made.

        The same version with the same content again changes nothing.

        Args:
            document: The workflow.
            timeout_s: Seconds to wait for the machine. Default: 60.

        Returns:
            The version; its `status` is PUBLISHING if the time is over.

        Raises:
            DocumentRefused: The document has problems; `problems` are all of them.
            ApiError: `Conflict` if the version has other content.
        """
        poll = Poll(self._sleep, self._monotonic, timeout_s)
        held_s = max(0, min(LONGEST_HELD_S, int(timeout_s)))
        kept = cast("WorkflowVersion", self._send("/workflows", document, {"wait": held_s}, held_s))
        while kept["status"] == "PUBLISHING" and poll.left_s > 0:
            poll.pause(kept["status"])
            kept = self.show(kept["id"], version=kept["version"])
        return kept

    def list(self, *, limit: int | None = None, cursor: str | None = None) -> WorkflowPage:
        """List workflows by id, each by its newest version, one page at a time.

        Args:
            limit: Entries a page, 1 to 100. Default: 20.
            cursor: The `next_cursor` of the page before.

        Returns:
            The page.

        Raises:
            ApiError: A value is invalid; `field` names it.
        """
        return cast("WorkflowPage", self._wire.get("/workflows", {"limit": limit, "cursor": cursor}))

    def show(self, workflow_id: str, *, version: str | None = None) -> WorkflowDetail:
        """Return one version with its document.

        Args:
            workflow_id: The workflow's id.
            version: A version. Default: the newest.

        Returns:
            The version.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("WorkflowDetail", self._wire.get(path_to("workflows", workflow_id), {"version": version}))

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of documents, by which editors complete and check them.

        Returns:
            The schema.
        """
        return self._wire.get("/workflows/schema")

    def remove(self, workflow_id: str, version: str) -> None:
        """Remove one version; its number is not used again.

        Args:
            workflow_id: The workflow's id.
            version: The version.

        Raises:
            ApiError: `NotFound`, or `Conflict` while runs use it.
        """
        self._wire.delete(path_to("workflows", workflow_id, "versions", version))

    def plan(self, document: Document) -> WorkflowPlan:
        """Plan a document: what a run would do, take and cost; keeps and starts nothing.

        Args:
            document: The workflow.

        Returns:
            Bounds of states, calls, time and money, the critical path, and proofs.

        Raises:
            DocumentRefused: The document has problems.
        """
        return cast("WorkflowPlan", self._send("/workflows/plan", document))

    def planned(self, workflow_id: str, *, version: str | None = None) -> WorkflowPlan:
        """Return the plan of a registered version.

        Args:
            workflow_id: The workflow's id.
            version: A version. Default: the newest.

        Returns:
            The plan.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("WorkflowPlan", self._wire.get(_plan_of(workflow_id), {"version": version}))

    def draw(self, document: Document, form: Drawn) -> str:
        """Draw a document.

        Args:
            document: The workflow.
            form: `mermaid`, `svg`, or `asl` for its state machine.

        Returns:
            The drawing as text.

        Raises:
            DocumentRefused: The document has problems.
        """
        return self._sent("/workflows/plan", document, {"as": form}).text

    def drawn(self, workflow_id: str, form: Drawn, *, version: str | None = None) -> str:
        """Draw a registered version.

        Args:
            workflow_id: The workflow's id.
            form: `mermaid`, `svg`, or `asl` for its state machine.
            version: A version. Default: the newest.

        Returns:
            The drawing as text.

        Raises:
            ApiError: `NotFound`.
        """
        return self._wire.get_text(_plan_of(workflow_id), {"version": version, "as": form})

    def problems(self, document: Document) -> tuple[WorkflowProblem, ...]:
        """Check a document; keeps nothing.

        Args:
            document: The workflow.

        Returns:
            All problems, by position; none if it is good.

        Raises:
            ApiError: The document could not be checked.
        """
        try:
            self.plan(document)
        except DocumentRefused as error:
            return error.problems
        return ()

    def diff(self, workflow_id: str, before: str, *, after: str | None = None) -> WorkflowDiff:
        """Compare two versions.

        Args:
            workflow_id: The workflow's id.
            before: One version.
            after: The other version. Default: the newest.

        Returns:
            Tasks, edges, plan and reach that differ.

        Raises:
            ApiError: `NotFound`.
        """
        query = {"from": before, "to": after}
        return cast("WorkflowDiff", self._wire.get(path_to("workflows", workflow_id, "diff"), query))

    def diff_with(self, workflow_id: str, document: Document) -> WorkflowDiff:
        """Compare the newest version with a document that is not registered yet.

        Args:
            workflow_id: The workflow's id.
            document: The workflow.

        Returns:
            Tasks, edges, plan and reach that differ.

        Raises:
            DocumentRefused: The document has problems.
            ApiError: `NotFound`.
        """
        return cast("WorkflowDiff", self._send(path_to("workflows", workflow_id, "diff"), document))

    def _send(
        self, path: str, document: Document, query: Mapping[str, Any] | None = None, held_s: int = 0
    ) -> dict[str, Any]:
        return document_in(self._sent(path, document, query or {}, held_s))

    def _sent(
        self, path: str, document: Document, query: Mapping[str, Any], held_s: int = 0
    ) -> httpx2.Response:
        """Send a document; a refusal of the document itself raises `DocumentRefused`."""
        given = encode_document(document)
        try:
            return self._wire.post_document(path, given.content, given.content_type, query, wait_s=held_s)
        except ApiError as error:
            if refused := DocumentRefused.of(error, has_positions=given.has_positions):
                raise refused from error
            raise


def _plan_of(workflow_id: str) -> str:
    return path_to("workflows", workflow_id, "plan")
