"""Decides before each model call whether the run may make it, and what to reserve for it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from stepward.domain.agents import AgentDefinition
from stepward.domain.conversation import ModelRequest, ToolSchema
from stepward.domain.errors import (
    BudgetExceeded,
    DeadlineExceeded,
    MaxIterationsReached,
    RunCancelled,
    StepwardError,
)
from stepward.domain.journal import End, Intent
from stepward.domain.money import Usage
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunError, RunStatus
from stepward.models.base import Rate, model_id, price_of
from stepward.models.catalog import backend_for
from stepward.ports.clock import from_iso
from stepward.ports.models import ModelBackend
from stepward.tools.catalog import bind


@dataclass(frozen=True)
class Consultant:
    """An agent ready to call its model: what belongs together, and the tools' schemas, which take long to make."""

    agent: AgentDefinition
    backend: ModelBackend
    price: Rate
    tools: tuple[ToolSchema, ...]

    @classmethod
    def of(cls, agent: AgentDefinition) -> Consultant:
        """Choose backend and price by the definition."""
        return cls(agent, backend_for(agent), price_of(agent.model), tuple(_schemas(agent)))

    def request(self, state: RunState) -> ModelRequest:
        """Put a run's next model call together."""
        given = state.start.input
        return ModelRequest(
            model=model_id(self.agent.model),
            prompt=self.agent.prompt,
            input=given if isinstance(given, str) else json.dumps(given),
            history=tuple(state.history),
            tools=self.tools,
            max_output_tokens=self.agent.limits.max_output_tokens,
        )

    def reserve_usd_micros(self, state: RunState) -> int:
        """The most that the next call can cost."""
        request = self.request(state)
        estimate = self.backend.estimate_input_tokens(request)
        return self.price.cost_usd_micros(
            Usage(input_tokens=estimate, output_tokens=request.max_output_tokens)
        )


def may_call(state: RunState, consultant: Consultant, now: datetime) -> Intent | End:
    """Permit the next model call with its reservation, or say how the run ends instead."""
    limits = consultant.agent.limits
    stop = must_stop(state, now)
    if stop is not None:
        return stop
    if state.totals.turns >= limits.max_iterations:
        detail = f"the agent took {state.totals.turns} turns, as many as `max_iterations` allows."
        return _end(RunStatus.FAILED, MaxIterationsReached(detail))
    reserve = consultant.reserve_usd_micros(state)
    if state.spent_usd_micros + reserve > limits.cost_limit_usd_micros:
        detail = (
            f"the next call could cost {reserve} micro-dollars, {state.spent_usd_micros} are spent, "
            f"the limit is {limits.cost_limit_usd_micros}."
        )
        return _end(RunStatus.BUDGET_EXCEEDED, BudgetExceeded(detail))
    return Intent(turn=state.totals.turns + 1, reserve_usd_micros=reserve)


def must_stop(state: RunState, now: datetime) -> End | None:
    """Say how the run ends if it may not do anything any more, not even carry out calls."""
    if state.cancelled:
        return _end(RunStatus.CANCELLED, RunCancelled(f"cancelled by {state.cancelled.by}."))
    if now >= from_iso(state.start.deadline_at):
        return _end(RunStatus.FAILED, DeadlineExceeded(f"the deadline {state.start.deadline_at} has passed."))
    return None


def failure(code: str, detail: str) -> End:
    """The end of a run that could not go on."""
    return End(status=RunStatus.FAILED, error=RunError(code=code, detail=detail))


def _end(status: RunStatus, error: StepwardError) -> End:
    return End(status=status, error=RunError(code=error.code, detail=error.detail))


def _schemas(agent: AgentDefinition) -> list[ToolSchema]:
    found = ((use, bind(use)) for use in agent.tools)
    return [
        ToolSchema(name=use.called, description=use.description or tool.description, parameters=tool.schema())
        for use, tool in found
    ]
