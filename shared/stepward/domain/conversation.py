"""What passes between an agent and its model, the same for every provider."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.money import Usage


class Frozen(BaseModel):
    """A value: written once, compared by content, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolCall(Frozen):
    """One call that the model asks for. `id` is unique in the run and the tool's idempotency key.

    `arguments` is None when the model's text could not be read as JSON; `arguments_text` keeps that text.
    """

    id: str
    tool: str
    arguments: dict[str, Any] | None = None
    arguments_text: str | None = None


class ToolResult(Frozen):
    """What the model is told about one call. `error` is an error's code, None when all went well.

    What the call cost and how long it took are for the books, as is what the run behind it has spent on its own account,
    and what AWS charges for that one; the model is not shown them.
    """

    call: str
    tool: str
    content: Any = None
    error: str | None = None
    cost_usd_micros: int = Field(default=0, ge=0)
    took_ms: int | None = Field(default=None, ge=0)
    child_usd_micros: int = Field(default=0, ge=0)
    child_aws_usd_micros: int = Field(default=0, ge=0, exclude_if=lambda micros: micros == 0)


class ModelReply(Frozen):
    """One model call's outcome."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    stop: Literal["end", "tools", "length"] = "end"


class Exchange(Frozen):
    """One past turn: what the model replied and what its calls gave."""

    reply: ModelReply
    results: tuple[ToolResult, ...] = ()


class ToolSchema(Frozen):
    """A tool as the model sees it. `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ModelRequest(Frozen):
    """One model call: all that a backend needs, nothing that it has to look up."""

    model: str
    prompt: str
    input: str
    history: tuple[Exchange, ...] = ()
    tools: tuple[ToolSchema, ...] = ()
    max_output_tokens: int = Field(default=1024, gt=0)
    own_turn: int | None = Field(default=None, gt=0)
    """Which turn this is of the agent that is asked, where others have taken turns of the run too; a script goes by it."""

    @property
    def turn(self) -> int:
        """Which turn this call makes, counted from 1."""
        return len(self.history) + 1
