"""What an agent and its model exchange, the same for every provider."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from stepward.domain.attachments import Attachments
from stepward.domain.money import Usage


class Frozen(BaseModel):
    """A value: written once, compared by content, unknown fields refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ToolCall(Frozen):
    """One call that the model asks for.

    `id` is unique in the run and the tool's idempotency key. `arguments` is None when the model's text is no
    JSON; `arguments_text` keeps that text.
    """

    id: str
    tool: str
    arguments: dict[str, Any] | None = None
    arguments_text: str | None = None


class ToolResult(Frozen):
    """What the model receives for one call. `error` is an error's code, None on success.

    Cost and duration of the call are for accounting only, as is what the run behind it has cost and what AWS
    charges for that run; the model is not shown them.
    """

    call: str
    tool: str
    content: Any = None
    error: str | None = None
    cost_usd_micros: int = Field(default=0, ge=0)
    took_ms: int | None = Field(default=None, ge=0)
    child_usd_micros: int = Field(default=0, ge=0)
    child_aws_usd_micros: int = Field(default=0, ge=0, exclude_if=lambda micros: micros == 0)


Effort = Literal["low", "medium", "high", "xhigh", "max"]
CacheTime = Literal["off", "5m", "1h"]


class TextPart(Frozen):
    """The next characters of a reply's text; `extra` is what its vendor wants back with them."""

    kind: Literal["text"] = "text"
    chars: int = Field(gt=0)
    extra: dict[str, Any] | None = Field(default=None, exclude_if=lambda extra: extra is None)


class CallPart(Frozen):
    """One of a reply's calls."""

    kind: Literal["call"] = "call"
    call: str


class OpaquePart(Frozen):
    """What a vendor wants back unchanged: a reasoning item, a signed thought."""

    kind: Literal["opaque"] = "opaque"
    vendor: str
    data: dict[str, Any]


class Tried(Frozen):
    """A model that gave no answer: the error's code and the vendor's name for the call."""

    model: str
    error: str
    request_id: str | None = Field(default=None, exclude_if=lambda value: value is None)


ReplyPart = Annotated[TextPart | CallPart | OpaquePart, Field(discriminator="kind")]

Stop = Literal["end", "tools", "length", "refused", "filtered", "context", "pause", "cut"]
"""Why a reply ended: the model was done, wants its tools called, reached its length, declined, was filtered by its
vendor, filled its context window, or paused by itself; `cut` is a stream that was not read to its end."""

_OMIT_NONE: Final[Any] = {"default": None, "exclude_if": lambda value: value is None}
FOR_THE_BOOKS: Final = frozenset({"cost_usd_micros", "took_ms", "child_usd_micros", "child_aws_usd_micros"})
"""Fields of a result that are for accounting, and that no model is shown."""


class CacheHit(Frozen):
    """What a cached reply took originally, and what the cache has saved.

    Args:
        kept_at: When the model gave it.
        usage: What it took then.
        saved_usd_micros: What the same usage would cost at the prices of the call it answered.
        request_id: The vendor's name for the original call.
    """

    kept_at: str
    usage: Usage
    saved_usd_micros: int = Field(ge=0)
    request_id: str | None = Field(**_OMIT_NONE)


class ModelReply(Frozen):
    """One model call's outcome.

    `parts` say in which order text, calls and vendor-only parts came; without them it was the text, then the
    calls. `request_id` is the vendor's name for the call, for questions to its support. `model` is what
    answered where that is not the agent's own model, and `tried` what was asked before. `cache_hit` marks a
    reply from the response cache: its own `usage` is none, because no model was asked.
    """

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage = Usage()
    stop: Stop = "end"
    parts: tuple[ReplyPart, ...] = Field(default=(), exclude_if=lambda parts: not parts)
    request_id: str | None = Field(**_OMIT_NONE)
    model: str | None = Field(**_OMIT_NONE)
    tried: tuple[Tried, ...] = Field(default=(), exclude_if=lambda tried: not tried)
    cache_hit: CacheHit | None = Field(**_OMIT_NONE)

    @property
    def measured(self) -> Usage:
        """The usage of this reply, or that of its original where the cache gave it."""
        return self.cache_hit.usage if self.cache_hit else self.usage

    @property
    def is_empty(self) -> bool:
        """Whether the model has written nothing and called nothing."""
        return not self.calls and not self.text.strip()


class Exchange(Frozen):
    """One past turn: the model's reply, the results of its calls, and a note to the model."""

    reply: ModelReply
    results: tuple[ToolResult, ...] = ()
    note: str | None = Field(**_OMIT_NONE)


class Condensation(Frozen):
    """What a model is shown in place of the beginning of a conversation that is too long.

    Turns are counted from 1. Those up to `through` are left out and replaced by `text`. The larger results of
    the turns up to `shortened_through` are cut to a summary; `kept_in` is the run under whose name they can
    be read whole. The turns in `kept` stay as they are wherever they are. `summary` is a model's summary of
    the turns that are left out up to `summarised_through`; it is a part of `text`.
    """

    through: int = Field(default=0, ge=0)
    kept: tuple[int, ...] = Field(default=(), exclude_if=lambda kept: not kept)
    shortened_through: int = Field(default=0, ge=0)
    kept_in: str | None = Field(**_OMIT_NONE)
    summary: str | None = Field(**_OMIT_NONE)
    summarised_through: int = Field(default=0, ge=0, exclude_if=lambda turn: turn == 0)
    text: str = ""

    def leaves_out(self, turn: int) -> bool:
        """Whether a turn is left out."""
        return turn <= self.through and turn not in self.kept


class ToolSchema(Frozen):
    """A tool as the model sees it. `parameters` is a JSON Schema of an object."""

    name: str
    description: str
    parameters: dict[str, Any]


class ModelOptions(Frozen):
    """How a model is to answer, as far as it supports that; None leaves it to the model.

    `cache` is how long its vendor is to keep the prompt's beginning.
    """

    temperature: float | None = None
    effort: Effort | None = None
    thinking: bool | None = None
    cache: CacheTime = "5m"


class ModelRequest(Frozen):
    """One model call: all that a backend needs, nothing that it has to look up."""

    model: str
    prompt: str
    input: str
    history: tuple[Exchange, ...] = ()
    left_out: int = Field(default=0, ge=0, exclude_if=lambda turns: turns == 0)
    """How many turns of the run are missing from `history`."""
    condensed: str | None = Field(**_OMIT_NONE)
    """The text that replaces them, after the input."""
    tools: tuple[ToolSchema, ...] = ()
    max_output_tokens: int = Field(default=1024, gt=0)
    options: ModelOptions = Field(default_factory=ModelOptions)
    output_schema: dict[str, Any] | None = None
    attachments: Attachments = ()
    """Files that come before the input."""
    own_turn: int | None = Field(default=None, gt=0)
    """Which turn this is of the agent that is asked, where others have taken turns of the run too; a script goes by it."""

    @property
    def turn(self) -> int:
        """Which turn this call makes, counted from 1."""
        return self.left_out + len(self.history) + 1
