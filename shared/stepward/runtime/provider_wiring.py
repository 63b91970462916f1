"""What calls of real models need, put together for the one function that makes them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from stepward.runtime.config import settings

if TYPE_CHECKING:
    from stepward.models.gateway import Providers
    from stepward.ports.providers import ProviderEntry, ProviderKeys, ProviderLimits, ProviderPools
    from stepward.ports.responses import ResponseCache

# ruff: noqa: PLC0415  imports on first use: a rehearsed run loads none of this


def provider_entries() -> tuple[ProviderEntry, ...]:
    """The providers that this stage may call."""
    return settings().providers


@cache
def provider_keys() -> ProviderKeys:
    """Keys of providers, as they were some minutes ago."""
    from stepward.adapters.aws.provider_keys import SecretsManagerKeys
    from stepward.runtime.remembered import RememberedKeys

    return RememberedKeys(SecretsManagerKeys(settings().need("provider_secrets")))


@cache
def provider_limits() -> ProviderLimits:
    """What keys may be used for in a minute, and which providers are left alone, as all functions have seen it."""
    from stepward.adapters.aws.provider_limits import DynamoLimitStore
    from stepward.adapters.provider_limits import SharedLimits
    from stepward.runtime.wiring import clock

    return SharedLimits(DynamoLimitStore(settings().need("limits_table")), clock())


@cache
def response_cache() -> ResponseCache:
    """Whole replies, for the agents that are given them again."""
    from stepward.adapters.aws.response_cache import DynamoResponseCache

    return DynamoResponseCache(settings().need("limits_table"))


def provider_pools(stage: str) -> ProviderPools:
    """The keys of a stage, for its operator."""
    from stepward.adapters.aws.provider_keys import SecretsManagerPools
    from stepward.domain.provider_pools import secrets_prefix

    return SecretsManagerPools(secrets_prefix(stage))


def stage_providers(stage: str) -> tuple[ProviderEntry, ...] | None:
    """The providers that a deployed stage may call, for its operator; None where it is not deployed."""
    from stepward.adapters.aws.stage_providers import stage_providers

    return stage_providers(stage)


@cache
def model_providers() -> Providers:
    """What calls of real models need."""
    from stepward.models.gateway import Providers

    return Providers(provider_entries(), provider_keys(), provider_limits(), responses=response_cache())
