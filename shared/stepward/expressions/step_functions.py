"""Functions that Step Functions adds to JSONata, and the one that it removes."""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from stepward.domain.json_text import read_json

MOST_NUMBERS: Final = 1_000
"""Numbers of a `$range`."""
_ALGORITHMS: Final = {
    "MD5": "md5",
    "SHA-1": "sha1",
    "SHA-256": "sha256",
    "SHA-384": "sha384",
    "SHA-512": "sha512",
}


def _uuid() -> str:
    return str(uuid.uuid4())


def _hash(value: Any, algorithm: str | None = None) -> str:
    name = _ALGORITHMS.get(algorithm or "MD5")
    if name is None:
        raise ValueError(f"the algorithm {algorithm!r} is none of {', '.join(_ALGORITHMS)}")
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return hashlib.new(name, text.encode(), usedforsecurity=False).hexdigest()


def _partition(items: list[Any], size: float) -> list[list[Any]]:
    step = _whole(size, "the size of a part")
    if step < 1:
        raise ValueError("the size of a part must be 1 or more")
    return [list(items[start : start + step]) for start in range(0, len(items), step)]


def _range(first: float, last: float, step: float) -> Any:
    start, end, stride = _whole(first, "the first"), _whole(last, "the last"), _whole(step, "the step")
    if stride == 0:
        raise ValueError("the step may not be 0")
    numbers = range(start, end + (1 if stride > 0 else -1), stride)
    if len(numbers) > MOST_NUMBERS:
        raise ValueError(f"it would make {len(numbers)} numbers; {MOST_NUMBERS} are the most")
    # A single number comes out bare, as any sequence of one does.
    return numbers[0] if len(numbers) == 1 else list(numbers)


def _whole(value: float, what: str) -> int:
    if isinstance(value, bool) or value != int(value):
        raise ValueError(f"{what} must be a whole number")
    return int(value)


def _random(seed: float | None = None) -> float:
    return random.random() if seed is None else random.Random(seed).random()  # noqa: S311  not for secrets


_ADDED: Final[Mapping[str, tuple[Callable[..., Any], str]]] = {
    "parse": (read_json, "<s-:x>"),
    "uuid": (_uuid, "<:s>"),
    "hash": (_hash, "<xs?:s>"),
    "partition": (_partition, "<an:a>"),
    "range": (_range, "<nnn:x>"),
    "random": (_random, "<n?:n>"),
}
"""By name: what it does, and the types of its arguments as JSONata writes them."""
REMOVED: Final = {"eval": "use $parse to read JSON; an expression cannot be made while it runs"}
"""By name: what to do instead."""


@cache
def names() -> frozenset[str]:
    """Return the names of all functions that an expression may call.

    Returns:
        The language's own, with those that Step Functions adds and without `$eval`.
    """
    import jsonata  # noqa: PLC0415  only functions that read expressions pay for it

    return (frozenset(jsonata.Jsonata.static_frame.bindings) | _ADDED.keys()) - REMOVED.keys()


def bind(frame: Any) -> None:
    """Bind these functions for one evaluation.

    `$uuid()` and `$random()` return another value in each evaluation, so that a retried attempt may see another; the
    recorded output of a task does not change.

    Args:
        frame: The library's frame of variables.
    """
    import jsonata  # noqa: PLC0415  only functions that read expressions pay for it

    for name, (work, types) in _ADDED.items():
        frame.bind(name, jsonata.Jsonata.JFunction(jsonata.Jsonata.JLambda(_of_something(work)), types))
    for name in REMOVED:
        frame.bind(name, None)


def _of_something(work: Callable[..., Any]) -> Callable[..., Any]:
    """Return undefined for an undefined argument, as the language's own functions do."""
    return lambda *given: None if given and given[0] is None and work is not _random else work(*given)
