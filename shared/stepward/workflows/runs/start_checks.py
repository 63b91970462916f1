"""Check a start: version, input, nesting, and what answers its agents."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from stepward.agents.answering import StageAnswers, missing_below
from stepward.agents.start import INPUT_LIMIT_BYTES
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import Conflict, InvalidRequest, NotAllowed
from stepward.domain.json_schemas import faults_of_value
from stepward.domain.json_text import carried_bytes
from stepward.domain.runs import AnswerChoice, Answers
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.models.catalog import check_backend
from stepward.ports.registry import AgentRef, FoundAgent
from stepward.ports.workflow_registry import RegisteredWorkflow, VersionStatus, WorkflowRegistry
from stepward.tasks.catalog import child_of, type_of
from stepward.tasks.facts import Starts
from stepward.workflows.program.limits import DEEPEST_NESTING
from stepward.workflows.program.lookup import find_workflow

# Version, input, nesting.


TRY_AGAIN: Final = "try again in a moment; GET the version to see when it is READY"
"""The fix for a version whose machine is being made."""


def startable_workflow(
    registry: WorkflowRegistry, tenant: str, workflow: str, version: str | None
) -> RegisteredWorkflow:
    """Return the version that a run is started with.

    Without a version it is the newest that is READY.

    Args:
        registry: Where versions are kept.
        tenant: Whose workflow it is.
        workflow: The workflow's id.
        version: A version, or `latest` or None for the newest.

    Raises:
        InvalidRequest: The id or the version is malformed.
        NotFound: There is no such workflow or version.
        Conflict: The version is not READY.
    """
    found = find_workflow(registry, tenant, workflow, version)
    if version in (None, "latest") and found.status in (VersionStatus.REFUSED, VersionStatus.ARCHIVED):
        ready = (one for one in registry.versions(tenant, workflow) if one.status is VersionStatus.READY)
        found = next(ready, found)
    if found.status is VersionStatus.READY:
        return found
    fixes = {
        VersionStatus.PUBLISHING: TRY_AGAIN,
        VersionStatus.REFUSED: "register another version",
        VersionStatus.ARCHIVED: "start another version",
    }
    raise Conflict(
        f"{workflow} {found.definition.version} is {found.status}"
        + (f": {found.detail}" if found.detail else "."),
        field="version",
        fix=fixes[found.status],
    )


def machine_missing(workflow: str, version: str) -> Conflict:
    """Return the error for a version whose machine was gone; the start is withdrawn."""
    return Conflict(
        f"the state machine of {workflow} {version} was deleted and is being made again; no run was started.",
        field="version",
        fix=TRY_AGAIN,
    )


def check_input(found: RegisteredWorkflow, given: Any) -> None:
    """Refuse an input that is too large or does not match the version's schema.

    Raises:
        InvalidRequest: It is too large, or does not match.
    """
    size = carried_bytes(given)
    if size > INPUT_LIMIT_BYTES:
        raise InvalidRequest(
            f"the input takes {size} bytes, the limit is {INPUT_LIMIT_BYTES}.", field="input", fix="send less"
        )
    schema = found.definition.input
    faults = (
        list(islice(faults_of_value(given, {"additionalProperties": True, **schema}), 20)) if schema else []
    )
    if faults:
        raise InvalidRequest(
            f"the input does not fit: {faults[0]}.",
            field="input",
            fix=f"GET /workflows/{found.definition.id} shows its schema",
            errors=[{"field": "input", "detail": fault, "fix": "fix the input"} for fault in faults],
        )


def check_descent(workflow: str, ancestors: tuple[str, ...]) -> None:
    """Refuse a workflow that would wait for itself, or that is nested too deep.

    Raises:
        NotAllowed: It would.
    """
    if workflow in ancestors:
        path = " → ".join((*ancestors, workflow))
        raise NotAllowed(f"the workflows would run each other in a circle: {path}.", field="workflow")
    if len(ancestors) >= DEEPEST_NESTING:
        raise NotAllowed(f"workflows may run each other {DEEPEST_NESTING} deep.", field="workflow")


# Scripts or models: what answers the run's agents.


Places = Mapping[str, AgentRef | None]
Look = Callable[[str, Sequence[AgentRef]], list[FoundAgent]]


@dataclass(frozen=True)
class ChooseAnswers:
    """Decides whether models or rehearsals answer a run.

    `look` reads agents of a tenant, all in one call where they are few.
    """

    look: Look = lambda *_: []
    stage: StageAnswers = field(default_factory=StageAnswers)

    def __call__(
        self, tenant: str, definition: WorkflowDefinition, said: AnswerChoice, before: Answers | None = None
    ) -> Answers:
        """Decide for a run, and for the agents and workflows within it.

        By default the models answer a run only if no agent in it has a rehearsal.

        Args:
            tenant: Whose run it is.
            definition: The version that runs.
            said: The choice in the start request.
            before: The decision of the run above, or of the one that this is a rerun of.

        Returns:
            The decision.

        Raises:
            RehearsalMissing: The run is rehearsed, and one of its agents has no rehearsal.
            InvalidRequest: An agent's model cannot be called, or what a model answers is not to be charged.
        """
        places = dict(_places(definition.tasks, "tasks"))
        agents = self._agents(tenant, [wanted for wanted in places.values() if wanted])
        if before is not None:
            answers = self.stage.kept(said, before)
        else:
            rehearsed = self._default(places, agents) if said.rehearse is None else said.rehearse
            answers = self.stage.charged(said, rehearsed=rehearsed)
        for place, wanted in places.items():
            if wanted in agents:
                _check(agents[wanted], place, answers)
        return answers

    def _default(self, places: Places, agents: Mapping[AgentRef | None, AgentDefinition]) -> bool:
        """Return whether a run is rehearsed by default: not if its agents all have no rehearsal.

        What is not known yet, a missing agent or another workflow's, must not begin to cost money unasked.
        """
        known = [agents.get(wanted) for wanted in places.values()]
        return self.stage.rehearsals and any(agent is None or agent.rehearsal for agent in known)

    def _agents(self, tenant: str, wanted: Sequence[AgentRef]) -> dict[AgentRef | None, AgentDefinition]:
        """Read agents by their references; one that is missing fails its own task."""
        unique = list(dict.fromkeys(wanted))
        found = zip(unique, self.look(tenant, unique) if unique else (), strict=False)
        return {one: seen.version.definition for one, seen in found if seen.version is not None}


def _places(tasks: Sequence[TaskDefinition], above: str) -> Iterator[tuple[str, AgentRef | None]]:
    """Yield the agents of tasks by their fields.

    A workflow is None, since its own start looks at its agents.
    """
    for task in tasks:
        path = f"{above}.{task.id}"
        if child := child_of(task):
            starts = type_of(task).starts
            yield f"{path}.{starts}", AgentRef(child.of, child.version) if starts is Starts.AGENT else None
        yield from _places(task.tasks, path)
        if task.compensate:
            yield from _places([task.compensate], f"{path}.compensate")


def _check(agent: AgentDefinition, place: str, answers: Answers) -> None:
    if answers.rehearsed and agent.rehearsal is None:
        raise missing_below(agent.id, place)
    if not answers.rehearsed:
        check_backend(agent, rehearsed=False)
