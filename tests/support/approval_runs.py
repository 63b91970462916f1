"""Runs that wait for people, for the tests of whatever becomes of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from stepward.agents.approvals import ShowApprovals
from stepward.agents.machine_messages import AdvanceAnswer
from stepward.domain.approvals import Approval
from tests.support.builders import an_agent_body
from tests.support.driver import World

ASK = {"tool": "ask_person", "arguments": {"question": "Refund 40 EUR?", "details": {"order": "SO-1"}}}
FORM = [
    {"name": "amount", "type": "number", "label": "How much", "required": True},
    {"name": "why", "type": "choice", "choices": ["late", "broken"]},
    {"name": "note"},
    {"name": "on", "type": "date"},
    {"name": "vip", "type": "boolean"},
]


def an_asker(*calls: dict[str, Any], **config: Any) -> dict[str, Any]:
    turns = [{"call": list(calls) or [ASK]}, {"say": "{% $string($results[0].content) %}"}]
    return an_agent_body(
        id="asker", tools=[{"tool": "ask_person", "config": config}], rehearsal={"turns": turns}
    )


class Waiting:
    """A run that waits for people, with its machine at the waits."""

    def __init__(self, world: World, body: dict[str, Any]) -> None:
        self.world = world
        world.register(body)
        self.key = world.start(body["id"])
        self.answer = world.advance(self.key)
        self.tokens = self.open()

    def open(self) -> list[str]:
        assert self.answer.next == "waits", self.answer
        return [self.world.wait(self.key, self.answer, wait.call) for wait in self.answer.waits or []]

    @property
    def approvals(self) -> list[Approval]:
        return self.world.approvals.of_run(self.key)

    @property
    def id(self) -> str:
        return self.approvals[0].id

    def timeout(self) -> AdvanceAnswer:
        """Let the machine give up, and advance."""
        failed = [{"call": wait.call, "error": "States.Timeout"} for wait in self.answer.waits or []]
        return self.world.advance(self.key, awaited=self.answer.seq, failed=failed)

    def go_on(self) -> dict[str, Any]:
        """Advance, once the machine was woken."""
        assert set(self.tokens) <= set(self.world.machine.answered)
        answer = self.world.advance(self.key, awaited=self.answer.seq)
        assert answer.next == "done"
        return self.world.show(self.key)


Waiter = Callable[..., Waiting]


def dying(*_: Any) -> None:
    raise RuntimeError("dies")


def show_case(world: World) -> ShowApprovals:
    return ShowApprovals(world.approvals, world.journal, world.clock)


def shown(world: World, approval: str) -> dict[str, Any]:
    return show_case(world).detail("acme", approval)


def listed(world: World, status: str = "open", **query: str) -> list[str]:
    return [one["status"] for one in show_case(world).list("acme", {"status": status, **query})["approvals"]]


def refused(run: Waiting, kind: type[Exception], **said: Any) -> Any:
    """Decide, be refused, and see that nothing has changed."""
    world = run.world
    before = (run.approvals, world.journal.load(run.key), list(world.machine.answered))
    try:
        world.decide(run.id, **said)
    except kind as error:
        assert (run.approvals, world.journal.load(run.key), list(world.machine.answered)) == before
        return error
    raise AssertionError("it was not refused")
