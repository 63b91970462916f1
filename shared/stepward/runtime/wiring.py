"""The composition root: one factory a port; an adapter is imported when a room first asks for it."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from stepward.runtime.config import settings

if TYPE_CHECKING:
    from stepward.adapters.aws.journal import DynamoJournal
    from stepward.agents.answering import StageAnswers
    from stepward.agents.call_limits import CallLimits
    from stepward.agents.fork import ForkRun
    from stepward.agents.run_ports import RunPorts
    from stepward.agents.show_runs import ShowRuns
    from stepward.agents.start import Start
    from stepward.domain.agents import AgentDefinition
    from stepward.identity.api_keys import ApiKeys
    from stepward.ports.approvals import Approvals
    from stepward.ports.clock import Clock, Ids
    from stepward.ports.datasets import Datasets
    from stepward.ports.limits_config import LimitsConfig
    from stepward.ports.registry import Registry
    from stepward.ports.run_queue import RunQueue, WakeUps
    from stepward.ports.runs import RunLists, RunMachine, RuntimeState, Tokens
    from stepward.ports.schedules import Schedules
    from stepward.ports.triggers import Triggers

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a room loads only what it calls


@cache
def clock() -> Clock:
    """The system's clock."""
    from stepward.runtime.clock import SystemClock

    return SystemClock()


@cache
def ids() -> Ids:
    """New ids."""
    from stepward.runtime.clock import UlidIds

    return UlidIds()


@cache
def journal() -> DynamoJournal:
    """The journal."""
    from stepward.adapters.aws.journal import DynamoJournal

    return DynamoJournal(settings().need("journal_table"), settings().data_bucket or "")


@cache
def runtime_state() -> RuntimeState:
    """Heads of runs, their slots and their money."""
    from stepward.adapters.aws.new_runs import NewRuns
    from stepward.adapters.aws.runtime_state import DynamoRuntimeState

    table = settings().need("runtime_table")
    return DynamoRuntimeState(table, journal(), NewRuns(table, journal(), clock()))


@cache
def run_lists() -> RunLists:
    """The lists over heads."""
    from stepward.adapters.aws.run_lists import DynamoRunLists

    return DynamoRunLists(settings().need("runtime_table"), clock())


@cache
def line() -> RunQueue:
    """Who waits for a slot."""
    from stepward.adapters.aws.run_queue import DynamoRunQueue

    return DynamoRunQueue(settings().need("runtime_table"))


@cache
def nudges() -> WakeUps:
    """Messages that a tenant's line wants to be looked at."""
    from stepward.adapters.aws.run_queue import SqsWakeUps

    return SqsWakeUps(lambda: settings().need("dispatch_queue_url"))


@cache
def limits_config() -> LimitsConfig:
    """Limits and budgets as they were some seconds ago, for those who ask at every start."""
    from stepward.adapters.aws.configuration import DynamoLimitsConfig
    from stepward.runtime.remembered import RememberedLimits

    return RememberedLimits(lambda: DynamoLimitsConfig(settings().need("registry_table")))


@cache
def tokens() -> Tokens:
    """What machines that wait are woken with."""
    from stepward.adapters.aws.tokens import DynamoTokens

    return DynamoTokens(settings().need("runtime_table"), clock())


@cache
def approvals() -> Approvals:
    """What people are asked."""
    from stepward.adapters.aws.approvals import DynamoApprovals

    return DynamoApprovals(settings().need("runtime_table"), journal())


@cache
def run_ports() -> RunPorts:
    """What runs stand on."""
    from stepward.agents.run_ports import RunPorts
    from stepward.runtime.child_workflows import ChildrenOfCalls
    from stepward.runtime.task_answers import Answers

    return RunPorts(
        journal=journal(),
        runtime=runtime_state(),
        lists=run_lists(),
        line=line(),
        tokens=tokens(),
        approvals=approvals(),
        nudges=nudges(),
        machine=run_machine(),
        limits=limits_config(),
        clock=clock(),
        ids=ids(),
        tasks=Answers(),
        workflows=ChildrenOfCalls(),
    )


@cache
def start_run_case() -> Start:
    """The use case that starts runs."""
    from stepward.agents.start import Start
    from stepward.runtime.money import refuse_over_budget

    return Start(run_ports(), registry(), refuse_over_budget, stage_answers(), datasets)


@cache
def stage_answers() -> StageAnswers:
    """Who answers in this stage, and whether rehearsed runs are charged, where a start says nothing."""
    from stepward.agents.answering import StageAnswers

    return StageAnswers(settings().rehearsals, settings().charge_rehearsals)


@cache
def fork_run_case() -> ForkRun:
    """The use case that forks runs."""
    from stepward.agents.fork import ForkRun
    from stepward.runtime.money import agreed_prices

    return ForkRun(start_run_case(), definition, agreed_prices().of)


@cache
def show_runs_case() -> ShowRuns:
    """The use case that shows runs."""
    from stepward.agents.show_runs import ShowRuns

    return ShowRuns(journal(), runtime_state())


@cache
def registry() -> Registry:
    """Versions of agents."""
    from stepward.adapters.aws.registry import DynamoRegistry

    return DynamoRegistry(settings().need("registry_table"))


@cache
def datasets() -> Datasets:
    """Tenants' data sets."""
    from stepward.adapters.aws.files import S3Datasets

    return S3Datasets(settings().need("data_bucket"))


@cache
def run_machine() -> RunMachine:
    """The `agent-run` machine."""
    from stepward.adapters.aws.machines import StepFunctionsMachine

    return StepFunctionsMachine(settings().need("agent_run_machine_arn"))


@cache
def triggers() -> Triggers:
    """Triggers."""
    from stepward.adapters.aws.triggers import DynamoTriggers

    return DynamoTriggers(settings().need("triggers_table"))


@cache
def schedules() -> Schedules:
    """The schedules of triggers."""
    from stepward.adapters.aws.events import SchedulerSchedules

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
    from stepward.agents.lookup import find_agent

    return find_agent(registry(), tenant, agent, version).definition


def consultant(tenant: str, agent: str, version: str, rehearsed: bool) -> CallLimits:
    """One version of an agent, ready to ask its rehearsal or its model at the prices that hold now."""
    from stepward.models.cards import unlisted_models
    from stepward.runtime.money import agreed_prices

    found = definition(tenant, agent, version)
    agreed = agreed_prices().of(tenant, unlisted_models(found.model, *found.fallbacks))
    return _consultant(tenant, agent, version, rehearsed, frozenset(agreed)).priced(agreed)


@lru_cache(maxsize=128)
def _consultant(tenant: str, agent: str, version: str, rehearsed: bool, agreed: frozenset[str]) -> CallLimits:
    """What is made once; a model that lost its price, or has only just got one, is looked at anew."""
    from stepward.agents.call_limits import CallLimits
    from stepward.runtime.money import agreed_prices
    from stepward.runtime.provider_wiring import model_providers

    del agreed
    found = definition(tenant, agent, version)
    providers = None if rehearsed else model_providers()
    return CallLimits.of(found, agreed_prices().of(tenant), rehearsed=rehearsed, providers=providers)


def latest_version(tenant: str, agent: str, version: str | None) -> str:
    """The version of an agent that a run is handed over to."""
    from stepward.agents.lookup import startable_agent

    return startable_agent(registry(), tenant, agent, version).definition.version
