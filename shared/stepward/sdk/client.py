"""Connect to one stage: the client that a program holds."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self, cast

import httpx2

from stepward.sdk.approvals import ApprovalClient
from stepward.sdk.catalog import ModelClient, ToolClient
from stepward.sdk.control import RunControl
from stepward.sdk.costs import Budgets, Costs, Prices
from stepward.sdk.data import DataClient
from stepward.sdk.lifecycle import AgentLifecycle
from stepward.sdk.prompts import PromptClient
from stepward.sdk.runs import RunMethods
from stepward.sdk.shapes import (
    AgentDetail,
    AgentPage,
    AgentState,
    Capability,
    Health,
    Readiness,
    Registration,
)
from stepward.sdk.transport import Transport, path_to
from stepward.sdk.triggers import TriggerClient
from stepward.sdk.workflows import WorkflowClient


class Stepward(RunMethods):
    """One stage of Stepward, used with one API key; safe to share between threads.

    Args:
        url: The stage's API, such as `https://api.example.com`.
        api_key: A key (sw_…); an empty one can only ask `health` and `ready`.
        timeout_s: Seconds to wait for an answer. Default: 30.
        http: Another transport, for tests.
        sleep: What waits between polls and retries, for tests.
        monotonic: What measures the time of `wait`, for tests.

    Raises:
        BadCall: The URL or the key cannot be used.

    Example:
        >>> with Stepward("http://127.0.0.1:8400", "sw_…") as stepward:
        ...     run = stepward.start_run("support-refunds", {"ticket_id": "T-1001"})
        ...     print(stepward.wait(run["id"])["status"])
        COMPLETED
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        timeout_s: float = 30.0,
        http: httpx2.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        wire = Transport(url, api_key, timeout_s=timeout_s, http=http, sleep=sleep)
        super().__init__(wire, sleep, monotonic)

    @property
    def approvals(self) -> ApprovalClient:
        """Approvals that agents and workflows ask of people."""
        return ApprovalClient(self._wire)

    @property
    def data(self) -> DataClient:
        """The tenant's data files."""
        return DataClient(self._wire)

    @property
    def triggers(self) -> TriggerClient:
        """Triggers, which start agents and workflows without a request."""
        return TriggerClient(self._wire)

    @property
    def prompts(self) -> PromptClient:
        """Versioned templates, and their labels."""
        return PromptClient(self._wire)

    @property
    def tools(self) -> ToolClient:
        """Tools that agents may use."""
        return ToolClient(self._wire)

    @property
    def workflows(self) -> WorkflowClient:
        """Workflows and their runs."""
        return WorkflowClient(self._wire, self._sleep, self._monotonic)

    @property
    def costs(self) -> Costs:
        """Costs and estimates."""
        return Costs(self._wire)

    @property
    def budgets(self) -> Budgets:
        """Budgets, and the limit of active runs."""
        return Budgets(self._wire)

    @property
    def prices(self) -> Prices:
        """Prices of models."""
        return Prices(self._wire)

    @property
    def models(self) -> ModelClient:
        """Models with their capabilities, limits, prices and last days."""
        return ModelClient(self._wire)

    @property
    def control(self) -> RunControl:
        """Pause, resume, fork and compare runs, and read the system's status."""
        return RunControl(self._wire)

    @property
    def lifecycle(self) -> AgentLifecycle:
        """Labels of an agent's versions, and an agent's states."""
        return AgentLifecycle(self._wire)

    @property
    def url(self) -> str:
        """The stage's URL, to which this client sends its requests."""
        return self._wire.url

    def close(self) -> None:
        """Close the connections; `with` does it by itself."""
        self._wire.close()

    def __enter__(self) -> Self:
        """Keep the connections for the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        self.close()

    def register_agent(self, definition: Mapping[str, Any]) -> Registration:
        """Register one version of an agent.

        The same version with the same content again changes nothing.

        Args:
            definition: The agent's fields, as its YAML file has them.

        Returns:
            The version that is kept, with the agent's state.

        Raises:
            ApiError: `InvalidRequest` with all problems in `errors`, or `Conflict` for other content.
        """
        return cast("Registration", self._wire.post("/agents", dict(definition)))

    def agents(
        self,
        *,
        capability: Capability | None = None,
        module: str | None = None,
        category: str | None = None,
        tag: str | None = None,
        state: AgentState | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> AgentPage:
        """List agents by id, one page at a time.

        Args:
            capability: Only agents with this capability.
            module: Only agents of this module.
            category: Only agents of this category.
            tag: Only agents with this tag.
            state: Only agents in this state. Default: READY.
            limit: Entries a page, 1 to 100. Default: 20.
            cursor: The `next_cursor` of the page before.

        Returns:
            The page; one that was narrowed may be short and still have a `next_cursor`.

        Raises:
            ApiError: A value is invalid; `field` names it.

        Example:
            >>> len(stepward.agents(limit=1)["agents"])
            1
        """
        words = {"capability": capability, "module": module, "category": category, "tag": tag, "state": state}
        return cast("AgentPage", self._wire.get("/agents", {**words, "limit": limit, "cursor": cursor}))

    def agent(self, agent_id: str, *, version: str | None = None) -> AgentDetail:
        """Return an agent's definition.

        Args:
            agent_id: The agent's id, or its `uid`.
            version: A version or a label. Default: the newest version.

        Returns:
            The definition with the agent's state.

        Raises:
            ApiError: `NotFound`.
        """
        return cast("AgentDetail", self._wire.get(path_to("agents", agent_id), {"version": version}))

    def health(self) -> Health:
        """Ask once, without a key, whether the API answers.

        Returns:
            Status, stage and version.

        Raises:
            Unreachable: It does not.
        """
        return cast("Health", self._wire.probe("/api/health"))

    def ready(self) -> Readiness:
        """Ask once, without a key, whether the API can work.

        Returns:
            A check for each dependency; a stage that is not ready is an answer, not an error.

        Raises:
            Unreachable: No answer came.
        """
        return cast("Readiness", self._wire.probe("/api/health/ready", good=frozenset({200, 503})))
