"""What every registry promises."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.agent_records import (
    AgentFilter,
    AgentRecord,
    AgentSummary,
    Label,
    Refusal,
    RegisteredAgent,
    summary,
)
from stepward.domain.errors import Conflict, StoreConflict
from stepward.domain.lifecycle import AgentState
from stepward.ports.registry import AgentRef
from tests.support.builders import AT, an_agent

UID = "AGENT-20260101-000000-0001-A1B2"


def a_registered(**changed: Any) -> RegisteredAgent:
    return RegisteredAgent(definition=an_agent(**changed), created_at=AT)


def a_record(ports: Any, agent: str = "helper", **changed: Any) -> AgentRecord:
    fields = {"id": agent, "name": "Helper", "model": "balanced", "description": "", "created_at": AT}
    uid = f"AGENT-20260101-000000-{ports.registry.next_number('acme', '20260101'):04d}-A1B2"
    shown = AgentSummary(**fields, uid=uid, state=AgentState.VALIDATED, **changed)
    record: AgentRecord = ports.registry.create("acme", AgentRecord(summary=shown))
    return record


def the_record(ports: Any, agent: str = "helper") -> AgentRecord:
    record = ports.registry.read_agents("acme", [AgentRef(agent)])[0].record
    assert record is not None
    return record


def keep(ports: Any, **changed: Any) -> RegisteredAgent:
    agent = a_registered(**changed)
    seen = ports.registry.read_agents("acme", [AgentRef(agent.definition.id)])[0]
    record = seen.record or a_record(ports, agent.definition.id)
    kept: RegisteredAgent = ports.registry.keep("acme", record, agent)
    return kept


def test_a_version_comes_back_as_registered(ports: Any) -> None:
    keep(ports)
    assert ports.registry.agent("acme", "helper", "1.0.0") == a_registered()
    assert ports.registry.agent("acme", "helper") == a_registered()
    assert ports.registry.agent("other", "helper") is None
    assert ports.registry.agent("acme", "helper", "9.9.9") is None


def test_the_same_content_again_is_the_same_registration(ports: Any) -> None:
    first = keep(ports)
    later = a_registered().model_copy(update={"created_at": "later"})
    assert ports.registry.keep("acme", the_record(ports), later) == first


def test_a_version_never_changes(ports: Any) -> None:
    keep(ports)
    with pytest.raises(Conflict) as refused:
        keep(ports, prompt="Help otherwise.")
    assert refused.value.field == "version"


def test_latest_is_the_highest_version_whatever_the_order(ports: Any) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        keep(ports, version=version)
    assert ports.registry.agent("acme", "helper").definition.version == "1.10.0"
    assert ports.registry.agent("acme", "helper", "1.2.0").definition.version == "1.2.0"
    assert the_record(ports).summary.version == "1.10.0"


def test_an_older_version_never_changes_either(ports: Any) -> None:
    keep(ports, version="2.0.0")
    keep(ports, version="1.0.0")
    with pytest.raises(Conflict):
        keep(ports, version="1.0.0", prompt="Otherwise.")


def test_an_agent_is_created_once(ports: Any) -> None:
    first = a_record(ports)
    assert a_record(ports).summary.uid == first.summary.uid
    assert ports.registry.id_of("acme", first.summary.uid) == "helper"
    assert ports.registry.id_of("other", first.summary.uid) is None


def test_numbers_count_up_for_a_tenant_and_a_day(ports: Any) -> None:
    asked = [("acme", "20260101"), ("acme", "20260101"), ("acme", "20260102"), ("other", "20260101")]
    assert [ports.registry.next_number(*one) for one in asked] == [1, 2, 1, 1]


def test_a_change_over_an_old_revision_is_refused(ports: Any) -> None:
    read = a_record(ports)
    assert ports.registry.change("acme", read).rev == read.rev + 1
    for change in (ports.registry.change, ports.registry.terminate):
        with pytest.raises(StoreConflict):
            change("acme", read)
    with pytest.raises(StoreConflict):
        ports.registry.refuse("acme", read, an_agent())
    with pytest.raises(StoreConflict):
        ports.registry.keep("acme", read, a_registered())
    assert ports.registry.agent("acme", "helper") is None
    assert ports.registry.offered("acme", "helper") is None


def test_what_was_refused_is_kept_until_a_version_passes(ports: Any) -> None:
    why = Refusal(version="1.0.0", to=AgentState.READY, detail="no", field="tools", at=AT)
    record = a_record(ports).model_copy(update={"refusal": why})
    ports.registry.refuse("acme", record, an_agent())
    assert ports.registry.offered("acme", "helper") == an_agent()
    assert the_record(ports).refusal == why
    keep(ports)
    assert ports.registry.offered("acme", "helper") is None
    assert the_record(ports).refusal is None
    assert the_record(ports).state is AgentState.READY


def test_a_look_sees_agents_with_their_versions(ports: Any) -> None:
    keep(ports)
    keep(ports, id="other", version="2.0.0")
    wanted = [AgentRef("other"), AgentRef("nobody"), AgentRef("helper", "1.0.0"), AgentRef("helper", "7.0.0")]
    other, nobody, helper, missing = ports.registry.read_agents("acme", wanted)
    assert other.version.definition.version == "2.0.0"
    assert (nobody.record, nobody.version) == (None, None)
    assert helper.version == a_registered()
    assert (missing.record is not None, missing.version) == (True, None)
    assert summary(helper.version, helper.record).uid == helper.record.summary.uid


def test_agents_are_listed_by_id_in_pages(ports: Any) -> None:
    for name in ("cc", "aa", "ee", "bb", "dd"):
        keep(ports, id=name)
    a_record(ports, "ab")
    first = ports.registry.list_agents("acme", limit=3, cursor=None)
    second = ports.registry.list_agents("acme", limit=3, cursor=first.cursor)
    assert [a.id for a in first.agents] == ["aa", "bb", "cc"]
    assert [a.id for a in second.agents] == ["dd", "ee"]
    assert second.cursor is None
    assert ports.registry.list_agents("other", limit=3, cursor=None).agents == []


WORDS = {
    "aa": {"capabilities": ["API_INTEGRATION"], "module": "finance", "tags": ["eu", "beta"]},
    "bb": {"capabilities": ["API_INTEGRATION", "TEXT_PROCESSING"], "category": "Support"},
    "cc": {"module": "finance", "tags": ["eu"]},
}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"capability": "API_INTEGRATION"}, ["aa", "bb"]),
        ({"capability": "TEXT_PROCESSING"}, ["bb"]),
        ({"module": "finance"}, ["aa", "cc"]),
        ({"category": "Support"}, ["bb"]),
        ({"tag": "eu"}, ["aa", "cc"]),
        ({"tag": "eu", "capability": "API_INTEGRATION"}, ["aa"]),
        ({"module": "finance", "capability": "TEXT_PROCESSING"}, []),
        ({"state": "TERMINATED"}, ["dd"]),
        ({"state": "TERMINATED", "tag": "eu"}, ["dd"]),
        ({"state": "TERMINATED", "module": "sales"}, []),
        ({"state": "VALIDATED"}, ["ee"]),
        ({}, ["aa", "bb", "cc"]),
    ],
)
def test_agents_are_found_by_words_and_state(ports: Any, wanted: dict[str, Any], found: list[str]) -> None:
    for name, words in WORDS.items():
        keep(ports, id=name, **words)
    keep(ports, id="dd", tags=["eu"])
    gone = the_record(ports, "dd").summary.model_copy(update={"state": AgentState.TERMINATED})
    ports.registry.terminate("acme", the_record(ports, "dd").model_copy(update={"summary": gone}))
    a_record(ports, "ee", tags=["eu"])
    page = ports.registry.list_agents("acme", limit=10, cursor=None, wanted=AgentFilter(**wanted))
    assert [agent.id for agent in page.agents] == found
    assert page.cursor is None


def test_a_newer_version_moves_the_agent_to_its_own_words(ports: Any) -> None:
    keep(ports, tags=["old", "both"])
    keep(ports, version="1.1.0", tags=["new", "both"])
    keep(ports, version="1.0.1", tags=["never"])
    found = {
        tag: [
            agent.version
            for agent in ports.registry.list_agents(
                "acme", limit=9, cursor=None, wanted=AgentFilter(tag=tag)
            ).agents
        ]
        for tag in ("old", "both", "new", "never")
    }
    assert found == {"old": [], "both": ["1.1.0"], "new": ["1.1.0"], "never": []}


def test_narrowed_lists_have_pages_too(ports: Any) -> None:
    for name in ("aa", "bb", "cc"):
        keep(ports, id=name, tags=["eu"], module="finance")
    wanted = AgentFilter(tag="eu", module="finance")
    first = ports.registry.list_agents("acme", limit=2, cursor=None, wanted=wanted)
    second = ports.registry.list_agents("acme", limit=2, cursor=first.cursor, wanted=wanted)
    assert [[agent.id for agent in page.agents] for page in (first, second)] == [["aa", "bb"], ["cc"]]


def test_a_label_is_a_version_by_another_name(ports: Any) -> None:
    old = keep(ports)
    keep(ports, version="2.0.0")
    ports.registry.set_label("acme", Label(label="prod", version="1.0.0", set_at=AT), old)
    assert ports.registry.agent("acme", "helper", "prod") == old
    assert ports.registry.read_agents("acme", [AgentRef("helper", "prod")])[0].version == old
    assert [one.label for one in ports.registry.labels("acme", "helper")] == ["latest", "prod"]
    assert ports.registry.remove_label("acme", "helper", "prod")
    assert not ports.registry.remove_label("acme", "helper", "prod")
    assert ports.registry.agent("acme", "helper", "prod") is None
