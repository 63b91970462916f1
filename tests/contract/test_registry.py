"""What every registry promises."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.errors import Conflict
from stepward.ports.registry import RegisteredAgent
from tests.builders import AT, an_agent


def a_registered(**changed: Any) -> RegisteredAgent:
    return RegisteredAgent(definition=an_agent(**changed), created_at=AT)


def test_a_version_comes_back_as_registered(ports: Any) -> None:
    ports.registry.register("acme", a_registered())
    assert ports.registry.agent("acme", "helper", "1.0.0") == a_registered()
    assert ports.registry.agent("acme", "helper") == a_registered()
    assert ports.registry.agent("other", "helper") is None
    assert ports.registry.agent("acme", "helper", "9.9.9") is None


def test_the_same_content_again_is_the_same_registration(ports: Any) -> None:
    first = ports.registry.register("acme", a_registered())
    again = ports.registry.register("acme", a_registered().model_copy(update={"created_at": "later"}))
    assert again == first


def test_a_version_never_changes(ports: Any) -> None:
    ports.registry.register("acme", a_registered())
    with pytest.raises(Conflict) as refused:
        ports.registry.register("acme", a_registered(prompt="Help otherwise."))
    assert refused.value.field == "version"


def test_latest_is_the_highest_version_whatever_the_order(ports: Any) -> None:
    for version in ("1.9.0", "1.10.0", "1.2.0"):
        ports.registry.register("acme", a_registered(version=version))
    assert ports.registry.agent("acme", "helper").definition.version == "1.10.0"
    assert ports.registry.agent("acme", "helper", "1.2.0").definition.version == "1.2.0"


def test_an_older_version_never_changes_either(ports: Any) -> None:
    ports.registry.register("acme", a_registered(version="2.0.0"))
    ports.registry.register("acme", a_registered(version="1.0.0"))
    with pytest.raises(Conflict):
        ports.registry.register("acme", a_registered(version="1.0.0", prompt="Otherwise."))


def test_agents_are_listed_by_id_in_pages(ports: Any) -> None:
    for name in ("cc", "aa", "ee", "bb", "dd"):
        ports.registry.register("acme", a_registered(id=name))
    ports.registry.register("other", a_registered(id="zz"))
    first = ports.registry.list_agents("acme", limit=3, cursor=None)
    second = ports.registry.list_agents("acme", limit=3, cursor=first.cursor)
    assert [a.id for a in first.agents] == ["aa", "bb", "cc"]
    assert [a.id for a in second.agents] == ["dd", "ee"]
    assert second.cursor is None
