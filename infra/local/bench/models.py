"""`bench models`: what the platform adds to a model call, beside the vendor's SDK alone, and what its function takes."""

from __future__ import annotations

import json

from infra.local.bench.product import answer_of


def models(*, calls: int, latency_ms: float) -> int:
    """Print median times, their ratio and the function's memory as one JSON document.

    The product's logic has its own process.

    Args:
        calls: How many pairs of calls.
        latency_ms: How long the provider waits before its first byte, in milliseconds.

    Raises:
        LaptopError: The calls could not be made.
    """
    words = ["--calls", str(calls), "--latency-ms", str(latency_ms)]
    found = answer_of("stepward.testing.model_bench", words, "the calls could not be made")
    memory = answer_of("stepward.testing.memory_bench", [], "the function's memory could not be measured")
    print(json.dumps(found | {"memory": memory}, indent=2))
    return 0
