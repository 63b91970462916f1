"""The areas of the API, each with a client of its own over one connection."""

from __future__ import annotations

from collections.abc import Callable

from stepward.sdk.approvals import ApprovalClient
from stepward.sdk.control import RunControl
from stepward.sdk.costs import Budgets, Costs, Prices
from stepward.sdk.data import DataClient
from stepward.sdk.lifecycle import AgentLifecycle
from stepward.sdk.models import ModelClient
from stepward.sdk.tools import ToolClient
from stepward.sdk.transport import Transport
from stepward.sdk.triggers import TriggerClient
from stepward.sdk.workflows import WorkflowClient


class Areas:
    """The clients of a stage's areas, by subject."""

    def __init__(
        self, wire: Transport, sleep: Callable[[float], None], monotonic: Callable[[], float]
    ) -> None:
        self._wire = wire
        self._sleep = sleep
        self._monotonic = monotonic

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
