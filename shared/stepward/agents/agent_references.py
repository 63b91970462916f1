"""Check the agents that an agent names: they must exist, and form no circle of calls.

An agent that is asked as a tool starts a run of its own, so a circle of such agents would start runs without end. A
hand-off goes on in the same run, whose turns are limited, so agents may hand over to each other in a circle. One of them
is registered first: whom an agent hands over to may come later, and has to be there when a run of it starts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from stepward.agents.answering import missing_below
from stepward.agents.requests import gathered
from stepward.agents.run_inputs import check_taken
from stepward.domain.agents import AgentDefinition
from stepward.domain.attachments import Attachment
from stepward.domain.errors import InvalidRequest
from stepward.domain.lifecycle import AgentState
from stepward.ports.registry import AgentRef, FoundAgent, Registry

MOST_FOLLOWED: Final = 500
ASKED: Final = "agent"
HANDED_TO: Final = "hand_off"


@dataclass(frozen=True)
class Named:
    """One agent that another names, and where."""

    wanted: AgentRef
    field: str
    is_asked: bool


@dataclass(frozen=True)
class _Step:
    """An agent that was reached by `path`, and whether a call (not a hand-over) led there."""

    wanted: AgentRef
    is_asked: bool
    path: tuple[str, ...]


def named_by(agent: AgentDefinition) -> Iterator[Named]:
    """List the agents that a definition names: dependencies, sub-agents and hand-over targets."""
    for index, needed in enumerate(agent.dependencies):
        yield Named(AgentRef(needed), f"dependencies.{index}", is_asked=True)
    for index, use in enumerate(agent.tools):
        name, version = use.config.get("agent"), use.config.get("version")
        if use.tool in (ASKED, HANDED_TO) and isinstance(name, str):
            known = version if isinstance(version, str) else None
            yield Named(AgentRef(name, known), f"tools.{index}.config.agent", is_asked=use.tool == ASKED)


@dataclass
class AgentReferences:
    """The agents that a definition refers to, read with one registry call per step away."""

    registry: Registry
    tenant: str
    agent: AgentDefinition
    _known: set[tuple[AgentRef, bool]] = field(default_factory=set)

    def check(self) -> None:
        """Refuse agents that are missing or not READY, and circles of agents that ask each other.

        An agent that is handed over to may be missing yet, unless it has ended for good.
        """
        named = list(named_by(self.agent))
        steps = [_Step(one.wanted, one.is_asked, (self.agent.id,)) for one in named]
        seen = self._look([*steps])
        gathered(partial(self._must_be_there, one, seen.get(one.wanted)) for one in named)
        while steps:
            steps = self._following(self._new(steps), seen)
            seen = self._look(steps)

    def _must_be_there(self, named: Named, seen: FoundAgent | None) -> None:
        if named.wanted.agent == self.agent.id and not named.is_asked:
            return
        if named.wanted.agent == self.agent.id:
            raise circle_of(self.agent, (self.agent.id, self.agent.id))
        if not named.is_asked and not _has_ended(seen):
            return
        if fault := _fault(self.agent.id, named, seen):
            raise fault

    def _new(self, steps: list[_Step]) -> list[_Step]:
        fresh = {(step.wanted, step.is_asked): step for step in reversed(steps)}
        unknown = [step for place, step in fresh.items() if place not in self._known]
        self._known |= fresh.keys()
        if len(self._known) > MOST_FOLLOWED:
            raise InvalidRequest(
                f"{self.agent.id!r} reaches more than {MOST_FOLLOWED} agents.",
                field="tools",
                fix="let it name fewer agents, or agents that name fewer",
            )
        return unknown

    def _following(self, steps: list[_Step], seen: dict[AgentRef, FoundAgent]) -> list[_Step]:
        """List the agents that the last steps name.

        One that is the agent itself, after a call led there, is a circle.
        """
        found: list[_Step] = []
        for step in steps:
            version = seen[step.wanted].version if step.wanted in seen else None
            path = (*step.path, step.wanted.agent)
            for one in named_by(version.definition) if version else ():
                is_asked = step.is_asked or one.is_asked
                if one.wanted.agent == self.agent.id and is_asked:
                    raise circle_of(self.agent, (*path, self.agent.id))
                if one.wanted.agent != self.agent.id:
                    found.append(_Step(one.wanted, is_asked, path))
        return found

    def _look(self, steps: list[_Step]) -> dict[AgentRef, FoundAgent]:
        wanted = list(dict.fromkeys(step.wanted for step in steps if step.wanted.agent != self.agent.id))
        return (
            dict(zip(wanted, self.registry.read_agents(self.tenant, wanted), strict=True)) if wanted else {}
        )


def circle_of(agent: AgentDefinition, path: tuple[str, ...]) -> InvalidRequest:
    """Make the refusal of agents that ask each other in a circle.

    Args:
        agent: The one that is looked at.
        path: The ids along the circle; the first and the last are its own.

    Returns:
        The refusal, at the first field that leads into the circle.
    """
    way = " → ".join(path)
    ways_in = [one for one in named_by(agent) if one.wanted.agent == path[1]]
    first = next((one for one in ways_in if one.is_asked), next(iter(ways_in), None))
    return InvalidRequest(
        f"the agents would start each other without end: {way}.",
        field=first.field if first else "tools",
        fix="take one of these agents out of the circle, or hand over to it instead of asking it",
    )


def check_references(
    registry: Registry,
    tenant: str,
    agent: AgentDefinition,
    *,
    rehearsed: bool,
    attachments: Sequence[Attachment] = (),
) -> None:
    """Refuse to start an agent while one that it hands over to has never been READY.

    One read covers all of them. A target that was there and has since been terminated is no fault of the
    definition: the model gets the error of such a hand-over.


    Args:
        registry: Where they are.
        tenant: Whose they are.
        agent: Who is to start.
        rehearsed: Whether the run is rehearsed: then those that it asks or hands over to must have a rehearsal too.
        attachments: Files that a run shows its models: those that it hands over to must take them too.

    Raises:
        InvalidRequest: One of them is not there, or not READY yet; the field is that of the agent's definition. Or it takes
            none of a file; the field is the file's.
        RehearsalMissing: One of them has no rehearsal.
    """
    others = [one for one in named_by(agent) if one.wanted.agent != agent.id]
    named = [one for one in others if not one.is_asked or (rehearsed and one.field.startswith("tools."))]
    wanted = list(dict.fromkeys(one.wanted for one in named))
    seen = dict(zip(wanted, registry.read_agents(tenant, wanted), strict=True)) if wanted else {}
    for one in named:
        found = seen.get(one.wanted)
        if not one.is_asked and not _has_ended(found) and (fault := _fault(agent.id, one, found)):
            raise fault
        if rehearsed and found and found.version and found.version.definition.rehearsal is None:
            raise missing_below(one.wanted.agent, one.field)
        if not rehearsed and not one.is_asked and found and found.version:
            _check_taken_by(agent.id, found.version.definition, attachments)


def _check_taken_by(agent: str, other: AgentDefinition, attachments: Sequence[Attachment]) -> None:
    try:
        check_taken(other, attachments)
    except InvalidRequest as error:
        detail = f"{agent!r} may hand over to {other.id!r}, and {error.detail}"
        raise InvalidRequest(detail, field=error.field, fix=error.fix) from error


def _has_ended(seen: FoundAgent | None) -> bool:
    return seen is not None and seen.record is not None and seen.record.state is AgentState.TERMINATED


def _fault(agent: str, named: Named, seen: FoundAgent | None) -> InvalidRequest | None:
    if seen is None or seen.record is None or seen.version is None:
        version = f" version {named.wanted.version}" if named.wanted.version else ""
        return InvalidRequest(
            f"there is no agent {named.wanted.agent!r}{version}, which {agent!r} names.",
            field=named.field,
            fix="register that agent first, or correct its id",
        )
    if seen.record.state is not AgentState.READY:
        return InvalidRequest(
            f"agent {named.wanted.agent!r} is {seen.record.state}, not READY.",
            field=named.field,
            fix="fix that agent first, or name another",
        )
    return None
