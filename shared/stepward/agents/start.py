"""Starts runs: one registry read, one transaction, one StartExecution."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from stepward.agents.register import find_agent
from stepward.agents.requests import parse
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from stepward.domain.ids import Version
from stepward.domain.journal import Created
from stepward.domain.json_values import carried_bytes
from stepward.domain.runs import RunHead, RunStatus
from stepward.ports.clock import Clock, Ids, iso
from stepward.ports.machines import RunMachine
from stepward.ports.registry import Registry
from stepward.ports.runtime_state import IdempotencyKey, RuntimeState

INPUT_LIMIT_BYTES: Final = 3_000_000
IDEMPOTENCY_TTL: Final = timedelta(hours=24)
IDEMPOTENCY_KEY_CHARS: Final = 200


class StartRequest(BaseModel):
    """The body of `POST /agents/{agent_id}/runs`."""

    model_config = ConfigDict(extra="forbid")

    input: Any
    version: Version | None = None
    deadline_s: int | None = Field(default=None, strict=True, ge=1, le=31_536_000)

    @field_validator("input")
    @classmethod
    def _text_or_object(cls, value: Any) -> str | dict[str, Any]:
        given: str | dict[str, Any] | None = value.strip() if isinstance(value, str) else None
        given = value if isinstance(value, dict) else given
        if not given:
            raise ValueError("the input must be a text or a JSON object, and not empty")
        size = carried_bytes(given)
        if size > INPUT_LIMIT_BYTES:
            raise ValueError(f"the input takes {size} bytes, the limit is {INPUT_LIMIT_BYTES}; send less")
        return given


@dataclass(frozen=True)
class Caller:
    """Who asks: from the authorizer, never from the request."""

    tenant: str
    principal: str


@dataclass(frozen=True)
class Start:
    """The use case behind `POST /agents/{agent_id}/runs`."""

    registry: Registry
    runtime: RuntimeState
    machine: RunMachine
    clock: Clock
    ids: Ids

    def __call__(
        self, caller: Caller, agent_id: str, body: Any, idempotency_key: str | None
    ) -> tuple[RunHead, bool]:
        """Start a run, or find the one that the same Idempotency-Key started; the flag tells that it is new."""
        request = parse(StartRequest, body)
        key = self._idempotency(caller, agent_id, request, idempotency_key)
        agent = find_agent(self.registry, caller.tenant, agent_id, request.version).definition
        head, first = self._new_run(caller, agent, request)
        started = self.runtime.start(head, first, key)
        if not started.ended:
            # The name makes a second start harmless, so a start whose answer was lost is simply made again.
            self.machine.start(started.execution_name, started.key)
        return started, started.run == head.run

    def _new_run(
        self, caller: Caller, agent: AgentDefinition, request: StartRequest
    ) -> tuple[RunHead, Created]:
        now = self.clock.now()
        seconds = request.deadline_s or agent.limits.timeout_s
        head = RunHead(
            run=self.ids.new("run"),
            tenant=caller.tenant,
            agent=agent.id,
            version=agent.version,
            principal=caller.principal,
            status=RunStatus.RUNNING,
            rehearsed=agent.rehearsal is not None,
            created_at=iso(now),
            deadline_at=iso(now + timedelta(seconds=seconds)),
        )
        first = Created(
            at=head.created_at,
            writer=head.run,
            input=request.input,
            **head.model_dump(include=_SHARED_WITH_HEAD),
        )
        return head, first

    def _idempotency(
        self, caller: Caller, agent_id: str, request: StartRequest, key: str | None
    ) -> IdempotencyKey | None:
        if key is None:
            return None
        if not 0 < len(key) <= IDEMPOTENCY_KEY_CHARS or not key.isprintable():
            raise InvalidRequest(
                "the Idempotency-Key cannot be used.",
                field="Idempotency-Key",
                fix=f"use 1 to {IDEMPOTENCY_KEY_CHARS} printable characters, such as a UUID",
            )
        said = json.dumps([agent_id, request.model_dump(mode="json")], sort_keys=True)
        return IdempotencyKey(
            principal=caller.principal,
            key=key,
            body_sha256=hashlib.sha256(said.encode()).hexdigest(),
            expires_at=int((self.clock.now() + IDEMPOTENCY_TTL).timestamp()),
        )


_SHARED_WITH_HEAD = {"agent", "version", "principal", "deadline_at", "rehearsed"}
