"""The client's part for what happens to agents after they are registered: labels, steps of their life, their end."""

from __future__ import annotations

from typing import TypedDict, cast

from stepward.sdk.shapes import AgentState, AgentStatus
from stepward.sdk.transport import Transport, path_to


class Label(TypedDict):
    """A name for one version."""

    label: str
    version: str
    set_at: str


class LabelList(TypedDict):
    """An agent's labels by name."""

    id: str
    labels: list[Label]


class AgentLifecycle:
    """What `stepward.lifecycle` offers."""

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def move(self, agent_id: str, to: AgentState) -> AgentStatus:
        """Take one step of the agent's life by hand; one that the table does not have is a `Conflict`."""
        return cast("AgentStatus", self._wire.post(path_to("agents", agent_id, "transitions"), {"to": to}))

    def end(self, agent_id: str) -> AgentStatus:
        """End an agent: nothing starts it any more, runs that it has go on. Ending it twice is ending it once."""
        return cast("AgentStatus", self._wire.delete(path_to("agents", agent_id)))

    def labels(self, agent_id: str) -> LabelList:
        """List an agent's labels, `latest` among them."""
        return cast("LabelList", self._wire.get(path_to("agents", agent_id, "labels")))

    def set_label(self, agent_id: str, label: str, version: str) -> Label:
        """Point a label to a version; runs that have begun keep theirs."""
        path = path_to("agents", agent_id, "labels", label)
        return cast("Label", self._wire.put(path, {"version": version}))

    def remove_label(self, agent_id: str, label: str) -> None:
        """Take a label away."""
        self._wire.delete(path_to("agents", agent_id, "labels", label))
