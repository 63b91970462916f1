"""List runs of agents and of workflows together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from stepward.agents.show_runs import page_size
from stepward.domain.errors import Conflict, InvalidRequest, NotFound
from stepward.domain.ids import AGENT_ID_PATTERN, check_id
from stepward.domain.run_lists import (
    RunFilter,
    RunSlice,
    place_of,
    read_cursor,
    read_day,
    read_since,
    write_cursor,
)
from stepward.domain.runs import RunHead, RunKey, RunStatus, run_view
from stepward.domain.task_records import WorkflowHead, WorkflowStatus
from stepward.ports.clock import Clock
from stepward.ports.run_lists import RunLists
from stepward.ports.runs import RuntimeState
from stepward.ports.workflow_runs import WorkflowRuns
from stepward.workflows.services.views import workflow_run_view

RunKind = Literal["agent", "workflow"]
KINDS: Final[tuple[RunKind, ...]] = get_args(RunKind)
_PARAMETERS: Final = frozenset({"kind", "agent", "workflow", "status", "day", "since", "limit", "cursor"})
_STATUSES: Final[dict[RunKind, frozenset[str]]] = {
    "agent": frozenset(RunStatus),
    "workflow": frozenset(WorkflowStatus),
}


@dataclass(frozen=True)
class ListRuns:
    """The use case behind `GET /runs`, and the check of routes that serve one kind only."""

    lists: RunLists
    heads: RuntimeState
    workflows: WorkflowRuns
    clock: Clock

    def list(self, tenant: str, query: dict[str, str]) -> dict[str, Any]:
        """List runs of both kinds, newest first.

        Args:
            tenant: Whose runs.
            query: `kind` (agent or workflow), `agent` or `workflow` (an id), `status`, `day` (UTC), `since` (a day, an
                instant, or a span such as 24h), `limit` (1 to 100, 20 by default) and `cursor`.

        Returns:
            `runs`, and `next_cursor` for the page after them; None at the end. With a status a page may be short.

        Raises:
            InvalidRequest: A parameter is unknown, or its value cannot be used.
        """
        kinds, wanted = self._wanted(query)
        limit, before = page_size(query.get("limit")), read_cursor(query.get("cursor"))
        slices: list[RunSlice[Any]] = []
        if "agent" in kinds:
            slices.append(self.lists.list_runs(tenant, wanted, limit=limit, before=before))
        if "workflow" in kinds:
            slices.append(self.workflows.list_runs(tenant, wanted, limit=limit, before=before))
        page = _merged(slices, limit)
        cursor = write_cursor(page.reached) if page.reached else None
        return {"runs": [_view(head) for head in page.runs], "next_cursor": cursor}

    @contextmanager
    def of_kind(self, kind: RunKind, tenant: str, run: str) -> Iterator[None]:
        """Run a block for runs of one kind, and explain it if a run is of the other.

        Args:
            kind: The kind of run.
            tenant: Whose run it is.
            run: The run's id.

        Raises:
            Conflict: The run is of the other kind.
            NotFound: There is no such run.
        """
        try:
            yield
        except NotFound:
            self._refuse_other_kind(kind, RunKey(tenant=tenant, run=run))
            raise

    def _refuse_other_kind(self, kind: RunKind, key: RunKey) -> None:
        if kind == "agent" and (found := self.workflows.head(key)):
            raise Conflict(
                f"{key.run} is a run of the workflow {found.workflow!r}; only an agent's run can do this.",
                field="run_id",
                fix="a workflow's run can be shown (its tasks are in it), cancelled and run again (rerun)",
            ) from None
        if kind == "workflow" and (head := self.heads.head(key)):
            raise Conflict(
                f"{key.run} is a run of the agent {head.agent!r}; only a workflow's run can do this.",
                field="run_id",
                fix="an agent's run can be forked from one of its turns: POST /runs/{run_id}/fork",
            ) from None

    def _wanted(self, query: dict[str, str]) -> tuple[tuple[RunKind, ...], RunFilter]:
        if unknown := sorted(set(query) - _PARAMETERS):
            raise InvalidRequest(
                f"there is no parameter {unknown[0][:40]!r}.",
                field=unknown[0][:40],
                fix=f"use {', '.join(sorted(_PARAMETERS))}",
            )
        kinds = _kinds(query)
        name = query.get("agent") or query.get("workflow")
        if name is not None:
            check_id(kinds[0], name, AGENT_ID_PATTERN)
        return kinds, RunFilter(
            name=name,
            status=_status(query.get("status"), kinds),
            day=read_day(query.get("day")),
            since=read_since(query.get("since"), self.clock.now()),
        )


def _kinds(query: dict[str, str]) -> tuple[RunKind, ...]:
    """Return the kinds that a query asks for: the id of an agent or of a workflow implies one."""
    said = query.get("kind")
    if said is not None and said not in KINDS:
        raise InvalidRequest(f"kind is {said[:40]!r}.", field="kind", fix=f"use {' or '.join(KINDS)}")
    named = [kind for kind in KINDS if kind in query]
    if len(named) > 1 or (named and said not in (None, named[0])):
        raise InvalidRequest(
            f"{named[-1]} asks for runs of one kind, {said or named[0]} for those of the other.",
            field=named[-1],
            fix="ask for the runs of an agent or of a workflow, not of both at once",
        )
    return tuple(kind for kind in KINDS if kind in (said or kind, *named) and (not named or kind in named))


def _status(text: str | None, kinds: tuple[RunKind, ...]) -> str | None:
    known = frozenset().union(*(_STATUSES[kind] for kind in kinds))
    if text is not None and text not in known:
        raise InvalidRequest(
            f"status is {text[:40]!r}.", field="status", fix=f"use one of {', '.join(sorted(known))}"
        )
    return text


def _merged(slices: list[RunSlice[Any]], limit: int) -> RunSlice[Any]:
    """Merge lists as far as all are known: below the highest `reached` one may have more."""
    floor = max((one.reached for one in slices if one.reached), default=None)
    found = sorted((head for one in slices for head in one.runs), key=place_of, reverse=True)
    known = [head for head in found if floor is None or place_of(head) >= floor]
    return RunSlice.cut(known, limit, floor)


def _view(head: RunHead | WorkflowHead) -> dict[str, Any]:
    return run_view(head) if isinstance(head, RunHead) else workflow_run_view(head)
