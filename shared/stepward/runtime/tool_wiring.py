"""What tools may reach, put together for the two places where they run: the advance, and a function of their own."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from stepward.runtime import wiring
from stepward.runtime.config import settings
from stepward.tools.base import ToolContext

if TYPE_CHECKING:
    from stepward.agents.agent_tools import PublishTools
    from stepward.ports.tool_services import Circuits, Functions, PublishedTools, ResultStore

# ruff: noqa: PLC0415  imports on first use: a room loads only what it calls


@cache
def results() -> ResultStore:
    """Large results."""
    from stepward.adapters.aws.files import S3Results

    return S3Results(settings().need("data_bucket"))


@cache
def circuits() -> Circuits:
    """Circuit breakers."""
    from stepward.adapters.aws.circuits import dynamo_circuits

    return dynamo_circuits(settings().need("limits_table"))


def inline_context(tenant: str, call_id: str) -> ToolContext:
    """What a call within the advance may reach: the tenant's data and results, and nothing outside."""
    return ToolContext(tenant, call_id, wiring.datasets(), results=results())


def remote_context(tenant: str, call_id: str) -> ToolContext:
    """What a call in a function of its own may reach."""
    return ToolContext(
        tenant,
        call_id,
        wiring.datasets(),
        http_allow=settings().http_allow,
        results=results(),
        circuits=circuits(),
        functions=functions(),
    )


@cache
def functions() -> Functions:
    """Functions that carry out tools."""
    from stepward.adapters.aws.functions import LambdaFunctions

    return LambdaFunctions(settings().tool_functions)


@cache
def published_tools_store() -> PublishedTools:
    """What folders have published."""
    from stepward.adapters.aws.functions import DynamoPublishedTools

    return DynamoPublishedTools(settings().need("registry_table"))


def publish_tools_case() -> PublishTools:
    """The use case that publishes what folders offer."""
    from stepward.agents.agent_tools import PublishTools

    return PublishTools(
        functions(), published_tools_store(), wiring.clock(), tuple(settings().tool_functions)
    )
