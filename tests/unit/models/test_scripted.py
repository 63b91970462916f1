"""The rehearsed model counts what a model is shown, so that the same turn always costs the same."""

from __future__ import annotations

from typing import Any

import pytest

from stepward.domain.conversation import Exchange, ModelReply, ModelRequest, ToolCall, ToolResult
from stepward.models.catalog import backend_for
from tests.support.builders import an_agent

ASKED = ModelReply(calls=(ToolCall(id="call_1_1", tool="calculate", arguments={"expression": "6 * 7"}),))


def a_request(**booked: Any) -> ModelRequest:
    """Make the second turn's request; `booked` is what the books keep of the first turn's call."""
    result = ToolResult(call="call_1_1", tool="calculate", content={"value": "42"}, **booked)
    past = Exchange(reply=ASKED, results=(result,))
    return ModelRequest(model="m", prompt="Go.", input="hello", history=(past,))


@pytest.mark.parametrize(
    "booked",
    [
        {"took_ms": 9},
        {"took_ms": 10_000},
        {"cost_usd_micros": 123_456},
        {"child_usd_micros": 123_456, "child_aws_usd_micros": 99},
    ],
    ids=str,
)
def test_what_only_the_books_know_changes_no_count(booked: dict[str, Any]) -> None:
    backend = backend_for(an_agent(rehearsal={"turns": [{"say": "a"}, {"say": "done"}]}), rehearsed=True)
    plain, kept = a_request(), a_request(**booked)
    assert backend.estimate_input_tokens(kept) == backend.estimate_input_tokens(plain)
    assert backend.reply(kept).usage == backend.reply(plain).usage


def test_what_a_model_is_shown_is_counted() -> None:
    backend = backend_for(an_agent(rehearsal={"turns": [{"say": "a"}, {"say": "done"}]}), rehearsed=True)
    longer = a_request().model_copy(update={"input": "hello" * 10})
    assert backend.estimate_input_tokens(longer) > backend.estimate_input_tokens(a_request())


@pytest.mark.parametrize(
    "text", ["0123", "1e3", "true", "null", "[1]", '"a"', " a\r\n\u00a0", "\ufeffa", "e\u0301", "{x"]
)
def test_a_text_stays_as_it_was_sent(text: str) -> None:
    backend = backend_for(an_agent(rehearsal={"turns": [{"say": "{% $input %}"}]}), rehearsed=True)
    assert backend.reply(ModelRequest(model="m", prompt="Go.", input=text)).text == text


def test_an_object_is_read() -> None:
    backend = backend_for(an_agent(rehearsal={"turns": [{"say": "{% $input.a %}"}]}), rehearsed=True)
    assert backend.reply(ModelRequest(model="m", prompt="Go.", input='{"a": "b"}')).text == "b"
