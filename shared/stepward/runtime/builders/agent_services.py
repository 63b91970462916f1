"""Make the services of agents' versions, and those of a tenant's files, keys and queue."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from stepward.agents.answering import StageAnswers
    from stepward.agents.data_files import DataFiles
    from stepward.agents.lifecycle import Labels, Lifecycle
    from stepward.agents.lookup import ListAgents
    from stepward.agents.register import Register
    from stepward.agents.run_limits import SystemStatus
    from stepward.domain.agents import AgentDefinition
    from stepward.identity.api_keys import ApiKeys
    from stepward.runtime.container import Container

# ruff: noqa: PLC0415  imports on first use are this module's purpose: a function loads only what it reaches

_MOST_DEFINITIONS = 128


class AgentServices:
    """Services of agents, each made when it is first used."""

    def __init__(self, container: Container) -> None:
        self._container = container
        self._ports = container.ports

    @cached_property
    def register(self) -> Register:
        """Registers versions, with what this stage allows them."""
        from stepward.agents.register import Register
        from stepward.runtime.builders.deferred_prompts import DeferredPrompts

        settings = self._container.settings
        return Register(
            self._ports.registry,
            self._ports.clock,
            settings.http_allow,
            self._ports.published_tools.folder,
            agreed=self._ports.price_store.of,
            providers=frozenset(entry.name for entry in settings.providers),
            check_prompt=DeferredPrompts(self._container).check,
        )

    @cached_property
    def lifecycle(self) -> Lifecycle:
        """Shows agents, moves them from state to state, and terminates them."""
        from stepward.agents.lifecycle import Lifecycle

        return Lifecycle(self._ports.registry, self._ports.run_lists, self._ports.clock, self.register)

    @cached_property
    def labels(self) -> Labels:
        """Names versions."""
        from stepward.agents.lifecycle import Labels

        return Labels(self._ports.registry, self._ports.clock)

    @cached_property
    def list_agents(self) -> ListAgents:
        """Lists and searches agents."""
        from stepward.agents.lookup import ListAgents

        return ListAgents(self._ports.registry)

    @cached_property
    def definition(self) -> Callable[[str, str, str], AgentDefinition]:
        """Reads one version by tenant, agent and version, once a process: versions never change."""
        return lru_cache(_MOST_DEFINITIONS)(self._read_definition)

    def _read_definition(self, tenant: str, agent: str, version: str) -> AgentDefinition:
        from stepward.agents.lookup import find_agent

        return find_agent(self._ports.registry, tenant, agent, version).definition

    def latest_version(self, tenant: str, agent: str, version: str | None) -> str:
        """Return the version that a run is handed over to.

        Args:
            tenant: Whose agent it is.
            agent: The agent's id.
            version: The version or label that is asked for; without it the one that starts take.

        Raises:
            NotFound: There is no such agent or version.
            Conflict: The agent takes no runs.
        """
        from stepward.agents.lookup import startable_agent

        return startable_agent(self._ports.registry, tenant, agent, version).definition.version

    @cached_property
    def stage_answers(self) -> StageAnswers:
        """Whether rehearsals answer in this stage, and whether they are charged, by default."""
        from stepward.agents.answering import StageAnswers

        settings = self._container.settings
        return StageAnswers(settings.rehearsals, settings.charge_rehearsals)

    @cached_property
    def data_files(self) -> DataFiles:
        """Lists, reads and writes a tenant's data files."""
        from stepward.agents.data_files import DataFiles

        return DataFiles(self._ports.datasets)

    @cached_property
    def system_status(self) -> SystemStatus:
        """Shows a tenant's active and queued runs, and its free slots."""
        from stepward.agents.run_limits import SystemStatus

        return SystemStatus(self._ports.run_queue, self._ports.limits, self._ports.clock)

    @cached_property
    def api_keys(self) -> ApiKeys:
        """Issues, recognises and revokes API keys."""
        from stepward.identity.api_keys import ApiKeys

        return ApiKeys(self._ports.identity, self._ports.clock)
