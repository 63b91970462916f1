"""Runs are told the prompt that their agent names: filled once, when they begin, and kept in their journal."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from stepward.domain.conversation import ModelReply, ModelRequest
from stepward.domain.errors import InvalidRequest, NotFound
from stepward.domain.journal import Created
from stepward.domain.prompts import PromptReference
from stepward.domain.runs import RunKey
from stepward.prompts.labels import PromptLabels
from tests.support.builders import an_agent_body
from tests.support.driver import Failing, World
from tests.support.memory_container import memory_container
from tests.support.prompts import ANN, point, register

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


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("support@prod", PromptReference("support", "prod")),
        ("support-2@1.10.0", PromptReference("support-2", "1.10.0")),
        ("Help.", None), ("support", None), ("support@", None), ("@prod", None), ("a@b@c", None), ("Ask support@prod", None),
        ("support@1.0", None), ("support@01.0.0", None), ("Support@prod", None), ("support@prod\n.", None), ("a@b.com", None),
    ],
)  # fmt: skip
def test_what_names_a_prompt_and_what_is_one(text: str, found: PromptReference | None) -> None:
    assert PromptReference.read(text) == found


def test_a_run_is_told_what_its_prompt_renders_to(world: World) -> None:
    world.register(an_agent_body(prompt="support@latest"))
    key = world.start(given={"customer": "Ann"})
    run = world.finish(key)
    assert run["status"] == "COMPLETED"
    assert told(world) == ["Hello Ann."]
    assert run["prompt"] == {"id": "support", "version": "1.0.0", "label": "latest"}
    assert world.events(key)[0]["data"]["prompt"] == run["prompt"]


def test_a_run_whose_agent_has_a_text_says_nothing_of_prompts(world: World) -> None:
    world.register(an_agent_body())
    key = world.start()
    assert "prompt" not in created(world, key).model_dump()
    assert "prompt" not in world.finish(key)
    assert told(world) == ["Help."]
    assert "prompt" not in world.events(key)[0]["data"]


def test_a_new_version_holds_for_the_next_start_and_not_for_a_run_under_way(world: World) -> None:
    world.register(an_agent_body(prompt="support@latest"))
    before = world.start()
    register(world.prompts, **SAYS_HELLO | {"version": "1.1.0", "template": "Bye {{ customer }}."})
    after = world.start()
    world.finish(before)
    world.finish(after)
    assert told(world) == ["Hello you.", "Bye you."]
    assert [world.show(key)["prompt"]["version"] for key in (before, after)] == ["1.0.0", "1.1.0"]


def test_a_label_and_its_rollback_hold_for_the_next_start(world: World) -> None:
    register(world.prompts, **SAYS_HELLO | {"version": "1.1.0", "template": "Bye {{ customer }}."})
    point(world.prompts, "prod", "1.0.0")
    world.register(an_agent_body(prompt="support@prod"))
    keys = [world.start()]
    point(world.prompts, "prod", "1.1.0")
    keys.append(world.start())
    PromptLabels(world.prompts, world.clock).roll_back(ANN, "support", "prod", {})
    keys.append(world.start())
    world.prompts.remove_prompt_label("acme", "support", "prod")
    for key in keys:
        world.finish(key)
    assert told(world) == ["Hello you.", "Bye you.", "Hello you."]
    with pytest.raises(NotFound, match="no label 'prod'"):
        world.start()


def test_each_turn_of_a_run_is_told_the_same(world: World) -> None:
    tools = [{"tool": "calculate"}]
    world.backend = None
    turns = [{"call": [{"tool": "calculate", "arguments": {"expression": "1 + 1"}}]}, {"say": "Done."}]
    world.register(an_agent_body(prompt="support@latest", tools=tools, rehearsal={"turns": turns}))
    key = world.start()
    register(world.prompts, **SAYS_HELLO | {"version": "2.0.0", "template": "Other."})
    assert world.finish(key)["prompt"]["version"] == "1.0.0"
    assert created(world, key).prompt.text == "Hello you."  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"customer": "Ann"}, "Ann helper Helper 1.0.0 Helps. house kind {\"customer\": \"Ann\"}"),
        ({"customer": "Ann", "house": "x", "agent_id": "x", "input": "x"}, None),
    ],
)  # fmt: skip
def test_where_values_come_from(world: World, given: Any, text: str | None) -> None:
    names = [
        "customer",
        "agent_id",
        "agent_name",
        "agent_version",
        "agent_description",
        "house",
        "tone",
        "input",
    ]
    template = " ".join(f"{{{{ {name} }}}}" for name in names)
    variables = {name: {"type": "string"} for name in names} | {"tone": {"default": "kind"}}
    register(world.prompts, id="all", template=template, variables=variables)
    body = an_agent_body(prompt="all@latest", prompt_variables={"house": "house"}, description="Helps.")
    world.register(body)
    world.finish(world.start(given=given))
    expected = (
        text
        or 'Ann helper Helper 1.0.0 Helps. house kind {"customer": "Ann", "house": "x", "agent_id": "x", "input": "x"}'
    )
    assert told(world) == [expected]


def test_a_text_input_is_the_variable_input(world: World) -> None:
    register(world.prompts, id="echo", template="{{ input }}!", variables={"input": {}})
    world.register(an_agent_body(prompt="echo@1.0.0"))
    key = world.start(given="hello")
    world.finish(key)
    assert told(world) == ["hello!"]
    assert world.show(key)["prompt"] == {"id": "echo", "version": "1.0.0"}


@pytest.mark.parametrize(
    ("given", "field", "said"),
    [
        ("hello", "variables.customer", "needs the variable 'customer'"),
        ({"customer": 3}, "variables.customer", "is string, not 3"),
        ({"customer": None}, "variables.customer", "is string, not null"),
        ({"customer": ""}, "template", "empty text"),
        ({"customer": "x" * 200_000}, "variables", "bytes"),
        ({"customer": "x" * 100_001}, "template", "100,000 characters"),
    ],
)
def test_a_start_whose_prompt_cannot_be_filled_starts_nothing(
    world: World, given: Any, field: str, said: str
) -> None:
    register(world.prompts, id="need", template="{{ customer }}", variables={"customer": {"type": "string"}})
    world.register(an_agent_body(prompt="need@latest"))
    with pytest.raises(InvalidRequest) as refused:
        world.start(given=given)
    assert refused.value.field == field
    assert said in refused.value.detail
    assert "agent 'helper'" in refused.value.detail
    assert refused.value.fix
    assert world.runtime.heads == {}
    assert not world.machine.started


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"prompt": "absent@latest"}, "prompt", "no prompt 'absent'"),
        ({"prompt": "support@9.9.9"}, "prompt", "no version 9.9.9"),
        ({"prompt": "support@prod"}, "prompt", "no label 'prod'"),
        ({"prompt_variables": {"custmer": "Ann"}}, "prompt_variables.custmer", "no variable"),
        ({"prompt_variables": {"customer": 3}}, "prompt_variables.customer", "is string, not 3"),
        ({"prompt": "Help.", "prompt_variables": {"customer": "Ann"}}, "body", "`prompt_variables` belong"),
    ],
)
def test_an_agent_that_names_what_is_not_there_is_refused(
    world: World, changed: dict[str, Any], field: str, said: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        world.register(an_agent_body(**{"prompt": "support@latest", **changed}))
    assert refused.value.field == field
    assert said in refused.value.detail
    assert refused.value.fix


def test_a_weighted_label_shares_runs_by_its_weights_and_keeps_each_one_s(world: World) -> None:
    register(world.prompts, **SAYS_HELLO | {"version": "1.1.0", "template": "Bye {{ customer }}."})
    point(world.prompts, "prod", ("1.0.0", 75), ("1.1.0", 25))
    agent = world_agent(world)
    filled = [world.fill("acme", agent, "hello", f"run_{n}") for n in range(2_000)]
    shares = Counter(one.version for one in filled if one)
    assert 0.70 < shares["1.0.0"] / 2_000 < 0.80
    assert filled == [world.fill("acme", agent, "hello", f"run_{n}") for n in range(2_000)]
    assert world.fill("acme", agent, "hello", None).version == "1.0.0"  # type: ignore[union-attr]


def world_agent(world: World) -> Any:
    world.register(an_agent_body(prompt="support@prod"))
    return world._definition("acme", "helper", "1.0.0")


def test_a_child_is_told_its_own_prompt(world: World) -> None:
    world.backend = None
    world.register(
        an_agent_body(id="researcher", prompt="support@latest", prompt_variables={"customer": "Bo"})
    )
    turns = [{"call": [{"tool": "ask_researcher", "arguments": {"input": "?"}}]}, {"say": "Done."}]
    run = world.run(an_agent_body(tools=[{"agent": "researcher"}], rehearsal={"turns": turns}))
    assert run["status"] == "COMPLETED"
    texts = [created(world, key).prompt for key in world.runtime.heads]
    assert sorted(one.text for one in texts if one) == ["Hello Bo."]


def test_an_estimate_counts_the_text_and_not_its_name(world: World) -> None:
    register(world.prompts, id="long", template="word " * 4_000, variables={})
    for name, prompt in (("short", "support@latest"), ("long", "long@latest")):
        world.register(an_agent_body(id=name, prompt=prompt))
    estimate = memory_container(world).costs.estimate_start
    tokens = [estimate("acme", name, {"input": "hello"}).least.input_tokens for name in ("short", "long")]
    assert tokens[1] > tokens[0] + 3_000
