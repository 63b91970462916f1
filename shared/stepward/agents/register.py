"""Register agents: a definition walks the lifecycle, and what fails is not stored.

The calls of the registry: 1 look; for a new version 1 transaction more, and for an agent's first version 6 more (its
number, its creation, three edges, the version itself); for each step away to agents that it names 1 look.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_attempt

from stepward.agents.agent_references import AgentReferences
from stepward.agents.agent_tools import with_snapshots
from stepward.agents.definition_checks import check_config, check_resources, check_size
from stepward.agents.examining import Examined, examine_agent
from stepward.agents.model_checks import ModelCheckContext
from stepward.agents.requests import Entry, entries_of, gathered, of_entries, unreported
from stepward.domain.agent_records import (
    AgentRecord,
    AgentSummary,
    Refusal,
    RegisteredAgent,
    changed_version,
    summary,
)
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import Conflict, InvalidRequest, StoreConflict
from stepward.domain.lifecycle import WALK, AgentState, Check, Edge
from stepward.domain.prompts import PromptReference
from stepward.domain.tools import ToolFolder
from stepward.ports.clock import Clock, iso
from stepward.ports.costs import Prices
from stepward.ports.registry import AgentRef, Registry


def random_suffix() -> str:
    """Return four random hexadecimal digits, which tell apart agents of the same second."""
    return secrets.token_hex(2).upper()


def no_prompt(tenant: str, agent: AgentDefinition) -> None:
    """Refuse a prompt of the registry, where there is none."""
    if PromptReference.read(agent.prompt) is not None:
        detail = f"there is no registry of prompts to find {agent.prompt!r} of {tenant!r} in."
        raise InvalidRequest(detail, field="prompt", fix="write the prompt as a text")


@dataclass(frozen=True)
class Register:
    """The use case behind `POST /agents`."""

    registry: Registry
    clock: Clock
    http_allow: Sequence[str]
    published: Callable[[str], ToolFolder | None] = lambda _: None
    suffix: Callable[[], str] = random_suffix
    agreed: Callable[[str], Prices] = lambda _: {}
    providers: frozenset[str] | None = None
    check_prompt: Callable[[str, AgentDefinition], None] = no_prompt

    def __call__(self, tenant: str, body: Any) -> tuple[AgentSummary, bool]:
        """Store the definition; the second value tells whether it is new."""
        read = examine_agent(body)
        if read.agent is None or read.faults:
            raise of_entries([*read.faults, *self._further(tenant, read)])
        check_size(read.agent)
        return self._register(tenant, read.agent)

    def _further(self, tenant: str, read: Examined) -> list[Entry]:
        """Find what else is wrong with a definition that has faults."""
        if read.agent is None:
            return []
        return read.own(unreported(self._found(tenant, read.agent, [edge.check for edge in WALK]), ()))

    def _found(self, tenant: str, agent: AgentDefinition, checks: Sequence[Check]) -> list[Entry]:
        """Run several checks, whatever the ones before have found."""
        found: list[Entry] = []
        try:
            agent = with_snapshots(agent, self.published, None)
        except InvalidRequest as error:
            found += entries_of(error)
        for check in checks:
            try:
                self._check(check, tenant, agent)
            except InvalidRequest as error:
                found += unreported(entries_of(error), found)
        return found

    @retry(retry=retry_if_exception_type(StoreConflict), stop=stop_after_attempt(5), reraise=True)
    def _register(self, tenant: str, agent: AgentDefinition) -> tuple[AgentSummary, bool]:
        seen = self.registry.read_agents(tenant, [AgentRef(agent.id, agent.version)])[0]
        if seen.record is not None and seen.record.state is AgentState.TERMINATED:
            raise Conflict(
                f"agent {agent.id!r} is TERMINATED.",
                field="id",
                fix="register the definition under another id",
            )
        try:
            agent = with_snapshots(agent, self.published, seen.version.definition if seen.version else None)
        except InvalidRequest as error:
            raise self._with_later(error, tenant, agent, WALK) from error
        if seen.version is not None:
            if seen.version.definition != _kept(agent):
                raise changed_version(agent)
            return summary(seen.version, seen.record), False
        record = seen.record or self._create(tenant, agent)
        for number, edge in enumerate(WALK):
            try:
                record = self.step(tenant, record, agent, edge)
            except InvalidRequest as error:
                raise self._with_later(error, tenant, agent, WALK[number + 1 :]) from error
        return summary(self._version(agent), record), True

    def _with_later(
        self, error: InvalidRequest, tenant: str, agent: AgentDefinition, later: Sequence[Edge]
    ) -> InvalidRequest:
        """Add to a refusal what the checks of later edges would find."""
        told = entries_of(error)
        further = unreported(self._found(tenant, agent, [edge.check for edge in later]), told)
        return of_entries([*told, *further]) if further else error

    def step(self, tenant: str, record: AgentRecord, agent: AgentDefinition, edge: Edge) -> AgentRecord:
        """Take one edge after its check; an agent that is past it already is only checked.

        time →   A at INITIALIZING: checks, writes VALIDATING over rev 2 ✓
                 B at INITIALIZING: checks,                               writes over rev 2 ✗ → reads again
        """
        try:
            self._check(edge.check, tenant, agent)
        except InvalidRequest as error:
            self._refuse(tenant, record, agent, edge, error)
            raise
        if edge.end is AgentState.READY:
            self.registry.keep(tenant, record, self._version(agent))
            return _in_state(record, AgentState.READY)
        if record.state is not edge.start:
            return record
        offered = _offered(record.summary, agent).model_copy(update={"state": edge.end})
        return self.registry.change(tenant, record.model_copy(update={"summary": offered}))

    def _check(self, check: Check, tenant: str, agent: AgentDefinition) -> None:
        match check:
            case Check.CONFIG:
                check_config(agent)
            case Check.RESOURCES:
                check_resources(agent, self.http_allow, self._known(tenant))
            case Check.DEPENDENCIES:
                references = AgentReferences(self.registry, tenant, agent)
                gathered([references.check, partial(self.check_prompt, tenant, agent)])
            case _:
                pass  # the last edge's check is the write itself

    def _known(self, tenant: str) -> ModelCheckContext:
        return ModelCheckContext(self.agreed(tenant), self.clock.now().date(), self.providers)

    def _create(self, tenant: str, agent: AgentDefinition) -> AgentRecord:
        """Give a new agent its uid and its first state.

        time →   A: number 7, create ✓ (rev 1)
                 B: number 8, create ✗ → goes on with A's; number 8 is never used
        """
        now = self.clock.now()
        number = self.registry.next_number(tenant, f"{now:%Y%m%d}")
        created = AgentSummary(
            id=agent.id,
            uid=f"AGENT-{now:%Y%m%d-%H%M%S}-{number:04d}-{self.suffix()}",
            state=AgentState.CREATED,
            created_at=iso(now),
            **_offered_fields(agent),
        )
        return self.registry.create(tenant, AgentRecord(summary=created))

    def _refuse(
        self, tenant: str, record: AgentRecord, agent: AgentDefinition, edge: Edge, error: InvalidRequest
    ) -> None:
        """Record why the agent stays in its state; one that is READY keeps its versions."""
        refusal = Refusal(
            version=agent.version,
            to=edge.end,
            detail=error.detail,
            field=error.field,
            fix=error.fix,
            at=iso(self.clock.now()),
        )
        if record.state is AgentState.READY:
            self.registry.change(tenant, record.model_copy(update={"refusal": refusal}))
            return
        refused = {"refusal": refusal, "summary": _offered(record.summary, agent)}
        self.registry.refuse(tenant, record.model_copy(update=refused), agent)

    def _version(self, agent: AgentDefinition) -> RegisteredAgent:
        return RegisteredAgent(definition=_kept(agent), created_at=iso(self.clock.now()))


def _kept(agent: AgentDefinition) -> AgentDefinition:
    """Return the definition without what only its checks needed."""
    return agent.model_copy(update={"llm_backend": None})


def _in_state(record: AgentRecord, state: AgentState) -> AgentRecord:
    return record.model_copy(update={"summary": record.summary.model_copy(update={"state": state})})


def _offered(shown: AgentSummary, agent: AgentDefinition) -> AgentSummary:
    """Show an agent that has no version yet by the definition it was offered last."""
    return shown.model_copy(update=_offered_fields(agent))


def _offered_fields(agent: AgentDefinition) -> dict[str, Any]:
    shown = {"name", "model", "description", "capabilities", "module", "category", "tags", "priority"}
    return agent.model_dump(include=shown)
