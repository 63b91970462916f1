"""An agent walks its life edge by edge; what fails a check stays where it is and says why."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.adapters.memory.registry import MemoryRegistry
from stepward.domain.agent_records import AgentRecord
from stepward.domain.errors import Conflict, InvalidRequest, NotFound, StoreConflict
from stepward.domain.runs import RunKey
from tests.support.builders import an_agent_body
from tests.support.driver import World
from tests.unit.agents.life import Life

TELEPORT = [{"tool": "teleport"}]
REFUSED_AT: list[tuple[dict[str, Any], str, str]] = [
    ({"rehearsal": {"turns": [{"say": "{% $input. %}"}]}}, "CREATED", "rehearsal.turns.0.say"),
    ({"tools": TELEPORT}, "INITIALIZING", "tools.0.tool"),
    ({"model": "gpt-nothing"}, "INITIALIZING", "model"),
    ({"dependencies": ["nobody"]}, "VALIDATING", "dependencies.0"),
]


def refused(life: Life, **changed: Any) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as error:
        life.register(**changed)
    return error.value


def test_a_first_version_makes_an_agent_ready() -> None:
    life = Life()
    agent = life.register(tags=["eu"], priority=9)
    assert (agent.state, agent.version, agent.uid) == ("READY", "1.0.0", "AGENT-20260101-000000-0001-A1B2")
    shown = life.show()
    assert (shown["state"], shown["view"], shown["tags"], shown["priority"]) == ("READY", "READY", ["eu"], 9)
    assert shown["may_go_to"] == ["EXECUTING", "TERMINATED"]
    assert shown["agent"]["id"] == "helper"


def test_what_registrations_cost_the_registry() -> None:
    life = Life()
    life.register()
    assert life.registry.calls == {"read_agents": 1, "next_number": 1, "create": 1, "change": 3, "keep": 1}
    life.registry.calls.clear()
    life.register(version="1.1.0")
    assert life.registry.calls == {"read_agents": 1, "keep": 1}
    life.registry.calls.clear()
    life.register(version="1.1.0")
    assert life.registry.calls == {"read_agents": 1}


@pytest.mark.parametrize(("changed", "state", "field"), REFUSED_AT)
def test_a_failed_check_leaves_the_agent_where_it_is(changed: dict[str, Any], state: str, field: str) -> None:
    life = Life()
    assert refused(life, **changed).field == field
    shown = life.show()
    assert (shown["state"], shown["version"], shown["agent"]) == (state, None, None)
    assert (shown["refusal"]["field"], shown["refusal"]["version"]) == (field, "1.0.0")
    assert life.lists("acme", {}) == {"agents": [], "next_cursor": None}
    assert [one["id"] for one in life.lists("acme", {"state": state})["agents"]] == ["helper"]
    with pytest.raises(Conflict, match=f"is {state}, not READY"):
        life.world.start()


@pytest.mark.parametrize(("changed", "state", "field"), REFUSED_AT)
def test_a_mended_definition_goes_on_from_there(changed: dict[str, Any], state: str, field: str) -> None:
    life = Life()
    refused(life, **changed)
    uid = life.show()["uid"]
    assert life.register(name="Mended").uid == uid
    assert (life.show()["state"], life.show()["refusal"], life.show()["name"]) == ("READY", None, "Mended")


def test_a_refused_version_does_not_interrupt_a_ready_agent() -> None:
    life = Life()
    life.register()
    assert refused(life, version="1.1.0", tools=TELEPORT).field == "tools.0.tool"
    shown = life.show()
    assert (shown["state"], shown["version"], shown["refusal"]["version"]) == ("READY", "1.0.0", "1.1.0")
    life.world.start()
    life.register(version="1.1.1")
    assert life.show()["refusal"] is None


def test_what_cannot_be_read_creates_nothing() -> None:
    life = Life()
    refused(life, prompt="")
    with pytest.raises(NotFound):
        life.show()


def test_a_dependency_that_came_later_is_met_by_steps_by_hand() -> None:
    life = Life()
    refused(life, dependencies=["other"])
    with pytest.raises(InvalidRequest):
        life.move("VALIDATED")
    life.register(id="other")
    assert life.move("VALIDATED")["state"] == "VALIDATED"
    assert life.move("READY")["state"] == "READY"
    assert life.show()["agent"]["dependencies"] == ["other"]
    life.world.start()


def test_a_step_that_is_not_there_names_those_that_are() -> None:
    life = Life()
    refused(life, tools=TELEPORT)
    for to in ("READY", "VALIDATED", "CREATED", "EXECUTING"):
        with pytest.raises(Conflict) as error:
            life.move(to)
        assert "VALIDATING, TERMINATED" in str(error.value.fix)
    with pytest.raises(InvalidRequest):
        life.move("SLEEPING")


def test_a_run_is_what_makes_an_agent_executing() -> None:
    life = Life()
    life.register()
    with pytest.raises(Conflict, match="follows from runs"):
        life.move("EXECUTING")
    key = life.world.start()
    assert life.show()["view"] == "EXECUTING"
    with pytest.raises(Conflict, match="follows from runs"):
        life.move("COMPLETED")
    life.world.finish(key)
    assert (life.show()["view"], life.show()["state"]) == ("COMPLETED", "READY")
    assert life.move("READY")["view"] == "READY"
    assert life.show()["view"] == "READY"


def test_an_end_is_for_good_and_lets_runs_go_on() -> None:
    life = Life()
    life.register(tags=["eu"])
    key = life.world.start()
    assert life.end()["state"] == "TERMINATED"
    assert life.end()["state"] == "TERMINATED"
    assert life.world.finish(key)["status"] == "COMPLETED"
    with pytest.raises(Conflict, match="is TERMINATED"):
        life.world.start()
    with pytest.raises(Conflict, match="is TERMINATED"):
        life.register(version="2.0.0")
    assert life.lists("acme", {"tag": "eu"})["agents"] == []
    assert life.show()["may_go_to"] == []
    with pytest.raises(Conflict, match="does not go from TERMINATED"):
        life.move("READY")


def test_an_agent_that_was_never_ready_may_end_too() -> None:
    life = Life()
    refused(life, tools=TELEPORT)
    assert life.move("TERMINATED")["state"] == "TERMINATED"


def test_an_agent_that_depends_on_one_that_ended_is_refused() -> None:
    life = Life()
    life.register(id="other")
    life.end("other")
    assert "TERMINATED, not READY" in refused(life, dependencies=["other"]).detail


def test_the_id_for_life_names_the_agent_everywhere() -> None:
    life = Life()
    uid = str(life.register().uid)
    assert life.show(uid)["id"] == "helper"
    assert life.world.start(uid).run
    assert life.labels.list("acme", uid)["id"] == "helper"
    assert life.end(uid)["state"] == "TERMINATED"
    with pytest.raises(NotFound):
        life.show(uid.replace("A1B2", "FFFF"))
    with pytest.raises(NotFound):
        Life().show(uid)


def test_agents_of_a_day_are_numbered() -> None:
    life = Life()
    numbers = [str(life.register(id=name).uid).split("-")[3] for name in ("aa", "bb", "cc")]
    assert numbers == ["0001", "0002", "0003"]


class Interrupted(MemoryRegistry):
    """Somebody else changes the agent in the middle of the first walk."""

    interruptions = 1

    def change(self, tenant: str, record: AgentRecord) -> AgentRecord:
        if self.interruptions:
            self.interruptions -= 1
            super().change(tenant, record)
        return super().change(tenant, record)


def test_two_that_register_at_once_both_get_there() -> None:
    world = World(registry=Interrupted())
    life = Life(world)
    assert life.register().state == "READY"
    assert life.show()["uid"] == "AGENT-20260101-000000-0001-A1B2"


class Contended(MemoryRegistry):
    """Somebody else is always quicker."""

    def change(self, tenant: str, record: AgentRecord) -> AgentRecord:
        raise StoreConflict("changed since it was read")


def test_a_change_that_never_succeeds_is_told_as_one_to_try_again() -> None:
    with pytest.raises(StoreConflict):
        Life(World(registry=Contended())).register()


def test_a_view_cannot_be_listed_by_and_unknown_words_are_named() -> None:
    life = Life()
    for query, field in [({"state": "EXECUTING"}, "state"), ({"tga": "x"}, "tga"), ({"tag": "a#b"}, "tag")]:
        with pytest.raises(InvalidRequest) as error:
            life.lists("acme", query)
        assert error.value.field == field


def test_the_same_version_again_is_no_news() -> None:
    life = Life()
    body = an_agent_body(llm_backend="anthropic")
    assert life.lifecycle.register("acme", body)[1]
    assert not life.lifecycle.register("acme", body)[1]
    assert not life.lifecycle.register("acme", an_agent_body())[1]


def test_nothing_is_handed_over_to_an_agent_that_ended() -> None:
    life = Life()
    life.register(id="other")
    turns = [{"call": [{"tool": "transfer_to_other", "arguments": {}}]}, {"say": "I stay."}]
    life.register(tools=[{"handoff": "other"}], rehearsal={"turns": turns})
    life.end("other")
    shown = life.world.finish(life.world.start())
    assert (shown["agent"], shown["status"]) == ("helper", "COMPLETED")
    events = [event["data"] for event in life.world.events(RunKey(tenant="acme", run=shown["id"]))]
    assert "agent 'other' is TERMINATED." in str(events)
