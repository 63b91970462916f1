"""Label versions of agents, and change agents' states."""

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
    """Labels and states of agents: `stepward.lifecycle`.

    Example:
        >>> stepward.lifecycle.labels("support-refunds")["labels"][0]["label"]
        'latest'
    """

    def __init__(self, wire: Transport) -> None:
        self._wire = wire

    def move(self, agent_id: str, to: AgentState) -> AgentStatus:
        """Move an agent to another state by hand.

        Args:
            agent_id: The agent's id.
            to: The next state, such as READY after a failure.

        Returns:
            The agent's state, and the states that may follow.

        Raises:
            ApiError: `Conflict` for a transition that does not exist, `InvalidRequest` if a check fails.
        """
        return cast("AgentStatus", self._wire.post(path_to("agents", agent_id, "transitions"), {"to": to}))

    def end(self, agent_id: str) -> AgentStatus:
        """Terminate an agent: nothing starts it any more, its runs go on.

        Terminating it twice is the same as once.

        Args:
            agent_id: The agent's id.

        Returns:
            The agent's state.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("AgentStatus", self._wire.delete(path_to("agents", agent_id)))

    def labels(self, agent_id: str) -> LabelList:
        """List an agent's labels, `latest` among them.

        Args:
            agent_id: The agent's id.

        Returns:
            Labels with their versions.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("LabelList", self._wire.get(path_to("agents", agent_id, "labels")))

    def set_label(self, agent_id: str, label: str, version: str) -> Label:
        """Point a label to a version; runs that have begun keep theirs.

        Args:
            agent_id: The agent's id.
            label: The label, such as `prod`; `latest` cannot be set.
            version: A version that exists.

        Returns:
            The label.

        Raises:
            ApiError: `NotFound` for the version, `Conflict` if the agent has 20 labels.
        """
        path = path_to("agents", agent_id, "labels", label)
        return cast("Label", self._wire.put(path, {"version": version}))

    def remove_label(self, agent_id: str, label: str) -> None:
        """Remove a label.

        Args:
            agent_id: The agent's id.
            label: The label.

        Raises:
            ApiError: `NotFound`.
        """
        self._wire.delete(path_to("agents", agent_id, "labels", label))
