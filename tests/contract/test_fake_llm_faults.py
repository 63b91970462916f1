"""What goes wrong at the loopback provider, as a client sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import httpx2
import pytest

from stepward.testing.fake_llm import FakeProvider, Fault

ASK: Any = {
    "model": "claude-haiku-5-5",
    "max_tokens": 1_000,
    "messages": [{"role": "user", "content": "Where is SO-1?"}],
    "tools": [{"name": "find", "input_schema": {"type": "object"}}],
}
LOOK: Any = {"text": "Let me look.", "calls": [{"tool": "find", "arguments": {"key": "SO-1"}}]}


@pytest.fixture
def client(provider: FakeProvider) -> Iterator[anthropic.Anthropic]:
    provider.script({**LOOK, "repeat": True})
    with anthropic.Anthropic(base_url=provider.url, api_key="k", max_retries=0, timeout=20) as made:
        yield made


def _streamed(client: anthropic.Anthropic, **more: Any) -> Any:
    with client.messages.stream(**{**ASK, **more}) as stream:
        return stream.get_final_message()


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("400", 400, "invalid_request_error"), ("401", 401, "authentication_error"), ("403", 403, "permission_error"),
        ("quota", 402, "billing_error"), ("413", 413, "request_too_large"), ("429", 429, "rate_limit_error"),
        ("500", 500, "api_error"), ("503", 503, "api_error"), ("504", 504, "timeout_error"), ("529", 529, "overloaded_error"),
    ],
)  # fmt: skip
def test_a_fault_stands_in_place_of_a_reply(
    provider: FakeProvider, client: anthropic.Anthropic, name: str, status: int, kind: str
) -> None:
    provider.fault(name)
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(**ASK)
    assert (caught.value.status_code, caught.value.body["error"]["type"]) == (status, kind)  # type: ignore[index]
    assert caught.value.request_id == provider.requests[0].request_id
    assert provider.requests[0].fault == name
    assert client.messages.create(**ASK).stop_reason == "tool_use"


def test_a_fault_says_when_to_come_again(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    provider.fault("429", retry_after_s=7)
    provider.fault(Fault(name="529", retry_after_ms=250, should_retry=False))
    seen = []
    for _ in range(2):
        with pytest.raises(anthropic.APIStatusError) as caught:
            client.messages.create(**ASK)
        headers = caught.value.response.headers
        seen.append([headers.get(name) for name in ("retry-after", "retry-after-ms", "x-should-retry")])
    assert seen == [["7", None, None], [None, "250", "false"]]


def test_a_script_has_faults_too(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    provider.script({"fault": 529}, {"fault": {"name": "503"}}, "At last.")
    statuses = []
    for _ in range(2):
        with pytest.raises(anthropic.APIStatusError) as caught:
            client.messages.create(**ASK)
        statuses.append((caught.value.status_code, caught.value.response.headers.get("x-should-retry")))
    assert statuses == [(529, None), (503, "true")]
    assert client.messages.create(**ASK).content[0].text == "At last."  # type: ignore[union-attr]
    with pytest.raises(anthropic.BadRequestError, match="the script has 3 replies"):
        client.messages.create(**ASK)


@pytest.mark.parametrize("ask", ["header", "model"])
def test_a_request_asks_for_its_own_fault(
    provider: FakeProvider, client: anthropic.Anthropic, ask: str
) -> None:
    more: Any = (
        {"extra_headers": {"x-fake-fault": "529"}} if ask == "header" else {"model": "claude-haiku-5-5+529"}
    )
    with pytest.raises(anthropic.APIStatusError, match="Overloaded"):
        client.messages.create(**{**ASK, **more})
    with pytest.raises(anthropic.BadRequestError, match="no fault; use one of"):
        client.messages.create(**ASK, extra_headers={"x-fake-fault": "nonsense"})


@pytest.mark.parametrize("name", ["cut", "stall"])
def test_a_stream_is_cut_in_its_middle(
    provider: FakeProvider, client: anthropic.Anthropic, name: str
) -> None:
    provider.fault(name, seconds=0.05, after_events=4)
    seen = []
    with pytest.raises(httpx2.RemoteProtocolError), client.messages.stream(**ASK) as stream:
        seen += [event.type for event in stream]
    assert provider.requests[0].events_sent == 4
    assert _streamed(client).stop_reason == "tool_use"


@pytest.mark.parametrize("name", ["cut", "stall", "hang"])
def test_an_answer_does_not_come_whole(
    provider: FakeProvider, client: anthropic.Anthropic, name: str
) -> None:
    provider.fault(name, seconds=0.05)
    with pytest.raises(anthropic.APIConnectionError):
        client.messages.create(**ASK)


def test_an_error_comes_in_the_stream(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    provider.fault("stream_error", after_events=5)
    with pytest.raises(anthropic.APIStatusError) as caught:
        _streamed(client)
    assert caught.value.body["error"]["type"] == "overloaded_error"  # type: ignore[index]


def test_what_is_no_json_is_not_read(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    provider.fault("malformed_json", times=2)
    with pytest.raises(ValueError, match="Expecting value"):
        _streamed(client)
    with pytest.raises(ValueError, match="Expecting value"):
        client.messages.create(**ASK)


def test_a_gateway_answers_html(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    provider.fault("html")
    with pytest.raises(anthropic.InternalServerError) as caught:
        client.messages.create(**ASK)
    assert (caught.value.status_code, "<h1>502" in caught.value.response.text) == (502, True)


@pytest.mark.parametrize(
    ("name", "stop"),
    [
        ("refusal", "refusal"), ("content_filter", "refusal"), ("length", "max_tokens"), ("pause", "pause_turn"),
        ("context", "model_context_window_exceeded"), ("empty", "end_turn"), ("overlong", "end_turn"),
    ],
)  # fmt: skip
def test_a_reply_ends_otherwise(
    provider: FakeProvider, client: anthropic.Anthropic, name: str, stop: str
) -> None:
    provider.fault(name, times=2)
    whole, streamed = client.messages.create(**ASK), _streamed(client)
    assert (whole.stop_reason, streamed.stop_reason) == (stop, stop)
    text = "".join(block.text for block in whole.content if block.type == "text")
    assert (len(text) > 2_000_000) == (name == "overlong")
    assert (whole.content == []) == (name in ("empty", "content_filter") and not text)
    assert (whole.stop_details is not None) == (stop == "refusal")


def test_calls_are_not_what_was_asked_for(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    for name in ("wrong_arguments", "unknown_tool", "duplicate_ids"):
        provider.fault(name)
    wrong, unknown, twice = (
        [block for block in _streamed(client).content if block.type == "tool_use"] for _ in range(3)
    )
    assert wrong[0].input != LOOK["calls"][0]["arguments"]
    assert unknown[0].name == "no_such_tool"
    assert len(twice) == 2
    assert twice[0].id == twice[1].id
    provider.fault("unreadable_arguments")
    with client.messages.stream(**ASK) as stream:
        text = "".join(event.partial_json for event in stream if event.type == "input_json")
    with pytest.raises(ValueError, match="Unterminated"):
        __import__("json").loads(text)


def test_a_client_that_leaves_is_seen(provider: FakeProvider, client: anthropic.Anthropic) -> None:
    provider.script({"text": "word " * 200, "fault": {"name": "slow", "seconds": 5}})
    with client.messages.stream(**ASK) as stream:
        assert provider.wait_until(lambda requests: bool(requests) and not requests[0].done, 60)
        stream.close()
    assert provider.wait_until(lambda requests: requests[0].done, 60)
    assert provider.requests[0].disconnected
    assert provider.requests[0].events_sent < 5


def test_it_ends_while_a_client_waits(client: anthropic.Anthropic) -> None:
    with FakeProvider({"text": "x", "fault": {"name": "hang", "seconds": 600}}) as provider:
        asking = anthropic.Anthropic(base_url=provider.url, api_key="k", max_retries=0, timeout=0.2)
        with asking, pytest.raises(anthropic.APITimeoutError):
            asking.messages.create(**ASK)
        assert provider.wait_until(lambda requests: bool(requests) and requests[0].disconnected, 60)
