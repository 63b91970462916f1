"""Tools as agents use them: effects, options, uses, and what folders publish."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stepward.domain.approvals import Guard
from stepward.domain.conversation import Frozen
from stepward.domain.ids import ToolName, ToolReference
from stepward.domain.money import usd_to_micros
from stepward.domain.numbers import Exact, Fraction
from stepward.domain.retries import Retry


class Effect(StrEnum):
    """What a second execution of the same call would do in the world."""

    NONE = "none"
    """Only reads: may be repeated freely."""
    IDEMPOTENT = "idempotent"
    """Repeats are harmless as long as they carry the same call id."""
    ONCE = "once"
    """Must never be repeated: marked before it runs; a crash after the mark gives `outcome_unknown`."""


class Placement(StrEnum):
    """Where a tool runs."""

    INLINE = "inline"
    """Within the advance itself: quick, and of effect `none` or `idempotent`."""
    REMOTE = "remote"
    """In a function of its own, one state of the machine a call."""
    AWAITED = "awaited"
    """Outside: the run waits until an agent, a person or a service answers."""


OUTCOME_UNKNOWN = "outcome_unknown"
"""The result's error when a `once` tool's function died after its mark: it must not be retried."""
LONGEST_NAME_CHARS: Final = 63
LONGEST_ATTEMPT_S: Final = 240
"""The longest attempt at a call: less than the timeout of the function that makes it."""
MOST_AT_ONCE: Final = 12
SHORT_FORMS: Final = {
    "agent": ("agent", "agent", "ask_"),
    "handoff": ("hand_off", "agent", "transfer_to_"),
    "workflow": ("workflow", "workflow", "run_"),
}
"""A short form → the catalog's tool that it means, whose setting takes the id, and the prefix of its called name."""


class CallOptions(BaseModel):
    """How a tool is called: time, retries, concurrency, price, and required approval."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    timeout_s: Fraction | None = Field(default=None, gt=0, le=LONGEST_ATTEMPT_S)
    retry: Retry | None = None
    concurrency: int | None = Field(default=None, strict=True, ge=1, le=MOST_AT_ONCE)
    cost_usd: Exact = Field(default=Decimal(0), ge=0, le=1_000, decimal_places=6)
    approval: Guard | None = None

    @property
    def cost_usd_micros(self) -> int:
        """What one attempt costs, in micro-dollars."""
        return usd_to_micros(self.cost_usd)


class ToolUse(CallOptions):
    """A tool as one agent uses it: `tool`, or a short form `agent`, `handoff` or `workflow`.

    `- agent: researcher` with `version: 1.2.0` if wanted means the tool `agent` with that agent in its
    settings, called `ask_researcher`; `- handoff: billing` means `hand_off`, called `transfer_to_billing`; `-
    workflow: refunds` means `workflow`, called `run_refunds`. Only the long form is stored.
    """

    tool: ToolReference
    name: ToolName | None = None
    description: str | None = Field(default=None, max_length=2_000)
    config: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _long_form(cls, given: Any) -> Any:
        """Expand a short form before anything else reads it."""
        if not isinstance(given, dict):
            return given
        said = [word for word in ("tool", *SHORT_FORMS) if word in given]
        if len(said) != 1:
            found = " and ".join(f"`{word}`" for word in said) or "none of them"
            raise ValueError(f"say exactly one of `tool`, `agent`, `handoff` and `workflow`; found {found}")
        return given if said == ["tool"] else _spelt_out(said[0], given)

    @model_validator(mode="after")
    def _asks_once(self) -> ToolUse:
        if self.approval and self.tool == "ask_person":
            raise ValueError("`ask_person` asks a person by itself; leave its `approval` out")
        return self

    @property
    def called(self) -> str:
        """The name by which the model calls it; of `orders.find_order` the part after the dot."""
        return self.name or self.tool.rpartition(".")[2]


def _an(thing: str) -> str:
    return "an agent" if thing == "agent" else f"a {thing}"


def _spelt_out(word: str, given: dict[str, Any]) -> dict[str, Any]:
    tool, setting, beginning = SHORT_FORMS[word]
    named = {setting: given[word], **({"version": given["version"]} if "version" in given else {})}
    config = given.get("config", {})
    if not (isinstance(given[word], str) and isinstance(config, dict)):
        raise ValueError(f"`{word}` takes {_an(setting)}'s id, and `config` is an object")  # noqa: TRY004  pydantic's way
    if twice := sorted(named.keys() & config.keys()):
        raise ValueError(f"{twice[0]!r} is given in `config` and beside it; keep one of the two")
    rest = {name: value for name, value in given.items() if name not in (word, "version")}
    name = (beginning + given[word].replace("-", "_"))[:LONGEST_NAME_CHARS]
    return {"name": name, **rest, "tool": tool, "config": {**config, **named}}


class PublishedTool(Frozen):
    """One function as its folder describes it; `parameters` is the JSON Schema of an object."""

    function: ToolName
    description: str = Field(min_length=1, max_length=2_000)
    parameters: dict[str, Any]
    effect: Effect
    timeout_s: Fraction = Field(gt=0, le=240)


class ToolFolder(Frozen):
    """A folder of functions as published last; one that was removed has no tools any more."""

    room: str
    published_at: str
    tools: tuple[PublishedTool, ...] = Field(default=(), max_length=64)

    def tool(self, function: str) -> PublishedTool | None:
        """Find one of its functions."""
        return next((tool for tool in self.tools if tool.function == function), None)


class FunctionCall(Frozen):
    """What a folder receives for one call. `call_id` is the same for every attempt at it."""

    v: Literal[1] = 1
    function: str
    arguments: dict[str, Any]
    tenant: str
    run: str
    call_id: str


DESCRIBE: dict[str, Any] = {"v": 1, "describe": True}
"""The payload that a folder receives at a deployment; it answers `{"v": 1, "tools": […]}`."""
