"""Runs are told the prompt that their agent names: filled once, when they begin, and kept in their journal."""

from __future__ import annotations

import pytest

from stepward.agents.fork import ForkRun
from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.journal import Created, Inherited, Results
from stepward.domain.runs import RunKey
from tests.support.builders import an_agent_body
from tests.support.driver import ACME, Failing, World
from tests.support.prompts import point, register

SAYS_HELLO = {"template": "Hello {{ customer }}.", "variables": {"customer": {"default": "you"}}}


class Listening(Failing):
    """A model that remembers what it was told, and answers in turn."""

    def __init__(self, *replies: ModelReply) -> None:
        super().__init__(AssertionError())
        self.told: list[str] = []
        self.replies = list(replies)

    def reply(self, request: ModelRequest, call: object = None) -> ModelReply:
        self.told.append(request.prompt)
        return self.replies.pop(0) if self.replies else ModelReply(text="Done.")


@pytest.fixture
def world() -> World:
    world = World(backend=Listening())
    register(world.prompts, **SAYS_HELLO)
    return world


def told(world: World) -> list[str]:
    return world.backend.told


def created(world: World, key: RunKey) -> Created:
    first = world.journal.load(key).records[0].record
    assert isinstance(first, Created)
    return first


def test_a_fork_is_told_what_its_source_was_told(world: World) -> None:
    key, world.backend = sums(world), None
    register(world.prompts, **SAYS_HELLO | {"version": "2.0.0", "template": "Other."})
    forked = ForkRun(world.starter, world._definition, lambda _: {})(ACME, key.run, {"turn": 1}, None)[0].key
    inherited = world.journal.load(forked).records[1].record
    assert isinstance(inherited, Inherited)
    assert created(world, forked).prompt == created(world, key).prompt == inherited.prompt
    world.backend = Listening()
    world.finish(forked)
    assert told(world) == ["Hello you."]


@pytest.mark.parametrize(
    ("prompt", "text"),
    [("Otherwise.", "Otherwise."), ("support@latest", "Other."), ("support@1.0.0", "Hello you.")],
)
def test_a_fork_may_be_told_something_else(world: World, prompt: str, text: str) -> None:
    key = sums(world)
    register(world.prompts, **SAYS_HELLO | {"version": "2.0.0", "template": "Other."})
    case = ForkRun(world.starter, world._definition, lambda _: {})
    forked = case(ACME, key.run, {"turn": 1, "prompt": prompt}, None)[0].key
    world.backend = Listening()
    world.finish(forked)
    assert told(world) == [text]


def sums(world: World) -> RunKey:
    world.backend = None
    turns = [{"call": [{"tool": "calculate", "arguments": {"expression": "1 + 1"}}]}, {"say": "Done."}]
    body = an_agent_body(prompt="support@latest", tools=[{"tool": "calculate"}], rehearsal={"turns": turns})
    world.register(body)
    key = world.start()
    world.finish(key)
    return key


def test_who_takes_a_run_over_is_told_its_own_prompt_and_keeps_it(world: World) -> None:
    world.backend = None
    desk = {"tools": [{"handoff": "clerk"}], "prompt": "support@latest"}
    to_clerk = {"call": [{"tool": "transfer_to_clerk"}]}
    to_desk = {"call": [{"tool": "transfer_to_desk"}]}
    world.register(an_agent_body(id="desk", rehearsal={"turns": [to_clerk, {"say": "Back."}]}, **desk))
    clerk = {
        "tools": [{"handoff": "desk"}],
        "prompt": "support@1.0.0",
        "prompt_variables": {"customer": "clerk"},
    }
    world.register(an_agent_body(id="clerk", rehearsal={"turns": [to_desk]}, **clerk))
    key = world.start("desk")
    answer = world.advance(key)
    register(world.prompts, **SAYS_HELLO | {"version": "2.0.0", "template": "Other."})
    assert answer.next == "done" or world.finish(key)
    handed = [
        item.record.handed_over
        for item in world.journal.load(key).records
        if isinstance(item.record, Results) and item.record.handed_over
    ]
    assert [(one.agent, one.prompt.text) for one in handed if one.prompt] == [
        ("clerk", "Hello clerk."), ("desk", "Hello you."),
    ]  # fmt: skip
    shown = [event["data"] for event in world.events(key) if event["type"] == "agent.run.handed_over"]
    assert [one["prompt"] for one in shown] == [
        {"id": "support", "version": "1.0.0"}, {"id": "support", "version": "1.0.0", "label": "latest"},
    ]  # fmt: skip


def test_a_hand_over_to_a_prompt_that_cannot_be_filled_fails_as_a_call(world: World) -> None:
    world.backend = None
    register(world.prompts, id="need", template="{{ customer }}", variables={"customer": {}})
    world.register(an_agent_body(id="clerk", prompt="need@latest"))
    turns = [{"call": [{"tool": "transfer_to_clerk"}]}, {"say": "{% $last.transfer_to_clerk.error %}"}]
    run = world.run(an_agent_body(tools=[{"handoff": "clerk"}], rehearsal={"turns": turns}))
    assert run["status"] == "COMPLETED"
    assert world.journal.load(RunKey(tenant="acme", run=run["id"])).records[3].record.kind == "results"


def test_what_runs_came_to_is_counted_by_label_and_version(world: World) -> None:
    world.backend = None
    register(world.prompts, **SAYS_HELLO | {"version": "1.1.0", "template": "Bye."})
    point(world.prompts, "prod", "1.0.0")
    world.register(an_agent_body(prompt="support@prod"))
    world.finish(world.start())
    point(world.prompts, "prod", "1.1.0")
    costs = [world.finish(world.start())["totals"]["cost_usd_micros"] for _ in range(2)]
    cancelled = world.start()
    world.cancel(cancelled)
    world.register(an_agent_body(id="plain"))
    world.finish(world.start("plain"))
    counted = world.runtime.prompt_counts.arms("acme", "support")
    assert [(one.label, one.version, one.runs, one.completed, one.rehearsed) for one in counted] == [
        ("prod", "1.0.0", 1, 1, 1), ("prod", "1.1.0", 3, 2, 3),
    ]  # fmt: skip
    assert counted[1].cost_usd_micros == sum(costs) > 0


def test_waiting_is_no_active_time(world: World) -> None:
    world.backend = None
    turns = [{"call": [{"tool": "ask_person", "arguments": {"question": "Well?"}}]}, {"say": "Done."}]
    body = an_agent_body(prompt="support@latest", tools=[{"tool": "ask_person"}], rehearsal={"turns": turns})
    world.register(body)
    key = world.start()
    world.clock.forward(2)
    answer = world.advance(key)
    wait = (answer.waits or [])[0]
    world.wait(key, answer, wait.call)
    world.clock.forward(500)
    world.cancel(key)
    (counted,) = world.runtime.prompt_counts.arms("acme", "support")
    assert counted.active_ms == 2_000
