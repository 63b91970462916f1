"""Compare a model call of the platform with one by the vendor's SDK alone.

Both ask the same provider on loopback in one process, in turn:
`python -m stepward.testing.model_bench --calls 30 --latency-ms 100`. Prints one JSON document of medians and their ratio.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from statistics import median
from time import perf_counter
from typing import Any, Final

from stepward.adapters.memory.providers import MemoryLimitStore, MemoryPools, MemoryProviderKeys
from stepward.adapters.provider_limits import SharedLimits
from stepward.domain.conversation import ModelRequest
from stepward.models import streams
from stepward.models.cards import listed_card
from stepward.models.gateway import Gateway, Providers
from stepward.ports.models import CallContext
from stepward.ports.providers import ProviderEntry, with_built_in
from stepward.testing.fake_llm import FakeProvider, Reply, Settings

_MODEL: Final = "claude-haiku-5-5"
_KEY: Final = "sk-bench-0123456789"
_TEXT: Final = "It is on its way. " * 10
_REQUEST: Final = ModelRequest(
    model=_MODEL, prompt="You help with orders.", input="Where is SO-1?", max_output_tokens=500
)


class _Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


def compare(*, calls: int, latency_ms: float) -> dict[str, Any]:
    """Measure both in turn.

    Args:
        calls: Number of pairs; one more warms both up.
        latency_ms: Milliseconds that the provider waits before its first byte.

    Returns:
        Medians in milliseconds and their ratio.
    """
    settings = Settings(latency_ms=latency_ms)
    with FakeProvider(
        Reply(text=_TEXT, repeat=True).model_dump(exclude_none=True), settings=settings
    ) as provider:
        ours, bare = _ours(provider.url), _Bare(provider.url)
        pairs = [(_timed(bare), _timed(ours)) for _ in range(calls + 1)][1:]
        bare.close()
        streams.close()
    bare_ms, ours_ms = (median(times) for times in zip(*pairs, strict=True))
    return {
        "calls": calls,
        "latency_ms": latency_ms,
        "bare_ms": round(bare_ms, 2),
        "platform_ms": round(ours_ms, 2),
        "ratio": round(ours_ms / bare_ms, 3),
    }


def _timed(call: Callable[[], str]) -> float:
    began_s = perf_counter()
    if call() != _TEXT:
        raise AssertionError("the provider answered something else")
    return (perf_counter() - began_s) * 1_000


class _Bare:
    """Call by the SDK as its documentation shows it: a stream, read to its end."""

    def __init__(self, url: str) -> None:
        from anthropic import AsyncAnthropic  # noqa: PLC0415

        self._loop = asyncio.Runner()
        self._client = AsyncAnthropic(api_key=_KEY, base_url=url, max_retries=0)

    def __call__(self) -> str:
        return self._loop.run(self._stream())

    async def _stream(self) -> str:
        ask: dict[str, Any] = {
            "model": _MODEL,
            "max_tokens": _REQUEST.max_output_tokens,
            "system": _REQUEST.prompt,
            "messages": [{"role": "user", "content": _REQUEST.input}],
        }
        async with self._client.messages.stream(**ask) as events:
            return str(await events.get_final_text())

    def close(self) -> None:
        with self._loop:
            self._loop.run(self._client.close())


def _ours(url: str) -> Callable[[], str]:
    entries = with_built_in([ProviderEntry(name="anthropic", kind="anthropic", base_url=url)])
    pools = MemoryPools({"anthropic/shared": json.dumps({"keys": [{"id": "one", "value": _KEY}]})})
    limits = SharedLimits(MemoryLimitStore(), _Now())
    card = listed_card(_MODEL)
    if card is None:
        raise LookupError(f"{_MODEL} is not listed")
    gateway = Gateway(
        [card], _REQUEST.max_output_tokens, Providers(entries, MemoryProviderKeys(pools), limits)
    )
    return lambda: gateway.reply(_REQUEST, CallContext(tenant="acme", name="bench")).text


def main(words: Sequence[str]) -> int:
    """Measure as the arguments say, and print the result."""
    parser = argparse.ArgumentParser(prog="python -m stepward.testing.model_bench", description=__doc__)
    parser.add_argument("--calls", type=int, default=30)
    parser.add_argument("--latency-ms", type=float, default=100)
    said = parser.parse_args(words)
    sys.stdout.write(json.dumps(compare(calls=said.calls, latency_ms=said.latency_ms)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
