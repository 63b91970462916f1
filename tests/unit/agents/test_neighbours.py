"""Agents that would start each other without end are refused, with the circle named."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.agents.agent_references import check_references
from stepward.domain.agents import AgentDefinition
from stepward.domain.errors import InvalidRequest
from tests.support.builders import an_agent_body
from tests.unit.agents.life import Life


def asks(*agents: str) -> list[dict[str, Any]]:
    return [{"agent": agent} for agent in agents]


def hands(*agents: str) -> list[dict[str, Any]]:
    return [{"handoff": agent} for agent in agents]


def a_life(*names: str) -> Life:
    life = Life()
    for name in names:
        life.register(id=name)
    return life


def refused(life: Life, **changed: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as error:
        life.register(**changed)
    return error.value


def test_an_agent_that_asks_itself() -> None:
    error = refused(a_life(), id="aa", tools=asks("aa"))
    assert "aa → aa" in error.detail
    assert error.field == "tools.0.config.agent"


def test_a_circle_is_named_in_order() -> None:
    life = a_life("aa", "bb", "cc", "dd")
    life.register(id="bb", version="1.1.0", tools=asks("cc"))
    life.register(id="cc", version="1.1.0", dependencies=["dd"])
    life.register(id="dd", version="1.1.0", tools=asks("aa"))
    error = refused(life, id="aa", version="1.1.0", tools=[{"tool": "calculate"}, *asks("bb")])
    assert "aa → bb → cc → dd → aa" in error.detail
    assert error.field == "tools.1.config.agent"
    assert life.show("aa")["version"] == "1.0.0"


def test_agents_may_hand_over_in_a_circle_but_not_ask_on_the_way() -> None:
    life = a_life("aa", "bb")
    life.register(id="bb", version="1.1.0", tools=hands("aa"))
    life.register(id="aa", version="1.1.0", tools=hands("bb", "aa"))
    assert "aa → bb → aa" in refused(life, id="aa", version="1.2.0", tools=asks("bb")).detail


def test_a_team_is_followed_like_its_tools() -> None:
    life = a_life("aa", "bb", "cc")
    life.register(id="bb", version="1.1.0", team=[{"agent": "aa"}])
    members = [{"agent": "cc", "as": "handoff"}, {"agent": "bb"}]
    assert "aa → bb → aa" in refused(life, id="aa", version="1.1.0", team=members).detail


def test_a_version_that_does_not_lead_back_may_be_asked() -> None:
    life = a_life("aa", "bb")
    life.register(id="bb", version="1.1.0", tools=asks("aa"))
    old = {"tool": "agent", "name": "ask_bb", "config": {"agent": "bb", "version": "1.0.0"}}
    life.register(id="aa", version="1.1.0", tools=[old])


def test_a_circle_of_hand_overs_is_registered_one_after_the_other() -> None:
    life = Life()
    team = {"aa": "bb", "bb": "cc", "cc": "aa"}
    for agent, other in team.items():
        life.register(id=agent, team=[{"agent": other, "as": "handoff"}])
    assert [life.show(agent)["state"] for agent in team] == ["READY"] * 3


def test_a_circle_that_asks_on_the_way_is_found_whoever_comes_last() -> None:
    life = Life()
    life.register(id="aa", tools=hands("bb"))
    life.register(id="cc", tools=asks("aa"))
    assert "bb → cc → aa → bb" in refused(life, id="bb", tools=asks("cc")).detail


def test_whom_an_agent_hands_over_to_must_be_there_when_it_starts() -> None:
    life = a_life("cc")
    desk = AgentDefinition.model_validate(an_agent_body(id="desk", tools=[*hands("cc", "bb", "desk")]))
    life.register(id="desk", tools=hands("cc", "bb", "desk"))
    with pytest.raises(InvalidRequest, match=r"no agent 'bb'.*'desk' names") as error:
        check_references(life.registry, "acme", desk, rehearsed=True)
    assert error.value.field == "tools.1.config.agent"
    life.register(id="bb")
    check_references(life.registry, "acme", desk, rehearsed=True)


def test_who_has_ended_for_good_is_no_one_to_hand_over_to() -> None:
    life = a_life("bb")
    life.lifecycle.terminate("acme", "bb")
    assert "TERMINATED" in refused(life, id="aa", tools=hands("bb")).detail


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"tools": asks("nobody")}, "tools.0.config.agent"),
        ({"dependencies": ["nobody"]}, "dependencies.0"),
        ({"tools": [{"agent": "bb", "version": "9.0.0"}]}, "tools.0.config.agent"),
        ({"team": [{"agent": "bb"}, {"agent": "nobody"}]}, "tools.1.config.agent"),
    ],
)
def test_agents_that_are_not_there(changed: dict[str, Any], field: str) -> None:
    assert refused(a_life("bb"), **changed).field == field


def test_a_look_a_step_away_whatever_the_breadth() -> None:
    life = a_life(*(f"a{number}" for number in range(30)))
    life.register(id="a0", version="1.1.0", tools=asks("a1", "a2"))
    life.registry.calls.clear()
    life.register(id="boss", tools=asks(*(f"a{number}" for number in range(30))))
    assert life.registry.calls["read_agents"] == 1 + 2
