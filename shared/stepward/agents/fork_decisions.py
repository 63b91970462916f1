"""Protect people's decisions in forks: none is replaced, and open questions are repeated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stepward.domain.approvals import Approval
from stepward.domain.conversation import Exchange, ToolResult
from stepward.domain.errors import InvalidRequest
from stepward.domain.run_origins import Fork
from stepward.domain.runs import RunHead, RunKey
from stepward.ports.approvals import Approvals


@dataclass(frozen=True)
class Decisions:
    """The approvals of a run and of those that it is a fork of, by call and tool."""

    asked: frozenset[tuple[str, str]]
    guarded: frozenset[tuple[str, str]]

    @classmethod
    def of(cls, approvals: Approvals, source: RunHead, origin: Fork | None) -> Decisions:
        """Read them.

        Args:
            approvals: Where they are kept.
            source: The run that is forked.
            origin: Where that run comes from itself.
        """
        runs = (source.run, *((origin.run, *origin.family) if origin else ()))
        keys = [RunKey(tenant=source.tenant, run=run) for run in dict.fromkeys(runs)]
        found = [one for key in keys for one in approvals.of_run(key)]
        return cls(
            asked=_names(one for one in found if not one.is_guard),
            guarded=_names(one for one in found if one.is_guard),
        )

    def refuse_replaced(self, history: Iterable[Exchange], results: Iterable[str]) -> None:
        """Refuse to replace a person's decision, or the result of a call that it was about.

        Raises:
            InvalidRequest: One of the calls asked a person.
        """
        decided = {
            result.call
            for exchange in history
            for result in exchange.results
            if self._is_decided(result, self.asked | self.guarded)
        }
        for call in results:
            if call in decided:
                raise InvalidRequest(
                    f"{call} asked a person, whose decision cannot be replaced.",
                    field=f"results.{call}",
                    fix="leave it out: a fork from that turn asks again",
                )

    def turn_before(self, history: Sequence[Exchange], turn: int) -> int:
        """Step back before the turns at whose end a person was asked, so that the fork asks again."""
        while turn and self._asks(history[turn - 1]):
            turn -= 1
        return turn

    def refuse_changed(self, history: Sequence[Exchange]) -> None:
        """Refuse changes to a run that continues from a decision: the decider has not seen them.

        Raises:
            InvalidRequest: One of the turns asked a person.
        """
        asking = next((number for number, one in enumerate(history, start=1) if self._asks(one)), None)
        if asking is not None:
            raise InvalidRequest(
                f"turn {asking} asked a person, who has not seen these changes.",
                field="turn",
                fix=f"use turn {asking}: the fork asks again",
            )

    def _asks(self, exchange: Exchange) -> bool:
        return any(self._is_decided(result, self.asked) for result in exchange.results)

    @staticmethod
    def _is_decided(result: ToolResult, names: frozenset[tuple[str, str]]) -> bool:
        return (result.call, result.tool) in names


def _names(approvals: Iterable[Approval]) -> frozenset[tuple[str, str]]:
    return frozenset((one.call, one.tool) for one in approvals)
