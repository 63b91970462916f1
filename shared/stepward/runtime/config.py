"""Read a function's configuration from its environment: typed, and clear about what is missing."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.errors import Bug
from stepward.ports.providers import BUILT_IN, ProviderEntry, read_entries


class Settings(BaseModel):
    """What the stage tells a function; a function has only what its grants name."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    stage: str = "unknown"
    log_level: str = "INFO"
    journal_table: str | None = None
    runtime_table: str | None = None
    registry_table: str | None = None
    identity_table: str | None = None
    limits_table: str | None = None
    data_bucket: str | None = None
    agent_run_machine_arn: str | None = None
    dispatch_queue_url: str | None = None
    triggers_table: str | None = None
    event_bus: str | None = None
    """The bus on which applications put events, and tasks of workflows too."""

    workflow_machines: str | None = None
    """How the ARNs of workflows' state machines begin."""

    workflow_role_arn: str | None = None
    workflow_log_group_arn: str | None = None
    workflow_publisher: str | None = None
    task_run_arn: str | None = None
    journal_name: str | None = None
    schedule_group: str | None = None
    schedule_role_arn: str | None = None
    schedule_target_arn: str | None = None
    schedule_failures_arn: str | None = None
    webhook_key: str | None = None
    """The parameter from which the secrets of webhooks are derived."""

    providers: tuple[ProviderEntry, ...] = BUILT_IN
    """The providers of models that the stage may call: the built-in ones, and what its configuration says."""

    provider_secrets: str | None = None
    """How the names of the secrets begin that hold keys of providers."""

    http_allow: tuple[str, ...] = ()
    """What tools may reach outside: origins such as `https://host`, and functions as `lambda:name`."""

    epoch_events: Annotated[int, Field(ge=20)] | None = None
    """How long the history of a run's execution may grow, where that is not the default.

    Each execution must have space to begin.
    """

    rehearsals: bool = True
    """Whether the rehearsals of agents answer in place of their models, where a start does not say."""

    charge_rehearsals: bool = False
    """Whether rehearsed runs draw on budgets and count among the costs, where a start does not say."""

    event_sources: dict[str, str] = {}
    tool_functions: dict[str, str] = {}
    """The folders of the stage's own tools, with the names of their functions."""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read variables that are named like the fields, in capitals.

        Args:
            environment: Variables by name; an empty one counts as not set.

        Raises:
            ValidationError: A value does not fit its field.
        """
        found = {
            name: environment[name.upper()] for name in cls.model_fields if environment.get(name.upper())
        }
        allow = [origin.lower() for origin in _listed(found.pop("http_allow", ""))]
        allow += [f"lambda:{name}" for name in _listed(environment.get("LAMBDA_TOOLS", ""))]
        entries = {"providers": read_entries(found.pop("providers", ""))}
        pairs = {name: _pairs(found.pop(name, "")) for name in ("event_sources", "tool_functions")}
        return cls.model_validate({**found, "http_allow": tuple(allow), **pairs, **entries})

    @classmethod
    def of_process(cls) -> Self:
        """Read the environment of this process."""
        return cls.read(os.environ)

    def need(self, name: str) -> str:
        """Return a value that the function cannot do without.

        Args:
            name: The field's name.

        Raises:
            Bug: It is not set, because the function's grants do not name what it uses.
        """
        value = getattr(self, name)
        if not value:
            raise Bug(
                f"{name.upper()} is not set: the function's `grants` in function.toml do not name what it uses"
            )
        return str(value)


def _listed(text: str) -> list[str]:
    return [entry.strip() for entry in text.split(",") if entry.strip()]


def _pairs(text: str) -> dict[str, str]:
    pairs = (entry.partition("=") for entry in _listed(text))
    return {name: value for name, _, value in pairs}
