"""Make the stores behind the ports, DynamoDB tables and S3, each on first use."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stepward.adapters.aws.journal import DynamoJournal
    from stepward.adapters.aws.task_store import DynamoTaskStore
    from stepward.adapters.aws.workflow_runs import DynamoWorkflowRuns
    from stepward.ports.approvals import Approvals
    from stepward.ports.clock import Clock, Ids
    from stepward.ports.costs import Budgets, CostBook, LimitsConfig, LimitsStore, PriceStore
    from stepward.ports.identity import Identity
    from stepward.ports.journal import Journal
    from stepward.ports.prompts import PromptCounts, PromptRegistry
    from stepward.ports.registry import Registry
    from stepward.ports.run_lists import RunLists
    from stepward.ports.run_machine import Tokens
    from stepward.ports.run_queue import RunQueue
    from stepward.ports.runs import RuntimeState
    from stepward.ports.tasks import TaskStore
    from stepward.ports.tool_services import Datasets, PublishedTools, ResultStore
    from stepward.ports.triggers import Triggers
    from stepward.ports.workflow_registry import WorkflowRegistry
    from stepward.ports.workflow_runs import WorkflowRuns, WorkflowSlots
    from stepward.runtime.cached_ports import CachedPrices
    from stepward.runtime.config import Settings

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches


class Stores:
    """The stores of one process, its clock and its ids.

    The name of a table or bucket is read from the configuration when its store is made, so that a function needs only
    what its grants name. A test replaces a store before it is used: `stores.journal = MemoryJournal()`.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def clock(self) -> Clock:
        """The system's clock."""
        from stepward.runtime.clock import SystemClock

        return SystemClock()

    @cached_property
    def ids(self) -> Ids:
        """Ids that sort by time."""
        from stepward.runtime.clock import UlidIds

        return UlidIds()

    @cached_property
    def _dynamo_journal(self) -> DynamoJournal:
        from stepward.adapters.aws.journal import DynamoJournal

        return DynamoJournal(self._settings.need("journal_table"), self._settings.data_bucket or "")

    @cached_property
    def journal(self) -> Journal:
        """Records of runs."""
        return self._dynamo_journal

    @cached_property
    def runtime_state(self) -> RuntimeState:
        """Heads of runs, their slots and their allowances."""
        from stepward.adapters.aws.new_runs import NewRuns
        from stepward.adapters.aws.runtime_state import DynamoRuntimeState

        table, journal = self._settings.need("runtime_table"), self._dynamo_journal
        return DynamoRuntimeState(table, journal, NewRuns(table, journal, self.clock))

    @cached_property
    def run_lists(self) -> RunLists:
        """Indexes over heads of runs."""
        from stepward.adapters.aws.run_lists import DynamoRunLists

        return DynamoRunLists(self._settings.need("runtime_table"), self.clock)

    @cached_property
    def run_queue(self) -> RunQueue:
        """Runs that wait for a slot."""
        from stepward.adapters.aws.run_queue import DynamoRunQueue

        return DynamoRunQueue(self._settings.need("runtime_table"))

    @cached_property
    def tokens(self) -> Tokens:
        """Task tokens by which waiting state machines are resumed."""
        from stepward.adapters.aws.tokens import DynamoTokens

        return DynamoTokens(self._settings.need("runtime_table"), self.clock)

    @cached_property
    def approvals(self) -> Approvals:
        """Approvals and questions to people."""
        from stepward.adapters.aws.approvals import DynamoApprovals

        return DynamoApprovals(self._settings.need("runtime_table"), self._dynamo_journal)

    @cached_property
    def registry(self) -> Registry:
        """Versions of agents."""
        from stepward.adapters.aws.registry import DynamoRegistry

        return DynamoRegistry(self._settings.need("registry_table"))

    @cached_property
    def prompt_registry(self) -> PromptRegistry:
        """Versions of prompts."""
        from stepward.adapters.aws.prompts import DynamoPromptRegistry

        return DynamoPromptRegistry(self._settings.need("registry_table"))

    @cached_property
    def prompt_counts(self) -> PromptCounts:
        """Counts of runs by prompt."""
        from stepward.adapters.aws.prompt_counts import DynamoPromptCounts

        return DynamoPromptCounts(self._settings.need("runtime_table"))

    @cached_property
    def datasets(self) -> Datasets:
        """Data files of tenants."""
        from stepward.adapters.aws.files import S3Datasets

        return S3Datasets(self._settings.need("data_bucket"))

    @cached_property
    def results(self) -> ResultStore:
        """Large results of tools."""
        from stepward.adapters.aws.files import S3Results

        return S3Results(self._settings.need("data_bucket"))

    @cached_property
    def identity(self) -> Identity:
        """Hashes of API keys."""
        from stepward.adapters.aws.identity import DynamoIdentity

        return DynamoIdentity(self._settings.need("identity_table"))

    @cached_property
    def limits(self) -> LimitsConfig:
        """Limits and budgets as they were at most 15 seconds ago, for each start to ask."""
        from stepward.runtime.cached_ports import CachedLimits

        # Not before it is asked: a function that only ends runs has no right to read limits.
        return CachedLimits(lambda: self.limits_store)

    @cached_property
    def limits_store(self) -> LimitsStore:
        """Limits and budgets as they are set now."""
        from stepward.adapters.aws.configuration import DynamoLimitsConfig

        return DynamoLimitsConfig(self._settings.need("registry_table"))

    @cached_property
    def price_store(self) -> PriceStore:
        """Agreed prices as they are set now."""
        from stepward.adapters.aws.configuration import DynamoPrices

        return DynamoPrices(self._settings.need("registry_table"))

    @cached_property
    def agreed_prices(self) -> CachedPrices:
        """Agreed prices as they were at most a minute ago, for each call to ask."""
        from stepward.runtime.cached_ports import CachedPrices

        return CachedPrices(self.price_store, self.clock)

    @cached_property
    def budgets(self) -> Budgets:
        """What is counted against budgets."""
        from stepward.adapters.aws.budgets import DynamoBudgets

        return DynamoBudgets(self._settings.need("runtime_table"))

    @cached_property
    def cost_book(self) -> CostBook:
        """Booked costs."""
        from stepward.adapters.aws.cost_book import DynamoCostBook

        return DynamoCostBook(self._settings.need("runtime_table"))

    @cached_property
    def triggers(self) -> Triggers:
        """Triggers and their firings."""
        from stepward.adapters.aws.triggers import DynamoTriggers

        return DynamoTriggers(self._settings.need("triggers_table"))

    @cached_property
    def published_tools(self) -> PublishedTools:
        """Tools that folders have published."""
        from stepward.adapters.aws.functions import DynamoPublishedTools

        return DynamoPublishedTools(self._settings.need("registry_table"))

    @cached_property
    def workflow_registry(self) -> WorkflowRegistry:
        """Versions of workflows."""
        from stepward.adapters.aws.workflow_registry import DynamoWorkflowRegistry

        return DynamoWorkflowRegistry(
            self._settings.need("registry_table"), self._settings.need("data_bucket")
        )

    @cached_property
    def _dynamo_tasks(self) -> DynamoTaskStore:
        from stepward.adapters.aws.task_store import DynamoTaskStore

        return DynamoTaskStore(self._dynamo_journal)

    @cached_property
    def task_store(self) -> TaskStore:
        """Records of workflows' tasks."""
        return self._dynamo_tasks

    @cached_property
    def _dynamo_workflow_runs(self) -> DynamoWorkflowRuns:
        from stepward.adapters.aws.workflow_runs import DynamoWorkflowRuns

        return DynamoWorkflowRuns(self._settings.need("runtime_table"), self._dynamo_tasks, self.clock)

    @cached_property
    def workflow_runs(self) -> WorkflowRuns:
        """Heads of workflows' runs."""
        return self._dynamo_workflow_runs

    @cached_property
    def workflow_slots(self) -> WorkflowSlots:
        """Slots of workflows' runs."""
        return self._dynamo_workflow_runs.slots
