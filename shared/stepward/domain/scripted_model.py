"""A rehearsal is a scripted stand-in for a model, written in the agent's own file.

It lets an agent run, be tested and be shown without a provider's key, over real tools and real data.
Texts that are wholly `{% … %}` are JSONata over `$input`, `$turn`, `$results` and `$last`. Turns are the agent's own: after
a hand-over its script begins at its first turn, while `$results` and `$last` hold what the whole run has got.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from stepward.domain.ids import ToolName


class ScriptedCall(BaseModel):
    """A tool call of the script; `arguments_text` replaces `arguments` to script invalid JSON."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    tool: ToolName
    arguments: Any = Field(default_factory=dict)
    arguments_text: str | None = None


class ScriptedReply(BaseModel):
    """One reply of the script, taken when `when` is absent or true."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    when: str | None = None
    say: str = ""
    call: list[ScriptedCall] = Field(default_factory=list, max_length=16)


class ScriptedTurn(ScriptedReply):
    """The script's answer at one turn: a reply, or the first of `choose` whose `when` holds."""

    choose: list[ScriptedReply] = Field(default_factory=list, max_length=50)
    repeat: bool = False

    @model_validator(mode="after")
    def _one_or_many(self) -> Self:
        if self.choose and (self.say or self.call or self.when):
            raise ValueError("a turn has either `choose` or `say`/`call`/`when`; move them into `choose`")
        return self

    @property
    def replies(self) -> list[ScriptedReply]:
        """The replies to try in order."""
        return self.choose or [self]


class Rehearsal(BaseModel):
    """The script: item n answers turn n; with `repeat` the last one answers all later turns."""

    model_config = ConfigDict(extra="forbid", defer_build=True)

    turns: list[ScriptedTurn] = Field(min_length=1, max_length=200)

    @model_validator(mode="after")
    def _repeat_is_last(self) -> Self:
        early = [i + 1 for i, turn in enumerate(self.turns[:-1]) if turn.repeat]
        if early:
            raise ValueError(f"`repeat` is on turn {early[0]}, but only the last turn may repeat")
        return self

    def at(self, turn: int) -> ScriptedTurn | None:
        """The item that answers this turn, counted from 1; None past the script's end."""
        if turn <= len(self.turns):
            return self.turns[turn - 1]
        return self.turns[-1] if self.turns[-1].repeat else None
