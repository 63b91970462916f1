"""The composition root: one factory a port; an adapter is imported when a room first asks for it."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from stepward.runtime.config import settings

if TYPE_CHECKING:
    from stepward.adapters.aws.journal import DynamoJournal
    from stepward.agents.gate import Consultant
    from stepward.agents.start import Start
    from stepward.domain.agents import AgentDefinition
    from stepward.identity.api_keys import ApiKeys
    from stepward.ports.clock import Clock, Ids
    from stepward.ports.datasets import Datasets
    from stepward.ports.machines import RunMachine
    from stepward.ports.registry import Registry
    from stepward.ports.runtime_state import RuntimeState
    from stepward.ports.schedules import Schedules
    from stepward.ports.triggers import Triggers

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a room loads only what it calls


@cache
def clock() -> Clock:
    """The system's clock."""
    from stepward.runtime.system import SystemClock

    return SystemClock()


@cache
def ids() -> Ids:
    """New ids."""
    from stepward.runtime.system import UlidIds

    return UlidIds()


@cache
def journal() -> DynamoJournal:
    """The journal."""
    from stepward.adapters.aws.journal import DynamoJournal

    return DynamoJournal(settings().need("journal_table"), settings().data_bucket or "")


@cache
def runtime_state() -> RuntimeState:
    """Heads of runs."""
    from stepward.adapters.aws.runtime_state import DynamoRuntimeState

    return DynamoRuntimeState(settings().need("runtime_table"), journal(), clock())


@cache
def registry() -> Registry:
    """Versions of agents."""
    from stepward.adapters.aws.registry import DynamoRegistry

    return DynamoRegistry(settings().need("registry_table"))


@cache
def datasets() -> Datasets:
    """Tenants' data sets."""
    from stepward.adapters.aws.datasets import S3Datasets

    return S3Datasets(settings().need("data_bucket"))


@cache
def run_machine() -> RunMachine:
    """The `agent-run` machine."""
    from stepward.adapters.aws.machines import StepFunctionsMachine

    return StepFunctionsMachine(settings().need("agent_run_machine_arn"))


@cache
def start_run_case() -> Start:
    """The one way to start a run, whatever asks for it."""
    from stepward.agents.start import Start

    return Start(registry(), runtime_state(), run_machine(), clock(), ids())


@cache
def triggers() -> Triggers:
    """Triggers."""
    from stepward.adapters.aws.triggers import DynamoTriggers

    return DynamoTriggers(settings().need("triggers_table"))


@cache
def schedules() -> Schedules:
    """The schedules of triggers."""
    from stepward.adapters.aws.schedules import SchedulerSchedules

    return SchedulerSchedules(
        group=settings().need("schedule_group"),
        role_arn=settings().need("schedule_role_arn"),
        target_arn=settings().need("schedule_target_arn"),
        failures_arn=settings().need("schedule_failures_arn"),
    )


@cache
def api_keys() -> ApiKeys:
    """API keys."""
    from stepward.adapters.aws.identity import DynamoIdentity
    from stepward.identity.api_keys import ApiKeys

    return ApiKeys(DynamoIdentity(settings().need("identity_table")), clock())


@lru_cache(maxsize=128)
def definition(tenant: str, agent: str, version: str) -> AgentDefinition:
    """One version of an agent; versions never change, so a process reads each once."""
    from stepward.agents.register import find_agent

    return find_agent(registry(), tenant, agent, version).definition


@lru_cache(maxsize=128)
def consultant(tenant: str, agent: str, version: str) -> Consultant:
    """One version of an agent, ready to call its model."""
    from stepward.agents.gate import Consultant

    return Consultant.of(definition(tenant, agent, version))
