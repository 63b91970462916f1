"""Compare cached renders of prompts with uncached ones, and count the hits of the caches.

All in one process, in turn: `python -m stepward.testing.prompt_bench --renders 20000`. Prints one JSON document.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Callable, Sequence
from statistics import median
from time import perf_counter_ns
from typing import Any, Final

from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from stepward.domain.prompts import PromptDefinition
from stepward.prompts.render import Renderer
from stepward.prompts.template import compile_template

PROMPTS: Final = 40
CUSTOMERS: Final = ("free", "team", "enterprise")
TONES: Final = ("kind", "brief")
PERSONS_SHARE: Final = 0.02
"""How many renders have a value that no other has, such as a person's name."""
MOST_UNCACHED: Final = 300
"""How many are made without a cache, each of which takes milliseconds."""
_RULES: Final = [f"Rule {number}: say nothing that is not so." for number in range(12)]
_TEMPLATE: Final = """\
You are the assistant {number} of a {{{{ customer }}}} customer. Be {{{{ tone }}}}.
{{% if customer == "enterprise" %}}
Offer a call with their account manager.
{{% endif %}}
Keep to these rules:
{{% for rule in rules %}}
{{{{ loop.index }}}}. {{{{ rule }}}}
{{% endfor %}}
"""

Asked = tuple[PromptDefinition, dict[str, Any]]


def a_mix(renders: int) -> list[Asked]:
    """Draw a mix of renders: few prompts often, many seldom, mostly with settings.

    Args:
        renders: How many.

    Returns:
        A prompt and its values each; the same ones every time.
    """
    drawn = random.Random(7)  # noqa: S311  a mix to measure with, and no secret
    prompts = [_prompt(number) for number in range(PROMPTS)]
    weights = [1 / (place + 1) for place in range(PROMPTS)]
    return [
        (prompt, {"customer": _customer(drawn, number), "tone": drawn.choice(TONES)})
        for number, prompt in enumerate(drawn.choices(prompts, weights, k=renders))
    ]


def compare(renders: int) -> dict[str, Any]:
    """Render a mix through the caches, and again without any.

    Args:
        renders: How many.

    Returns:
        Medians in microseconds, their ratios, and the hit rates of the caches.
    """
    mix, renderer, plain = a_mix(renders), Renderer(), SandboxedEnvironment(undefined=StrictUndefined)
    ways: dict[str, Callable[[Asked], str]] = {
        "cached": lambda asked: renderer(*asked)[0],
        "uncached": lambda asked: compile_template(asked[0].template).render(_all_values(asked)),
        "plain_jinja": lambda asked: plain.from_string(asked[0].template).render(_all_values(asked)),
    }
    took = {
        way: [_timed_us(ask, asked) for asked in (mix if way == "cached" else mix[:MOST_UNCACHED])]
        for way, ask in ways.items()
    }
    medians = {way: median(times) for way, times in took.items()}
    return {
        "renders": renders,
        **{f"{way}_us": round(micros, 2) for way, micros in medians.items()},
        "ratio": round(medians["uncached"] / medians["cached"], 1),
        "ratio_to_plain_jinja": round(medians["plain_jinja"] / medians["cached"], 1),
        "hit_rate": round(renderer.rendered.hit_rate, 4),
        "compiled": renderer.compiled.misses,
    }


def _prompt(number: int) -> PromptDefinition:
    variables = {"customer": {}, "tone": {}, "rules": {"type": "array", "default": _RULES}}
    body = {"id": f"p{number}", "version": "1.0.0", "template": _TEMPLATE.format(number=number)}
    return PromptDefinition.model_validate({**body, "variables": variables})


def _customer(drawn: random.Random, number: int) -> str:
    return f"person {number}" if drawn.random() < PERSONS_SHARE else drawn.choice(CUSTOMERS)


def _all_values(asked: Asked) -> dict[str, Any]:
    return {"rules": _RULES, **asked[1]}


def _timed_us(ask: Callable[[Asked], str], asked: Asked) -> float:
    began_ns = perf_counter_ns()
    if not ask(asked):
        raise AssertionError("a prompt rendered to nothing")
    return (perf_counter_ns() - began_ns) / 1_000


def main(words: Sequence[str]) -> int:
    """Measure as the arguments say, and print the result."""
    parser = argparse.ArgumentParser(prog="python -m stepward.testing.prompt_bench", description=__doc__)
    parser.add_argument("--renders", type=int, default=20_000)
    said = parser.parse_args(words)
    sys.stdout.write(json.dumps(compare(said.renders)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
