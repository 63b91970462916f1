"""Renders are cached: how often the caches hit under a realistic mix is counted, and what they keep is bounded."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from stepward.domain.errors import InvalidRequest
from stepward.prompts.cache import NewestCache
from stepward.prompts.render import Renderer
from stepward.prompts.template import compile_template
from stepward.testing.prompt_bench import PROMPTS, a_mix, compare
from tests.support.prompts import a_prompt

LEAST_RATE = 0.95


def test_the_hit_rate_under_a_realistic_mix() -> None:
    told: list[bool] = []
    renderer = Renderer(told.append)
    for prompt, values in a_mix(20_000):
        renderer(prompt, values)
    assert renderer.rendered.hit_rate >= LEAST_RATE
    assert renderer.rendered.hit_rate == sum(told) / len(told)
    assert (renderer.compiled.misses, renderer.compiled.hits + PROMPTS) == (PROMPTS, renderer.rendered.misses)


def test_the_bench_renders_in_each_way_and_compares() -> None:
    found = compare(renders=40)
    assert found["renders"] == 40
    assert found["ratio"] == pytest.approx(found["uncached_us"] / found["cached_us"], rel=0.05)
    assert found["ratio_to_plain_jinja"] == pytest.approx(
        found["plain_jinja_us"] / found["cached_us"], rel=0.05
    )


def test_equal_texts_come_of_equal_values_and_no_others() -> None:
    renderer = Renderer()
    one, other = a_prompt(), a_prompt(template="{{ tone }} {{ customer }}")
    assert renderer(one, {"customer": "Ann"}) == ("You help Ann. Be kind.", False)
    assert renderer(one, {"tone": "kind", "customer": "Ann"}) == ("You help Ann. Be kind.", True)
    assert renderer(one, {"customer": "Bo"})[0] == "You help Bo. Be kind."
    assert renderer(other, {"customer": "Ann"}) == ("kind Ann", False)


def test_the_order_of_an_object_s_members_makes_another_text() -> None:
    renderer = Renderer()
    prompt = a_prompt(template="{{ v }}", variables={"v": {"type": "object"}})
    assert renderer(prompt, {"v": {"a": 1, "b": 2}})[0] == '{"a": 1, "b": 2}'
    assert renderer(prompt, {"v": {"b": 2, "a": 1}})[0] == '{"b": 2, "a": 1}'


@pytest.mark.parametrize(
    ("first", "second"), [(1, True), (1, 1.0), ("1", 1), (0, False), ([1], (1, 2)), ("a", "a ")]
)
def test_values_that_only_look_equal_do_not_share_a_text(first: Any, second: Any) -> None:
    renderer = Renderer()
    for value in (first, second):
        kind = {bool: "boolean", int: "integer", float: "number", str: "string"}.get(type(value), "array")
        prompt = a_prompt(
            template="{{ v is integer }} {{ v is boolean }} {{ v|tojson }}", variables={"v": {"type": kind}}
        )
        text = compile_template(prompt.template).render({"v": value})
        assert renderer(prompt, {"v": value})[0] == text


def test_a_render_that_fails_is_not_kept() -> None:
    renderer = Renderer()
    prompt = a_prompt(template="{{ 1 / n }}", variables={"n": {"type": "integer"}})
    for _ in range(2):
        with pytest.raises(InvalidRequest):
            renderer(prompt, {"n": 0})
    assert renderer(prompt, {"n": 1}) == ("1", False)


def test_a_cache_forgets_what_was_asked_for_longest_ago() -> None:
    cache: NewestCache[str, str] = NewestCache(2, 100, lambda key, value: len(value))
    for key in ("a", "b", "a", "c"):
        cache.get(key, lambda key=key: key)  # type: ignore[misc]
    assert [cache.get(key, lambda: "new")[1] for key in ("a", "c", "b")] == [True, True, False]


def test_a_cache_holds_no_more_characters_than_it_may() -> None:
    cache: NewestCache[str, str] = NewestCache(100, 10, lambda key, value: len(value))
    for key in ("aaaa", "bbbb", "cccc"):
        cache.get(key, lambda key=key: key)  # type: ignore[misc]
    assert [cache.get(key, lambda: "n")[1] for key in ("bbbb", "cccc", "aaaa")] == [True, True, False]
    cache.get("x" * 11, lambda: "x" * 11)
    assert cache.get("x" * 11, lambda: "n") == ("n", False)


def test_a_cache_is_shared_by_threads() -> None:
    cache: NewestCache[int, int] = NewestCache(5, 100, lambda key, value: 1)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: cache.get(n % 7, lambda: n % 7)[0], range(2_000)))
    assert found == [n % 7 for n in range(2_000)]
    assert cache.hits + cache.misses == 2_000
