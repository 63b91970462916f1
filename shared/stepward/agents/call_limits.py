"""Decide before each model call whether the run may make it, and what to reserve for it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from stepward.agents.context import USUAL_PART, ContextFitter, shown, window_tokens
from stepward.agents.summaries import summarising_agent
from stepward.domain.agents import AgentDefinition
from stepward.domain.attachments import Attachment
from stepward.domain.conversation import Condensation, ModelOptions, ModelReply, ModelRequest, ToolSchema
from stepward.domain.errors import (
    BudgetExceeded,
    ContextTooLong,
    DeadlineExceeded,
    InvalidRequest,
    MaxIterationsReached,
    RunCancelled,
    StepwardError,
)
from stepward.domain.journal import Cancel, End, Intent
from stepward.domain.money import Price, Usage, dollars
from stepward.domain.run_state import RunState
from stepward.domain.runs import RunError, RunStatus
from stepward.models.base import Rate, model_id, price_of
from stepward.models.catalog import NoBackend, backend_or_reason
from stepward.models.gateway import Gateway, Providers
from stepward.ports.clock import iso
from stepward.ports.models import ModelBackend
from stepward.tools.catalog import bind


@dataclass(frozen=True)
class CallLimits:
    """An agent with its backend, prices and tool schemas, which are costly to build."""

    agent: AgentDefinition
    backend: ModelBackend
    price: Rate
    tools: tuple[ToolSchema, ...]
    agreed: Mapping[str, Price] = field(default_factory=dict)
    providers: Providers | None = None

    @classmethod
    def of(
        cls,
        agent: AgentDefinition,
        agreed: Mapping[str, Price] | None = None,
        *,
        rehearsed: bool,
        providers: Providers | None = None,
    ) -> CallLimits:
        """Choose backend and price by the definition and the run's choice.

        Agreed prices take precedence over list prices.
        """
        backend = backend_or_reason(agent, rehearsed=rehearsed, agreed=agreed, providers=providers)
        tools = tuple(_schemas(agent))
        return cls(agent, backend, price_of(agent.model, agreed), tools, agreed or {}, providers)

    def priced(self, agreed: Mapping[str, Price]) -> CallLimits:
        """The same agent at the prices that hold now."""
        if agreed == self.agreed:
            return self
        return replace(self, price=price_of(self.agent.model, agreed), agreed=agreed)

    @property
    def named(self) -> dict[str, str]:
        """The agent and its model, as calls are logged."""
        return {"agent": self.agent.id, "model": model_id(self.agent.model)}

    def changed_by(self, state: RunState) -> CallLimits:
        """Return the same agent with its rendered prompt, and with the changes of a fork.

        The changes are of the agent whose turn was forked, and of no other.
        """
        fork, told = state.start.fork, self.agent.with_prompt(state.agent.prompt)
        if fork is None or not fork.edits or self.agent.id != (fork.agent or state.start.agent):
            return self if told is self.agent else replace(self, agent=told)
        agent = told.model_copy(update=fork.edits)
        if fork.model is None:
            return replace(self, agent=agent)
        backend = backend_or_reason(
            agent, rehearsed=state.start.rehearsed, agreed=self.agreed, providers=self.providers
        )
        return replace(self, agent=agent, backend=backend, price=price_of(agent.model, self.agreed))

    def summariser(self) -> CallLimits | StepwardError | None:
        """Return what summarises the turns that are left out of a long conversation.

        None where the agent wants no summaries; an error where its summarising model cannot be used.
        """
        model = self.agent.context.summariser if self.agent.context else None
        if model is None:
            return None
        agent = summarising_agent(self.agent, model)
        try:
            found = CallLimits.of(agent, self.agreed, rehearsed=False, providers=self.providers)
        except InvalidRequest as error:
            return error  # its price was taken back since the agent was registered
        return found.backend.error if isinstance(found.backend, NoBackend) else found

    def cost_limit_usd_micros(self, state: RunState) -> int:
        """Return the most that the run may cost: the limit set at its start, else the agent's."""
        given = state.start.cost_limit_usd_micros
        return self.agent.limits.cost_limit_usd_micros if given is None else given

    def request(self, state: RunState) -> ModelRequest:
        """Build a run's next model call."""
        history = shown(state)
        left_out = len(state.history) - len(history)
        so_far = {
            "history": history,
            "left_out": left_out,
            "condensed": state.condensation.text if state.condensation and left_out else None,
            "own_turn": state.own_turns + 1,
        }
        return self.first_request(state.start.input, state.start.attachments).model_copy(update=so_far)

    def first_request(self, given: Any, attachments: Sequence[Attachment]) -> ModelRequest:
        """Build the first model call of a run, which need not have been started."""
        return ModelRequest(
            model=model_id(self.agent.model),
            prompt=self.agent.prompt,
            input=given if isinstance(given, str) else json.dumps(given),
            tools=self.tools,
            max_output_tokens=self.agent.limits.max_output_tokens,
            options=_options(self.agent),
            output_schema=self.agent.output_schema,
            attachments=tuple(attachments),
        )

    def cost_usd_micros(self, reply: ModelReply) -> int:
        """Price a reply by the model that gave it."""
        rate = price_of(reply.model, self.agreed) if reply.model else self.price
        return rate.cost_usd_micros(reply.usage)

    def prompt_tokens(self, state: RunState) -> int:
        """Return the most tokens that the next call's prompt takes."""
        return self.backend.estimate_input_tokens(self.request(state))

    def reserve_usd_micros(self, prompt_tokens: int) -> int:
        """Return the most that the next call can cost, whichever of its models answers."""
        output = self.agent.limits.max_output_tokens
        read = [Usage(input_tokens=prompt_tokens, output_tokens=output)]
        if isinstance(self.backend, Gateway):
            # What a cache had may be gone, and then all of the prompt is paid for as written to it.
            kept = "cache_write_1h_tokens" if self.agent.cache == "1h" else "cache_write_tokens"
            read.append(Usage.model_validate({kept: prompt_tokens, "output_tokens": output}))
        return max(rate.cost_usd_micros(most) for rate in self._rates() for most in read)

    def _rates(self) -> list[Rate]:
        """The rates of all models that may answer."""
        return [self.price, *(price_of(model, self.agreed) for model in self.agent.fallbacks)]


def may_call(
    state: RunState, call_limits: CallLimits, now: datetime, run: str = ""
) -> Intent | Condensation | End:
    """Return the next call's reservation, the shortening it needs first, or the run's end."""
    limits = call_limits.agent.limits
    stop = must_stop(state, now)
    if stop is not None:
        return stop
    ledger = state.ledger
    if ledger.totals.turns >= limits.max_iterations:
        detail = f"the agent took {ledger.totals.turns} turns, as many as `max_iterations` allows."
        return _end(RunStatus.FAILED, MaxIterationsReached(detail))
    if isinstance(call_limits.backend, NoBackend):
        return _end(RunStatus.FAILED, call_limits.backend.error)
    tokens = call_limits.prompt_tokens(state)
    crowded = _crowded(state, call_limits, tokens, run)
    if crowded is not None:
        return crowded
    reserve = call_limits.reserve_usd_micros(tokens)
    spent, limit = (
        ledger.spent_usd_micros + ledger.children_usd_micros,
        call_limits.cost_limit_usd_micros(state),
    )
    if spent + reserve > limit:
        detail = (
            f"the next call could cost {dollars(reserve)}, {dollars(spent)} is spent, "
            f"the limit is {dollars(limit)}."
        )
        return _end(RunStatus.BUDGET_EXCEEDED, BudgetExceeded(detail))
    return Intent(turn=state.turns + 1, reserve_usd_micros=reserve)


def _crowded(state: RunState, call_limits: CallLimits, tokens: int, run: str) -> Condensation | End | None:
    """Return how to shorten a conversation that is too long for its model; None if it fits.

    A conversation that cannot be shortened ends the run.
    """
    window = None if state.start.rehearsed else window_tokens(call_limits.agent, call_limits.agreed)
    if window is None or tokens <= window:
        return None
    shorter = ContextFitter(run, state, call_limits.agent, window, call_limits.prompt_tokens).shorter()
    if shorter is not None or tokens * USUAL_PART <= window:
        return shorter
    detail = (
        f"the prompt, the input and the newest turn take about {round(tokens * USUAL_PART)} tokens, "
        f"and the agent's models have room for {window}."
    )
    return _end(RunStatus.FAILED, ContextTooLong(detail))


def must_stop(state: RunState, now: datetime) -> End | None:
    """Return how the run ends if it may do nothing any more, not even carry out calls."""
    if state.cancelled:
        return cancelled(state.cancelled)
    if now >= state.deadline:
        return _end(RunStatus.FAILED, DeadlineExceeded(f"the deadline {iso(state.deadline)} has passed."))
    return None


def cancelled(cancel: Cancel) -> End:
    """Return the end of a cancelled run."""
    return _end(RunStatus.CANCELLED, RunCancelled(f"cancelled by {cancel.by}."))


def out_of_budget(detail: str) -> End:
    """Return the end of a run whose budgets have too little for the next call."""
    return _end(RunStatus.BUDGET_EXCEEDED, BudgetExceeded(detail))


def failure(code: str, detail: str) -> End:
    """Return the end of a run that could not continue."""
    return End(status=RunStatus.FAILED, error=RunError(code=code, detail=detail))


def _end(status: RunStatus, error: StepwardError) -> End:
    return End(status=status, error=RunError(code=error.code, detail=error.detail))


def _options(agent: AgentDefinition) -> ModelOptions:
    return ModelOptions(
        temperature=None if agent.temperature is None else float(agent.temperature),
        effort=agent.effort,
        thinking=agent.thinking,
        cache=agent.cache or "5m",
    )


def _schemas(agent: AgentDefinition) -> list[ToolSchema]:
    found = ((use, bind(use)) for use in agent.tools)
    return [
        ToolSchema(name=use.called, description=use.description or tool.description, parameters=tool.schema())
        for use, tool in found
    ]
