"""Agents that ask real models: real Lambda processes, the official SDKs, and a provider on loopback."""

from __future__ import annotations

import json
import os
import signal
import uuid
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from infra.local.bench.kills.killer import Kill, killing
from infra.local.laptop import Laptop
from stepward.testing.fake_llm import FakeProvider
from tests.local.patience import wait_for
from tests.support.attached_files import a_png
from tests.support.builders import an_agent_body

PLANTED = "sk-ant-planted-0123456789"
ANSWER = {"text": "It is 42.", "usage": {"input_tokens": 1_000, "output_tokens": 100}}
PNG = a_png()
CALL = {"calls": [{"tool": "calculate", "arguments": {"expression": "6 * 7"}}]}


@pytest.fixture(scope="module", autouse=True)
def _key(laptop: Laptop) -> None:
    pool = {"keys": [{"id": "one", "value": PLANTED}]}
    laptop.client("secretsmanager").create_secret(
        Name="stepward/laptop/providers/anthropic/shared", SecretString=json.dumps(pool)
    )


@pytest.fixture(autouse=True)
def _told(models: FakeProvider) -> Iterator[None]:
    models.script(CALL, ANSWER)
    yield
    models.quiet()


@pytest.fixture
def agent(api: httpx2.Client) -> str:
    body = an_agent_body(id="asks-claude", model="claude-sonnet-5-5", tools=[{"tool": "calculate"}])
    del body["rehearsal"]
    assert api.post("/agents", json=body).status_code in (200, 201)
    return "asks-claude"


def start(api: httpx2.Client, agent: str, wait: int = 0, **more: Any) -> dict[str, Any]:
    answer = api.post(
        f"/agents/{agent}/runs", params={"wait": wait}, json={"input": "What is 6 * 7?", **more}
    )
    assert answer.status_code in (200, 202), answer.text
    found: dict[str, Any] = answer.json()
    return found


def ended(api: httpx2.Client, run: str) -> dict[str, Any] | None:
    found: dict[str, Any] = api.get(f"/runs/{run}").json()
    return found if found["ended_at"] else None


def test_an_agent_asks_its_model_and_pays_for_it(
    api: httpx2.Client, agent: str, models: FakeProvider
) -> None:
    run = start(api, agent, wait=25)
    assert (run["status"], run["output"], run["rehearsed"]) == ("COMPLETED", "It is 42.", False)
    assert run["answered_by"] == "claude-sonnet-5-5"
    assert run["totals"]["turns"] == 2
    assert run["totals"]["cost_usd_micros"] > 1_000 * 2 + 100 * 10
    costs = api.get("/costs", params={"by": "model"}).json()
    assert "claude-sonnet-5-5" in str(costs)
    events = api.get(f"/runs/{run['id']}/events").json()["events"]
    assert PLANTED not in str(events) + str(run)


@pytest.mark.parametrize(("when", "write"), [("before", 3), ("after", 3), ("before", 2)])
def test_a_process_that_dies_around_a_write_is_paid_for_and_the_run_ends_right(
    laptop: Laptop, api: httpx2.Client, agent: str, models: FakeProvider, when: Any, write: int
) -> None:
    with killing(laptop, Kill("model", when, write)) as killer:
        run = start(api, agent)["id"]
        found = wait_for(lambda: ended(api, run), 60)
    assert killer.killed is not None
    assert (found["status"], found["output"]) == ("COMPLETED", "It is 42.")


def test_a_process_that_dies_in_a_stream_loses_one_reply_and_both_are_booked(
    laptop: Laptop, api: httpx2.Client, agent: str, models: FakeProvider
) -> None:
    slow = {"text": "word " * 500, "fault": {"name": "slow", "seconds": 0.1}}
    models.script(slow, ANSWER)
    before = len(models.requests)
    run = start(api, agent)["id"]
    assert models.wait_until(lambda found: len(found) > before and found[-1].events_sent > 3, 30)
    for pid in laptop.executor.pids_of("agent_advance"):
        os.kill(pid, signal.SIGKILL)
    found = wait_for(lambda: ended(api, run), 60)
    assert (found["status"], found["output"]) == ("COMPLETED", "It is 42.")
    assert len(models.requests) == before + 2
    answer_usd_micros = 1_000 * 2 + 100 * 10
    assert found["totals"]["cost_usd_micros"] > answer_usd_micros
    assert found["totals"]["turns"] == 1


def test_a_cancel_stops_the_stream_and_books_what_came(
    laptop: Laptop, api: httpx2.Client, agent: str, models: FakeProvider
) -> None:
    models.script({"text": "word " * 1_000, "fault": {"name": "slow", "seconds": 0.1}})
    before = len(models.requests)
    run = start(api, agent)["id"]
    assert models.wait_until(lambda found: len(found) > before and found[-1].events_sent > 3, 30)
    assert api.post(f"/runs/{run}/cancel").status_code == 202
    assert models.wait_until(lambda found: found[-1].disconnected, 30)
    found = wait_for(lambda: ended(api, run), 60)
    assert found["status"] == "CANCELLED"
    wait_for(lambda: api.get(f"/runs/{run}").json()["totals"]["output_tokens"] or None, 30)


@pytest.mark.parametrize(
    ("fault", "code"), [("401", "KeyRefused"), ("400", "ProviderRefused"), ("413", "ContextTooLong")]
)
def test_what_no_waiting_mends_ends_the_run_and_says_who_must_act(
    api: httpx2.Client, agent: str, models: FakeProvider, fault: str, code: str
) -> None:
    models.fault(fault, times=2)
    run = start(api, agent, wait=25)
    assert (run["status"], run["error"]["code"]) == ("FAILED", code)
    assert run["totals"]["cost_usd_micros"] == 0
    assert PLANTED[-8:] not in str(run)


def test_a_provider_that_is_busy_is_asked_again(api: httpx2.Client, agent: str, models: FakeProvider) -> None:
    models.fault("529", times=1)
    models.fault("cut", times=1)
    run = start(api, agent)["id"]
    found = wait_for(lambda: ended(api, run), 60)
    assert (found["status"], found["output"]) == ("COMPLETED", "It is 42.")


def test_a_model_is_shown_the_files_that_the_start_names(
    api: httpx2.Client, agent: str, models: FakeProvider
) -> None:
    assert api.put("/data/photos/one.png", content=PNG).status_code in (200, 201)
    models.script(ANSWER)
    before = len(models.requests)
    run = start(api, agent, wait=25, attachments=["photos/one.png"])
    assert (run["status"], run["output"]) == ("COMPLETED", "It is 42.")
    assert [one["key"] for one in run["attachments"]] == ["photos/one.png"]
    (shown, asked) = models.requests[before].body["messages"][0]["content"]
    assert (shown["type"], shown["source"]["data"]) == ("image", b64encode(PNG).decode())
    assert asked["text"] == "What is 6 * 7?"
    refused = api.post(f"/agents/{agent}/runs", json={"input": "x", "attachments": ["photos/none.png"]})
    assert (refused.status_code, refused.json()["field"]) == (400, "attachments.0")


@pytest.fixture
def caching_agent(api: httpx2.Client) -> str:
    """An agent whose calls nobody has made before, so that its first run finds nothing."""
    name = f"caches-{uuid.uuid4().hex[:12]}"
    body = an_agent_body(
        id=name, model="claude-sonnet-5-5", tools=[{"tool": "calculate"}], response_cache={"ttl_s": 600}
    )
    del body["rehearsal"]
    assert api.post("/agents", json=body).status_code == 201
    return name


def test_an_equal_run_is_answered_by_the_response_cache(
    api: httpx2.Client, caching_agent: str, models: FakeProvider
) -> None:
    before = len(models.requests)
    first = start(api, caching_agent, wait=25)
    assert (first["status"], len(models.requests)) == ("COMPLETED", before + 2)
    models.fault("401", times=5)
    second = start(api, caching_agent, wait=25)
    assert (second["status"], second["output"], len(models.requests)) == (
        "COMPLETED",
        "It is 42.",
        before + 2,
    )
    totals, paid = second["totals"], first["totals"]["cost_usd_micros"]
    assert (totals["turns"], totals["cost_usd_micros"], totals["response_cache_hits"]) == (2, 0, 2)
    assert totals["saved_usd_micros"] == paid > 0
    hits = [
        event["data"]["response_cache"]["hit"]
        for event in api.get(f"/runs/{second['id']}/events").json()["events"]
        if event["type"] == "agent.turn.completed"
    ]
    assert hits == [True, True]
    (line,) = [
        one
        for one in api.get("/costs", params={"by": "agent"}).json()["costs"]
        if one["agent"] == caching_agent
    ]
    assert (line["model_usd_micros"], line["saved_usd_micros"]) == (paid, paid)


@pytest.mark.parametrize(("when", "hits"), [("before", 1), ("after", 2)])
def test_a_process_that_dies_around_the_keeping_of_a_reply_has_paid_for_it_once(
    laptop: Laptop, api: httpx2.Client, caching_agent: str, models: FakeProvider, when: Any, hits: int
) -> None:
    before = len(models.requests)
    with killing(laptop, Kill("cache", when, 4)) as killer:
        run = start(api, caching_agent)["id"]
        found = wait_for(lambda: ended(api, run), 60)
    assert killer.killed == "agent_advance"
    assert (found["status"], found["output"], len(models.requests)) == ("COMPLETED", "It is 42.", before + 2)
    models.script(CALL, ANSWER)
    again = start(api, caching_agent, wait=25)
    assert (again["output"], again["totals"]["response_cache_hits"]) == ("It is 42.", hits)
    assert len(models.requests) == before + 2 + 2 - hits
