"""Pauses that a vendor makes of its own: what is said in several replies goes back as the one message that it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from stepward.domain.conversation import Exchange
from stepward.models import streams
from stepward.testing.fake_llm import FakeProvider
from tests.support.model_clients import VENDORS, answered

pytestmark = pytest.mark.enable_socket
ANTHROPIC = VENDORS[0]
THINKS = {"options": {"thinking": True}}


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    streams.close()


@pytest.mark.parametrize("asked", [{}, THINKS], ids=["plain", "thinking"])
def test_two_pauses_in_a_row_are_gone_on_from(provider: FakeProvider, asked: dict[str, Any]) -> None:
    more = {"thinking": "Hm."} if asked else {}
    call = {"tool": "find_order", "arguments": {"order_id": "1"}}
    said = [{"text": "One, ", "fault": "pause"}, {"text": "two, ", "fault": "pause"}]
    provider.script(*[{**one, **more} for one in said], {"text": "three.", "calls": [call], **more}, "Done.")
    history: tuple[Exchange, ...] = ()
    for stop in ("pause", "pause", "tools"):
        reply = ANTHROPIC.ask(provider, ANTHROPIC.request(history=history, **asked))
        assert reply.stop == stop
        history = (*history, answered(reply, *(["sent"] if reply.calls else [])))
    assert ANTHROPIC.ask(provider, ANTHROPIC.request(history=history, **asked)).text == "Done."
    (spoken,) = [one for one in provider.requests[-1].body["messages"] if one["role"] == "assistant"]
    kinds = [block["type"] for block in spoken["content"]]
    assert kinds == (["thinking", "text"] * 3 if asked else ["text"] * 3) + ["tool_use"]
