"""Start runs: one registry read, one transaction, one StartExecution."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, Final

from pydantic import Field, StrictStr, field_validator

from stepward.agents.agent_references import check_references
from stepward.agents.answering import StageAnswers
from stepward.agents.lookup import startable_agent
from stepward.agents.model_checks import check_startable
from stepward.agents.requests import idempotency_key as idempotency_key_of
from stepward.agents.requests import parse
from stepward.agents.run_inputs import attachments_of, check_given, check_taken
from stepward.agents.run_ports import RunPorts
from stepward.domain.agents import AgentDefinition
from stepward.domain.attachments import MOST_ATTACHMENTS, Attachment
from stepward.domain.durations import A_YEAR_S
from stepward.domain.errors import InvalidRequest
from stepward.domain.journal import Created, Inherited
from stepward.domain.json_text import carried_bytes
from stepward.domain.prompts import PromptReference, ResolvedPrompt
from stepward.domain.run_origins import Caller, Fork, Parent
from stepward.domain.runs import Answers, RunHead, RunStatus, StartOptions
from stepward.models.base import model_id
from stepward.models.catalog import check_backend
from stepward.ports.clock import iso
from stepward.ports.registry import Registry
from stepward.ports.runs import IdempotencyKey, NewRun, Started
from stepward.ports.tool_services import Datasets

INPUT_LIMIT_BYTES: Final = 3_000_000


class StartRequest(StartOptions):
    """The body of `POST /agents/{agent_id}/runs`."""

    input: Any = Field()
    deadline_s: int | None = Field(default=None, strict=True, ge=1, le=A_YEAR_S)
    attachments: tuple[StrictStr, ...] = Field(
        default=(), max_length=MOST_ATTACHMENTS, exclude_if=lambda keys: not keys
    )

    @field_validator("input")
    @classmethod
    def _text_or_object(cls, value: Any) -> str | dict[str, Any]:
        if not isinstance(value, str | dict) or not (value.strip() if isinstance(value, str) else value):
            raise ValueError("the input must be a text or a JSON object, and not empty")
        size = carried_bytes(value)
        if size > INPUT_LIMIT_BYTES:
            raise ValueError(f"the input takes {size} bytes, the limit is {INPUT_LIMIT_BYTES}; send less")
        return value


@dataclass(frozen=True)
class Launch:
    """A run about to begin: all that differs between a request's, a child's and a fork's."""

    agent: AgentDefinition
    given: Any
    answers: Answers
    said: StartOptions = field(default_factory=StartOptions)
    """Fields that are copied to the head as given; the others come from the agent."""
    run: str | None = None
    seconds: int | None = None
    cost_limit_usd_micros: int | None = None
    parent: Parent | None = None
    fork: Fork | None = None
    inherited: Inherited | None = None
    model: str | None = None
    """The model that answers first, if not the agent's own."""
    idempotency: IdempotencyKey | None = None
    attachments: tuple[Attachment, ...] = ()
    prompt: ResolvedPrompt | None = None
    """What the agent's prompt has come to, where it names one of the registry."""


@dataclass(frozen=True)
class Start:
    """The use case behind `POST /agents/{agent_id}/runs`."""

    ports: RunPorts
    registry: Registry
    refuse_over_budget: Callable[[str, AgentDefinition, Any, Answers, Sequence[Attachment]], None] = (
        lambda *_: None
    )
    stage: StageAnswers = field(default_factory=StageAnswers)
    datasets: Callable[[], Datasets] | None = None
    """The tenants' files; None in functions that start runs without attachments."""

    def __call__(
        self, caller: Caller, agent_id: str, body: Any, idempotency_key: str | None
    ) -> tuple[RunHead, bool]:
        """Start a run, or find the one that the same Idempotency-Key started; True if it is new."""
        request = parse(StartRequest, body)
        said = [agent_id, request.model_dump(mode="json")]
        key = idempotency_key_of(caller, said, idempotency_key, self.ports.clock.now())
        agent = startable_agent(self.registry, caller.tenant, agent_id, request.version).definition
        answers = self.stage.choose(agent, request)
        launch = self._filled(
            caller,
            Launch(
                agent=agent,
                given=request.input,
                answers=answers,
                said=request,
                seconds=request.deadline_s,
                idempotency=key,
                attachments=self._attached(caller.tenant, request.attachments),
            ),
        )
        told = agent.with_prompt(launch.prompt)
        self.refuse_over_budget(caller.tenant, told, launch.given, answers, launch.attachments)
        started = self.launch(caller, launch)
        return started.head, started.is_new

    def _filled(self, caller: Caller, launch: Launch) -> Launch:
        """Fill a prompt of the registry, once for all of the run, by the run's name."""
        if launch.prompt or PromptReference.read(launch.agent.prompt) is None:
            return launch
        run = launch.run or self.ports.ids.new("run")
        filled = self.ports.prompts(caller.tenant, launch.agent, launch.given, run)
        return replace(launch, run=run, prompt=filled)

    def _attached(self, tenant: str, keys: tuple[str, ...]) -> tuple[Attachment, ...]:
        if not keys:
            return ()
        if self.datasets is None:
            raise InvalidRequest(
                "runs that are started in this way take no attachments.",
                field="attachments",
                fix="start the run by `POST /agents/{agent_id}/runs`",
            )
        return attachments_of(self.datasets(), tenant, keys)

    def launch(self, caller: Caller, launch: Launch) -> Started:
        """Begin a run: start its machine if a slot is free, else queue it and send a wake-up."""
        launch = self._filled(caller, launch)
        rehearsed = launch.answers.rehearsed
        # A fork continues with its source's input, and has checked what answers it.
        shown = () if rehearsed or launch.inherited else launch.attachments
        if launch.inherited is None:
            check_startable(launch.agent, self.ports.clock.now().date())
            check_given(launch.agent, launch.given)
            check_backend(launch.agent, rehearsed=rehearsed)
            check_taken(launch.agent, shown)
        check_references(self.registry, caller.tenant, launch.agent, rehearsed=rehearsed, attachments=shown)
        started = self.ports.runtime.start(self._new_run(caller, launch))
        if started.queued and not started.asked:
            self.ports.wake_ups.send(caller.tenant)
        elif not started.queued and not started.head.ended:
            # The same name starts one execution, so a start whose answer was lost is repeated.
            self.ports.machine.start(started.head.execution_name, started.head.key)
        return started

    def _new_run(self, caller: Caller, launch: Launch) -> NewRun:
        agent, own = launch.agent, launch.agent.limits.cost_limit_usd_micros
        limit = min(own, own if launch.cost_limit_usd_micros is None else launch.cost_limit_usd_micros)
        head = self._head(caller, launch)
        first = Created(
            at=head.created_at,
            writer=head.run,
            input=launch.given,
            cost_limit_usd_micros=limit,
            parent=launch.parent,
            fork=launch.fork,
            attachments=launch.attachments,
            prompt=launch.prompt,
            **head.model_dump(include=_SHARED_WITH_HEAD),
        )
        return NewRun(
            head=head,
            first=first,
            limits=self.ports.slot_limits(caller.tenant),
            draw=self.ports.first_draw(
                caller.tenant,
                agent.id,
                limit,
                launch.parent.budgets if launch.parent else (),
                charged=head.charged,
            ),
            idempotency=launch.idempotency,
            inherited=launch.inherited,
        )

    def _head(self, caller: Caller, launch: Launch) -> RunHead:
        now, agent, answers = self.ports.clock.now(), launch.agent, launch.answers
        seconds = launch.seconds or agent.limits.timeout_s
        return RunHead(
            **{"priority": agent.run_priority} | launch.said.for_head(),
            run=launch.run or self.ports.ids.new("run"),
            tenant=caller.tenant,
            agent=agent.id,
            version=agent.version,
            principal=caller.principal,
            status=RunStatus.PENDING,
            rehearsed=answers.rehearsed,
            charged=answers.charged,
            models=None if answers.rehearsed else (model_id(launch.model or agent.model),),
            parent=launch.parent.run if launch.parent else None,
            created_at=iso(now),
            deadline_at=iso(now + timedelta(seconds=seconds)),
        )


_SHARED_WITH_HEAD = {"agent", "version", "principal", "deadline_at", "rehearsed", "charged", "priority"}
