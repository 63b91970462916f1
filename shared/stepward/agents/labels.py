"""Labels: names for versions that can be moved, so that `prod` may mean another version tomorrow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from stepward.agents.find import agent_id_of, find_agent, find_record
from stepward.agents.requests import parse
from stepward.domain.errors import Conflict, InvalidRequest, NotFound
from stepward.domain.ids import LABEL_PATTERN, Version, check_id
from stepward.domain.lifecycle import AgentState
from stepward.ports.clock import Clock, iso
from stepward.ports.registry import LATEST, Label, Registry

MOST_LABELS: Final = 20


class Pointed(BaseModel):
    """The body of `PUT /agents/{agent_id}/labels/{label}`."""

    model_config = ConfigDict(extra="forbid")

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
        """Point a label to a version; runs that have begun keep the version that they began with."""
        _check_label(label)
        version = parse(Pointed, body).version
        record = find_record(self.registry, tenant, agent)
        if record.state is AgentState.TERMINATED:
            raise Conflict(
                f"agent {record.summary.id!r} is TERMINATED.", field="agent_id", fix="label a living agent"
            )
        self._check_room(tenant, record.summary.id, label)
        found = find_agent(self.registry, tenant, record.summary.id, version)
        pointed = Label(label=label, version=version, set_at=iso(self.clock.now()))
        self.registry.set_label(tenant, pointed, found)
        return {"id": record.summary.id, **pointed.model_dump()}

    def remove(self, tenant: str, agent: str, label: str) -> dict[str, Any]:
        """Take a label away; starts that ask for it are refused from then on."""
        _check_label(label)
        agent_id = agent_id_of(self.registry, tenant, agent)
        if not self.registry.remove_label(tenant, agent_id, label):
            raise NotFound(
                f"agent {agent_id!r} has no label {label!r}.",
                field="label",
                fix=f"GET /agents/{agent_id}/labels lists those that exist",
            )
        return {"id": agent_id, "label": label}

    def _check_room(self, tenant: str, agent_id: str, label: str) -> None:
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
