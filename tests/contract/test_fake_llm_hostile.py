"""Whatever comes in, the loopback provider answers with an error of the vendor and goes on."""

from __future__ import annotations

import json
import socket
import threading
from typing import Any

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stepward.testing.fake_llm import FakeProvider, Settings
from stepward.testing.fake_llm.received import Received
from stepward.testing.fake_llm.scripts import Script
from stepward.testing.fake_llm.service import Service
from tests.support.draws import drawn

PATHS = [
    "/v1/messages", "/v1/messages/count_tokens", "/v1/responses", "/v1/responses/input_tokens", "/v1/chat/completions",
    "/v1/embeddings", "/model/global.anthropic.claude-haiku-5-5/converse", "/model/us.anthropic.claude-haiku-5-5/converse-stream",
    "/model/global.anthropic.claude-haiku-5-5/count-tokens",
]  # fmt: skip
HEADERS = {"authorization": "Bearer key", "anthropic-version": "2026-10-21"}
FIELDS = [
    "messages", "input", "system", "tools", "thinking", "output_config", "cache_control", "toolConfig", "inferenceConfig", "text",
    "reasoning", "stream", "max_tokens", "role", "content", "type", "name", "id", "tool_calls", "function", "converse",
]  # fmt: skip
WORDS = [
    "user",
    "assistant",
    "tool",
    "text",
    "tool_use",
    "tool_result",
    "thinking",
    "function_call",
    "reasoning",
    "image",
    "x",
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(WORDS) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("path", PATHS)
@drawn(100)
@given(fields=st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=6))
def test_no_shape_of_a_body_breaks_it(path: str, fields: dict[str, Any]) -> None:
    model = "gpt-6-luna" if "v1/messages" not in path else "claude-haiku-5-5"
    body = fields if path.startswith("/model") else {"model": model, "max_tokens": 100, **fields}
    service = Service(Settings(), Script([]))
    answer = service.answer(Received(1, "POST", path, {}), json.dumps(body).encode(), HEADERS)
    assert answer.status in (200, 400, 404)
    json.loads(answer.parts[0])


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff\xfe", b"null", b'{"model": 5}'])
def test_what_is_no_object_is_refused(provider: FakeProvider, raw: bytes) -> None:
    for path in PATHS:
        answer = httpx2.post(f"{provider.url}{path}", content=raw, headers=HEADERS)
        assert (answer.status_code in (400, 404), answer.json() != {}) == (True, True)


def test_requests_that_are_no_http_are_refused(provider: FakeProvider) -> None:
    for head in (
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: many\r\n\r\n",
        b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n",
    ):
        with socket.create_connection(("127.0.0.1", provider.port), timeout=20) as connection:
            connection.sendall(head)
            assert connection.recv(100).startswith(b"HTTP/1.1 411 ")
    assert httpx2.get(f"{provider.url}/nowhere").status_code == 404
    assert httpx2.put(f"{provider.url}/v1/messages", content=b"{}").status_code == 501
    assert httpx2.get(f"{provider.url}/v1/models", headers=HEADERS).status_code == 200


def test_a_client_that_leaves_while_it_sends_is_no_error(provider: FakeProvider) -> None:
    with socket.create_connection(("127.0.0.1", provider.port), timeout=20) as connection:
        connection.sendall(b"POST /v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{")
    assert provider.wait_until(lambda requests: bool(requests) and requests[0].done, 60)


def test_it_serves_many_at_once_and_ends_while_they_wait() -> None:
    body = {"model": "claude-haiku-5-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi."}]}
    statuses: list[int] = []

    def ask(url: str, fault: str | None) -> None:
        try:
            headers = HEADERS | ({"x-fake-fault": fault} if fault else {})
            statuses.append(httpx2.post(url, json=body, headers=headers, timeout=60).status_code)
        except httpx2.HTTPError:
            statuses.append(0)

    with FakeProvider({"text": "Yes.", "repeat": True}) as provider:
        url = f"{provider.url}/v1/messages"
        asking = [
            threading.Thread(target=ask, args=(url, "hang" if at % 4 == 0 else None)) for at in range(20)
        ]
        for thread in asking:
            thread.start()
        assert provider.wait_until(lambda requests: sum(one.done for one in requests) == 15, 60)
    for thread in asking:
        thread.join(60)
    assert sorted(statuses) == [0] * 5 + [200] * 15
