"""Show agents, and move them along the lifecycle: on request, and to their end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

from pydantic import BaseModel, ConfigDict
from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.lookup import agent_id_of, find_agent, find_record, read_agent, version_of
from stepward.agents.register import Register
from stepward.agents.requests import parse
from stepward.domain.agent_records import LATEST, AgentRecord, Label, summary
from stepward.domain.errors import Conflict, InvalidRequest, NotFound, StoreConflict
from stepward.domain.ids import LABEL_PATTERN, Version, check_id
from stepward.domain.lifecycle import AgentState, Check, Edge, edge, following, view_of
from stepward.domain.run_lists import RunFilter, RunSlice
from stepward.domain.runs import RunHead
from stepward.ports.clock import Clock, iso
from stepward.ports.registry import Registry

_BY_RUNS: Final = frozenset({Check.INPUT, Check.RESULTS, Check.ERROR})
_FORGET: Final = frozenset({Check.RESET, Check.RECOVERY})


class RunsOfAgent(Protocol):
    """The only question about runs that an agent's state depends on."""

    def list_runs(self, tenant: str, wanted: RunFilter, *, limit: int) -> RunSlice[RunHead]:
        """List runs, newest first."""


class Transition(BaseModel):
    """The body of `POST /agents/{agent_id}/transitions`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    to: AgentState


@dataclass(frozen=True)
class Lifecycle:
    """The use cases behind `GET` and `DELETE /agents/{agent_id}` and its transitions."""

    registry: Registry
    runs: RunsOfAgent
    clock: Clock
    register: Register

    def show(self, tenant: str, agent_id: str, version: str | None = None) -> dict[str, Any]:
        """Show an agent with one version's definition; without any version, why it has none."""
        record, seen = read_agent(self.registry, tenant, agent_id, version)
        if seen.version is None and version is None:
            return {**self._about(tenant, record), "agent": None}
        found = version_of(seen, record.summary.id, version)
        shown = summary(found, record).model_dump(mode="json")
        definition = found.definition.model_dump(mode="json", exclude_defaults=True)
        return {**self._about(tenant, record), **shown, "agent": definition}

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
    def move(self, tenant: str, agent_id: str, body: Any) -> dict[str, Any]:
        """Take one edge of the lifecycle on request.

        An edge that is not in the table is a `Conflict` that names those that are.

        time →   A reads rev 5, VALIDATING → VALIDATED over rev 5 ✓
                 B reads rev 5,                                      over rev 5 ✗ → reads again: VALIDATED, no
                 such edge
        """
        wanted = parse(Transition, body).to
        record = find_record(self.registry, tenant, agent_id)
        way = edge(self._view(tenant, record), wanted)
        return self._about(tenant, self._take(tenant, record, way))

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
    def terminate(self, tenant: str, agent_id: str) -> dict[str, Any]:
        """Terminate an agent: it starts no more, and its open runs continue. Safe to repeat."""
        record = find_record(self.registry, tenant, agent_id)
        if record.state is not AgentState.TERMINATED:
            record = self._end(tenant, record)
        return self._about(tenant, record)

    def _take(self, tenant: str, record: AgentRecord, way: Edge) -> AgentRecord:
        if way.check in _BY_RUNS:
            raise Conflict(
                f"{way.end} follows from runs and cannot be set.",
                field="to",
                fix=f"start one: POST /agents/{record.summary.id}/runs",
            )
        if way.check is Check.CLEANUP:
            return self._end(tenant, record)
        if way.check in _FORGET:
            reset = {"reset_at": iso(self.clock.now())}
            return self.registry.change(tenant, record.model_copy(update=reset))
        return self._check_again(tenant, record, way)

    def _check_again(self, tenant: str, record: AgentRecord, way: Edge) -> AgentRecord:
        """Retry an edge of the registration with the refused definition.

        Its dependency may have been registered since.
        """
        offered = self.registry.offered(tenant, record.summary.id)
        if offered is None:
            raise Conflict(
                f"agent {record.summary.id!r} has no definition that could be checked.",
                field="to",
                fix="register it once more: POST /agents",
            )
        return self.register.step(tenant, record, offered, way)

    def _end(self, tenant: str, record: AgentRecord) -> AgentRecord:
        ended = record.summary.model_copy(update={"state": AgentState.TERMINATED})
        return self.registry.terminate(tenant, record.model_copy(update={"summary": ended}))

    def _about(self, tenant: str, record: AgentRecord) -> dict[str, Any]:
        view = self._view(tenant, record)
        return {
            **record.summary.model_dump(mode="json"),
            "view": view.value,
            "may_go_to": list(following(view)),
            "refusal": record.refusal.model_dump(mode="json") if record.refusal else None,
        }

    def _view(self, tenant: str, record: AgentRecord) -> AgentState:
        """Return the state with the newest run's outcome; runs from before a reset do not count."""
        if record.state is not AgentState.READY:
            return record.state
        newest = self._newest(tenant, record)
        if newest is None:
            return record.state
        return view_of(record.state, newest.status, has_ended=newest.ended)

    def _newest(self, tenant: str, record: AgentRecord) -> RunHead | None:
        page = self.runs.list_runs(tenant, RunFilter(name=record.summary.id), limit=1)
        newest = next(iter(page.runs), None)
        return None if newest is None or newest.created_at <= (record.reset_at or "") else newest


MOST_LABELS: Final = 20


class LabelTarget(BaseModel):
    """The body of `PUT /agents/{agent_id}/labels/{label}`."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    version: Version


@dataclass(frozen=True)
class Labels:
    """The use cases behind `/agents/{agent_id}/labels`."""

    registry: Registry
    clock: Clock

    def list(self, tenant: str, agent: str) -> dict[str, Any]:
        """List an agent's labels, `latest` among them."""
        record = find_record(self.registry, tenant, agent)
        labels = self.registry.labels(tenant, record.summary.id)
        return {"id": record.summary.id, "labels": [label.model_dump() for label in labels]}

    def put(self, tenant: str, agent: str, label: str, body: Any) -> dict[str, Any]:
        """Point a label to a version; runs that have begun keep their version."""
        _check_label(label)
        version = parse(LabelTarget, body).version
        record = find_record(self.registry, tenant, agent)
        if record.state is AgentState.TERMINATED:
            raise Conflict(
                f"agent {record.summary.id!r} is TERMINATED.", field="agent_id", fix="label a living agent"
            )
        self._check_label_count(tenant, record.summary.id, label)
        found = find_agent(self.registry, tenant, record.summary.id, version)
        pointed = Label(label=label, version=version, set_at=iso(self.clock.now()))
        self.registry.set_label(tenant, pointed, found)
        return {"id": record.summary.id, **pointed.model_dump()}

    def remove(self, tenant: str, agent: str, label: str) -> dict[str, Any]:
        """Remove a label; starts that ask for it are refused from then on."""
        _check_label(label)
        agent_id = agent_id_of(self.registry, tenant, agent)
        if not self.registry.remove_label(tenant, agent_id, label):
            raise NotFound(
                f"agent {agent_id!r} has no label {label!r}.",
                field="label",
                fix=f"GET /agents/{agent_id}/labels lists those that exist",
            )
        return {"id": agent_id, "label": label}

    def _check_label_count(self, tenant: str, agent_id: str, label: str) -> None:
        names = {known.label for known in self.registry.labels(tenant, agent_id)} - {LATEST}
        if label not in names and len(names) >= MOST_LABELS:
            raise Conflict(
                f"agent {agent_id!r} has {len(names)} labels.",
                field="label",
                fix="remove one that is not used",
            )


def _check_label(label: str) -> None:
    check_id("label", label, LABEL_PATTERN)
    if label == LATEST:
        raise InvalidRequest(
            "`latest` is always the newest version and cannot be set.",
            field="label",
            fix="use a label of your own, such as prod, and start runs with it as their version",
        )
