"""Builders of the nouns that tests speak of; every argument has a default that means nothing special."""

from __future__ import annotations

from typing import Any

from stepward.domain.agents import AgentDefinition
from stepward.domain.approvals import Approval
from stepward.domain.budgets import AccountLimits, TenantLimits
from stepward.domain.conversation import ModelReply, ToolCall
from stepward.domain.journal import Created, Turn
from stepward.domain.money import Usage
from stepward.domain.runs import RunHead, RunKey, RunStatus
from stepward.ports.run_queue import SlotLimits
from stepward.ports.runs import NewRun

AT = "2026-01-01T00:00:00.000Z"
LATER = "2026-01-01T00:05:00.000Z"


def an_agent(**changed: Any) -> AgentDefinition:
    return AgentDefinition.model_validate(an_agent_body(**changed))


def an_agent_body(**changed: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": "helper",
        "name": "Helper",
        "version": "1.0.0",
        "model": "balanced",
        "prompt": "Help.",
        "rehearsal": {"turns": [{"say": "Done."}]},
    }
    return {**body, **changed}


def a_key(run: int = 1, tenant: str = "acme") -> RunKey:
    return RunKey(tenant=tenant, run=f"run_{run:026d}")


def a_head(run: int = 1, **changed: Any) -> RunHead:
    fields: dict[str, Any] = {
        "run": a_key(run).run,
        "tenant": "acme",
        "agent": "helper",
        "version": "1.0.0",
        "principal": "tester",
        "status": RunStatus.RUNNING,
        "rehearsed": True,
        "created_at": AT,
        "deadline_at": LATER,
    }
    return RunHead.model_validate({**fields, **changed})


def a_created(**changed: Any) -> Created:
    fields: dict[str, Any] = {
        "at": AT,
        "writer": "starter",
        "agent": "helper",
        "version": "1.0.0",
        "principal": "tester",
        "input": "hello",
        "deadline_at": LATER,
        "rehearsed": True,
    }
    return Created.model_validate({**fields, **changed})


def a_new_run(run: int = 1, *, active: int = 1_000, **changed: Any) -> NewRun:
    head = {name: changed.pop(name) for name in list(changed) if name in RunHead.model_fields}
    limits = SlotLimits(TenantLimits(active=active), AccountLimits(active=1_000))
    return NewRun(a_head(run, **head), a_created(), limits, **changed)


def a_turn(turn: int = 1, *, calls: tuple[ToolCall, ...] = (), writer: str = "one", **changed: Any) -> Turn:
    reply = ModelReply(text="Hm.", calls=calls, usage=Usage(input_tokens=100, output_tokens=10))
    fields: dict[str, Any] = {
        "at": AT,
        "writer": writer,
        "turn": turn,
        "reply": reply,
        "cost_usd_micros": 300,
    }
    return Turn.model_validate({**fields, **changed})


def a_call(number: int = 1, tool: str = "calculate", **arguments: Any) -> ToolCall:
    return ToolCall(id=f"call_1_{number}", tool=tool, arguments=arguments)


def an_approval(run: int = 1, call: str = "call_1_1", **changed: Any) -> Approval:
    fields: dict[str, Any] = {
        "id": f"{a_key(run).run}.{call}",
        "tenant": "acme",
        "run": a_key(run).run,
        "call": call,
        "tool": "ask_person",
        "agent": "helper",
        "requester": "tester",
        "question": "May I?",
        "asking": changed.pop("asking", {}),
        "created_at": AT,
        "due_at": "2026-01-08T00:00:00.000Z",
    }
    return Approval.model_validate({**fields, **changed})
