"""Fork runs: a new run inherits another's turns, with edits, and continues by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import Field, StringConstraints, field_validator

from stepward.agents.answering import answers_of
from stepward.agents.fork_decisions import Decisions
from stepward.agents.lookup import startable_agent
from stepward.agents.model_checks import ModelCheckContext, check_model
from stepward.agents.requests import idempotency_key as idempotency_key_of
from stepward.agents.requests import parse
from stepward.agents.run_inputs import check_taken
from stepward.agents.show_runs import find_run
from stepward.agents.start import Launch, Start
from stepward.domain.agents import AgentDefinition, Prompt
from stepward.domain.conversation import Condensation, Exchange, ToolResult
from stepward.domain.errors import Bug, InvalidRequest
from stepward.domain.journal import HandedOver, Inherited, JournalSlice
from stepward.domain.json_text import carried_bytes
from stepward.domain.money import Price
from stepward.domain.nearest import did_you_mean
from stepward.domain.prompts import PromptReference
from stepward.domain.run_origins import Caller, Fork
from stepward.domain.run_state import RunState, fold
from stepward.domain.runs import AnswerChoice, RunHead, RunKey, StartOptions
from stepward.models.catalog import check_backend
from stepward.ports.clock import from_iso, iso
from stepward.tools.large_results import SHOWN_BYTES


class ForkRequest(AnswerChoice):
    """The body of `POST /runs/{run_id}/fork`; `results` replaces results of inherited turns.

    What answers, and whether it is charged, is as in the source run unless overridden.

    Who answers, and whether that is charged, is as in the run that it goes on from, unless it says otherwise.
    """

    turn: int = Field(strict=True)
    prompt: Prompt | None = None
    model: Annotated[str, StringConstraints(min_length=1, max_length=120)] | None = None
    results: dict[str, Any] = Field(default_factory=dict, max_length=100)

    def at(self, turn: int) -> ForkRequest:
        """Ask for the same from an earlier turn."""
        return self.model_copy(update={"turn": turn})

    @field_validator("turn")
    @classmethod
    def _counted_from_one(cls, turn: int) -> int:
        if turn < 1:
            raise ValueError("turns are counted from 1; to begin before the first, start a new run")
        return turn

    @field_validator("results")
    @classmethod
    def _small_enough(cls, results: dict[str, Any]) -> dict[str, Any]:
        for call, content in results.items():
            if carried_bytes(content) > SHOWN_BYTES:
                raise ValueError(
                    f"the result of {call[:80]} is larger than the {SHOWN_BYTES} bytes of a result"
                )
        return results


@dataclass(frozen=True)
class ForkRun:
    """The use case behind `POST /runs/{run_id}/fork`."""

    start: Start
    definition: Callable[[str, str, str], AgentDefinition]
    agreed: Callable[[str], Mapping[str, Price]]

    def __call__(
        self, caller: Caller, run: str, body: Any, idempotency_key: str | None
    ) -> tuple[RunHead, Any, bool]:
        """Start the fork, or find the one that the same Idempotency-Key started; return its view."""
        request = parse(ForkRequest, body)
        said = ["fork", run, request.model_dump(mode="json")]
        key = idempotency_key_of(caller, said, idempotency_key, self.start.ports.clock.now())
        source = find_run(self.start.ports.runtime, caller.tenant, run)
        state, turn = self._taken_over(source, request)
        agent = startable_agent(
            self.start.registry, caller.tenant, state.start.agent, state.start.version
        ).definition
        launch = Launch(
            agent=agent,
            given=state.start.input,
            answers=answers_of(state.start),
            said=StartOptions(priority=state.start.priority),
            run=self.start.ports.ids.new("run"),
            seconds=_seconds(source),
            cost_limit_usd_micros=state.start.cost_limit_usd_micros,
            idempotency=key,
            attachments=state.start.attachments,
            prompt=state.start.prompt,
        )
        started = self.start.launch(
            caller, self._with_turns(caller.tenant, launch, source, state, request.at(turn))
        )
        return started.head, state.start.input, started.is_new

    def _taken_over(self, source: RunHead, request: ForkRequest) -> tuple[RunState, int]:
        """Read the run as it was after the last inherited turn.

        A person that was asked after that turn is asked again.
        """
        state = self._at_turn(source.key, request.turn)
        decisions = Decisions.of(self.start.ports.approvals, source, state.start.fork)
        decisions.refuse_replaced(state.history[: request.turn], request.results)
        turn = decisions.turn_before(state.history, request.turn)
        if request.results or request.prompt or request.model:
            decisions.refuse_changed(state.history[:turn])
        return state, turn

    def _with_turns(
        self, tenant: str, launch: Launch, source: RunHead, state: RunState, request: ForkRequest
    ) -> Launch:
        """Add what the fork inherits: turns with new results, the current agent, and its changes."""
        there = self._as_it_was(source.key, state, request.turn)
        carrier = there.agent
        request = self._with_text(tenant, carrier, launch, request)
        fork = _fork(source, state, carrier, request)
        agent = self._edited(tenant, carrier, fork)
        answers = self.start.stage.kept(request, launch.answers, agent)
        check_backend(agent, rehearsed=answers.rehearsed)
        if not answers.rehearsed:
            check_taken(agent, launch.attachments)
        inherited = Inherited(
            at=iso(self.start.ports.clock.now()),
            writer=str(launch.run),
            history=tuple(_edited_turns(state.history[: request.turn], request.results)),
            agent=carrier.agent,
            version=carrier.version,
            turns_by_agent=there.turns_by_agent,
            condensation=_still_true(state, there, request),
            prompt=carrier.prompt,
        )
        self.start.refuse_over_budget(tenant, agent, launch.given, answers, launch.attachments)
        return replace(launch, fork=fork, inherited=inherited, answers=answers, model=agent.model)

    def _with_text(
        self, tenant: str, carrier: HandedOver, launch: Launch, request: ForkRequest
    ) -> ForkRequest:
        """Fill a prompt of the registry that is to be tried, so that the fork keeps its text."""
        if request.prompt is None or PromptReference.read(request.prompt) is None:
            return request
        agent = self.definition(tenant, carrier.agent, carrier.version)
        agent = agent.model_copy(update={"prompt": request.prompt})
        filled = self.start.ports.prompts(tenant, agent, launch.given, launch.run)
        return request.model_copy(update={"prompt": filled.text if filled else request.prompt})

    def _edited(self, tenant: str, carrier: HandedOver, fork: Fork) -> AgentDefinition:
        """Check that the agent that continues can do so with the changes."""
        agent = self.definition(tenant, carrier.agent, carrier.version)
        agent = agent.with_prompt(carrier.prompt).model_copy(update=fork.edits)
        check_model(agent, ModelCheckContext(self.agreed(tenant), self.start.ports.clock.now().date()))
        return agent

    def _at_turn(self, key: RunKey, turn: int) -> RunState:
        """Read a run as it was after a turn, or refuse with the turns that can be forked."""
        journal = self.start.ports.journal.load(key)
        history = fold(journal).history
        last = len(history) if not history or history[-1].reply.calls else len(history) - 1
        if turn <= last:
            return state_at(journal, turn)
        if turn <= len(history):
            detail = f"turn {turn} is the run's answer: nothing goes on from it."
        else:
            detail = f"the run has no turn {turn} with results: it has {last} that a fork can go on from."
        raise InvalidRequest(
            detail,
            field="turn",
            fix=f"use 1 to {last}" if last else "start a new run: this one has called no tool",
        )

    def _as_it_was(self, key: RunKey, state: RunState, turn: int) -> RunState:
        """Return the agent that had carried the run on after a turn.

        For turns that the run inherited itself, its own source is asked.
        """
        if turn < len(state.history):
            state = state_at(self.start.ports.journal.load(key), turn)
        while turn < state.inherited_turns:
            if state.start.fork is None:
                raise Bug(f"{key.run} has inherited turns without a source")
            key = RunKey(tenant=key.tenant, run=state.start.fork.run)
            state = state_at(self.start.ports.journal.load(key), turn)
        return state


def state_at(journal: JournalSlice, turn: int) -> RunState:
    """Fold a journal until a turn has its results."""
    state = RunState(calls=dict(journal.calls))
    for item in journal.records:
        state.apply(item)
        if len(state.history) >= turn:
            break
    return state


def _seconds(source: RunHead) -> int:
    """A fork has as much time as its source was given."""
    return max(1, round((from_iso(source.deadline_at) - from_iso(source.created_at)).total_seconds()))


def _fork(source: RunHead, state: RunState, carrier: HandedOver, request: ForkRequest) -> Fork:
    """Record the fork's origin; changes that its source made to the same agent are kept."""
    before = state.start.fork
    same = before is not None and before.agent == carrier.agent
    return Fork(
        run=source.run,
        turn=request.turn,
        agent=carrier.agent,
        prompt=request.prompt or (before.prompt if before and same else None),
        model=request.model or (before.model if before and same else None),
        results=tuple(request.results),
        family=(source.run, *(before.family if before else ())),
    )


def _still_true(state: RunState, there: RunState, request: ForkRequest) -> Condensation | None:
    """Inherit the shortening of old turns, unless it summarises results that were replaced."""
    said = there.condensation
    if said is None or request.turn < state.inherited_turns:
        return None
    told_of = there.history[: max(said.through, said.shortened_through)]
    changed = any(result.call in request.results for exchange in told_of for result in exchange.results)
    return None if changed else said


def _others(known: list[str]) -> str:
    return f"use one of: {', '.join(known)}" if known else "leave `results` out: these turns have none"


def _edited_turns(history: list[Exchange], results: Mapping[str, Any]) -> Iterator[Exchange]:
    """Replace results; refuse a call that these turns did not make."""
    known = [result.call for exchange in history for result in exchange.results]
    for call in results:
        if call not in known:
            raise InvalidRequest(
                f"the turns up to {len(history)} make no call {call[:80]!r}.",
                field=f"results.{call[:80]}",
                fix=did_you_mean(call, known, _others(known)),
            )
    for exchange in history:
        edited = tuple(_edited_result(result, results) for result in exchange.results)
        yield exchange.model_copy(update={"results": edited})


def _edited_result(result: ToolResult, results: Mapping[str, Any]) -> ToolResult:
    if result.call not in results:
        return result
    return ToolResult(call=result.call, tool=result.tool, content=results[result.call])
