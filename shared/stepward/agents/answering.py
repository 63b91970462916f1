"""Decide at a run's start what answers its model calls, and whether it is charged."""

from __future__ import annotations

from dataclasses import dataclass

from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest, RehearsalMissing
from stepward.domain.journal import Created
from stepward.domain.runs import AnswerChoice, Answers


@dataclass(frozen=True)
class StageAnswers:
    """The stage's defaults for a start that sets neither `rehearse` nor `charge`."""

    rehearsals: bool = True
    """Whether an agent's rehearsal answers in place of its model."""
    charge_rehearsals: bool = False
    """Whether rehearsed runs draw on budgets and count among the costs."""

    def choose(self, agent: AgentDefinition, said: AnswerChoice) -> Answers:
        """Decide for a run that a caller starts.

        Args:
            agent: Whose run it is.
            said: What the start says.

        Returns:
            The decision, which the runs below this one inherit.

        Raises:
            RehearsalMissing: A rehearsal is asked for, and the agent has none.
            InvalidRequest: What a model answers is not to be charged.
        """
        if said.rehearse and agent.rehearsal is None:
            raise RehearsalMissing(
                f"agent {agent.id!r} has no rehearsal.",
                field="rehearse",
                fix="leave `rehearse` out, or say false: its model answers; or register a version with a `rehearsal`",
            )
        asked = said.rehearse
        rehearsed = (self.rehearsals and agent.rehearsal is not None) if asked is None else asked
        return self.charged(said, rehearsed=rehearsed)

    def charged(self, said: AnswerChoice, *, rehearsed: bool) -> Answers:
        """Decide whether a run is charged when it is known what answers it.

        Raises:
            InvalidRequest: What a model answers is not to be charged.
        """
        if not rehearsed and said.charge is False:
            raise InvalidRequest(
                "a model answers this run, and what a model answers is always charged.",
                field="charge",
                fix='leave `charge` out, or start with `"rehearse": true`',
            )
        if not rehearsed:
            return Answers(rehearsed=False)
        return Answers(rehearsed=True, charged=self.charge_rehearsals if said.charge is None else said.charge)

    def kept(self, said: AnswerChoice, before: Answers, agent: AgentDefinition | None = None) -> Answers:
        """Decide for a run that continues another one: its decision stays unless overridden.

        Args:
            said: What the start says.
            before: What the other run had.
            agent: Who goes on; None where several may.

        Raises:
            RehearsalMissing: The rehearsal is to answer, and the agent has none.
            InvalidRequest: What a model answers is not to be charged.
        """
        rehearsed = before.rehearsed if said.rehearse is None else said.rehearse
        charge = before.charged if said.charge is None and rehearsed == before.rehearsed else said.charge
        wanted = AnswerChoice(rehearse=rehearsed, charge=charge)
        return self.choose(agent, wanted) if agent else self.charged(wanted, rehearsed=rehearsed)


def answers_of(created: Created) -> Answers:
    """Return what was decided at a run's start."""
    return Answers(rehearsed=created.rehearsed, charged=created.charged)


def inherited(answers: Answers, agent: AgentDefinition) -> Answers:
    """Pass a decision on to a child run.

    Raises:
        RehearsalMissing: The run above is rehearsed, and the agent has no rehearsal.
    """
    if answers.rehearsed and agent.rehearsal is None:
        raise missing_below(agent.id, "agent")
    return answers


def missing_below(agent: str, field: str) -> RehearsalMissing:
    """Return the error for an agent without a rehearsal within a rehearsed run."""
    return RehearsalMissing(
        f"the run is rehearsed, and agent {agent!r}, which has a part in it, has no rehearsal: its model would be paid.",
        field=field,
        fix=f'give {agent!r} a `rehearsal`, or start the run with `"rehearse": false`, so that models answer',
    )
