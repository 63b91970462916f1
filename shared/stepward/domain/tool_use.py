"""How one agent uses a tool: which, under which name, with which settings, and how a call of it is made."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stepward.domain.approvals import Guard
from stepward.domain.ids import ToolName, ToolReference
from stepward.domain.money import usd_to_micros
from stepward.domain.number_fields import Exact, Fraction
from stepward.domain.retries import Retry

LONGEST_NAME_CHARS: Final = 63
LONGEST_ATTEMPT_S: Final = 240
"""What one attempt at a call may take: less than the function has that makes it."""
MOST_AT_ONCE: Final = 12
SHORT_FORMS: Final = {
    "agent": ("agent", "agent", "ask_"),
    "handoff": ("hand_off", "agent", "transfer_to_"),
    "workflow": ("workflow", "workflow", "run_"),
}
"""What may stand in place of `tool`: the gallery's tool that it means, whose setting takes the id, and how the model's
name for it begins."""


class CallOptions(BaseModel):
    """How a call is made, whatever the tool: time, retries, how many at once, what one costs, who must agree first."""

    model_config = ConfigDict(extra="forbid")

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
    """A tool as one agent uses it: `tool`, or in its place the short forms `agent`, `handoff` and `workflow`.

    `- agent: researcher` with `version: 1.2.0` if wanted means the tool `agent` with that agent in its settings, called
    `ask_researcher`; `- handoff: billing` means `hand_off`, called `transfer_to_billing`;
    `- workflow: refunds` means `workflow`, called `run_refunds`. Only the long form is kept.
    """

    tool: ToolReference
    name: ToolName | None = None
    description: str | None = Field(default=None, max_length=2_000)
    config: dict[str, Any] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _long_form(cls, given: Any) -> Any:
        """Spell a short form out before anything else reads it."""
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
        raise ValueError(f"{twice[0]!r} stands in `config` and beside it; keep one of the two")
    rest = {name: value for name, value in given.items() if name not in (word, "version")}
    name = (beginning + given[word].replace("-", "_"))[:LONGEST_NAME_CHARS]
    return {"name": name, **rest, "tool": tool, "config": {**config, **named}}
