"""The API of prompts over memory."""

from __future__ import annotations

import pytest

import functions.prompts_api.handler as function
from tests.support.driver import World
from tests.support.memory_container import memory_container
from tests.support.prompts_api import Api


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch, world: World) -> Api:
    monkeypatch.setattr(function, "container", memory_container(world))
    return Api()
