"""The cache whose values expire."""

from __future__ import annotations

from stepward.domain.ttl_cache import MOST_ENTRIES, TtlCache


class Clock:
    """Seconds that stand until a test moves them."""

    def __init__(self) -> None:
        self.s = 0.0

    def __call__(self) -> float:
        return self.s


def test_a_value_is_kept_for_its_seconds_and_not_longer() -> None:
    clock = Clock()
    cache = TtlCache[str](2.0, clock)
    cache.put("acme", "full")
    clock.s = 1.9
    assert cache.get("acme") == "full"
    clock.s = 2.0
    assert cache.get("acme") is None


def test_a_source_is_asked_once_and_again_when_the_value_has_expired() -> None:
    clock, answers = Clock(), iter(["first", "second"])
    cache = TtlCache[str](2.0, clock)
    assert [cache.read("acme", lambda: next(answers)) for _ in range(3)] == ["first"] * 3
    clock.s = 2.0
    assert cache.read("acme", lambda: next(answers)) == "second"


def test_a_value_that_is_false_is_kept_too() -> None:
    answers = iter([False, True])
    cache = TtlCache[bool](2.0, Clock())
    assert [cache.read("acme", lambda: next(answers)) for _ in range(2)] == [False, False]


def test_what_shall_not_be_kept_is_read_again() -> None:
    answers = iter([(), ("key",), ("other",)])
    cache = TtlCache[tuple[str, ...]](2.0, Clock())
    assert [cache.read("acme", lambda: next(answers), keep_if=bool) for _ in range(3)] == [
        (),
        ("key",),
        ("key",),
    ]


def test_a_kept_value_that_does_not_serve_is_read_again() -> None:
    answers = iter([{"a"}, {"a", "b"}])
    cache = TtlCache[set[str]](2.0, Clock())
    cache.read("acme", lambda: next(answers))
    assert cache.read("acme", lambda: next(answers), use_if=lambda kept: "b" in kept) == {"a", "b"}
    assert cache.read("acme", lambda: {"never"}, use_if=lambda kept: "b" in kept) == {"a", "b"}


def test_a_forgotten_name_is_read_again() -> None:
    answers = iter(["first", "second"])
    cache = TtlCache[str](2.0, Clock())
    cache.read("acme", lambda: next(answers))
    cache.forget("acme")
    cache.forget("never kept")
    assert cache.read("acme", lambda: next(answers)) == "second"


def test_it_does_not_grow_without_bound_and_renewing_a_value_forgets_none() -> None:
    cache = TtlCache[int](2.0, Clock())
    for number in range(MOST_ENTRIES):
        cache.put(str(number), number)
    cache.put("0", -1)
    assert (cache.get("0"), cache.get("1")) == (-1, 1)
    cache.put("one more", 1)
    assert (cache.get("1"), cache.get("one more")) == (None, 1)
