"""Make the adapters behind the ports that reach beyond the tables, each on first use."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from stepward.runtime.builders.stores import Stores

if TYPE_CHECKING:
    from stepward.adapters.aws.machines import PublishRequests
    from stepward.adapters.aws.secrets import WebhookKey
    from stepward.ports.models import ResponseCache
    from stepward.ports.providers import ProviderEntry, ProviderKeys, ProviderLimits, ProviderPools
    from stepward.ports.run_machine import RunMachine
    from stepward.ports.run_queue import WakeUps
    from stepward.ports.tool_services import Circuits, Functions
    from stepward.ports.triggers import Events, Schedules
    from stepward.ports.workflow_machines import StateMachineAdmin, WorkflowMachines

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches


class Ports(Stores):
    """The adapters of one process: its stores, and the services that it calls."""

    @cached_property
    def wake_ups(self) -> WakeUps:
        """Messages that ask for a tenant's queue to be served."""
        from stepward.adapters.aws.run_queue import SqsWakeUps

        return SqsWakeUps(lambda: self._settings.need("dispatch_queue_url"))

    @cached_property
    def run_machine(self) -> RunMachine:
        """The state machine `agent-run`."""
        from stepward.adapters.aws.machines import StepFunctionsMachine

        return StepFunctionsMachine(self._settings.need("agent_run_machine_arn"))

    @cached_property
    def account_bus(self) -> Events:
        """The account's default event bus."""
        from stepward.adapters.aws.event_bus import EventBridgeEvents

        return EventBridgeEvents()

    @cached_property
    def stage_bus(self) -> Events:
        """The stage's event bus, on which applications and workflows put their events."""
        from stepward.adapters.aws.event_bus import EventBridgeEvents

        return EventBridgeEvents(self._settings.need("event_bus"))

    @cached_property
    def schedules(self) -> Schedules:
        """Schedules of triggers."""
        from stepward.adapters.aws.scheduler import SchedulerSchedules

        return SchedulerSchedules(
            group=self._settings.need("schedule_group"),
            role_arn=self._settings.need("schedule_role_arn"),
            target_arn=self._settings.need("schedule_target_arn"),
            failures_arn=self._settings.need("schedule_failures_arn"),
        )

    def webhook_key(self, *, makes: bool = False) -> WebhookKey:
        """Return the key from which the secrets of webhooks are derived.

        Args:
            makes: Whether the key is made where there is none yet, which one function alone may do.
        """
        from stepward.adapters.aws.secrets import WebhookKey

        return WebhookKey(self._settings.need("webhook_key"), makes)

    @cached_property
    def circuits(self) -> Circuits:
        """Circuit breakers of what tools call."""
        from stepward.adapters.aws.circuits import dynamo_circuits

        return dynamo_circuits(self._settings.need("limits_table"))

    @cached_property
    def functions(self) -> Functions:
        """Lambda functions that carry out tools."""
        from stepward.adapters.aws.functions import LambdaFunctions

        return LambdaFunctions(self._settings.tool_functions)

    @cached_property
    def provider_keys(self) -> ProviderKeys:
        """Keys of model providers as they were at most five minutes ago."""
        from stepward.adapters.aws.secrets import SecretsManagerKeys
        from stepward.runtime.cached_ports import CachedKeys

        return CachedKeys(SecretsManagerKeys(self._settings.need("provider_secrets")))

    @cached_property
    def provider_limits(self) -> ProviderLimits:
        """Rate limits and health of model providers, as all functions see them."""
        from stepward.adapters.aws.provider_limits import DynamoLimitStore
        from stepward.adapters.provider_limits import SharedLimits

        return SharedLimits(DynamoLimitStore(self._settings.need("limits_table")), self.clock)

    @cached_property
    def response_cache(self) -> ResponseCache:
        """Replies of models, for agents that reuse them."""
        from stepward.adapters.aws.response_cache import DynamoResponseCache

        return DynamoResponseCache(self._settings.need("limits_table"))

    def provider_pools(self, stage: str) -> ProviderPools:
        """Return the keys of a stage's model providers, for its operator.

        Args:
            stage: The name of the stage, as `prod`.
        """
        from stepward.adapters.aws.secrets import SecretsManagerPools
        from stepward.domain.provider_pools import secrets_prefix

        return SecretsManagerPools(secrets_prefix(stage))

    def stage_providers(self, stage: str) -> tuple[ProviderEntry, ...] | None:
        """Return the model providers of a stage, for its operator.

        Args:
            stage: The name of the stage, as `prod`.

        Returns:
            What the deployed stage may call; None where it is not deployed.
        """
        from stepward.adapters.aws.secrets import stage_providers

        return stage_providers(stage)

    @cached_property
    def workflow_machines(self) -> WorkflowMachines:
        """Executions of workflows' state machines."""
        from stepward.adapters.aws.machines import StepFunctionsWorkflows

        orders = self.publish_requests if self._settings.workflow_publisher else None
        return StepFunctionsWorkflows(self._settings.need("workflow_machines"), orders)

    @cached_property
    def publish_requests(self) -> PublishRequests:
        """Requests to publish versions of workflows, and to remove them."""
        from stepward.adapters.aws.machines import PublishRequests

        return PublishRequests(self._settings.need("workflow_publisher"))

    @cached_property
    def state_machine_admin(self) -> StateMachineAdmin:
        """The state machines of workflows, to make and to remove."""
        from stepward.adapters.aws.machines import StepFunctionsAdmin

        return StepFunctionsAdmin(
            self._settings.need("workflow_machines"),
            self._settings.need("workflow_role_arn"),
            self._settings.need("workflow_log_group_arn"),
        )
