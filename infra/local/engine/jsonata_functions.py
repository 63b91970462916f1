"""The functions that Step Functions adds to JSONata, written for values rather than as JSONata source."""

from __future__ import annotations

import hashlib
import json
import random
import uuid
from collections.abc import Callable, Mapping
from typing import Any

_ALGORITHMS = {"MD5": "md5", "SHA-1": "sha1", "SHA-256": "sha256", "SHA-384": "sha384", "SHA-512": "sha512"}
_MAX_RANGE_ITEMS = 1000


def new_uuid() -> str:
    """Make a version 4 UUID."""
    return str(uuid.uuid4())


def hash_of(value: Any, algorithm: str = "MD5") -> str:
    """Digest a string, or anything else as JSON, into hexadecimal."""
    if algorithm not in _ALGORITHMS:
        raise ValueError(f"the hash algorithm must be one of {', '.join(_ALGORITHMS)}")
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    return hashlib.new(_ALGORITHMS[algorithm], text.encode(), usedforsecurity=False).hexdigest()


def parse(text: str) -> Any:
    """Read JSON out of a string; AWS offers this instead of `$eval`."""
    return json.loads(text)


def partition(items: list[Any], size: float) -> list[list[Any]]:
    """Cut an array into arrays of at most `size`."""
    step = int(size)
    return [items[start : start + step] for start in range(0, len(items), step)]


def number_range(first: float, last: float, step: float) -> Any:
    """Count from first to last inclusive; a single number comes out bare, as it does on AWS."""
    start, end, stride = int(first), int(last), int(step)
    numbers = list(range(start, end + (1 if stride > 0 else -1), stride))
    if len(numbers) > _MAX_RANGE_ITEMS:
        raise ValueError(f"$range makes at most {_MAX_RANGE_ITEMS} numbers")
    return numbers[0] if len(numbers) == 1 else numbers


def random_number(seed: float | None = None) -> float:
    """Draw from [0, 1); the same seed gives the same number."""
    return random.random() if seed is None else random.Random(seed).random()  # noqa: S311 - not for secrets


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "uuid": new_uuid,
    "hash": hash_of,
    "parse": parse,
    "partition": partition,
    "range": number_range,
    "random": random_number,
}
