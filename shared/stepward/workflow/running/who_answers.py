"""Decides at the start of a workflow's run who answers for its agents: all their rehearsals, or all their models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from stepward.agents.answering import StageAnswers, missing_below
from stepward.domain.agents import AgentDefinition
from stepward.domain.answering import AnswerChoice, Answers
from stepward.domain.workflows import TaskDefinition, WorkflowDefinition
from stepward.models.catalog import check_backend
from stepward.ports.registry import Seen, Wanted
from stepward.tasks.agent import AgentSettings, AgentTask
from stepward.tasks.catalog import settings_of
from stepward.tasks.subworkflow import SubworkflowTask

Places = Mapping[str, Wanted | None]
Look = Callable[[str, Sequence[Wanted]], list[Seen]]


@dataclass(frozen=True)
class WhoAnswers:
    """The choice of a run; `look` reads agents of a tenant, all in one call where they are few."""

    look: Look = lambda *_: []
    stage: StageAnswers = field(default_factory=StageAnswers)

    def __call__(
        self, tenant: str, definition: WorkflowDefinition, said: AnswerChoice, before: Answers | None = None
    ) -> Answers:
        """Decide for a run, which its agents and workflows inherit.

        Where nothing is said, the models answer a run only if no agent in it has a rehearsal.

        Args:
            tenant: Whose run it is.
            definition: The version that runs.
            said: What the start says.
            before: What was decided for the run above, or the one that this is a rerun of.

        Returns:
            The decision.

        Raises:
            RehearsalMissing: The run is rehearsed, and one of its agents has no rehearsal.
            InvalidRequest: Nobody can ask an agent's model, or what a model answers is not to be charged.
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

    def _default(self, places: Places, agents: Mapping[Wanted | None, AgentDefinition]) -> bool:
        """Say whether a run is rehearsed of which nobody says so: not where it asks nobody, or only models.

        What is not known yet, an agent that is missing or another workflow's, must not begin to cost money unasked.
        """
        known = [agents.get(wanted) for wanted in places.values()]
        return self.stage.rehearsals and any(agent is None or agent.rehearsal for agent in known)

    def _agents(self, tenant: str, wanted: Sequence[Wanted]) -> dict[Wanted | None, AgentDefinition]:
        """Read agents by what names them; one that is not there fails its own task."""
        unique = list(dict.fromkeys(wanted))
        found = zip(unique, self.look(tenant, unique) if unique else (), strict=False)
        return {one: seen.version.definition for one, seen in found if seen.version is not None}


def _places(tasks: Sequence[TaskDefinition], above: str) -> Iterator[tuple[str, Wanted | None]]:
    """Name the agents of tasks by their places; None for a workflow, whose agents its own start looks at."""
    for task in tasks:
        path = f"{above}.{task.id}"
        if task.type == SubworkflowTask.name:
            yield f"{path}.workflow", None
        elif task.type == AgentTask.name:
            settings: AgentSettings = settings_of(task)
            yield f"{path}.agent", Wanted(settings.agent, settings.version)
        yield from _places(task.tasks, path)
        if task.compensate:
            yield from _places([task.compensate], f"{path}.compensate")


def _check(agent: AgentDefinition, place: str, answers: Answers) -> None:
    if answers.rehearsed and agent.rehearsal is None:
        raise missing_below(agent.id, place)
    if not answers.rehearsed:
        check_backend(agent, rehearsed=False)
