"""Choose what a schedule tests closely, so that rare cases are common in some."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from stepward.agents.continue_as_new import MOST_EVENTS
from stepward.testing.schedules.actors import Actor, PortCall
from stepward.testing.schedules.shapes import LONG, REHEARSED

OF_CALLS: Final = ("tool_invoke", "put_result", "mark_started")
OF_WAITS: Final = ("dispatch", "person", "keep", "answer", "park", "others_told", "decide")
ELSEWHERE: Final = (
    "agent_advance",
    "client",
    "canceller",
    "closer",
    "janitor",
    "append",
    "close",
    "admit",
    "start",
)
"""Kinds of invocations, and calls of ports."""
GIVEN_UP: Final = ("time_out_of_the_machine",)
DISTURBANCES: Final = (*GIVEN_UP, "duplicate_delivery", "cancel", "pause", "resume")
WITH_CALLS: Final = ("remote", "remote twice", "mixed", "guards")
WITH_CHILDREN: Final = ("child", "children", "guarded child")
WITH_WAITS: Final = (*WITH_CHILDREN, "people", "guards")
WITH_MODELS: Final = ("one turn", "inline", "remote", "children", LONG, LONG)
AROUND_A_CALL: Final = ("ask", "stream")
OF_MODELS: Final = (*AROUND_A_CALL, *AROUND_A_CALL, *AROUND_A_CALL, "append", "agent_advance", "take")
ASK_MODELS: Final = 0.7
"""The part of schedules without slow invocations and cancels that call models through a gateway, without a rehearsal."""
_OFTEN: Final = 0.5
_USUAL: Final = 0.12
_SELDOM: Final = 0.02


class Cancels(StrEnum):
    """Moments at which a cancel comes, just before the write that it is to prevent."""

    MARK = "before a call that may act once is marked"
    CHILD = "of the run that waits, before its child writes"


@dataclass(frozen=True)
class Focus:
    """The invocations, calls and disturbances that a schedule tests more than others.

    `calm_calls` are made before any fault: the few faults of a schedule would else all come at its beginning. Invocations of
    the kind `slow` act when nearly all others have. `most_events` bounds an execution's history.
    """

    calm_calls: int
    slow: str | None
    place: str | None
    disturbance: str | None
    most_events: int
    cost_limit_usd: float | None
    cancels: Cancels | None
    asks_models: bool

    @classmethod
    def of(cls, seed: int) -> Focus:
        """Draw a seed's focus.

        It has a generator of its own, so that a seed's other draws stay what they were.
        """
        chance = random.Random(f"focus of {seed}")  # noqa: S311  a schedule is to be repeatable, not secret
        slow = chance.choice((None, None, None, "dispatch", "dispatch", "tool_invoke", "agent_advance"))
        # A slow `dispatch` is worth looking at where its machine has given it up and calls it again.
        disturbances = GIVEN_UP if slow == "dispatch" else (None, *DISTURBANCES)
        drawn = cls(
            calm_calls=chance.choice((0, 0, 0, 30, 60)),
            slow=slow,
            place=chance.choice((None, *OF_CALLS, *OF_WAITS, *ELSEWHERE)),
            disturbance=chance.choice(disturbances),
            most_events=chance.choice((MOST_EVENTS, 25, 12)),
            cost_limit_usd=chance.choice((None, None, None, 0.02)),
            cancels=chance.choice((Cancels.MARK, Cancels.CHILD, *[None] * 5)),
            asks_models=False,
        )
        if drawn.slow or drawn.cancels or chance.random() > ASK_MODELS:
            return drawn
        return replace(
            drawn,
            asks_models=True,
            slow=chance.choice((None, None, "agent_advance")),
            place=chance.choice(OF_MODELS),
            disturbance=chance.choice((None, None, *GIVEN_UP)),
        )

    @property
    def more_faults(self) -> int:
        """How many more faults a schedule meets than one without a focus."""
        return 2 * ((self.place is not None) + (self.disturbance is not None)) + 6 * self.asks_models

    @property
    def shapes(self) -> tuple[str, ...]:
        """The agents that show what the schedule tests."""
        if self.asks_models:
            return WITH_MODELS
        if self.cancels is Cancels.CHILD or self.slow == "dispatch":
            return WITH_CHILDREN
        if self.cancels is Cancels.MARK:
            return WITH_CALLS + WITH_CHILDREN
        if self.place in OF_CALLS:
            return WITH_CALLS
        if self.place in OF_WAITS or self.disturbance == "time_out_of_the_machine":
            return WITH_WAITS
        return REHEARSED

    def odds(self, invocation: str, call: PortCall | None) -> float:
        """Return the probability that a fault meets a call.

        An invocation is named by its kind and a number. Calls of models are rare: where they are tested, few other faults
        come before them.
        """
        if self.place is not None and call is not None and self.place in (_kind(invocation), call.method):
            return _OFTEN
        return _SELDOM if self.asks_models and self.place in AROUND_A_CALL else _USUAL

    def quick(self, invocations: list[Actor]) -> list[Actor]:
        """Leave out slow invocations, unless there are no others."""
        return [one for one in invocations if _kind(one.name) != self.slow] or invocations

    def cancelled_at(self, call: PortCall | None, parent: str | None) -> str | None:
        """Return the run to cancel before a call is made.

        `parent` is the run that waits for the one that makes the call.
        """
        if call is None or call.key is None or not call.is_write:
            return None
        if self.cancels is Cancels.MARK:
            return call.key.run if call.method == "mark_started" else None
        return parent if self.cancels is Cancels.CHILD else None


def _kind(invocation: str) -> str:
    return invocation.rpartition("-")[0]
