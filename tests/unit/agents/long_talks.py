"""Conversations that are longer than their models can read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from stepward.adapters.memory.functions import MemoryResults
from stepward.agents.answering import StageAnswers
from stepward.domain.conversation import ModelReply, ModelRequest, ToolCall
from stepward.domain.journal import Condensed
from stepward.domain.money import Usage
from stepward.domain.runs import RunKey
from stepward.models.cards import listed_card
from stepward.models.gateway import Gateway
from stepward.models.messages import conversation
from stepward.ports.models import CallContext
from tests.support.builders import an_agent_body
from tests.support.driver import World

BYTES_A_TOKEN = 3.6
SUMMARY_USAGE = Usage(input_tokens=900, output_tokens=40)
LOOK_UP = {"tool": "record_lookup", "config": {"source": "datasets/books.csv", "key": "title"}}
TOOLS = [LOOK_UP, {"tool": "read_result"}]
CARD = listed_card("claude-sonnet-5-5")
assert CARD is not None
GATEWAY = Gateway([CARD], 1_024, None)


class Reader:
    """A model that counts what it reads, refuses what is beyond its window, and calls tools until its last turn."""

    longest_call_s = 10.0

    def __init__(self, turns: int, window: int = 1_000_000, words: str = "") -> None:
        self.turns = turns
        self.words = words
        self.window = window
        self.requests: list[ModelRequest] = []
        self.says: Callable[[ModelRequest], ModelReply | None] = lambda _: None

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        del call
        self.requests.append(request)
        tokens = round(len(prompt_of(request).encode()) / BYTES_A_TOKEN)
        assert tokens + request.max_output_tokens <= self.window
        usage = Usage(input_tokens=tokens, output_tokens=20)
        said = self.says(request)
        if said is not None:
            return said.model_copy(update={"usage": usage})
        if request.turn == self.turns:
            return ModelReply(text="Done.", usage=usage)
        return ModelReply(text=self.words, calls=(a_call(request),), usage=usage, stop="tools")

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        return GATEWAY.estimate_input_tokens(request)


@dataclass
class Summariser:
    """The cheap model; `outcomes` are the first of what it does."""

    outcomes: list[Any] = field(default_factory=list)
    requests: list[ModelRequest] = field(default_factory=list)
    calls: list[CallContext] = field(default_factory=list)
    longest_call_s = 10.0

    def reply(self, request: ModelRequest, call: CallContext) -> ModelReply:
        self.requests.append(request)
        self.calls.append(call)
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if callable(outcome):
            outcome = outcome()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome or ModelReply(text=f"Dune is there. ({len(self.requests)})", usage=SUMMARY_USAGE)

    def estimate_input_tokens(self, request: ModelRequest) -> int:
        return GATEWAY.estimate_input_tokens(request)


def a_call(request: ModelRequest, tool: str = "record_lookup", **arguments: Any) -> ToolCall:
    """Make the next call of a conversation."""
    return ToolCall(id=f"call_{request.turn}_1", tool=tool, arguments=arguments or {"key": "Dune"})


def prompt_of(request: ModelRequest) -> str:
    """Write a prompt in the order in which a provider reads it."""
    said = [
        block.model_dump_json() if isinstance(block, BaseModel) else str(block)
        for message in conversation(request, "anthropic")
        for block in (message.role, *message.blocks)
    ]
    return "\n".join([*(tool.model_dump_json() for tool in request.tools), request.prompt, *said])


def a_world(reader: Reader, result_bytes: int, **changed: Any) -> World:
    world = World(
        backend=reader, results=MemoryResults(), stage=StageAnswers(rehearsals=False), most_events=2_000
    )
    world.datasets.put("acme", "datasets/books.csv", f"title,text\nDune,{'x' * result_bytes}\n".encode())
    fields: dict[str, Any] = {
        "tools": TOOLS,
        "context": {"max_tokens": 30_000},
        "limits": {"max_iterations": 200, "cost_limit_usd": 100},
    }
    world.register(an_agent_body(**{**fields, **changed}))
    return world


def decisions(world: World, key: RunKey) -> list[Condensed]:
    return [item.record for item in world.journal.load(key).records if isinstance(item.record, Condensed)]
