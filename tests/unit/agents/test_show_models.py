"""What `GET /models` shows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stepward.adapters.memory.costs import MemoryPrices
from stepward.adapters.memory.small_ports import StillClock
from stepward.agents.costs import ShowModels, TenantPrices
from stepward.domain.errors import InvalidRequest, NotFound

PRICE = {"input_usd_per_mtok": "1", "output_usd_per_mtok": 2, "source": "our contract", "as_of": "2026-11-01"}


@pytest.fixture
def store() -> MemoryPrices:
    return MemoryPrices()


@pytest.fixture
def show(store: MemoryPrices) -> ShowModels:
    return ShowModels(store, StillClock(datetime(2026, 11, 30, tzinfo=UTC)))


def test_an_alias_shows_its_model(show: ShowModels) -> None:
    shown = show.one("acme", "fast")
    assert (shown["id"], shown["aliases"], shown["status"]) == ("claude-haiku-5-5", ["fast"], "active")
    assert shown["price"]["long_context"]["cache_write_1h_usd_per_mtok"] == "1"
    assert shown["price_agreed"] is False


def test_the_day_decides_what_is_told_of_an_end(show: ShowModels) -> None:
    status = {one["id"]: one["status"] for one in show.list("acme")["models"]}
    assert status["claude-sonnet-4-5"] == "ended"
    assert status["gpt-5"] == "ends_soon"
    assert status["gpt-5.1"] == "active"


@pytest.mark.parametrize("name", ["vllm/llama", "vllm/meta/llama-4:8b", "our-own"])
def test_a_model_of_ones_own_is_shown_to_whom_it_belongs(
    show: ShowModels, store: MemoryPrices, name: str
) -> None:
    TenantPrices(store).put("acme", name, PRICE)
    shown = show.one("acme", name)
    assert (shown["id"], shown["price_agreed"]) == (name, True)
    assert shown["provider"] == name.rpartition("/")[0].partition("/")[0]
    assert name in [one["id"] for one in show.list("acme")["models"]]
    with pytest.raises(NotFound):
        show.one("other", name)
    TenantPrices(store).remove("acme", name)
    with pytest.raises(NotFound):
        show.one("acme", name)


@pytest.mark.parametrize(
    "name", ["/llama", "vllm/", "vllm//llama", "vllm/../x", "../x", "a/.b", "a%2Fb", "a/" + "b" * 118]
)
def test_what_could_be_another_path_is_no_id(store: MemoryPrices, name: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        TenantPrices(store).put("acme", name, PRICE)
    assert refused.value.field == "model"


def test_an_unknown_model_is_named_with_the_nearest(show: ShowModels) -> None:
    with pytest.raises(NotFound) as refused:
        show.one("acme", "claude-opus-5.5")
    assert "did you mean 'claude-opus-5-5'" in str(refused.value.fix)
