"""The loopback provider caches prompts and counts them as each vendor does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import anthropic
import boto3
import openai
import pytest

from stepward.testing.fake_llm import FakeProvider, Settings

LONG = "The policy of the shop is as follows. " * 200
MODEL = "claude-haiku-5-5"


class Clock:
    """A clock that a test moves."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def cached(clock: Clock) -> Iterator[FakeProvider]:
    with FakeProvider({"text": "Yes.", "repeat": True}, settings=Settings(clock=clock)) as provider:
        yield provider


def _mark(ttl: str) -> dict[str, Any]:
    return {"cache_control": {"type": "ephemeral", "ttl": ttl}}


def _asked(provider: FakeProvider, *texts: tuple[str, str | None], key: str = "k", **more: Any) -> Any:
    """Ask with system blocks, each with a breakpoint or none; give what was fresh, read, written for 5 minutes and 1 hour."""
    system: Any = [{"type": "text", "text": text, **(_mark(ttl) if ttl else {})} for text, ttl in texts]
    with anthropic.Anthropic(base_url=provider.url, api_key=key, max_retries=0) as client:
        usage = client.messages.create(
            **{
                "model": MODEL,
                "max_tokens": 50,
                "system": system,
                "messages": [{"role": "user", "content": "Hi."}],
                **more,
            }
        ).usage
    made = usage.cache_creation
    assert made
    assert (
        usage.cache_creation_input_tokens == made.ephemeral_5m_input_tokens + made.ephemeral_1h_input_tokens
    )
    found = (
        usage.input_tokens,
        usage.cache_read_input_tokens or 0,
        made.ephemeral_5m_input_tokens,
        made.ephemeral_1h_input_tokens,
    )
    assert sum(found) == provider.requests[-1].prompt_tokens
    return found


def test_a_prefix_is_written_once_and_read_then(cached: FakeProvider) -> None:
    fresh, read, written, _ = _asked(cached, (LONG, "5m"))
    assert (read, written > 2_000, fresh < 50) == (0, True, True)
    assert _asked(cached, (LONG, "5m")) == (fresh, written, 0, 0)
    more = _asked(cached, (LONG, "5m"), (LONG, "5m"))
    assert more[1] == written
    assert more[2] > 2_000


def test_what_changes_before_a_breakpoint_is_written_anew(cached: FakeProvider) -> None:
    first = _asked(cached, (LONG, "5m"))
    assert _asked(cached, ("x" + LONG, "5m"))[1] == 0
    assert _asked(cached, (LONG, "5m"), key="another")[1] == 0
    assert _asked(cached, (LONG, "5m"), model="claude-sonnet-5-5")[1] == 0
    tools: Any = [{"name": "find", "input_schema": {"type": "object"}}]
    assert _asked(cached, (LONG, "5m"), tools=tools)[1] == 0
    assert _asked(cached, (LONG, "5m"))[1] == first[2]


def test_what_is_short_or_not_marked_is_not_kept(cached: FakeProvider) -> None:
    for texts in ([("short", "5m")], [(LONG, None)]):
        for _ in range(2):
            assert _asked(cached, *texts)[1:] == (0, 0, 0)


def test_a_breakpoint_lives_as_long_as_it_says(cached: FakeProvider, clock: Clock) -> None:
    _, _, short, long = _asked(cached, (LONG, "1h"), ("More. " + LONG, "5m"))
    assert short > 2_000
    assert long > 2_000
    clock.now_s += 299
    assert _asked(cached, (LONG, "1h"), ("More. " + LONG, "5m"))[1:] == (short + long, 0, 0)
    clock.now_s += 299  # what is read lives on
    assert _asked(cached, (LONG, "1h"), ("More. " + LONG, "5m"))[1:] == (short + long, 0, 0)
    clock.now_s += 301
    assert _asked(cached, (LONG, "1h"), ("More. " + LONG, "5m"))[1:] == (long, short, 0)
    clock.now_s += 3_601
    assert _asked(cached, (LONG, "1h"), ("More. " + LONG, "5m"))[1:] == (0, short, long)


def test_a_long_breakpoint_stands_before_a_short_one(cached: FakeProvider) -> None:
    with pytest.raises(anthropic.BadRequestError, match="must not come after a ttl='5m'"):
        _asked(cached, (LONG, "5m"), (LONG, "1h"))


def test_the_request_marks_its_own_end(cached: FakeProvider) -> None:
    first = _asked(cached, (LONG, None), cache_control={"type": "ephemeral"})
    assert (first[0], first[2] > 2_000) == (0, True)
    talk: Any = [
        {"role": "user", "content": "Hi."},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "And?"},
    ]
    grown = _asked(cached, (LONG, None), cache_control={"type": "ephemeral"}, messages=talk)
    assert (grown[0], grown[1], grown[2] > 0) == (0, first[2], True)


def test_openai_caches_by_itself_and_counts_it_into_the_input(cached: FakeProvider) -> None:
    def used(text: str, model: str = "gpt-6-luna") -> Any:
        with openai.OpenAI(base_url=cached.openai_url, api_key="k", max_retries=0) as client:
            return client.responses.create(model=model, instructions=text, input="Hi.", store=False).usage

    first, second, other = used(LONG), used(LONG), used(LONG + "x" * 1_000)
    assert first.input_tokens == second.input_tokens == cached.requests[0].prompt_tokens
    assert first.input_tokens_details.cached_tokens == 0
    written = first.input_tokens_details.cache_write_tokens
    assert (written % 128, written > 2_000) == (0, True)
    assert second.input_tokens_details.cached_tokens == written
    assert second.input_tokens_details.cache_write_tokens == 0
    assert written - 128 <= other.input_tokens_details.cached_tokens <= written
    assert used("x" + LONG).input_tokens_details.cached_tokens == 0


def test_bedrock_counts_apart_what_its_cache_points_give(cached: FakeProvider) -> None:
    system: Any = [{"text": LONG}, {"cachePoint": {"type": "default"}}, {"text": "Be short."}]
    with closing(boto3.client("bedrock-runtime", endpoint_url=cached.url)) as client:
        first, second = (
            client.converse(
                modelId=f"global.anthropic.{MODEL}",
                system=system,
                messages=[{"role": "user", "content": [{"text": "Hi."}]}],
            )["usage"]
            for _ in range(2)
        )
    written = first["cacheWriteInputTokens"]
    assert (written > 2_000, first["cacheReadInputTokens"]) == (True, 0)
    assert first["cacheDetails"] == [{"ttl": "5m", "inputTokens": written}]
    assert (second["cacheReadInputTokens"], second["cacheWriteInputTokens"]) == (written, 0)
    assert second["inputTokens"] + written == cached.requests[1].prompt_tokens
    assert second["totalTokens"] == second["inputTokens"] + written + second["outputTokens"]
