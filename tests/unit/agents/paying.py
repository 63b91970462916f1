"""Runs that a model may answer, and be paid for: what tests of who answers have in common."""

from __future__ import annotations

from typing import Any

from stepward.agents.answering import StageAnswers
from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.journal import Created
from stepward.domain.money import Usage
from stepward.domain.runs import RunKey
from stepward.ports.models import CallContext
from tests.support.driver import ACME, World


class Paid:
    """A provider's backend, which counts its calls; `replies` are the first of what it says."""

    longest_call_s = 10.0

    def __init__(self) -> None:
        self.calls = 0
        self.replies: list[ModelReply] = []

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        self.calls += 1
        usage = Usage(input_tokens=10, output_tokens=5)
        return self.replies.pop(0) if self.replies else ModelReply(text="From the model.", usage=usage)

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        return 10


def a_world(*bodies: dict[str, Any], **stage: bool) -> World:
    world = World(stage=StageAnswers(**stage))
    for body in bodies:
        world.register(body)
    return world


def begin(world: World, agent: str = "helper", key: str | None = None, **said: Any) -> RunKey:
    return world.starter(ACME, agent, {"input": "hello", **said}, key)[0].key


def first(world: World, key: RunKey) -> Created:
    created = world.journal.load(key).records[0].record
    assert isinstance(created, Created)
    return created
