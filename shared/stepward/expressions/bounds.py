"""Limits of one evaluation: a second, a number of steps, and the memory of its values.

Time alone does not stop an expression: a function of the language cannot be interrupted. So whatever creates values
counts their size first, and no single function gets more than it can do in a moment.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from jsonata.jexception import JException
from jsonata.utils import Utils

from stepward.expressions.evaluate import TIMEOUT_MS

MAX_STEPS: Final = 200_000
MAX_NESTED_STEPS: Final = 200
MAX_MADE_BYTES: Final = 50_000_000
"""Bytes of all values that an evaluation makes, still needed or not: the process takes 64 MB."""
MAX_VALUE_CHARS: Final = 8_000_000
"""Characters of one value as JSON, in which a shared value is written each time."""
MAX_VALUE_DEPTH: Final = 100

CELL_BYTES: Final = 8
_TEXT_BYTES: Final = 56
_CONTAINER_BYTES: Final = 88
_FIELD_BYTES: Final = 100
_STEPS_BETWEEN_LOOKS: Final = 32
_EMPTY_CHARS: Final = 8
"""Characters of an empty list or object: more than as JSON, since a copy takes many times that."""
_WORTH_KEEPING_CHARS: Final = 2_000
_TOO_DEEP: Final = f"it makes a value that is nested deeper than {MAX_VALUE_DEPTH} levels"
_BUSY_SHARE: Final = 0.5
"""A thread that gets less than this share of a processor is not blamed for waiting."""


class Exceeded(JException):  # type: ignore[misc]  # the library declares no types
    """An expression exceeded a limit; the library lets its own kind of error through."""

    def __init__(self, detail: str) -> None:
        super().__init__("D3137", -1, detail)


class Bounds:
    """Counts what one evaluation uses; each method raises `Exceeded` beyond a limit."""

    def __init__(self) -> None:
        self.depth = 0
        self.steps = 0
        self._next_look = _STEPS_BETWEEN_LOOKS
        self._made_bytes = 0
        self._began_s = time.monotonic()
        self._began_cpu_s = time.thread_time()
        self._sizes: dict[int, tuple[Any, int, int]] | None = {}

    @property
    def made_bytes(self) -> int:
        """The approximate number of bytes made."""
        return self._made_bytes

    def step(self) -> None:
        """Count one more node of the syntax tree, call of a function, or match of a pattern."""
        self.steps += 1
        if self.steps >= self._next_look:
            self._next_look = self.steps + _STEPS_BETWEEN_LOOKS
            if self.steps > MAX_STEPS:
                raise Exceeded(f"it takes more than {MAX_STEPS:,} steps")
            self.look()

    def enter(self) -> None:
        """Enter a nested node of the syntax tree."""
        self.depth += 1
        if self.depth > MAX_NESTED_STEPS:
            raise Exceeded(f"it calls itself more than {MAX_NESTED_STEPS} steps deep")
        self.step()

    def look(self) -> None:
        """Check the clock."""
        elapsed_s = time.monotonic() - self._began_s
        if elapsed_s * 1_000 > TIMEOUT_MS:
            busy_s = time.thread_time() - self._began_cpu_s
            if busy_s * 1_000 > TIMEOUT_MS * _BUSY_SHARE:
                raise Exceeded(f"it takes longer than {TIMEOUT_MS:,} ms")

    def make(self, size_bytes: int) -> None:
        """Count a value before it is made."""
        self._made_bytes += size_bytes
        if self._made_bytes > MAX_MADE_BYTES:
            raise Exceeded(f"it makes values of more than {MAX_MADE_BYTES // 1_000_000} MB")

    def make_text(self, chars: int) -> None:
        """Count a text before it is made."""
        if chars > MAX_VALUE_CHARS:
            raise Exceeded(f"it makes a text of more than {MAX_VALUE_CHARS:,} characters")
        self.make(_TEXT_BYTES + chars)

    def keep(self, value: Any) -> Any:
        """Count a list or an object that was made, with all that is in it."""
        if isinstance(value, list | dict):
            self.make(
                _CONTAINER_BYTES + (CELL_BYTES if isinstance(value, list) else _FIELD_BYTES) * len(value)
            )
            self.size_of(value)
            self.look()
        return value

    def size_of(self, *values: Any) -> int:
        """Return how many characters values take as JSON; shared ones count each time."""
        return sum(self._measured(value)[0] for value in values)

    def height_of(self, value: Any) -> int:
        """Return how many levels of lists and objects are in a value."""
        return self._measured(value)[1]

    def joined(self, whole: Any, *parts: Any) -> None:
        """Record the size of a concatenated list, without measuring each of its items again."""
        sizes = [self._measured(part) for part in parts]
        self._note(whole, sum(size for size, _ in sizes), max(height for _, height in sizes) or 1, worth=True)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Forget the measured sizes of values while they are changed."""
        before, self._sizes = self._sizes, None
        try:
            yield
        finally:
            self._sizes = {} if before is not None else None

    def _measured(self, value: Any) -> tuple[int, int]:
        if isinstance(value, str):
            return len(value) * (1 if value.isascii() else 4) + 2, 0
        if isinstance(value, Utils.RangeList):
            return len(value) * CELL_BYTES, 1
        if not isinstance(value, list | dict):
            return CELL_BYTES, 0
        known = self._sizes.get(id(value)) if self._sizes else None
        return known[1:] if known else self._measure(value)

    def _measure(self, value: list[Any] | dict[str, Any]) -> tuple[int, int]:
        self.depth += 1
        total, height = len(value) + _EMPTY_CHARS, 0
        if self.depth > MAX_NESTED_STEPS + MAX_VALUE_DEPTH:
            raise Exceeded(_TOO_DEEP)
        if isinstance(value, dict):
            total += sum(map(len, value))
        for one in value.values() if isinstance(value, dict) else value:
            if isinstance(one, int):  # Most of what is long is numbers.
                total += CELL_BYTES
                continue
            size, inner = self._measured(one)
            total += size
            height = max(height, inner)
            if total > MAX_VALUE_CHARS:
                break
        self.depth -= 1
        return self._note(value, total, height + 1, worth=total > _WORTH_KEEPING_CHARS)

    def _note(self, value: Any, total: int, height: int, *, worth: bool) -> tuple[int, int]:
        if total > MAX_VALUE_CHARS:
            raise Exceeded(f"it makes a value of more than {MAX_VALUE_CHARS:,} characters")
        if height > MAX_VALUE_DEPTH:
            raise Exceeded(_TOO_DEEP)
        if worth and self._sizes is not None:
            # With the value, since the name that Python has for it may be another's after its end.
            self._sizes[id(value)] = (value, total, height)
        return total, height
