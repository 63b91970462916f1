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
    """What a stage offers, by subject."""

    def __init__(
        self, wire: Transport, sleep: Callable[[float], None], monotonic: Callable[[], float]
    ) -> None:
        self._wire = wire
        self._sleep = sleep
        self._monotonic = monotonic

    @property
    def approvals(self) -> ApprovalClient:
        """What agents ask people."""
        return ApprovalClient(self._wire)

    @property
    def data(self) -> DataClient:
        """The tenant's data files."""
        return DataClient(self._wire)

    @property
    def triggers(self) -> TriggerClient:
        """What starts agents without a request."""
        return TriggerClient(self._wire)

    @property
    def tools(self) -> ToolClient:
        """What agents may use."""
        return ToolClient(self._wire)

    @property
    def workflows(self) -> WorkflowClient:
        """Graphs of tasks, and their runs."""
        return WorkflowClient(self._wire, self._sleep, self._monotonic)

    @property
    def costs(self) -> Costs:
        """What was spent."""
        return Costs(self._wire)

    @property
    def budgets(self) -> Budgets:
        """What may be spent, and how many runs may be active at once."""
        return Budgets(self._wire)

    @property
    def prices(self) -> Prices:
        """What models cost."""
        return Prices(self._wire)

    @property
    def models(self) -> ModelClient:
        """What models can do, what they cost and when they end."""
        return ModelClient(self._wire)

    @property
    def control(self) -> RunControl:
        """Pausing, resuming, forking and comparing runs, and how the system stands."""
        return RunControl(self._wire)

    @property
    def lifecycle(self) -> AgentLifecycle:
        """Labels of versions, and the steps of an agent's life."""
        return AgentLifecycle(self._wire)
