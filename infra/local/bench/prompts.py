"""`bench prompts`: how much faster a cached render is than compiling each time, and how often it is cached."""

from __future__ import annotations

import json

from infra.local.bench.product import answer_of


def prompts(*, renders: int) -> int:
    """Print medians, their ratios and the hit rate as one JSON document; the product's logic has its own process.

    Args:
        renders: How many renders the mix has.

    Raises:
        LaptopError: The prompts could not be rendered.
    """
    found = answer_of(
        "stepward.testing.prompt_bench", ["--renders", str(renders)], "the prompts could not be rendered"
    )
    print(json.dumps(found, indent=2))
    return 0
